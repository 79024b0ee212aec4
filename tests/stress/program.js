/**
 * Thousands of calls of every kind at once, whose callbacks abort, start and await other calls at random, throw or
 * never come back. It runs in a page as it does in Node.
 *
 * A seed decides what each call, each create and each task does. Timers decide how they interleave.
 */

import {
  edit,
  editAndWait,
  generate,
  generateAndWait,
  getTask,
  InternalError,
  LemonData,
  LemonDataError,
  waitForTask,
} from 'lemondata-wasm';
import { randomFrom } from './random.js';
import { createService, RELAY } from './service.js';

// Kept from before they are replaced: the checks count the package's timers alone.
const { setTimeout: later, clearTimeout: forget } = globalThis;
const sleep = (ms) => new Promise((resolve) => later(resolve, ms));

/** So many calls run at once, and those that their callbacks start. */
const AT_ONCE = 80;
/** No worker of the run waits longer for one call; every call ends sooner where nothing hangs. */
const PATIENCE_MS = 3000;
/** Calls hang where none has settled for so long. Every deadline of theirs is far shorter. */
const SILENCE_MS = 12_000;
/** How deep calls start each other within one turn. */
const DEPTH = 6;
const CROWD = 1000;

const KINDS = { generate: 3, generateAndWait: 4, edit: 2, editAndWait: 3, waitForTask: 6, getTask: 1 };
/** What a picture that another model makes instead must not have cost. */
const FREE = ['not_sent', 'rejected', 'failed'];
const DEEDS = {
  abortOwn: 3,
  abortOther: 3,
  abortShared: 1,
  start: 2,
  startAndAwait: 2,
  awaitOther: 2,
  throw: 2,
  reject: 1,
  never: 1,
  wake: 1,
};

function fail() {
  throw new PlannedError('on purpose');
}

