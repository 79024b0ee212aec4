/** What the page shows of a generation: its snapshot, its requests, and its pictures in the gallery. */

import { ACCOUNT_HEADER } from './config.js';
import { recordReach } from './connection.js';
import { modelIn } from './fallback.js';
import { keep, kept } from './pictures.js';
import { redraw } from './redraw.js';
import { namesOf } from './sources.js';
import { Timeline } from './timeline.js';

/** @typedef {import('./pictures.js').Picture} Picture */
/** @typedef {import('lemondata-wasm').Options} Options */
/** @typedef {import('lemondata-wasm/generations').GenerationSnapshot} GenerationSnapshot */

export class Generation {
  /** @type {{ status: number, code: string } | undefined} the reason why the service refused the account */
  account;
  /** @type {import('./sources.js').Sources | undefined} the reference pictures of the request */
  files;
  timeline = new Timeline();

  /** Whether its images are there, and are being stored. */
  #isSaving = false;
  /** @type {Picture[] | undefined} */
  #pictures;
  /** @type {number | undefined} */
  #retryAfterMs;

  /**
   * @param {GenerationSnapshot} snapshot
   * @param {boolean} isResumed whether an earlier visit or another tab began it
   */
  constructor(snapshot, isResumed) {
    this.snapshot = snapshot;
    this.isResumed = isResumed;
  }

  get id() {
    return this.snapshot.id;
  }

  get request() {
    return /** @type {import('lemondata-wasm').ImageRequest} */ (this.snapshot.request);
  }

  get sources() {
    return namesOf(this.files);
  }

  get phase() {
    return this.#isSaving && this.isRunning ? 'saving' : this.snapshot.phase;
  }

  get progress() {
    return this.#isSaving ? 100 : this.snapshot.progress;
  }

  /** @returns {any} */
  get error() {
    return this.snapshot.error;
  }

  /** Its entries in the gallery. Those of another tab's generation were stored by that tab. */
  get pictures() {
    if (this.#pictures) return this.#pictures;
    return this.phase === 'done'
      ? kept()
          .filter(({ generation }) => generation === this.id)
          .reverse()
      : [];
  }

  get isRunning() {
    return ['held', 'sending', 'waiting'].includes(this.snapshot.phase);
  }

  /** Whether the relay may have got the create without an answer, and finds that answer by its key. */
  get isLost() {
    const { task, sentAt, isResumable } = this.snapshot;
    return !this.isRunning && !task && sentAt !== undefined && isResumable;
  }

  /** @param {number} now */
  elapsed(now) {
    const { startedAt, endedAt = now } = this.snapshot;
    return endedAt - startedAt;
  }

  /**
   * Makes a call, and stores its images before the generation is done.
   *
   * @param {Options} options
   * @param {(options: Options) => Promise<import('lemondata-wasm').CompletedGeneration>} call
   */
  async run({ onTask, onUpdate, ...options }, call) {
    const { timeline } = this;
    this.account = undefined;
    const result = await call({
      ...options,
      fetch: this.#fetch,
      onTask(task) {
        timeline.explain('accepted as a task');
        return onTask?.(task);
      },
      onUpdate(task, info) {
        const { status, progress } = /** @type {import('lemondata-wasm').PendingGeneration} */ (task);
        if (info.nextPollMs !== undefined) timeline.due(info.nextPollMs);
        const hasProgress = progress !== undefined && status === 'processing';
        // The error of a failed task says more.
        if (task.status !== 'failed') timeline.explain(hasProgress ? `${status}, ${progress} %` : status);
        onUpdate?.(task, info);
      },
      onResponse: (info) => {
        timeline.answered(info, this.#retryAfterMs);
        redraw();
      },
    });
    if (!result.task_id) {
      timeline.explain(result.data.length > 1 ? 'pictures in the answer' : 'picture in the answer');
    }
    timeline.end();
    this.#isSaving = true;
    redraw();
    try {
      // The gallery names the model that made the picture.
      const request = result.skipped_models ? { ...this.request, model: result.model } : this.request;
      const { id, snapshot, sources } = this;
      this.#pictures = await keep({ id, snapshot, sources, request }, result.data);
    } finally {
      this.#isSaving = false;
    }
    return result;
  }

  /**
   * The transport. It sees when a request is sent and when it is lost, while the client reports only answers.
   *
   * @type {(url: string, init: RequestInit) => Promise<Response>}
   */
  #fetch = async (url, init) => {
    const row = this.timeline.sent(init.method);
    if (row.kind === 'create') row.model = modelIn(init.body);
    redraw();
    try {
      const response = await fetch(url, init);
      recordReach(true);
      const after = Number(response.headers.get('retry-after') ?? Number.NaN);
      this.#retryAfterMs = after >= 0 ? after * 1000 : undefined;
      const [status, code] = response.headers.get(ACCOUNT_HEADER)?.split(' ') ?? [];
      if (status) this.account = { status: Number(status), code };
      return response;
    } catch (error) {
      if (!init.signal?.aborted) {
        this.timeline.lost(row);
        recordReach(false);
      }
      throw error;
    } finally {
      redraw();
    }
  };
}
