/** One generation, from its request to its pictures. */

import { LemonDataError } from 'lemondata-wasm';
import { ACCOUNT_HEADER } from './config.js';
import { namesOf, send } from './sources.js';
import { Timeline } from './timeline.js';

/** The phases before an end. */
const RUNNING = ['held', 'sending', 'waiting', 'saving'];

/**
 * The stored part of a generation, with which it continues after a reload.
 *
 * @typedef {object} Journal
 * @property {string} id
 * @property {import('lemondata-wasm').ImageRequest} request
 * @property {import('./sources.js').Sources} [sources] the reference pictures of the request
 * @property {number} startedAt
 * @property {string} idempotencyKey
 * @property {string | undefined} relay the process that knows this key
 * @property {import('lemondata-wasm').Task} [task]
 * @property {boolean} [isStopped] the person has stopped the wait
 */

/**
 * The services of the page for its generations.
 *
 * @typedef {object} Host
 * @property {import('lemondata-wasm').LemonData} client
 * @property {() => void} redraw
 * @property {(journal: Journal) => Promise<unknown>} write
 * @property {(generation: Generation, images: import('lemondata-wasm').Image[]) => Promise<Picture[]>} keep
 * @property {(isReached: boolean) => void} recordReach is called for every request: whether it reached the server
 */

/** @typedef {import('./pictures.js').Picture} Picture */
/** @typedef {import('lemondata-wasm').Options} Options */

export class Generation {
  /** @type {'held' | 'sending' | 'waiting' | 'saving' | 'done' | 'stopped' | 'failed'} */
  phase = 'sending';
  /** @type {string | undefined} the status of the task */
  status;
  /** @type {number | undefined} in percent, if the server reports it */
  progress;
  /** @type {import('lemondata-wasm').PendingGeneration['queue']} the place in the relay's queue, if there is one */
  queue;
  /** @type {any} the error that ended it */
  error;
  /** @type {{ status: number, code: string } | undefined} the reason why the service refused the account */
  account;
  /** @type {Picture[]} its entries in the gallery */
  pictures = [];
  /** @type {number | undefined} */
  endedAt;
  /** Whether an earlier visit began it. */
  isResumed = false;
  timeline = new Timeline();

  #host;
  /** @type {AbortController | undefined} */
  #controller;
  /** @type {number | undefined} */
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

  get sources() {
    return namesOf(this.journal.sources);
  }

  get task() {
    return this.journal.task;
  }

  get isRunning() {
    return RUNNING.includes(this.phase);
  }

  /**
   * Whether the relay may have got the create without an answer. The same key then finds that answer without a
   * second create.
   */
  get isLost() {
    if (this.task) return false;
    if (this.phase === 'stopped') return this.timeline.last !== undefined;
    return this.phase === 'failed' && ['connection', 'request_timeout'].includes(this.error.kind);
  }

  /** @param {number} now */
  elapsed(now) {
    return (this.endedAt ?? now) - this.journal.startedAt;
  }

  /** Holds the create until there is a connection. */
  hold() {
    this.phase = 'held';
  }

  /** Sends the create. Sent again with the same key, it brings the answer to the first one. */
  create() {
    const { request, sources, idempotencyKey } = this.journal;
    this.phase = 'sending';
    return this.#run((options) => send(this.#host.client, request, sources, { ...options, idempotencyKey }));
  }

  /**
   * Waits for its task again.
   *
   * @param {import('lemondata-wasm').Task} task
   */
  async resume(task) {
    this.phase = 'waiting';
    delete this.journal.isStopped;
    await this.#host.write(this.journal);
    return this.#run((options) => this.#host.client.waitForTask(task, options));
  }

  /** Shows it as stopped. */
  showStopped() {
    this.phase = 'stopped';
    this.endedAt = this.journal.startedAt;
  }

  stop() {
    if (this.phase === 'held') this.#end('stopped');
    this.#controller?.abort();
  }

  /** @param {(options: Options) => Promise<import('lemondata-wasm').CompletedGeneration>} call */
  async #run(call) {
    this.#controller = new AbortController();
    const { signal } = this.#controller;
    this.error = undefined;
    this.account = undefined;
    this.endedAt = undefined;
    this.#host.redraw();
    try {
      const { data = [] } = await call({
        signal,
        fetch: this.#fetch,
        onTask: (task) => this.#accepted(task),
        onUpdate: (generation, info) => this.#update(generation, info),
        onResponse: (info) => {
          this.timeline.answered(info, this.#retryAfterMs);
          this.#host.redraw();
        },
      });
      if (!this.task)
        this.timeline.explain(data.length > 1 ? 'pictures in the answer' : 'picture in the answer');
      this.timeline.end();
      this.progress = 100;
      this.phase = 'saving';
      this.#host.redraw();
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
      if (!(error instanceof LemonDataError)) throw error;
    }
  }

  /**
   * Stores the task before the first poll, so that a reload can continue.
   *
   * @param {import('lemondata-wasm').Task} task
   */
  async #accepted(task) {
    this.journal.task = task;
    this.phase = 'waiting';
    this.timeline.explain('accepted as a task');
    this.#host.redraw();
    await this.#host.write(this.journal);
  }

  /**
   * @param {import('lemondata-wasm').Generation | import('lemondata-wasm').FailedTask} task
   * @param {import('lemondata-wasm').UpdateInfo} info
   */
  #update(task, { nextPollMs }) {
    // The error of a failed task says more.
    if (task.status === 'failed') return;
    const {
      status,
      progress = this.progress,
      queue,
    } = /** @type {import('lemondata-wasm').PendingGeneration} */ (task);
    Object.assign(this, { status, progress, queue });
    if (nextPollMs !== undefined) this.timeline.due(nextPollMs);
    const hasProgress = progress !== undefined && status === 'processing';
    this.timeline.explain(hasProgress ? `${status}, ${progress} %` : status);
    this.#host.redraw();
  }

  /** @param {Generation['phase']} phase */
  #end(phase) {
    this.phase = phase;
    this.endedAt = Date.now();
    this.timeline.end();
    this.#host.redraw();
  }

  /**
   * The transport. It sees when a request is sent and when it is lost, while the client reports only answers.
   *
   * @type {typeof fetch}
   */
  #fetch = async (url, init) => {
    const row = this.timeline.sent(init?.method);
    this.#host.redraw();
    try {
      const response = await fetch(url, init);
      this.#host.recordReach(true);
      const after = Number(response.headers.get('retry-after') ?? Number.NaN);
      this.#retryAfterMs = after >= 0 ? after * 1000 : undefined;
      const [status, code] = response.headers.get(ACCOUNT_HEADER)?.split(' ') ?? [];
      if (status) this.account = { status: Number(status), code };
      return response;
    } catch (error) {
      if (!init?.signal?.aborted) {
        this.timeline.lost(row);
        this.#host.recordReach(false);
      }
      throw error;
    } finally {
      this.#host.redraw();
    }
  };
}
