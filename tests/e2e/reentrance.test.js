/**
 * No call takes another down, whatever their callbacks do: in virtual time, one case for each way in which calls
 * meet. `tests/stress/` tries them at random.
 */

import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { afterEach, before, describe, test } from 'node:test';
import {
  CallbackError,
  getTask,
  LemonData,
  LemonDataError,
  WaitTimeoutError,
  waitForTask,
} from 'lemondata-wasm';
import { fakePage } from '../helpers/fake-page.js';
import { answer, fakeTime } from '../helpers/fake-time.js';

const traps = await import('../../target/traps/index.js');
/** Where the module with traps traps next. */
let trapAt;
globalThis.lemondataTrap = (place) => {
  if (place !== trapAt) return undefined;
  trapAt = undefined;
  return 'trap';
};

const TASK = { task_id: 'img_1' };
const running = () => answer({ ...TASK, status: 'processing' });
const done = () => answer({ ...TASK, status: 'completed', data: [{ url: 'https://x.test/1' }] });
const reason = new Error('enough');
/** How a call ended: what it resolved to, or what it rejected with. */
const end = (promise) =>
  promise.then(
    ({ status }) => status,
    (error) => error,
  );

/** A transport that answers polls in turn, and the last way from then on. A promise among the turns is awaited. */
function service(...turns) {
  const polls = [];
  return {
    polls,
    apiKey: 'sk-1',
    fetch: async (url, init) => {
      polls.push(new URL(url).pathname);
      const turn = turns[Math.min(polls.length, turns.length) - 1];
      return (await turn)(init);
    },
  };
}

/** Ends with its signal alone. */
const hang = ({ signal }) =>
  new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(new TypeError('The request was ended.')));
  });

const client = ({ apiKey, fetch }, more) => new LemonData({ apiKey, fetch, ...more });

before(async () => {
  // Starting the modules takes real time.
  for (const { waitForTask: wait } of [{ waitForTask }, traps]) await wait({ status: 'completed', data: [] });
});

describe('a callback of a shared wait', { timeout: 10_000 }, () => {
  for (const callback of ['onUpdate', 'onResponse']) {
    for (const [who, first] of [
      ['the call that polls', true],
      ['a call that follows', false],
    ]) {
      test(`may abort its own call: ${callback} of ${who}`, async (t) => {
        const time = fakeTime(t);
        const controller = new AbortController();
        const { signal } = controller;
        const api = service(running, done);
        const shared = client(api);
        const own = { signal, [callback]: () => controller.abort(reason) };
        const [aborted, other] = first
          ? [end(shared.waitForTask('img_1', own)), end(shared.waitForTask('img_1'))]
          : [end(shared.waitForTask('img_1')), end(shared.waitForTask('img_1', own))].reverse();
        assert.deepEqual(await time.until(Promise.all([aborted, other])), [reason, 'completed']);
        assert.deepEqual([time.timers(), getEventListeners(signal, 'abort').length], [0, 0]);
      });
    }

    test(`may abort every other call for the task: ${callback}`, async (t) => {
      const time = fakeTime(t);
      for (let place = 0; place < 4; place += 1) {
        const shared = client(service(running, done));
        const controllers = Array.from({ length: 4 }, () => new AbortController());
        const callCounts = [0, 0, 0, 0];
        const calls = controllers.map(({ signal }, index) =>
          end(
            shared.waitForTask(`img_${place}`, {
              signal,
              [callback]() {
                callCounts[index] += 1;
                if (index !== place) return;
                for (const other of controllers) if (other.signal !== signal) other.abort(reason);
              },
            }),
          ),
        );
        const ends = await time.until(Promise.all(calls));
        assert.equal(ends.filter((each) => each === reason).length, 3, `${ends}`);
        assert.equal(ends[place], 'completed');
        for (const [index, count] of callCounts.entries()) {
          assert.ok(index === place || count <= 1, `call ${index} heard of ${count} polls after its end`);
        }
      }
      assert.equal(time.timers(), 0);
    });

    test(`may start calls for the same task: ${callback}`, async (t) => {
      const time = fakeTime(t);
      const shared = client(service(running, running, done));
      const calls = [];
      const start = () => {
        if (calls.length < 20) calls.push(end(shared.waitForTask('img_1', { [callback]: start })));
      };
      start();
      start();
      const ends = [];
      while (ends.length < calls.length) ends.push(await time.until(calls[ends.length]));
      assert.ok(calls.length > 4, `${calls.length} calls`);
      assert.deepEqual(new Set(ends), new Set(['completed']));
      assert.equal(time.timers(), 0);
    });
  }

  test('may abort the call whose answer it hears, and the others ask for themselves', async (t) => {
    const time = fakeTime(t);
    const api = service(running, hang, done);
    const shared = client(api);
    const controller = new AbortController();
    const leader = end(shared.waitForTask('img_1', { signal: controller.signal }));
    const follower = end(shared.waitForTask('img_1', { onUpdate: () => controller.abort(reason) }));
    assert.deepEqual(await time.until(Promise.all([leader, follower])), [reason, 'completed']);
  });
});

