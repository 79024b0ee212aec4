/**
 * One call, as the module sees it. The module decides; this class performs: it calls back, waits and settles.
 *
 * Nothing enters the module from inside. The caller's own functions run in microtasks, never while the module is at
 * work, and whatever ends a wait early (an abort, a page that comes back, the poll of another call) calls the module
 * in a microtask, too. So a callback may abort, start or await any call.
 */

import { InternalError, InvalidRequestError, ownError } from './errors.js';
import { attempt, current, exchange, randomUuid, read, readCredentials, responseInfo } from './host.js';

/** What the module waits for, as `src/shell/jobs.rs` numbers it. */
const GAP = 0;
const STREAM = 2;
/** Work of this call's own, such as a request. */
const WORK = 4;

/** The callbacks that wait for each signal. One listener serves them all: Node warns of more than ten. */
const aborts = new WeakMap();

/** Calls back when a signal aborts, until the function that it returns is called. */
function onAbort(signal, callback) {
  let entry = aborts.get(signal);
  if (!entry) {
    const callbacks = new Set();
    const listener = () => {
      for (const each of [...callbacks]) each();
    };
    signal.addEventListener('abort', listener);
    entry = { callbacks, listener };
    aborts.set(signal, entry);
  }
  const { callbacks, listener } = entry;
  callbacks.add(callback);
  return () => {
    callbacks.delete(callback);
    if (callbacks.size > 0) return;
    aborts.delete(signal);
    signal.removeEventListener('abort', listener);
  };
}

function report(error) {
  if (typeof reportError === 'function') reportError(error);
  else console.error(error);
}

/** Calls a function of the caller's in a microtask of this call's. */
const later = (callback) => Promise.resolve().then(callback);

/** The error of a module that fails. A task that is known goes on in spite of it. */
export const broken = (message, cause, outcome, task) =>
  ownError(InternalError, task ? 'accepted' : outcome, message, { cause, task });

export class Call {
  /** The task that the call waits for or has created, for the error of a trap. */
  task;
  /** The request as JSON, as `toJson` makes it. */
  body;
  /** Milliseconds since `generate` returned the generation that this call waits for; `NaN` for another task. */
  age;
  /** The options in force: those of the call over those of its client. */
  given;
  options;
  defaults;
  /** The attempt under way, what ends it, and its credentials. */
  about;
  controller;
  credentials;

  #engine;
  #finish;
  #isOver = false;
  #stops = [];
  /** Has the module look at what has happened. */
  #ring;
  /** Resolves the promise that the module waits for. */
  #release;
  /** What the module waits for. */
  #kind = WORK;
  /** An attempt of another call that this one has not taken yet. */
  #incoming;
  #subscriber;
  #canStream = typeof TextDecoderStream === 'function';

