/** One generation, from its request to its pictures: what is sent, how it stands, how it ends. */

import { ACCOUNT_HEADER } from './config.js';
import { Timeline } from './timeline.js';

/** The phases in which something is still to come. */
const RUNNING = ['held', 'sending', 'waiting', 'saving'];

/**
 * What is stored of a generation, so that it can go on after a reload.
 *
 * @typedef {object} Journal
 * @property {string} id
 * @property {import('lemondata-wasm').ImageRequest} request
 * @property {number} startedAt
 * @property {string} idempotencyKey
 * @property {string} relay the one that knows this key
 * @property {import('lemondata-wasm').Task} [task]
 * @property {boolean} [isStopped] nobody waits for it at the moment
 */

/**
 * What the page does for its generations.
 *
 * @typedef {object} Host
 * @property {import('lemondata-wasm').LemonData} client
 * @property {() => void} changed
 * @property {(journal: Journal) => Promise<void>} write
 * @property {(generation: Generation, images: import('lemondata-wasm').Image[]) => Promise<object[]>} keep
 * @property {(isReached: boolean) => void} reached is told of every request whether the server was there
 */

export class Generation {
  /** @type {'held' | 'sending' | 'waiting' | 'saving' | 'done' | 'stopped' | 'failed'} */
  phase = 'sending';
  /** The task's own word, and how far it is, where the server tells. */
  status;
  progress;
  /** Where it stands in a queue, where the relay tells. */
  queue;
  /** What has ended it. */
  error;
  /** Why the service has refused the account, where it did. */
  account;
  /** @type {object[]} the entries of the gallery that it has made */
  pictures = [];
  endedAt;
  /** Whether the wait was begun by an earlier visit. */
  isResumed = false;
  timeline = new Timeline();

  #host;
  #controller;
  #retryAfterMs;

  /**
   * @param {Journal} journal
   * @param {Host} host
   */
  constructor(journal, host) {
    this.journal = journal;
    this.#host = host;
  }

  get id() {
    return this.journal.id;
  }

  get request() {
    return this.journal.request;
  }

  get task() {
    return this.journal.task;
  }

  get isRunning() {
    return RUNNING.includes(this.phase);
  }

  /** Whether it is not known if the relay has got the create: then the same key asks it without a second one. */
  get isLost() {
    if (this.task) return false;
    if (this.phase === 'stopped') return this.timeline.last !== undefined;
    return this.phase === 'failed' && ['connection', 'request_timeout'].includes(this.error.kind);
  }

  elapsed(now) {
    return (this.endedAt ?? now) - this.journal.startedAt;
  }

  /** Keeps it until there is a connection: nothing has been sent. */
  hold() {
    this.phase = 'held';
  }

  /** Sends the create. Another time, with the same key, it asks what has become of the first. */
  create() {
    const { request, idempotencyKey } = this.journal;
    this.phase = 'sending';
    return this.#run((options) => this.#host.client.generateAndWait(request, { ...options, idempotencyKey }));
  }

  /** Waits for its task again. */
  async resume() {
    this.phase = 'waiting';
    delete this.journal.isStopped;
    await this.#host.write(this.journal);
    return this.#run((options) => this.#host.client.waitForTask(this.task, options));
  }

  /** Shows it as one that nobody waits for. */
  rest() {
    this.phase = 'stopped';
    this.endedAt = this.journal.startedAt;
  }

  stop() {
    if (this.phase === 'held') this.#end('stopped');
    this.#controller?.abort();
  }

  async #run(call) {
    this.#controller = new AbortController();
    const { signal } = this.#controller;
    this.error = undefined;
    this.account = undefined;
    this.endedAt = undefined;
    this.#host.changed();
    try {
      const { data = [] } = await call({
        signal,
        fetch: this.#fetch,
        onTask: (task) => this.#accepted(task),
        onUpdate: (generation, info) => this.#update(generation, info),
        onResponse: (info) => {
          this.timeline.answered(info, this.#retryAfterMs);
          this.#host.changed();
        },
      });
      if (!this.task)
        this.timeline.says(data.length > 1 ? 'pictures in the answer' : 'picture in the answer');
      this.timeline.end();
      this.progress = 100;
      this.phase = 'saving';
      this.#host.changed();
      this.pictures = await this.#host.keep(this, data);
      this.#end('done');
    } catch (error) {
      if (signal.aborted && error === signal.reason) {
        if (this.task) await this.#host.write({ ...this.journal, isStopped: true });
        this.#end('stopped');
        return;
      }
      this.error = error;
      this.#end('failed');
      if (!error.kind) throw error;
    }
  }

  /** Awaited before the first poll: from here on, a reload can go on. */
  async #accepted(task) {
    this.journal.task = task;
    this.phase = 'waiting';
    this.timeline.says('accepted as a task');
    this.#host.changed();
    await this.#host.write(this.journal);
  }

  #update({ status, progress = this.progress, queue }, { nextPollMs }) {
    // Its error tells of a task that has failed.
    if (status === 'failed') return;
    Object.assign(this, { status, progress, queue });
    if (nextPollMs !== undefined) this.timeline.due(nextPollMs);
    const isTold = progress !== undefined && status === 'processing';
    this.timeline.says(isTold ? `${status}, ${progress} %` : status);
    this.#host.changed();
  }

  #end(phase) {
    this.phase = phase;
    this.endedAt = Date.now();
    this.timeline.end();
    this.#host.changed();
  }

  /** The transport, which sees when a request leaves and when it is lost; the client tells only of answers. */
  #fetch = async (url, init) => {
    const row = this.timeline.sent(init.method);
    this.#host.changed();
    try {
      const response = await fetch(url, init);
      this.#host.reached(true);
      const after = Number(response.headers.get('retry-after') ?? Number.NaN);
      this.#retryAfterMs = after >= 0 ? after * 1000 : undefined;
      const [status, code] = response.headers.get(ACCOUNT_HEADER)?.split(' ') ?? [];
      if (status) this.account = { status: Number(status), code };
      return response;
    } catch (error) {
      if (!init.signal?.aborted) {
        this.timeline.lost(row);
        this.#host.reached(false);
      }
      throw error;
    } finally {
      this.#host.changed();
    }
  };
}
