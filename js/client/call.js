/**
 * One call, as the module sees it. The module decides; this class performs: it calls back, waits and settles.
 *
 * Nothing enters the module from inside. The caller's own functions run in microtasks, never while the module is at
 * work, and the module is called in a microtask, too, when there is an event to take. So a callback may abort, start or
 * await any call.
 *
 * Thousands of calls may sleep at once: what a call does not need in its sleep, it does not keep.
 */

import {
  EVENT_ABORTED,
  EVENT_ANNOUNCED,
  EVENT_ATTEMPT,
  EVENT_CREDENTIALS,
  EVENT_ELAPSED,
  EVENT_LEADER_LEFT,
  EVENT_WOKEN,
  SOURCE_OWN,
  SOURCE_POLL,
} from './abi.gen.js';
import { InternalError, InvalidRequestError, ownError } from './errors.js';
import { Attempt, exchange } from './exchange.js';
import { taskOf } from './generation.js';
import { randomKey, readCredentials, resolve } from './options.js';
import { read } from './values.js';

const names = new WeakMap();

/** A name for an object, or for the lack of one, in the key of a poll. */
function nameOf(object = names) {
  const name = names.get(object) ?? randomKey();
  names.set(object, name);
  return name;
}

/** The calls that listen to each signal. One listener serves them all: Node warns of more than ten. */
const listeners = new WeakMap();

/** Rings a call when a signal aborts. */
function listenTo(signal, call) {
  let listener = listeners.get(signal);
  if (!listener) {
    listener = () => {
      for (const each of listener.calls) each.ring();
    };
    listener.calls = new Set();
    signal.addEventListener('abort', listener);
    listeners.set(signal, listener);
  }
  listener.calls.add(call);
}

function leave(signal, call) {
  const listener = listeners.get(signal);
  if (!listener?.calls.delete(call) || listener.calls.size > 0) return;
  listeners.delete(signal);
  signal.removeEventListener('abort', listener);
}

const report = (error) => (globalThis.reportError ?? console.error)(error);

/** Calls a function of the caller's in a microtask of this call's. */
const later = (callback) => Promise.resolve().then(callback);

/** The error of a module that fails. A task that is known goes on in spite of it. */
export const internalError = (message, cause, outcome, task) =>
  ownError(InternalError, task ? 'accepted' : outcome, message, { cause, task });

export class Call {
  /** The function of the package that was called, by its number. */
  command;
  /** What the caller passed: a request or a task. */
  input;
  /** The options in force: those of the call over those of its client. */
  options;
  callOptions;
  clientOptions;
  /** Whether visitors can read all that is here. */
  isBrowser;
  /** The request, as `toBody` makes it. */
  body;
  /** Milliseconds since `generate` returned the generation that this call waits for; `NaN` for another task. */
  age;
  /** The task that the call waits for or has created, for the error of a trap. */
  task;
  /** The models of `fallback` that have failed before. */
  skipped;
  /** Takes the call itself, once it is over: `isDone` and `value` say how. */
  settled;
  isDone;
  value;

  #instance;
  /** Stands for the call in the module. */
  #handle;
  #isOver = false;
  #events = [];
  /** Whether the module's timer has fired. */
  #isElapsed = false;
  /** Has the module take the events, in this call's own asynchronous context. */
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

  constructor(fields) {
    Object.assign(this, fields);
  }

  /**
   * @param {ReturnType<typeof import('./instance.js').createInstance>} instance
   * @param {typeof import('./poll-sharing.js').Subscriber} [Subscriber] where calls may share their polls
   */
  start(instance, Subscriber) {
    this.#instance = instance;
    this.#subscriber = Subscriber && new Subscriber(this);
    instance.calls.add(this);
    this.#handle = instance.run(this.command, this, this.isBrowser);
    this.#wake();
  }

  /** Listens to the signal and, in a page, to the events of its return. Where that fails, the call is over. */
  listen() {
    const { signal } = this.options;
    try {
      if (signal) listenTo(signal, this);
    } catch (cause) {
      const message = 'signal must be an AbortSignal; listening to it failed: see error.cause.';
      this.settle(false, ownError(InvalidRequestError, 'not_sent', message, { param: 'signal', cause }));
      return false;
    }
    this.#listenToPage('addEventListener');
    if (signal || this.isBrowser) this.#awaitRing();
    return true;
  }

