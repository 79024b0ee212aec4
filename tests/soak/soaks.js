/**
 * What is done for long: a hundred thousand calls, two thousand waits at once, two hundred traps. Each leaves nothing
 * behind: no listener, no timer, no memory. Linear memory never shrinks, so what counts is that it has stopped growing
 * behind the first batch.
 */

import assert from 'node:assert/strict';
import { getEventListeners, setMaxListeners } from 'node:events';
import { InternalError, LemonData } from 'lemondata-wasm';
import { answer, fakeTime } from '../helpers/fake-time.js';
import { startServer } from '../server/index.js';
import { ABORTED, CALLS, longWait, sleepingWait, startAborted } from './calls.js';
import { collect, heap, living, pages } from './gauges.js';

const BATCHES = 10;
/** Of a batch: so many times, so many calls of each kind begin at once. With its waits, a batch is 12,000 calls. */
const WAVES = 4;
const OF_EACH_KIND = 42;
const WAITS = 2000;
const TRAPS = 200;
/**
 * What the heap may grow by from the second batch to the last: the engine's own code and caches move by half of
 * it, and the smallest object, left behind by each of the calls in between, is more.
 */
const HEAP_NOISE = 1_000_000;

const client = new LemonData({ apiKey: 'sk-1' });
const calm = () => new Promise((resolve) => setImmediate(resolve));
const listeners = (signal) => getEventListeners(signal, 'abort').length;
const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;

/** A signal for any number of calls. */
function sharedSignal() {
  const controller = new AbortController();
  // Node warns from eleven listeners on, which it takes for a leak.
  setMaxListeners(0, controller.signal);
  return controller;
}

/** The status or the kind of error with which a call ends; what is neither, as it is. */
const ended = (promise) =>
  promise.then(
    ({ status }) => status,
    (error) => error.kind ?? error,
  );

/** What there is now of that which must not grow, where so many instances may be alive. */
async function measure(instances) {
  // The stack of the machine may still hold one when the first collection looks at it.
  for (let round = 0; round < 5; round += 1) {
    await collect();
    if (living().length <= instances) break;
  }
  const alive = living();
  assert.ok(alive.length <= instances, `${alive.length} instances are alive`);
  return { pages: Math.max(...alive.map(pages)), heap: heap() };
}

/** Checks what each batch has left behind. */
function checkGrowth(t, batches) {
  for (const [index, { pages, heap }] of batches.entries()) {
    t.diagnostic(`batch ${index + 1}: ${pages} pages of linear memory, ${heap} bytes of heap`);
  }
  const [, second, ...later] = batches;
  for (const { pages } of later) assert.equal(pages, second.pages, 'linear memory has grown');
  const grown = later.at(-1).heap - second.heap;
  assert.ok(grown < HEAP_NOISE, `the heap has grown by ${grown} bytes`);
}

/**
 * @typedef {object} Soak the run of one of them
 * @property {(clean: () => unknown) => void} after
 * @property {(text: string) => void} diagnostic prints a measurement
 * @property {AbortSignal} signal
 */

/** Starts the module, which has to happen before the clock is replaced. */
export const start = () => client.waitForTask({ status: 'completed', data: [] });

/** Calls of every kind, and waits by the thousand. @param {Soak} t */
export async function calls(t) {
  const time = fakeTime(t);
  const { signal } = sharedSignal();
  const batches = [];
  let calls = 0;

  /** Lets calls come to their ends, and checks that they have cleared up. */
  async function finish(promises) {
    calls += promises.length;
    await time.until(Promise.all(promises));
    assert.equal(listeners(signal), 0, 'listeners on the shared signal');
  }

  /** Starts a call of a kind, every third one with a signal of its own. */
  async function begin([name, expected, run], index) {
    const own = index % 3 === 0 ? new AbortController().signal : signal;
    const end = await ended(run(client, { signal: own }));
    assert.equal(end, expected, name);
    if (own !== signal) assert.equal(listeners(own), 0, name);
  }

  async function abort(kind) {
    const { promise, signal, reason } = startAborted(client, kind);
    assert.equal(await ended(promise), reason, kind[0]);
    assert.equal(listeners(signal), 0, kind[0]);
  }

  for (let batch = 1; batch <= BATCHES; batch += 1) {
    for (let wave = 0; wave < WAVES; wave += 1) {
      const started = Array.from({ length: OF_EACH_KIND }, (_, index) => [
        ...CALLS.map((kind) => begin(kind, index)),
        ...ABORTED.map((kind) => abort(kind)),
      ]);
      await finish(started.flat());
    }

    const waits = Array.from({ length: WAITS }, () => ended(longWait(client, { signal })));
    await time.calm();
    assert.deepEqual([time.timers(), listeners(signal)], [WAITS, 1], 'all wait at once, behind one listener');
    await finish(waits);

    const all = sharedSignal();
    const asleep = Array.from({ length: WAITS }, () => ended(sleepingWait(client, { signal: all.signal })));
    await time.pass(10_000);
    assert.deepEqual([time.timers(), listeners(all.signal)], [WAITS, 1], 'all are asleep at once');
    all.abort();
    await finish(asleep);
    assert.equal(listeners(all.signal), 0, 'listeners on a signal that has aborted');

    // What calls have given up waiting for still settles.
    await time.pass(10_000);
    assert.equal(time.timers(), 0, 'timers');
    batches.push(await measure(1));
  }
  t.diagnostic(`${calls} calls`);
  assert.ok(calls >= 100_000);
  checkGrowth(t, batches);
}

