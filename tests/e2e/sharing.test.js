/** One task, one poll loop: calls of one client that wait for the same task, in virtual time. */

import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import { before, describe, test } from 'node:test';
import {
  AuthenticationError,
  InternalError,
  LemonData,
  PollBudgetError,
  WaitTimeoutError,
  waitForTask,
} from 'lemondata-wasm';
import { failure } from '../helpers/failure.js';
import { answer, fakeTime } from '../helpers/fake-time.js';

const TASK = { task_id: 'img_1' };
const running = (more) => answer({ task_id: 'img_1', status: 'queued', ...more });
const done = () => answer({ task_id: 'img_1', status: 'completed', data: [{ url: 'https://x.test/1' }] });
const gaps = (times) => times.slice(1).map((time, index) => time - times[index]);
const checkCadence = (times) => {
  for (const gap of gaps(times)) assert.ok(gap >= 3000 && gap <= 5000, `a gap of ${gap} ms in ${times}`);
};

/**
 * A service that answers at once, and the options for it.
 *
 * @param {ReturnType<typeof fakeTime>} time
 * @param {(count: number, init: RequestInit) => unknown} poll the answer to a poll, counted from 1
 */
function service(time, poll) {
  const polls = [];
  const seen = { polls };
  seen.options = {
    apiKey: 'sk-1',
    async fetch(_, init) {
      if (init.method === 'POST') return answer({ task_id: 'img_1', status: 'pending' });
      polls.push(time.now());
      return poll(polls.length, init);
    },
  };
  return seen;
}

/** A fetch that ends with its signal alone. */
const hang = (_, { signal }) =>
  new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(new Error('ended')));
  });