  /**
   * @param {ReturnType<typeof import('./instance.js').createEngine>} engine
   * @param {(isDone: boolean, value: unknown) => void} finish settles the promise of the call
   * @param {typeof import('./poll-sharing.js').Subscriber} [Subscriber] where calls may share their polls
   */
  constructor(engine, finish, fields, Subscriber) {
    Object.assign(this, fields);
    this.#engine = engine;
    this.#finish = finish;
    const { fetch, requestTimeout } = this.given;
    if (Subscriber) {
      this.#subscriber = new Subscriber([this.defaults, fetch, requestTimeout], (shared) =>
        this.#receive(shared),
      );
    }
    engine.calls.add(this);
  }

  /**
   * Listens to the signal and, in a page, to what tells that the page is back; `wake` has the module look at it. Where
   * that fails, the call is over, and the answer is `false`.
   */
  listen(isBrowser, wake) {
    const { signal } = this.given;
    try {
      if (signal) this.#stops.push(onAbort(signal, () => this.#ring()));
    } catch (cause) {
      const message = 'signal must be an AbortSignal; listening to it failed: see error.cause.';
      this.settle(false, ownError(InvalidRequestError, 'not_sent', message, { param: 'signal', cause }));
      return false;
    }
    if (isBrowser) {
      const comeBack = () => {
        if (!globalThis.document?.hidden && (this.#kind === GAP || this.#kind === STREAM)) this.#ring();
      };
      for (const [target, type] of [
        [globalThis, 'online'],
        [globalThis.document, 'visibilitychange'],
      ]) {
        // Tests and servers pretend to be pages, some of them without events.
        target?.addEventListener?.(type, comeBack);
        this.#stops.push(() => target?.removeEventListener?.(type, comeBack));
      }
    }
    this.#answerRings(wake);
    return true;
  }

  /** An `await` of this call's own keeps its asynchronous context, whoever rings. */
  async #answerRings(wake) {
    const nextRing = () =>
      new Promise((resolve) => {
        this.#ring = resolve;
      });
    let ring = nextRing();
    for (;;) {
      await ring;
      if (this.#isOver) return;
      ring = nextRing();
      wake();
    }
  }

  /** Settles the promise; without a value, with the reason of the caller's signal. A polyfill's may have none. */
  settle(isDone, value = read(this.given.signal, 'reason')) {
    if (this.#isOver) return;
    if (!isDone && value === undefined) value = new DOMException('This operation was aborted', 'AbortError');
    this.#isOver = true;
    // First of all: clean-up that fails cannot undo it.
    this.#finish(isDone, value);
    this.#engine.calls.delete(this);
    this.#stops.push(
      () => this.#subscriber?.leave(),
      // What never settles would otherwise hold on to the module's callbacks for ever.
      () => this.#release?.(),
    );
    for (const stop of this.#stops) {
      try {
        stop();
      } catch (error) {
        report(error);
      }
    }
  }

  /** Ends the call after a trap. */
  abandon(cause) {
    const { controller, task } = this;
    const message =
      'The WebAssembly module trapped: please report this bug with error.cause. Further calls work.';
    this.#stops.push(() => controller?.abort());
    this.settle(false, broken(message, cause, 'unknown', task));
  }

  /** A promise of what work of this call's own brings. It is let go when the call is over. */
  #work(start) {
    this.#kind = WORK;
    const working = new Promise((resolve) => {
      this.#release = resolve;
      later(start).then(resolve, resolve);
    });
    // When it rings, the module has the value.
    working.then(() => this.#ring());
    return working;
  }

  /** A promise of key and headers for one request; they may be functions. */
  prepare() {
    const { apiKey, headers } = this.given;
    return this.#work(async () => {
      this.credentials = await readCredentials(apiKey, headers);
      return this.credentials;
    });
  }

  /** A promise that `onTask` has taken the task. */
  announce(task) {
    return this.#work(() =>
      current(this.given.onTask, task).then(
        () => ({}),
        (cause) => attempt(cause),
      ),
    );
  }

  /**
   * Sends a request with the credentials at hand: a promise of an attempt. There may be no time for more.
   *
   * @param {boolean} extra whether a create gets a key of ours, the same at each attempt, or a poll may be answered by
   *   a stream
   */
  send(url, isCreate, controller, extra) {
    const about = attempt(undefined, isCreate ? 'POST' : 'GET');
    this.about = about;
    this.controller = controller;
    const { signal } = controller;
    if (isCreate && extra) this.given.idempotencyKey ??= randomUuid();
    const { fetch, idempotencyKey } = this.given;
    const { value: key, headers } = this.credentials;
    const create = isCreate && { body: this.body.value, idempotencyKey };
    const streams = !isCreate && extra && this.#subscriber && this.#canStream;
    return this.#work(async () => {
      await exchange(about, { fetch, url, signal, headers, key, streams, ...create });
      // A transport that cannot hand over a stream is asked for JSON from then on.
      if (about.isStream && about.cause) this.#canStream = false;
      return about;
    });
  }

  /**
   * Ends an attempt, and passes it on: to `onResponse`, unless it is too late, and to calls that share it.
   *
   * @param {boolean} isLate whether it ran out of time
   */
  finish(isLate, path, durationMs, number) {
    const { about = attempt(), controller } = this;
    this.about = undefined;
    this.controller = undefined;
    // What could not be read may go on, such as a stream.
    if (about.cause) controller?.abort();
    // What never settles would hold on to the module's callbacks.
    if (isLate) this.#release?.();
    about.isLate ||= isLate;
    about.told = new Set();
    if (about.status !== undefined && !about.isLate) about.request = [path, durationMs, number];
    this.#respond(about);
    this.#subscriber?.publish(about, controller);
    return about;
  }

  /**
   * Joins the calls that send the same poll. Says what this one has to wait for: nothing (0) where it polls itself,
   * else the poll (1) or the stream (2) of another call.
   *
   * @param {boolean} isSilent whether a stream that is open has been silent for too long
   */
  join(url, isSilent) {
    const { value: key, headers } = this.credentials;
    const found = this.#subscriber?.join(JSON.stringify([url, key, [...headers]]), isSilent) ?? 0;
    return this.#incoming ? found || 1 : found;
  }

  /** Notes what the module waits for besides its timer. */
  sleep(kind) {
    this.#kind = kind;
    if (this.#incoming) this.#ring();
  }

  /** The attempt of another call that has ended a sleep, if one has. */
  take() {
    const shared = this.#incoming;
    this.#incoming = undefined;
    if (shared) this.#respond(shared);
    return shared;
  }

  /** Takes an attempt of another call, or nothing where that one has given up and this one has to poll. */
  #receive(shared) {
    if (shared) this.#incoming = shared;
    if (this.#kind !== WORK && (shared || this.#kind !== GAP)) this.#ring();
  }

  /** Tells `onResponse` of an HTTP answer, and no function twice. */
  #respond(about) {
    const callback = this.given.onResponse;
    if (!callback || !about.request || about.told.has(callback)) return;
    about.told.add(callback);
    this.#tell(callback, responseInfo(about));
  }

  #tell(callback, ...values) {
    later(() => callback(...values)).catch(report);
  }

  /** Tells `onUpdate` how the task stands, and in how many milliseconds the next poll is due, if any. */
  update(task, nextPollMs) {
    const { onUpdate } = this.given;
    if (onUpdate) this.#tell(onUpdate, task, nextPollMs < 0 ? {} : { nextPollMs });
  }
}
