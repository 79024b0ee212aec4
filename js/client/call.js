/**
 * One call, as the module sees it. The module decides; this class performs: it calls back, waits and settles.
 *
 * Nothing enters the module from inside. The caller's own functions run in microtasks, never while the module is at
 * work, and the module is called in a microtask, too, when there is an event to take. So a callback may abort, start or
 * await any call.
 */

import {
  EVENT_ABORTED,
  EVENT_ANNOUNCED,
  EVENT_ATTEMPT,
  EVENT_CREDENTIALS,
  EVENT_LEADER_LEFT,
  EVENT_NONE,
  EVENT_WOKEN,
  SOURCE_OWN,
  SOURCE_POLL,
} from './abi.gen.js';
import { InternalError, InvalidRequestError, ownError } from './errors.js';
import { Attempt, exchange, responseInfo } from './exchange.js';
import { randomKey, readCredentials, resolve } from './options.js';
import { read } from './values.js';

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
  /** What the caller passed: a request or a task. */
  input;
  /** The options in force: those of the call over those of its client. */
  options;
  callOptions;
  clientOptions;
  /** The request, as `toBody` makes it. */
  body;
  /** Milliseconds since `generate` returned the generation that this call waits for; `NaN` for another task. */
  age;
  /** The task that the call waits for or has created, for the error of a trap. */
  task;
  /** What belongs to the event that the module has taken last. */
  value;

  #instance;
  #finish;
  #isOver = false;
  #stops = [];
  #events = [];
  /** Has the module take the events. */
  #ring;
  /** Stands for the work that this call waits for; none while it sleeps. */
  #work;
  #credentials;
  /** The attempt under way, and what ends it. */
  #attempt;
  #controller;
  /** An attempt of another call that the module has not taken yet. */
  #incoming;
  #subscriber;
  #canStream = typeof TextDecoderStream === 'function';
  /** The idempotency key of ours, which each attempt at a create gets. */
  #ownKey;

  /**
   * @param {ReturnType<typeof import('./instance.js').createInstance>} instance
   * @param {(isDone: boolean, value: unknown) => void} finish settles the promise of the call
   * @param {typeof import('./poll-sharing.js').Subscriber} [Subscriber] where calls may share their polls
   */
  constructor(instance, finish, fields, Subscriber) {
    Object.assign(this, fields);
    this.#instance = instance;
    this.#finish = finish;
    const { fetch, requestTimeout } = this.options;
    if (Subscriber) {
      this.#subscriber = new Subscriber([this.clientOptions, fetch, requestTimeout], (attempt) =>
        this.#receive(attempt),
      );
    }
    instance.calls.add(this);
  }

  /**
   * Listens to the signal and, in a page, to the events of its return; `wake` has the module take what has happened.
   * Where that fails, the call is over, and the answer is `false`.
   */
  listen(isBrowser, wake) {
    const { signal } = this.options;
    try {
      if (signal) this.#stops.push(onAbort(signal, () => this.#ring()));
    } catch (cause) {
      const message = 'signal must be an AbortSignal; listening to it failed: see error.cause.';
      this.settle(false, ownError(InvalidRequestError, 'not_sent', message, { param: 'signal', cause }));
      return false;
    }
    if (isBrowser) {
      const comeBack = () => {
        if (!globalThis.document?.hidden) this.#post(EVENT_WOKEN);
      };
      /** @type {[EventTarget, string][]} */
      const targets = [
        [globalThis, 'online'],
        [globalThis.document, 'visibilitychange'],
      ];
      for (const [target, type] of targets) {
        // Tests and servers pretend to be pages, some of them without events.
        target?.addEventListener?.(type, comeBack);
        this.#stops.push(() => target?.removeEventListener?.(type, comeBack));
      }
    }
    this.#answerRings(wake);
    return true;
  }

  /** An `await` of this call's own keeps its asynchronous context, whichever call rings. */
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

  #post(kind, value) {
    this.#events.push([kind, value]);
    this.#ring();
  }

  /** Does work of this call's own, and posts its result unless the call has given it up. */
  #start(kind, start) {
    const work = {};
    this.#work = work;
    later(start).then((value) => {
      if (this.#work !== work) return;
      this.#work = undefined;
      this.#post(kind, value);
    });
  }

  /** The kind of the next event; `value` has what belongs to it. */
  take() {
    const [kind, value] = this.#events.shift() ?? [EVENT_NONE];
    this.value = value;
    if (kind) return kind;
    if (this.#incoming && !this.#work) {
      this.value = this.#incoming;
      this.#incoming = undefined;
      this.#respond(this.value);
      return EVENT_ATTEMPT;
    }
    // An attempt that has ended counts before the abort: it may have brought a task.
    return this.isAborted() ? EVENT_ABORTED : EVENT_NONE;
  }

  isAborted() {
    return read(this.options.signal, 'aborted') === true;
  }

  /** Settles the promise; without a value, with the reason of the caller's signal. A polyfill's may have none. */
  settle(isDone, value = read(this.options.signal, 'reason')) {
    if (this.#isOver) return;
    if (!isDone && value === undefined) value = new DOMException('This operation was aborted', 'AbortError');
    this.#isOver = true;
    // First of all: clean-up that fails cannot undo it.
    this.#finish(isDone, value);
    this.#instance.calls.delete(this);
    this.#stops.push(() => this.#subscriber?.leave());
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
    const message = 'WebAssembly trapped: please report this bug with error.cause. Further calls work.';
    this.#stops.push(() => this.#controller?.abort());
    this.settle(false, broken(message, cause, 'unknown', this.task));
  }

  /** Gets key and headers for one request; they may be functions. */
  authorize() {
    const { apiKey, headers } = this.options;
    this.#start(EVENT_CREDENTIALS, async () => {
      this.#credentials = await readCredentials(apiKey, headers);
      return this.#credentials;
    });
  }

  /** Hands a new task to `onTask`. */
  announce(task) {
    this.task = task;
    this.#start(EVENT_ANNOUNCED, () =>
      resolve(this.options.onTask, task).then(
        () => {},
        (cause) => ({ cause }),
      ),
    );
  }

  /**
   * Sends a request with the credentials at hand, and returns what ends it.
   *
   * @param {boolean} usesRelay whether a create gets a key of ours, the same at each attempt, or a poll may be answered
   *   by a stream
   */
  send(url, path, isCreate, number, usesRelay) {
    const attempt = new Attempt(isCreate ? 'POST' : 'GET', path, number);
    const controller = new AbortController();
    this.#attempt = attempt;
    this.#controller = controller;
    const { signal } = controller;
    if (isCreate && usesRelay) this.#ownKey ??= randomKey();
    const { fetch, relay, idempotencyKey = this.#ownKey } = this.options;
    const { key, headers } = this.#credentials;
    const create = isCreate && { body: this.body.value, idempotencyKey, relay };
    const streams = !isCreate && usesRelay && this.#subscriber && this.#canStream;
    this.#start(EVENT_ATTEMPT, async () => {
      await exchange(attempt, { fetch, url, signal, headers, key, streams, ...create });
      // A transport that cannot hand over a stream is asked for JSON from then on.
      if (attempt.isStream && attempt.cause) this.#canStream = false;
      if (this.#attempt === attempt) this.#end();
      return attempt;
    });
    return controller;
  }

  /** Gives up the attempt under way, which is late, and returns it. */
  giveUp() {
    this.#work = undefined;
    this.#attempt ??= new Attempt();
    this.#attempt.isLate = true;
    return this.#end();
  }

  /** Ends the attempt, and passes it on: to `onResponse`, and to the calls that share it. */
  #end() {
    const attempt = this.#attempt;
    const controller = this.#controller;
    this.#attempt = undefined;
    this.#controller = undefined;
    // An attempt that could not be read may go on, such as a stream.
    if (attempt.cause) controller?.abort();
    attempt.informed = new Set();
    this.#respond(attempt);
    this.#subscriber?.publish(attempt, controller);
    return attempt;
  }

  /**
   * Joins the calls that send the same poll, and returns where its answer comes from.
   *
   * @param {boolean} isSilent whether a stream that is open has been silent for too long
   */
  join(url, isSilent) {
    const { key, headers } = this.#credentials;
    const source = this.#subscriber?.join(JSON.stringify([url, key, [...headers]]), isSilent) ?? SOURCE_OWN;
    return this.#incoming ? source || SOURCE_POLL : source;
  }

  /** Takes an attempt of another call, or nothing where that one has given up and this one has to poll. */
  #receive(attempt) {
    if (attempt) this.#incoming = attempt;
    if (this.#work) return;
    if (attempt) this.#ring();
    else this.#post(EVENT_LEADER_LEFT);
  }

  /** Tells `onResponse` of an HTTP answer, and no function twice. */
  #respond(attempt) {
    const { onResponse } = this.options;
    const { informed, status, isLate } = attempt;
    if (!onResponse || status === undefined || isLate || informed.has(onResponse)) return;
    informed.add(onResponse);
    this.#tell(onResponse, responseInfo(attempt));
  }

  #tell(callback, ...values) {
    later(() => callback(...values)).catch(report);
  }

  /** Tells `onUpdate` how the task stands, and in how many milliseconds the next poll is due, if any. */
  update(generation, nextPollMs) {
    const { onUpdate } = this.options;
    if (onUpdate) this.#tell(onUpdate, generation, nextPollMs < 0 ? {} : { nextPollMs });
  }
}