  /** A page says in two ways that it has come back. Tests and servers pretend to be pages, some of them without events. */
  #listenToPage(method) {
    if (!this.isBrowser) return;
    globalThis[method]?.('online', this);
    globalThis.document?.[method]?.('visibilitychange', this);
  }

  /** A page has come back. */
  handleEvent() {
    if (globalThis.document?.hidden) return;
    this.#post(EVENT_WOKEN);
    this.ring();
  }

  /** A continuation of this call's own keeps its asynchronous context, whichever call rings. */
  #awaitRing() {
    const rung = new Promise((resolve) => {
      this.#ring = resolve;
    });
    rung.then(() => {
      if (this.#isOver) return;
      this.#awaitRing();
      this.#wake();
    });
  }

  ring() {
    this.#ring?.();
  }

  #post(kind, value) {
    // A new array: one that grows keeps room for sixteen more.
    this.#events = [...this.#events, [kind, value]];
  }

  /** Has the module take what has happened. */
  #wake() {
    while (!this.#isOver) {
      const event = this.#next();
      if (!event) return;
      this.#instance.wake(this.#handle, ...event);
    }
  }

  /** The kind of the next event, and what belongs to it. */
  #next() {
    const [event, ...others] = this.#events;
    this.#events = others;
    if (event) return event;
    const attempt = this.#incoming;
    if (attempt && !this.#work) {
      this.#incoming = undefined;
      this.#respond(attempt);
      return [EVENT_ATTEMPT, attempt];
    }
    // An attempt that has ended counts before the abort: it may have brought a task.
    if (read(this.options.signal, 'aborted') === true) return [EVENT_ABORTED];
    if (!this.#isElapsed) return;
    this.#isElapsed = false;
    return [EVENT_ELAPSED];
  }

  /** The module's timer has fired. */
  elapse() {
    this.#isElapsed = true;
    later(() => this.#wake());
  }

  /** Does work of this call's own, and takes its result unless the call has given it up. */
  #start(kind, start) {
    const work = {};
    this.#work = work;
    later(start).then((value) => {
      if (this.#work !== work) return;
      this.#work = undefined;
      this.#post(kind, value);
      this.#wake();
    });
  }

  /** Settles the promise; without a value, with the reason of the caller's signal. A polyfill's may have none. */
  settle(isDone, value = read(this.options.signal, 'reason')) {
    if (this.#isOver) return;
    if (!isDone && value === undefined) value = new DOMException('This operation was aborted', 'AbortError');
    this.#isOver = true;
    this.isDone = isDone;
    this.value = value;
    // First of all: clean-up that fails cannot undo it.
    this.settled(this);
    this.#instance?.calls.delete(this);
    for (const cleanUp of [
      () => leave(this.options.signal, this),
      () => this.#listenToPage('removeEventListener'),
      () => this.#subscriber?.leave(),
      // Nothing waits for its answer.
      () => this.#controller?.abort(),
    ]) {
      try {
        cleanUp();
      } catch (error) {
        report(error);
      }
    }
  }

  /** Ends the call after a trap. */
  abandon(cause) {
    const message = 'WebAssembly trapped: please report this bug with error.cause. Further calls work.';
    this.settle(false, internalError(message, cause, 'unknown', this.task));
  }

  /** Gets key and headers for one request; they may be functions. */
  authorize() {
    const { apiKey, headers } = this.options;
    this.#start(EVENT_CREDENTIALS, async () => {
      if (!this.#isOver) this.#credentials = await readCredentials(apiKey, headers);
      return this.#credentials;
    });
  }

  /** Hands a new task to `onTask`. */
  announce(id, pollUrl) {
    this.task = taskOf(id, pollUrl);
    this.#start(EVENT_ANNOUNCED, () =>
      resolve(this.options.onTask, this.task).then(
        () => {},
        (cause) => ({ cause }),
      ),
    );
  }

  /**
   * Sends a request with the credentials at hand, unless it is shared and another call's poll or stream answers it.
   * Returns where the answer comes from.
   *
   * @param {boolean} usesRelay whether a create gets a key of ours, the same at each attempt, or a poll may be answered
   *   by a stream
   * @param {boolean} isSilent whether a stream that is open has been silent for too long
   */
  send(url, isCreate, number, usesRelay, isShared, isSilent) {
    const { key, headers } = this.#credentials;
    const { fetch, relay, requestTimeout, idempotencyKey } = this.options;
    if (isShared && this.#subscriber) {
      if (!this.#ring) this.#awaitRing();
      // An attempt that came meanwhile counts as this poll. By joining, this call would lead one that it does not send.
      if (this.#incoming) return SOURCE_POLL;
      const same = [url, key, ...headers, requestTimeout, nameOf(this.clientOptions), nameOf(fetch)];
      // No header holds a line break.
      const source = this.#subscriber.join(same.join('\n'), isSilent);
      if (source) return source;
    }
    const attempt = new Attempt(isCreate ? 'POST' : 'GET', number);
    const controller = new AbortController();
    this.#attempt = attempt;
    this.#controller = controller;
    this.#credentials = undefined;
    if (isCreate && usesRelay) this.#ownKey ??= randomKey();
    const create = isCreate && {
      body: this.body.value,
      idempotencyKey: idempotencyKey ?? this.#ownKey,
      relay,
    };
    const streams = !isCreate && usesRelay && this.#subscriber && this.#canStream;
    this.#start(EVENT_ATTEMPT, async () => {
      const { signal } = controller;
      await exchange(attempt, { fetch, url, signal, headers, key, streams, ...create });
      // A transport that cannot hand over a stream is asked for JSON from then on.
      if (attempt.isStream && attempt.cause) this.#canStream = false;
      if (this.#attempt === attempt) this.#end();
      return attempt;
    });
    return SOURCE_OWN;
  }

  /** Gives up the attempt under way, which is late: it is the next event. */
  giveUp() {
    this.#work = undefined;
    this.#attempt ??= new Attempt();
    this.#attempt.isLate = true;
    this.#post(EVENT_ATTEMPT, this.#end());
  }

  /** Ends the attempt, and passes it on: to `onResponse`, and to the calls that share it. */
  #end() {
    const attempt = this.#attempt;
    const controller = this.#controller;
    this.#attempt = undefined;
    this.#controller = undefined;
    // An attempt that could not be read may go on, such as a stream.
    if (attempt.cause || attempt.isLate) controller?.abort();
    this.#respond(attempt);
    this.#subscriber?.publish(attempt, controller);
    return attempt;
  }

  /** Takes an attempt of another call, or nothing where that one has given up and this one has to poll. */
  receive(attempt) {
    if (attempt) this.#incoming = attempt;
    if (this.#work) return;
    if (!attempt) this.#post(EVENT_LEADER_LEFT);
    this.ring();
  }

  /** Tells `onResponse` of an HTTP answer, and no function twice. */
  #respond(attempt) {
    const { onResponse } = this.options;
    const { informed, info, isLate } = attempt;
    if (!onResponse || !info || isLate || informed.includes(onResponse)) return;
    informed.push(onResponse);
    this.#tell(onResponse, { ...info, rateLimit: { ...info.rateLimit } });
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
