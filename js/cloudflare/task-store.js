/**
 * The rows of a task. A write is whole or does not happen; memory changes after it.
 *
 * @typedef {{ list: { name: string, type: string, size: number }[], bytes: Uint8Array }} StoredFiles the files of a
 *   request, and the bytes of all of them, one file behind the other
 */

import { toFile } from '../relay/form-reader.js';
import { callCore } from './core.js';
import { drop, getPieces, getText, isLong, putBytes, putText, streamText } from './texts.js';

export class TaskStore {
  #storage;
  #kv;
  /** The core's state; `undefined` before the create. */
  job;
  view;
  /**
   * Who created the task and when, with which request and model, and the models that may follow.
   *
   * @type {{ identity: string, fingerprint: string, createdAt: number, model: string, fallback: string[], trace?: {
   *   traceparent: string, tracestate?: string } } | undefined}
   */
  order;
  /** Whether a later version has stored the job. This version leaves it alone. */
  isForeign = false;

  /** @param {DurableObjectStorage} storage */
  constructor(storage) {
    this.#storage = storage;
    this.#kv = storage.kv;
    this.order = this.#kv.get('order');
    this.view = this.#kv.get('view') ?? JSON.parse(getText(this.#kv, 'viewText') ?? 'null');
    const job = this.#kv.get('job');
    if (!job) return;
    this.job = callCore('migrateJob', job);
    this.isForeign = !this.job;
    if (!this.isForeign && this.#kv.get('unreadable')) this.#kv.delete('unreadable');
  }

  /** Since when the stored job has been unreadable: since `now`, the first time. */
  unreadableSince(now) {
    const since = this.#kv.get('unreadable') ?? now;
    this.#kv.put('unreadable', since);
    return since;
  }

  /**
   * Writes the rows that have changed.
   *
   * @param {{ job?: object, order?: object, view?: object, data?: string, request?: string, files?: StoredFiles }} rows
   */
  save({ job, order, view, data, request, files }) {
    this.#storage.transactionSync(() => {
      if (request !== undefined) putText(this.#kv, 'request', request);
      if (files) {
        this.#kv.put('fileList', files.list);
        putBytes(this.#kv, 'files', files.bytes);
      }
      if (data !== undefined) putText(this.#kv, 'data', data);
      if (order) this.#kv.put('order', order);
      if (view) this.#putView(view);
      if (job) this.#kv.put('job', job);
    });
    if (order) this.order = order;
    this.keep({ job, view });
  }

  /** Changes memory alone. Rows are billed, and a later process finds out again whether a task still runs. */
  keep({ job = this.job, view = this.view }) {
    this.job = job;
    this.view = view;
  }

  /** Writes a view: in pieces if it is too long for one row. */
  #putView(view) {
    const text = JSON.stringify(view);
    if (isLong(text)) {
      this.#kv.delete('view');
      putText(this.#kv, 'viewText', text);
    } else {
      drop(this.#kv, 'viewText');
      this.#kv.put('view', view);
    }
  }

  /** The request, as JSON. It is stored only for as long as it may have to be sent. */
  get request() {
    return getText(this.#kv, 'request');
  }

  /**
   * The files of the request. They are stored for as long as the request.
   *
   * @returns {import('../relay/form-reader.js').FormFile[]}
   */
  get files() {
    const all = new Blob(getPieces(this.#kv, 'files'));
    let end = 0;
    const list = /** @type {{ name: string, type: string, size: number }[]} */ (
      this.#kv.get('fileList') ?? []
    );
    return list.map(({ name, type, size }, index) => {
      const start = end;
      end += size;
      return toFile([all.slice(start, end)], name, index, type);
    });
  }

  dropRequest() {
    drop(this.#kv, 'request');
    drop(this.#kv, 'files');
    this.#kv.delete('fileList');
  }

  /** Resolves once all writes are on the disk. */
  sync() {
    return this.#storage.sync();
  }

  /** The data of a result that is too long for its view. */
  readData = () => streamText(this.#kv, 'data');

  async forget() {
    this.job = undefined;
    this.view = undefined;
    this.isForeign = false;
    await this.#storage.deleteAll();
  }
}