test('an apiKey function that aborts its call ends it, also where coming online has woken it', async (t) => {
  const time = fakeTime(t);
  const page = fakePage(t);
  const controller = new AbortController();
  let keyRequests = 0;
  const call = end(
    waitForTask('img_1', {
      fetch: service(() => answer('', { status: 502 })).fetch,
      apiKey() {
        keyRequests += 1;
        if (keyRequests === 6) controller.abort(reason);
        return 'sk-1';
      },
      dangerouslyAllowBrowser: true,
      signal: controller.signal,
    }),
  );
  for (let turn = 0; keyRequests < 6 && turn < 60; turn += 1) {
    await time.pass(3000);
    page.online();
  }
  assert.equal(await time.until(call), reason);
  assert.deepEqual([time.timers(), page.listeners()], [0, 0]);
});

test('an answer whose headers are a plain object is read like any other', async (t) => {
  const time = fakeTime(t);
  const seen = [];
  const call = waitForTask('img_1', {
    apiKey: 'sk-1',
    fetch: async () => ({
      status: 200,
      headers: { 'x-request-id': 'req_1', 'X-RateLimit-Limit': '60' },
      text: async () =>
        JSON.stringify({ ...TASK, status: 'completed', data: [], video_url: 'https://x.test/1' }),
    }),
    onResponse: ({ requestId, rateLimit }) => seen.push([requestId, rateLimit.limit]),
  });
  assert.equal((await time.until(call)).status, 'completed');
  assert.deepEqual(seen, [['req_1', 60]]);
});

test('nothing of the caller runs while the module is at work', async (t) => {
  const { Instance } = WebAssembly;
  t.after(() => {
    WebAssembly.Instance = Instance;
  });
  let depth = 0;
  const count = (enter) =>
    function counted(...args) {
      depth += 1;
      try {
        return enter(...args);
      } finally {
        depth -= 1;
      }
    };
  WebAssembly.Instance = class extends Instance {
    get exports() {
      const entries = Object.entries(super.exports);
      return Object.fromEntries(
        entries.map(([name, value]) => [name, typeof value === 'function' ? count(value) : value]),
      );
    }
  };
  // A copy of its own, whose module has not been started.
  const { LemonData: Client } = await import(`${import.meta.resolve('lemondata-wasm')}?depth`);
  const entered = new Set();
  const watched = Object.entries({
    apiKey: () => 'sk-1',
    headers: () => ({}),
    fetch: service(() => answer({ ...TASK, status: 'pending' }), running, running, done).fetch,
    onTask: () => {},
    onUpdate: () => {},
    onResponse: () => {},
  }).map(([name, run]) => {
    const observe = (...args) => {
      entered.add(`${name} at depth ${depth}`);
      return run(...args);
    };
    return [name, observe];
  });
  const shared = new Client({ ...Object.fromEntries(watched), pollInterval: { min: 1, max: 1 } });
  const calls = [shared.generateAndWait({ prompt: 'a lemon' }), shared.waitForTask('img_1')];
  assert.deepEqual(await Promise.all(calls.map(end)), ['completed', 'completed']);
  assert.deepEqual([...entered].sort(), watched.map(([name]) => `${name} at depth 0`).sort());
});

