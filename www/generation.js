/** What the page shows of a generation: its snapshot, its requests, and its pictures in the gallery. */

import { now } from './clock.js';
import { ACCOUNT_HEADER } from './config.js';
import { recordReach } from './connection.js';
import { modelIn, modelsTried, rowsOfSkipped } from './fallback.js';
import { addressOf, keep, kept } from './pictures.js';
import { redraw } from './redraw.js';
import { isInMemory } from './store.js';
import { Timeline } from './timeline.js';
import { recordAnswer, recordRequest } from './wire.js';
import { costOf } from './words.js';

/** @typedef {import('./pictures.js').Picture} Picture */
/** @typedef {import('lemondata-wasm').Image} Image */
/** @typedef {import('lemondata-wasm').Options} Options */
/** @typedef {import('lemondata-wasm').CompletedGeneration} CompletedGeneration */
/** @typedef {import('lemondata-wasm').Task} Task */
/** @typedef {(task: Task | undefined, options: Options) => Promise<CompletedGeneration>} Work */
/** @typedef {import('lemondata-wasm/generations').GenerationSnapshot} GenerationSnapshot */

/**
 * The place of one picture on the card. Without a picture, its file cannot be loaded or was deleted.
 *
 * @typedef {{ index: number, image: Image & { isKept?: boolean }, picture?: Picture, isDeleted: boolean }} Tile
 */

/**
 * The request as the journal stores it: it names the reference pictures that belong to it.
 *
 * @typedef {import('lemondata-wasm').ImageRequest & { 'studio:sources'?: import('./sources.js').SourceNames }} StoredRequest
 */

/** Smaller differences between the clocks are drift. */
const CLOCK_JUMP_MS = 5000;

/** What a client says of an answer that holds no picture. */
const NO_PICTURE = {
  name: 'ResponseError',
  kind: 'no_picture',
  outcome: 'unknown',
  message: 'The task has completed without a picture.',
};

/** @type {readonly Picture[]} */
let listed = [];
/** @type {Map<string | undefined, Picture[]>} */
let byGeneration = new Map();

/** @type {(id: string) => Picture[]} the entries of a generation in the gallery */
export function keptOf(id) {
  if (listed !== kept()) {
    listed = kept();
    byGeneration = new Map();
    for (const picture of listed) {
      byGeneration.set(picture.generation, [...(byGeneration.get(picture.generation) ?? []), picture]);
    }
  }
  return byGeneration.get(id) ?? [];
}

export class Generation {
  /** @type {{ status: number, code: string } | undefined} the reason why the service refused the account */
  account;
  timeline = new Timeline();
  /** @type {import('./chain.js').Chain | undefined} the create of a further model, where the first one has failed */
  chain;
  /** @type {import('./fallback.js').Row[]} the models that earlier visits have tried */
  earlierRows;

  /** Whether the first create may have left before the one that is about to leave. */
  isRepeat = false;

  /** @type {GenerationSnapshot} */
  #snapshot;
  /** @type {import('lemondata-wasm').ImageRequest} */
  #request;
  /** @type {import('./sources.js').SourceNames | undefined} the reference pictures that the journal names */
  #sources;
  /** @type {AbortController | undefined} ends the download of its images */
  #fetching;
  /** @type {string | undefined} */
  #cost;
  /** @type {string | undefined} the one that made the pictures, after others had failed */
  #model;
  /** @type {import('./fallback.js').Row[]} the models that a hub has tried, and the one that it is trying */
  #hubRows = [];
  /** The ids of pictures that their servers do not deliver any more. */
  #broken = new Set();
  /** @type {number | undefined} */
  #retryAfterMs;

  /**
   * @param {GenerationSnapshot} snapshot
   * @param {boolean} isResumed whether an earlier visit or another tab began it
   * @param {number} number in the order in which this page has learned of them
   */
  constructor(snapshot, isResumed, number) {
    this.#snapshot = snapshot;
    this.#request = this.#read(snapshot);
    this.isResumed = isResumed;
    this.number = number;
    /** When it began, by the clock of this page. */
    this.begunAt = now() - Math.max(0, Date.now() - snapshot.startedAt);
    this.earlierRows = isResumed ? [{ kind: 'create', model: this.request.model }] : [];
  }

  get id() {
    return this.snapshot.id;
  }

  get snapshot() {
    return this.#snapshot;
  }