function revoked() {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

/** What no caller should hand in: the request or the task, and the options. */
const MISUSES = [
  (_input, options) => [revoked(), options],
  (input) => [input, revoked()],
  (input, options) => [{ toJSON: fail, prompt: input.prompt ?? 'a lemon', id: 'img_1' }, options],
  (_input, options) => [Object.defineProperty({}, 'prompt', { get: fail }), options],
  (input, options) => [input, Object.defineProperty({ ...options }, 'onUpdate', { get: fail })],
  (input, options) => [input, { ...options, signal: { aborted: false } }],
  (input, options) => [input, { ...options, signal: { aborted: false, addEventListener() {} } }],
  (input, options) => [input, { ...options, signal: { aborted: false, addEventListener: fail } }],
  (input, options) => [input, { ...options, signal: revoked() }],
  (input, options) => [input, { ...options, headers: revoked() }],
  (input, options) => [input, { ...options, apiKey: () => revoked() }],
  (input, options) => [input, { ...options, fetch: () => revoked() }],
  (input, options) => [
    input,
    { ...options, fetch: async () => Object.create(null, { status: { get: fail } }) },
  ],
  (input, options) => [input, { ...options, fetch: async () => ({ status: 200, headers: {}, text: 1 }) }],
  (input, options) => [input, { ...options, onTask: revoked() }],
  (_input, options) => [Symbol('lemon'), options],
];

/** What a callback throws here. */
class PlannedError extends Error {}

/**
 * @param {{ seed: number, calls: number }} input
 * @returns {Promise<Record<string, unknown>>} what went wrong, and `counts`, as plain JSON
 */
export async function stress({ seed, calls: limit }) {
  const watch = watchGlobals(seed);
  const service = createService(seed, later);
  const random = randomFrom(seed, 0);
  for (let count = 0; count < 8; count += 1) service.addTask(random);
  const calls = [];
  /** The calls that have not settled. */
  const live = new Set();
  const ends = {};
  const wrong = [];
  let started = 0;
  let depth = 0;
  let settledAt = performance.now();
  let shared = watch.controller();

  const common = {
    apiKey: 'sk-stress',
    fetch: (...args) => service.fetch(...args),
    requestTimeout: 40,
    pollInterval: { min: 1, max: 3 },
    dangerouslyAllowBrowser: true,
  };
  const relay = { ...common, apiKey: undefined, relay: true, baseUrl: RELAY };
  const plain = (defaults) => {
    const call = (run) => (input, options) => run(input, { ...defaults, ...options });
    return {
      edit: call(edit),
      editAndWait: call(editAndWait),
      generate: call(generate),
      generateAndWait: call(generateAndWait),
      waitForTask: call(waitForTask),
      getTask: call(getTask),
    };
  };
  const clients = [
    new LemonData(common),
    new LemonData({ ...common, apiKey: async () => 'sk-stress' }),
    new LemonData(relay),
    new LemonData({ ...relay, apiKey: undefined, headers: () => ({ 'x-session': 'a' }) }),
    plain(common),
    plain(relay),
  ];

  /**
   * What a callback does besides its job, if anything. It may throw, and may return a promise.
   *
   * @param {boolean} isBounded whether a deadline ends the wait for what it returns
   */
  function act(call, random, isBounded) {
    if (!random.chance(0.35)) return undefined;
    const others = [...live];
    const other = others.length > 0 ? random.pick(others) : call;
    switch (random.weighted(DEEDS)) {
      case 'abortOwn':
        call.controller?.abort(call.reason);
        return undefined;
      case 'abortOther':
        other.controller?.abort(other.reason);
        return undefined;
      case 'abortShared':
        shared.abort(new Error('All of them.'));
        shared = watch.controller();
        return undefined;
      case 'start':
        start();
        return undefined;
      case 'startAndAwait': {
        const settled = start()?.settled;
        return isBounded ? settled : undefined;
      }
      case 'awaitOther':
        return isBounded ? other.settled : undefined;
      case 'throw':
        throw new PlannedError('on purpose');
      case 'reject':
        return Promise.reject(new PlannedError('on purpose'));
      case 'never':
        return isBounded ? new Promise(() => {}) : undefined;
      default:
        globalThis.dispatchEvent?.(new Event('online'));
        return undefined;
    }
  }

  const relays = [2, 3, 5].map((index) => clients[index]);

  /** The options of a call: callbacks that act, each with random numbers of its own. */
  function optionsOf(call, random) {
    const { number } = call;
    const deeds = (index) => randomFrom(seed, 3, number, index);
    const options = { maxWait: random.between(20, 300), maxRetries: random.below(3) };
    const set = (name, probability, value) => {
      if (random.chance(probability)) options[name] = value;
    };
    const own = deeds(0);
    /** A function that acts first, and then brings a value. */
    const bring = (random, value) => () => {
      const held = act(call, random, true);
      return held ? held.then(value) : value();
    };
    if (random.chance(0.7)) call.controller = watch.controller();
    options.signal = call.controller?.signal ?? (random.chance(0.5) ? shared.signal : undefined);
    call.signal = options.signal;
    set('fallback', 0.4, random.pick([['b'], ['b', 'c'], []]));
    set('maxPolls', 0.1, random.between(1, 4));
    set('requestTimeout', 0.2, random.between(10, 60));
    set('idempotencyKey', 0.1, `key-${number}`);
    set('onUpdate', 0.6, () => act(call, own, true));
    set('onResponse', 0.4, () => act(call, own, true));
    set(
      'apiKey',
      0.15,
      bring(deeds(1), () => 'sk-own'),
    );
    set(
      'headers',
      0.15,
      bring(deeds(2), () => ({ 'x-own': 'yes' })),
    );
    if (random.chance(0.25)) {
      const own = deeds(3);
      options.fetch = (url, init) => {
        let held;
        try {
          held = act(call, own, true);
        } catch (error) {
          service.missed(init);
          throw error;
        }
        // What it acted on may have ended the call, and a transport sends nothing then.
        const send = () => {
          if (init.signal.aborted) throw new TypeError('The request was ended.');
          return service.fetch(url, init);
        };
        return held ? held.then(send) : send();
      };
    }
    // Its deadline is the signal's.
    if (call.controller && random.chance(0.5)) {
      options.onTask = () => {
        const held = act(call, own, true);
        if (held) later(() => call.controller.abort(call.reason), 200);
        return held;
      };
    }
    return options;
  }

  function requestOf({ kind, number }, random) {
    const isEdit = kind.startsWith('edit');
    const request = { prompt: `${isEdit ? 'edit' : 'create'} #${number}`, model: 'a' };
    // A Blob makes a form of it.
    if (random.chance(0.3)) request.image = new Blob([new Uint8Array(number)], { type: 'image/png' });
    else if (isEdit) request.image_url = 'https://x.example/1.png';
    return request;
  }

  /** Starts a call, unless there have been enough. */
  function start() {
    if (started >= limit || depth >= DEPTH) return undefined;
    started += 1;
    depth += 1;
    const number = started;
    const random = randomFrom(seed, 4, number);
    const call = { number, kind: random.weighted(KINDS), reason: new Error(`the end of ${number}`) };
    calls.push(call);
    live.add(call);
    try {
      const isMisuse = random.chance(0.05);
      const client = random.pick(isMisuse ? clients.slice(0, 4) : clients);
      const isCreate = !call.kind.endsWith('Task');
      const input = isCreate
        ? requestOf(call, random)
        : service.reference(random.pick(service.recent(6)), random);
      const handed = [input, optionsOf(call, random)];
      // A relay has a key of its own.
      if (relays.includes(client)) delete handed[1].apiKey;
      const [first, options] = isMisuse ? random.pick(MISUSES)(...handed) : handed;
      call.settled = settle(call, client[call.kind](first, options));
      if (call.controller && random.chance(0.3)) {
        later(() => call.controller.abort(call.reason), random.below(120));
      }
    } finally {
      depth -= 1;
    }
    return call;
  }

  /** Resolves when the call has settled, however it did. */
  async function settle(call, promise) {
    let end;
    try {
      const result = await promise;
      end = result.status;
      checkSkipped(call, result.skipped_models);
      if (!['pending', 'processing', 'completed'].includes(end)) note(call, `resolved as ${end}`);
    } catch (error) {
      end = endOf(call, error);
    }
    live.delete(call);
    settledAt = performance.now();
    ends[end] = (ends[end] ?? 0) + 1;
  }

  function endOf(call, error) {
    if (call.signal?.aborted && error === call.signal.reason) return 'aborted';
    if (error instanceof InternalError) return note(call, 'internal', error.cause ?? error);
    if (error instanceof LemonDataError) {
      checkSkipped(call, error.skippedModels);
      return error.kind;
    }
    return note(call, 'neither an error of the package nor the reason of the signal', error);
  }

  function checkSkipped(call, skipped = []) {
    for (const { model, error } of skipped) {
      if (!FREE.includes(error.outcome)) note(call, `went past ${model}, whose outcome is ${error.outcome}`);
    }
  }

  function note({ number, kind }, problem, error) {
    wrong.push(`${kind} ${number}: ${problem}${error ? `: ${error.stack ?? error}` : ''}`);
    return problem;
  }

  async function work() {
    while (started < limit) await Promise.race([start().settled, sleep(PATIENCE_MS)]);
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  while (live.size > 0 && performance.now() - settledAt < SILENCE_MS) await sleep(20);

  const crowd = await rejectCrowd(watch, common);
  const leftOver = await watch.leftOver(service);
  watch.restore();
  return {
    counts: { calls: started, ends, ...service.counts() },
    internal: ends.internal ?? 0,
    hung: [...live].map(({ number, kind }) => `${kind} ${number}`),
    wrong: wrong.slice(0, 5),
    billedTwice: service.billedTwice(),
    resent: service.resent,
    misread: service.misread,
    crowd,
    leftOver,
    strayErrors: watch.strayErrors.slice(0, 5),
  };
}

/** Many waits of one task, whose poll is under way, end with one signal. */
async function rejectCrowd(watch, common) {
  const controller = watch.controller();
  const reason = new Error('All of them.');
  const client = new LemonData({
    ...common,
    requestTimeout: 30_000,
    fetch: (_, { signal }) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(new TypeError('The request was ended.')));
      }),
  });
  const ends = { rejected: 0, other: 0 };
  const waits = Array.from({ length: CROWD }, async () => {
    try {
      await client.waitForTask('img_crowd', { signal: controller.signal, maxWait: 60_000 });
      ends.other += 1;
    } catch (error) {
      if (error === reason) ends.rejected += 1;
      else ends.other += 1;
    }
  });
  await sleep(50);
  controller.abort(reason);
  await Promise.race([Promise.all(waits), sleep(5000)]);
  return { ...ends, hung: CROWD - ends.rejected - ends.other };
}