describe('calls of one client for one task', { timeout: 10_000 }, () => {
  /** Starts the module, which takes real time. */
  const startModule = () => waitForTask({ status: 'completed', data: [] });
  before(startModule);

  test('share one poll loop, which keeps the cadence', async (t) => {
    const time = fakeTime(t);
    const { options, polls } = service(time, (count) => (count < 20 ? running() : done()));
    const client = new LemonData(options);
    const results = await time.until(
      Promise.all(Array.from({ length: 5 }, () => client.waitForTask('img_1'))),
    );
    assert.equal(polls.length, 20);
    checkCadence(polls);
    for (const result of results) assert.deepEqual(result, { ...results[0] });
    assert.equal(new Set(results).size, 5, 'one result is not two callers’');
    assert.equal(time.timers(), 0);
  });

  test('share it where the options of the plain functions are the same', async (t) => {
    const time = fakeTime(t);
    const { options, polls } = service(time, (count) => (count < 3 ? running() : done()));
    const other = { ...options, maxWait: 200_000, pollInterval: { min: 4000, max: 5000 } };
    await time.until(Promise.all([waitForTask('img_1', options), waitForTask(TASK, other)]));
    assert.equal(polls.length, 3);
  });

  test('share it with the call that has created the task', async (t) => {
    const time = fakeTime(t);
    const { options, polls } = service(time, (count) => (count < 3 ? running() : done()));
    const client = new LemonData(options);
    const created = client.generateAndWait({ prompt: 'a lemon' });
    await time.pass(0);
    await time.until(Promise.all([created, client.waitForTask('img_1')]));
    assert.equal(polls.length, 3);
    assert.equal(polls[0], 0, 'a task that another call names may be done already');
  });

  for (const [title, other] of [
    ['key', { apiKey: 'sk-2' }],
    ['headers', { headers: { 'x-tenant': 'b' } }],
    ['time-out', { requestTimeout: 1000 }],
    ['transport', { fetch: async () => done() }],
    ['address', { baseUrl: 'https://other.test' }],
  ]) {
    test(`do not share it with another ${title}`, async (t) => {
      const time = fakeTime(t);
      const { options, polls } = service(time, (count) => (count < 9 ? running() : done()));
      const client = new LemonData(options);
      const first = client.waitForTask('img_1');
      await time.pass(1000);
      await time.until(Promise.all([first, client.waitForTask('img_1', other)]));
      assert.equal(polls.length, title === 'transport' ? 9 : 10);
    });
  }

  for (const [title, options] of [
    ['key', (tenant) => ({ apiKey: () => `sk-${tenant()}` })],
    ['headers', (tenant) => ({ apiKey: 'sk-1', headers: () => ({ 'x-tenant': tenant() }) })],
  ]) {
    test(`do not share it where a function for the ${title} returns something else`, async (t) => {
      const time = fakeTime(t);
      const tenants = new AsyncLocalStorage();
      const { options: common, polls } = service(time, (count) => (count < 5 ? running() : done()));
      const client = new LemonData({ ...common, ...options(() => tenants.getStore()) });
      const wait = (tenant) => tenants.run(tenant, () => client.waitForTask('img_1'));
      await time.until(Promise.all([wait('a'), wait('b'), wait('a')]));
      assert.equal(polls.filter((at) => at === 0).length, 2);
    });
  }

  test('call back in the asynchronous context of each', async (t) => {
    const time = fakeTime(t);
    const tenants = new AsyncLocalStorage();
    const { options, polls } = service(time, (count) => (count < 4 ? running() : done()));
    const client = new LemonData(options);
    const strays = [];
    const check = (tenant, callback) =>
      tenants.getStore() === tenant || strays.push(`${callback} of ${tenant}`);
    const wait = (tenant) =>
      tenants.run(tenant, () =>
        client.waitForTask('img_1', {
          apiKey: () => check(tenant, 'apiKey') && 'sk-1',
          onUpdate: () => check(tenant, 'onUpdate'),
          onResponse: () => check(tenant, 'onResponse'),
        }),
      );
    await time.until(Promise.all(['a', 'b', 'c'].map(wait)));
    assert.deepEqual([strays, polls.length], [[], 4]);
  });

  test('of two clients have a loop each', async (t) => {
    const time = fakeTime(t);
    const { options, polls } = service(time, (count) => (count < 5 ? running() : done()));
    const calls = [new LemonData(options), new LemonData(options)].map((client) =>
      client.waitForTask('img_1'),
    );
    await time.until(Promise.all(calls));
    assert.equal(polls.filter((at) => at === 0).length, 2);
  });

  test('that come later learn how it stands, and keep the cadence', async (t) => {
    const time = fakeTime(t);
    const { options, polls } = service(time, (count) => (count < 5 ? running({ progress: count }) : done()));
    const client = new LemonData(options);
    const first = client.waitForTask('img_1');
    await time.pass(1000);
    const reported = [];
    const later = client.waitForTask('img_1', {
      onUpdate: (task) => reported.push([time.now(), task.progress]),
    });
    await time.pass(0);
    assert.deepEqual(reported, [[1000, 1]]);
    await time.until(Promise.all([first, later]));
    assert.deepEqual(
      reported.slice(0, -1).map(([, progress]) => progress),
      [1, 2, 3, 4],
    );
    checkCadence(polls);
  });

  test('that come when all have ended send a poll of their own', async (t) => {
    const time = fakeTime(t);
    const { options, polls } = service(time, (count) => (count === 1 ? running() : done()));
    const client = new LemonData(options);
    const controller = new AbortController();
    const first = failure(client.waitForTask('img_1', { signal: controller.signal }));
    await time.pass(1000);
    controller.abort();
    await first;
    await time.until(client.waitForTask('img_1'));
    assert.deepEqual(polls, [0, 1000]);
  });

  test('go on when the one that asks is aborted, and ask at once', async (t) => {
    const time = fakeTime(t);
    const { options, polls } = service(time, (count, init) => (count === 1 ? hang(0, init) : done()));
    const client = new LemonData(options);
    const controller = new AbortController();
    const first = failure(client.waitForTask('img_1', { signal: controller.signal }));
    const others = [client.waitForTask('img_1'), client.waitForTask('img_1', { maxPolls: 1 })];
    await time.pass(500);
    assert.equal(polls.length, 1);
    controller.abort(new Error('enough'));
    assert.equal((await first).message, 'enough');
    await time.until(Promise.all(others));
    assert.deepEqual(polls, [0, 500]);
  });

  test('follow no call that took an answer while it waited for its key, and sends nothing', async (t) => {
    const time = fakeTime(t);
    const { options, polls } = service(time, (count) => (count < 3 ? running() : done()));
    const client = new LemonData(options);
    const every = (ms) => ({ pollInterval: { min: ms, max: ms } });
    let keys = 0;
    const apiKey = () => {
      keys += 1;
      return keys === 1 ? 'sk-1' : new Promise((resolve) => setTimeout(resolve, 2000, 'sk-1'));
    };
    const slow = client.waitForTask('img_1', { ...every(3000), apiKey });
    const other = client.waitForTask('img_1', every(3500));
    await time.until(Promise.all([slow, other]));
    assert.deepEqual(polls, [0, 3500, 7000]);
  });

  test('go on when one that only waits is aborted, asleep or behind the poll of another', async (t) => {
    const time = fakeTime(t);
    const answers = [];
    const { options, polls } = service(time, (count) => {
      if (count === 1) return running();
      return new Promise((resolve) => answers.push(resolve));
    });
    const client = new LemonData(options);
    const first = client.waitForTask('img_1', { pollInterval: { min: 3000, max: 3000 } });
    const slow = { pollInterval: { min: 4000, max: 4000 } };
    const controllers = [new AbortController(), new AbortController()];
    const [asleep, behind] = controllers.map(({ signal }) =>
      failure(client.waitForTask('img_1', { ...slow, signal })),
    );
    await time.pass(1000);
    controllers[0].abort(new Error('asleep'));
    assert.equal((await asleep).message, 'asleep');
    await time.pass(3500);
    assert.deepEqual(polls, [0, 3000]);
    controllers[1].abort(new Error('behind'));
    assert.equal((await behind).message, 'behind');
    answers[0](done());
    assert.equal((await time.until(first)).status, 'completed');
    assert.equal(time.timers(), 0);
  });

  test('rule 6: keep to their own back-off when the one that asks gives up', async (t) => {
    t.mock.method(Math, 'random', () => 0.999);
    const time = fakeTime(t);
    const { options, polls } = service(time, (count, init) => {
      if (count <= 6) throw new TypeError('the network is down');
      return count === 7 ? hang(0, init) : done();
    });
    const client = new LemonData(options);
    const patient = client.waitForTask('img_1');
    while (polls.length < 6) await time.pass(1000);
    // It has lost one poll only, that of the other, and asks again long before that one.
    const controller = new AbortController();
    const impatient = failure(client.waitForTask('img_1', { signal: controller.signal }));
    await time.pass(7000);
    assert.equal(polls.length, 7);
    controller.abort();
    await impatient;
    await time.until(patient);
    assert.equal(polls.length, 8);
    assert.ok(polls[7] - polls[5] > 29_000, `polls at ${polls}`);
  });

  test('have a deadline and a budget of their own', async (t) => {
    const time = fakeTime(t);
    const { options, polls } = service(time, (count) => (count < 12 ? running() : done()));
    const client = new LemonData(options);
    const long = client.waitForTask('img_1');
    const short = failure(client.waitForTask('img_1', { maxWait: 10_000 })).then((error) => [
      error,
      time.now(),
    ]);
    const few = failure(client.waitForTask('img_1', { maxPolls: 3 })).then((error) => [error, polls.length]);
    const [completed, [late, at], [spent, count]] = await time.until(Promise.all([long, short, few]));
    assert.equal(completed.status, 'completed');
    assert.ok(late instanceof WaitTimeoutError);
    assert.equal(at, 10_000);
    assert.ok(spent instanceof PollBudgetError);
    assert.equal(count, 3);
    assert.deepEqual([late.task, spent.task], [TASK, TASK]);
  });

  test('rule 4: end at their own deadline behind the poll of another that hangs', async (t) => {
    const time = fakeTime(t);
    const { options, polls } = service(time, (_, init) => hang(0, init));
    const client = new LemonData(options);
    const long = failure(client.waitForTask('img_1'));
    const short = await failure(time.until(client.waitForTask('img_1', { maxWait: 10_000 })));
    assert.ok(short instanceof WaitTimeoutError);
    assert.deepEqual([time.now(), polls.length, short.task], [10_000, 1, TASK]);
    await time.until(long);
  });

  test('have callbacks of their own, and none is called twice for one answer', async (t) => {
    const time = fakeTime(t);
    const { options, polls } = service(time, (count) => (count < 3 ? running() : done()));
    const common = [];
    const own = [];
    const client = new LemonData({ ...options, onResponse: (info) => common.push(info) });
    const updates = [[], []];
    const onUpdate = (index) => (task) => {
      updates[index].push(task.provider_status ?? task.status);
      // What one caller does to its update is its own affair.
      task.status = 'completed';
      task.provider_status = undefined;
    };
    await time.until(
      Promise.all([
        client.waitForTask('img_1', { onUpdate: onUpdate(0) }),
        client.waitForTask('img_1', { onUpdate: onUpdate(1), onResponse: (info) => own.push(info) }),
        client.waitForTask('img_1'),
      ]),
    );
    assert.deepEqual(updates, [
      ['queued', 'queued', 'completed'],
      ['queued', 'queued', 'completed'],
    ]);
    assert.deepEqual([polls.length, common.length, own.length], [3, 3, 3]);
    assert.deepEqual(own, common);
  });

  test('share a loss and its back-off', async (t) => {
    const time = fakeTime(t);
    t.mock.method(Math, 'random', () => 0.5);
    const { options, polls } = service(time, (count) => {
      if (count <= 6) throw new TypeError('the network is down');
      return done();
    });
    const client = new LemonData(options);
    await time.until(Promise.all([client.waitForTask('img_1'), client.waitForTask('img_1')]));
    assert.deepEqual(gaps(polls), [4500, 4500, 4500, 4500, 8000, 15_000]);
  });

  test('share a time-out', async (t) => {
    const time = fakeTime(t);
    const { options, polls } = service(time, (count, init) => (count === 1 ? hang(0, init) : done()));
    const client = new LemonData({ ...options, requestTimeout: 2000 });
    await time.until(Promise.all([client.waitForTask('img_1'), client.waitForTask('img_1')]));
    assert.equal(polls.length, 2);
    assert.ok(polls[1] >= 5000, `asked again at ${polls[1]} ms, in spite of the back-off`);
  });

  test('end together where the service refuses', async (t) => {
    const time = fakeTime(t);
    const { options, polls } = service(time, () =>
      answer({ error: { code: 'invalid_api_key' } }, { status: 401 }),
    );
    const client = new LemonData(options);
    const errors = await time.until(
      Promise.all([failure(client.waitForTask('img_1')), failure(client.waitForTask('img_1'))]),
    );
    for (const error of errors) {
      assert.ok(error instanceof AuthenticationError);
      assert.deepEqual([error.outcome, error.task], ['accepted', TASK]);
    }
    assert.notEqual(errors[0], errors[1]);
    assert.equal(polls.length, 1);
  });

  test('do not stand in the way of getTask, which asks itself', async (t) => {
    const time = fakeTime(t);
    const { options, polls } = service(time, (count) => (count < 4 ? running() : done()));
    const client = new LemonData(options);
    const wait = client.waitForTask('img_1');
    await time.pass(1000);
    assert.equal((await client.getTask('img_1')).provider_status, 'queued');
    assert.deepEqual(polls, [0, 1000]);
    await time.until(wait);
  });

  test('are rejected together by a trap, and the next sends a poll of its own', async (t) => {
    const time = fakeTime(t);
    const { options, polls } = service(time, (count) => (count < 3 ? running() : done()));
    const client = new LemonData(options);
    const calls = [failure(client.waitForTask('img_1')), failure(client.waitForTask('img_1'))];
    await time.pass(1000);
    const random = t.mock.method(Math, 'random', () => {
      throw new Error('trap');
    });
    await time.pass(5000);
    random.mock.restore();
    for (const error of await Promise.all(calls)) {
      assert.ok(error instanceof InternalError);
      assert.deepEqual([error.outcome, error.task], ['accepted', TASK]);
    }
    assert.equal(time.timers(), 0);
    await startModule();
    const before = polls.length;
    const started = time.now();
    await time.until(client.waitForTask('img_1'));
    assert.deepEqual(polls[before], started);
  });
});