  set snapshot(snapshot) {
    const before = this.#snapshot;
    if (snapshot === before) return;
    this.isRepeat = before.sentAt !== undefined && before.sentAt === snapshot.sentAt;
    this.#snapshot = snapshot;
    // It stays the same object for as long as it is the same request: the code drawer knows it by that.
    if (snapshot.request !== before.request) this.#request = this.#read(snapshot);
  }

  /** @param {GenerationSnapshot} snapshot */
  #read(snapshot) {
    const { 'studio:sources': sources, ...request } = /** @type {StoredRequest} */ (snapshot.request);
    this.#sources = sources;
    return request;
  }

  get request() {
    return this.#request;
  }

  /** The reference pictures of the request, by their names. */
  get sources() {
    return this.#sources ?? keptOf(this.id)[0]?.sources;
  }

  /** The requests by which the models were tried, those of earlier visits included. */
  get tried() {
    const rows = [...this.earlierRows, ...this.timeline.rows];
    // The page sends a hub no create but the first.
    return this.#hubRows.length > 0 && modelsTried(rows).length < 2 ? this.#hubRows : rows;
  }

  get phase() {
    return this.#fetching ? 'saving' : this.snapshot.phase;
  }

  get progress() {
    return this.#fetching ? 100 : this.snapshot.progress;
  }

  /** The price, where the service says it. */
  get cost() {
    return this.#cost ?? keptOf(this.id)[0]?.cost;
  }

  /** @returns {any} */
  get error() {
    return this.snapshot.error;
  }

  /** @returns {Tile[]} */
  get tiles() {
    const { phase, images } = this.snapshot;
    if (phase !== 'done') return [];
    const pictures = keptOf(this.id);
    return images.map((/** @type {Tile['image']} */ image, index) => {
      const found = pictures.find((picture) => picture.index === index);
      const picture = found && !this.#broken.has(found.id) ? found : undefined;
      return { index, image, picture, isDeleted: !found && Boolean(image.isKept) };
    });
  }

  /** Its entries in the gallery. */
  get pictures() {
    return this.tiles.flatMap(({ picture }) => picture ?? []);
  }

  /** The places of pictures whose files cannot be loaded, but may be later. */
  get missing() {
    return this.tiles.filter(
      ({ picture, isDeleted, image }) => !picture && !isDeleted && addressOf(image.url),
    );
  }

  get isRunning() {
    return this.#fetching !== undefined || ['held', 'sending', 'waiting'].includes(this.snapshot.phase);
  }

  /** Whether the relay may have got the create without an answer, and finds that answer by its key. */
  get isLost() {
    const { task, sentAt, isResumable } = this.snapshot;
    return !this.isRunning && !task && sentAt !== undefined && isResumable;
  }

  /** Whether it has ended here, while the service may still complete and bill it. */
  get mayBeBilled() {
    const { phase, task, sentAt, error } = this.snapshot;
    if (phase === 'stopped') return Boolean(task ?? sentAt);
    return phase === 'failed' && ['accepted', 'unknown'].includes(/** @type {any} */ (error)?.outcome);
  }

  /**
   * How long the person has waited, in milliseconds. The pictures hold the final time, and the viewer shows it.
   *
   * @param {number} time
   */
  elapsed(time) {
    const { startedAt, endedAt } = this.snapshot;
    if (endedAt === undefined) return time - this.begunAt;
    const times = keptOf(this.id).map(({ ms }) => ms);
    return Math.max(0, ...(times.length > 0 ? times : [endedAt - startedAt]));
  }

  /**
   * Makes a call, and stores its images before the generation is done.
   *
   * @param {Options} options
   * @param {Task | undefined} task the last one that is known
   * @param {Work} work
   */
  async run(options, task, work) {
    const { timeline } = this;
    this.account = undefined;
    try {
      const result = await this.#patiently(this.#trace(options), task, work);
      if (result.data.length === 0) throw Object.assign(new Error(), NO_PICTURE);
      if (!result.task_id) {
        timeline.explain(result.data.length > 1 ? 'pictures in the answer' : 'picture in the answer');
      }
      this.#cost = costOf(result);
      this.#noteSkipped(result);
      this.#model = result.skipped_models ? result.model : this.chain?.model;
      timeline.end();
      return { ...result, data: await this.#keep(result.data) };
    } catch (/** @type {any} */ error) {
      this.#noteSkipped({ skipped_models: error?.skippedModels });
      // The journal stores an error without its body, and the card says the same after a reload.
      if (error?.kind)
        Object.assign(error, {
          account: this.account,
          sentence: error.body?.error?.message ?? error.sentence,
        });
      throw error;
    }
  }

  /**
   * Records which models a hub has tried.
   *
   * @param {import('lemondata-wasm').GenerationDetails} details
   */
  #noteSkipped({ model, skipped_models }) {
    if (!skipped_models) return;
    const { fallback } = /** @type {import('./race-request.js').Request} */ (this.request);
    // An error does not name the last one.
    this.#hubRows = rowsOfSkipped(skipped_models, model ?? fallback?.[skipped_models.length - 1]);
  }

  /**
   * Adds what the card shows of the requests.
   *
   * @param {Options} options
   * @returns {Options}
   */
  #trace({ onTask, onUpdate, ...options }) {
    const { timeline } = this;
    return {
      ...options,
      fetch: this.#fetch,
      onTask(task) {
        timeline.explain('accepted as a task');
        return onTask?.(task);
      },
      onUpdate: (task, info) => {
        this.#noteSkipped(/** @type {import('lemondata-wasm').PendingGeneration} */ (task));
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
    };
  }

  /**
   * Makes a call, and waits on where the clock was put forward meanwhile: to the client, that is a wait of hours.
   *
   * @param {Options} options
   * @param {Task | undefined} task
   * @param {Work} work
   */
  async #patiently(options, task, work) {
    for (let known = task; ; ) {
      const jump = Date.now() - now();
      try {
        return await work(known, options);
      } catch (/** @type {any} */ error) {
        const { kind, task: waitedFor } = Object(error);
        if (kind !== 'wait_timeout' || Date.now() - now() - jump < CLOCK_JUMP_MS) throw error;
        known = waitedFor;
      }
    }
  }

  /**
   * @param {readonly Image[]} images
   * @param {(index: number) => boolean} [isWanted]
   * @returns {Promise<Image[]>} as the journal stores them: without the bytes that the gallery has
   */
  async #keep(images, isWanted) {
    const fetching = this.#fetching ?? new AbortController();
    this.#fetching = fetching;
    redraw();
    try {
      const { id, snapshot, sources, cost } = this;
      // The gallery names the model that made the picture.
      const request = this.#model ? { ...this.request, model: this.#model } : this.request;
      const elapsed = (/** @type {number} */ time) => this.elapsed(time);
      const generation = { id, request, snapshot, sources, cost, elapsed };
      const made = await keep(generation, images, fetching.signal, isWanted);
      return images.map(({ b64_json, ...image }, index) => {
        const picture = made[index];
        // A picture that is lost with the page keeps its address, or its task, which brings it again.
        if (!picture || isInMemory(picture.id)) return { ...image, b64_json };
        return { ...image, url: addressOf(image.url) ?? `kept:${picture.id}`, isKept: true };
      });
    } finally {
      // Drawn by the caller: in between, it would show as waiting again.
      this.#fetching = undefined;
    }
  }

  /**
   * Loads the files again that could not be loaded.
   *
   * @param {(signal: AbortSignal) => Promise<readonly Image[]>} refresh asks the service for addresses that work longer
   */
  async fetchAgain(refresh) {
    if (this.#fetching) return;
    const missing = new Set(this.missing.map(({ index }) => index));
    const fetching = new AbortController();
    this.#fetching = fetching;
    this.#broken.clear();
    redraw();
    const fresh = await refresh(fetching.signal).catch(() => []);
    await this.#keep(fresh.length > 0 ? fresh : this.snapshot.images, (index) => missing.has(index));
    redraw();
  }

  /** Ends the download of its images. It is done, and says that their files cannot be loaded. */
  stopFetching() {
    this.#fetching?.abort();
  }

  /**
   * Records that the server of a picture does not deliver it any more.
   *
   * @param {Picture} picture
   */
  reportBroken({ id }) {
    this.#broken.add(id);
    redraw();
  }

  /**
   * The transport. It sees when a request is sent and when it is lost, while the client reports only answers.
   *
   * @type {(url: string, init: RequestInit) => Promise<Response>}
   */
  #fetch = async (url, init) => {
    const row = this.timeline.sent(init.method);
    if (row.kind === 'create') row.model = modelIn(init.body);
    row.exchange = recordRequest(url, init);
    redraw();
    try {
      const response = await fetch(url, init);
      recordReach(true);
      recordAnswer(row.exchange, response);
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