describe('a trap', { timeout: 10_000 }, () => {
  afterEach(() => {
    trapAt = undefined;
  });

  test('ends every wait that shares a poll in flight, and their requests', async (t) => {
    const time = fakeTime(t);
    const signals = [];
    const shared = new traps.LemonData({
      apiKey: 'sk-1',
      fetch(_, init) {
        signals.push(init.signal);
        return hang(init);
      },
    });
    const waits = Array.from({ length: 3 }, () => end(shared.waitForTask('img_1')));
    await time.calm();
    assert.equal(signals.length, 1);
    trapAt = 'start';
    const provoked = end(shared.waitForTask('img_2'));
    for (const error of await time.until(Promise.all([provoked, ...waits]))) {
      assert.ok(error instanceof traps.InternalError, `${error}`);
      assert.equal(error.outcome, 'accepted');
    }
    assert.deepEqual([signals[0].aborted, time.timers()], [true, 0]);
  });
});

describe('a thousand waits of one task with one signal', { timeout: 20_000 }, () => {
  for (const [title, turn] of [
    ['while their poll is under way', hang],
    ['while they sleep', running],
  ]) {
    test(`all reject with its reason ${title}`, async (t) => {
      const time = fakeTime(t);
      const controller = new AbortController();
      const shared = client(service(turn));
      const waits = Array.from({ length: 1000 }, () =>
        end(shared.waitForTask('img_1', { signal: controller.signal })),
      );
      await time.pass(100);
      controller.abort(reason);
      await time.calm();
      const ends = await Promise.race([Promise.all(waits), time.calm().then(() => [])]);
      assert.equal(ends.filter((each) => each === reason).length, 1000);
      assert.deepEqual([time.timers(), getEventListeners(controller.signal, 'abort').length], [0, 0]);
    });
  }
});

describe('a deadline', { timeout: 10_000 }, () => {
  test('holds behind calls that leave one after another', async (t) => {
    const time = fakeTime(t);
    const shared = client(service(hang));
    const leaders = Array.from({ length: 4 }, () => {
      const controller = new AbortController();
      return { controller, ended: end(shared.waitForTask('img_1', { signal: controller.signal })) };
    });
    let at;
    const follower = end(shared.waitForTask('img_1', { maxWait: 8000 })).finally(() => {
      at = time.now();
    });
    for (const { controller } of leaders) {
      await time.pass(7000);
      controller.abort(reason);
    }
    assert.ok((await time.until(follower)) instanceof WaitTimeoutError);
    // The last poll before a deadline has five seconds.
    assert.ok(at <= 13_000, `it ended after ${at} ms`);
    await Promise.all(leaders.map(({ ended }) => ended));
    assert.equal(time.timers(), 0);
  });

  test('holds for an onTask that never settles', async (t) => {
    const time = fakeTime(t);
    const shared = client(service(() => answer({ ...TASK, status: 'pending' })));
    const call = end(
      shared.generateAndWait({ prompt: 'a lemon' }, { onTask: () => new Promise(() => {}), maxWait: 8000 }),
    );
    const error = await time.until(call);
    assert.ok(error instanceof WaitTimeoutError || error instanceof CallbackError, `${error}`);
    assert.deepEqual(error.task, TASK);
    assert.ok(time.now() <= 13_000, `it ended after ${time.now()} ms`);
  });

  test('holds for getTask, whatever a refusal asks for', async (t) => {
    const time = fakeTime(t);
    const missing = () =>
      answer(
        { error: { code: 'async_task_not_found' } },
        { status: 404, headers: { 'retry-after': '3600' } },
      );
    const error = await time.until(end(getTask('img_1', service(missing))));
    assert.ok(error instanceof LemonDataError);
    assert.ok(time.now() <= 300_000, `it ended after ${time.now()} ms`);
  });
});

test('a call does not take the 404 of another path for its own', async (t) => {
  const time = fakeTime(t);
  // The older path does not know the task, and the one that the server names does.
  let finish;
  const finished = new Promise((resolve) => {
    finish = resolve;
  });
  const paths = new Set();
  const shared = client({
    apiKey: 'sk-1',
    async fetch(url) {
      const { pathname } = new URL(url);
      paths.add(pathname);
      if (pathname.startsWith('/v1/images/generations/')) {
        return answer({ error: { code: 'async_task_not_found' } }, { status: 404 });
      }
      await finished;
      return done();
    },
  });
  const byId = end(shared.waitForTask('img_1'));
  while (!paths.has('/v1/tasks/img_1')) await time.pass(1000);
  const byUrl = end(shared.waitForTask({ ...TASK, poll_url: '/v1/tasks/img_1' }));
  const again = end(shared.waitForTask('img_1'));
  await time.pass(1);
  finish();
  assert.deepEqual(await time.until(Promise.all([byId, byUrl, again])), Array(3).fill('completed'));
});