/** Counts the timers and the listeners that the package sets, and collects uncaught errors. */
function watchGlobals(seed) {
  const strayErrors = [];
  const controllers = [];
  const timers = new Set();
  const stray = (origin, error) => {
    if (!(error instanceof PlannedError)) strayErrors.push(`${origin}: ${error?.stack ?? error}`);
  };
  const undo = [];
  function replace(target, name, value) {
    const before = Object.getOwnPropertyDescriptor(target, name);
    Object.defineProperty(target, name, { value, configurable: true, writable: true });
    undo.push(() => (before ? Object.defineProperty(target, name, before) : delete target[name]));
  }

  replace(globalThis, 'setTimeout', (run, ms) => {
    const timer = later(() => {
      timers.delete(timer);
      run();
    }, ms);
    timers.add(timer);
    return timer;
  });
  replace(globalThis, 'clearTimeout', (timer) => {
    timers.delete(timer);
    forget(timer);
  });
  // Short back-offs, so that a run takes seconds.
  const random = randomFrom(seed, 5);
  replace(Math, 'random', () => random.next() / 50);
  // What `onUpdate` and `onResponse` throw comes here.
  replace(globalThis, 'reportError', (error) => stray('reported', error));

  /** The listeners of targets that outlive a call. */
  const listeners = new Map([globalThis, globalThis.document].map((target) => [target, new Set()]));
  const { addEventListener, removeEventListener } = EventTarget.prototype;
  replace(EventTarget.prototype, 'addEventListener', function add(type, callback, options) {
    listeners.get(this ?? globalThis)?.add(callback);
    return addEventListener.call(this ?? globalThis, type, callback, options);
  });
  replace(EventTarget.prototype, 'removeEventListener', function remove(type, callback, options) {
    listeners.get(this ?? globalThis)?.delete(callback);
    return removeEventListener.call(this ?? globalThis, type, callback, options);
  });

  const { process } = globalThis;
  if (process?.on) {
    const rejected = (error) => stray('unhandled rejection', error);
    const thrown = (error) => stray('uncaught exception', error);
    const warned = (warning) => stray('warning', warning);
    process.on('unhandledRejection', rejected).on('uncaughtException', thrown).on('warning', warned);
    undo.push(() =>
      process.off('unhandledRejection', rejected).off('uncaughtException', thrown).off('warning', warned),
    );
  } else {
    const rejected = (event) => stray('unhandled rejection', event.reason);
    const thrown = (event) => stray('uncaught exception', event.error ?? event.message);
    addEventListener.call(globalThis, 'unhandledrejection', rejected);
    addEventListener.call(globalThis, 'error', thrown);
    undo.push(() => {
      removeEventListener.call(globalThis, 'unhandledrejection', rejected);
      removeEventListener.call(globalThis, 'error', thrown);
    });
  }

  return {
    strayErrors,

    /** A controller whose signal counts its listeners. */
    controller() {
      const controller = new AbortController();
      controllers.push(controller);
      listeners.set(controller.signal, new Set());
      return controller;
    },

    /** What is left when all calls have settled. */
    async leftOver(service) {
      // Streams and bodies of their own take some turns to close.
      for (let turn = 0; turn < 50 && service.waiting.size > 0; turn += 1) await sleep(20);
      // A listener that fires once is gone when its signal has aborted.
      const held = ([target, { size }]) => (target?.aborted ? 0 : size);
      return {
        timers: timers.size,
        listeners: [...listeners].reduce((sum, entry) => sum + held(entry), 0),
        requests: [...service.waiting].filter((signal) => !signal.aborted).length,
      };
    },

    restore() {
      for (const step of undo.reverse()) step();
    },
  };
}