/** Transports and callbacks that never settle. @param {Soak} t */
export async function neverSettling(t) {
  const time = fakeTime(t);
  const never = () => new Promise(() => {});
  const pending = async () => answer({ status: 'pending', task_id: 'img_1' });
  const batches = [];
  for (let batch = 1; batch <= BATCHES; batch += 1) {
    const started = Array.from({ length: 200 }, () =>
      [
        { fetch: never },
        { fetch: async () => ({ ...answer(''), text: never }) },
        { fetch: pending, apiKey: never },
        { fetch: pending, headers: never },
        { fetch: pending, onTask: never },
      ].map((options) => {
        const controller = new AbortController();
        setTimeout(() => controller.abort(), 10);
        return ended(client.generate({ prompt: 'a lemon' }, { ...options, signal: controller.signal }));
      }),
    );
    await time.until(Promise.all(started.flat()));
    assert.equal(time.timers(), 0);
    batches.push(await measure(1));
  }
  checkGrowth(t, batches);
}

/** Calls to a server. @param {Soak} t */
export async function network(t) {
  let clock = 1_706_000_000_000;
  const server = await startServer({
    now: () => clock,
    taskMs: 3000,
    retryAfter: 0.02,
    onRequest() {
      clock += 1000;
    },
  });
  t.after(() => server.close());
  const { signal } = sharedSignal();
  const here = { apiKey: server.apiKey, baseUrl: server.url, pollInterval: { min: 1, max: 2 } };
  const picture = (model) => ({ prompt: 'a lemon', size: '16x16', model });
  const kinds = [
    ['completed', (options) => client.generate(picture('dall-e-3'), options)],
    ['pending', (options) => client.generate(picture('flux-pro'), options)],
    ['completed', (options) => client.generateAndWait(picture('flux-pro'), options)],
    ['rate_limit', (options) => client.generate(picture('test-error-429'), options)],
    ['response', (options) => client.generate(picture('test-inline-truncated'), options)],
    [
      'request_timeout',
      (options) => client.generate(picture('test-hang'), { ...options, requestTimeout: 20 }),
    ],
  ];
  const batches = [];
  for (let batch = 1; batch <= BATCHES; batch += 1) {
    const started = Array.from({ length: 10 }, () => [
      ...kinds.map(async ([end, run]) => assert.equal(await ended(run({ ...here, signal })), end)),
      (async () => {
        const own = AbortSignal.timeout(20);
        assert.equal(
          await ended(client.generate(picture('test-hang'), { ...here, signal: own })),
          own.reason,
        );
        assert.equal(listeners(own), 0);
      })(),
    ]);
    await Promise.all(started.flat());
    assert.equal(listeners(signal), 0);
    server.reset();
    batches.push(await measure(1));
  }
  checkGrowth(t, batches);
}

/** Traps, each of which ends an instance. @param {Soak} t */
export async function traps(t) {
  const { signal } = sharedSignal();
  const opened = timers();
  const { random } = Math;
  t.after(() => {
    Math.random = random;
  });
  const silence = () => new Promise(() => {});
  const running = async () => answer({ status: 'processing', task_id: 'img_1' });
  const batches = [];
  for (let trap = 1; trap <= TRAPS; trap += 1) {
    const atWork = [
      client.generate({ prompt: 'a lemon' }, { signal, fetch: silence }),
      client.generate({ prompt: 'a lemon' }, { signal, apiKey: silence }),
      client.waitForTask('img_1', { signal, fetch: silence }),
      client.waitForTask('img_1', { signal, fetch: running }),
    ];
    await calm();
    assert.equal(listeners(signal), 1);
    // A mock would keep the error, and with it the instance in its stack.
    Math.random = () => {
      throw new Error('trap');
    };
    const all = [...atWork, client.waitForTask('img_1', { signal })];
    for (const promise of all) await assert.rejects(promise, InternalError);
    Math.random = random;
    assert.equal(listeners(signal), 0);
    assert.equal(timers(), opened);
    assert.equal((await client.getTask('img_1', { fetch: running })).status, 'processing');
    // Besides the instance at work, the stack of the last error keeps one.
    if (trap % (TRAPS / BATCHES) === 0) batches.push(await measure(2));
  }
  checkGrowth(t, batches);
}
