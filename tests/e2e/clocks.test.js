/** Clocks that stand still, jump or turn back, and times that no timer can count: in virtual time. */

import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { generate, RequestTimeoutError, WaitTimeoutError, waitForTask } from 'lemondata-wasm';
import { failure } from '../helpers/failure.js';
import { answer, fakeTime } from '../helpers/fake-time.js';

const running = () => answer({ task_id: 'img_1', status: 'processing' });
const done = () => answer({ task_id: 'img_1', status: 'completed', data: [{ url: 'https://x.test/1' }] });
/** A service that answers at once, and the times at which it is asked. */
function service(time, poll) {
  const polls = [];
  const options = {
    apiKey: 'sk-1',
    async fetch() {
      polls.push(time.now());
      return poll(polls.length);
    },
  };
  return { polls, options };
}

describe('rule 4: a wait ends', { timeout: 10_000 }, () => {
  before(() => waitForTask({ status: 'completed', data: [] }));

  test('where the clocks stand still between answers, as those of workerd do', async (t) => {
    const time = fakeTime(t);
    const { options, polls } = service(time, running);
    const [wall, monotonic] = [Date.now(), performance.now()];
    t.mock.method(Date, 'now', () => wall);
    t.mock.method(performance, 'now', () => monotonic);
    const pollInterval = { min: 4000, max: 4000 };
    const error = await failure(
      time.until(waitForTask('img_1', { ...options, pollInterval, maxWait: 10_000 })),
    );
    assert.ok(error instanceof WaitTimeoutError);
    assert.deepEqual(polls, [0, 4000, 8000, 10_000]);
  });

  /** Lets the wall clock jump when a wait has polled for some time. */
  async function jump(t, ms) {
    const time = fakeTime(t);
    const { options, polls } = service(time, running);
    const wait = failure(waitForTask('img_1', options));
    await time.pass(20_000);
    const wall = Date.now;
    t.mock.method(Date, 'now', () => wall() + ms);
    const before = polls.length;
    assert.ok((await time.until(wait)) instanceof WaitTimeoutError);
    return { time, polls: polls.slice(before) };
  }

  test('after one last poll where the machine has slept, and its monotonic clock, too', async (t) => {
    const { time, polls } = await jump(t, 3_600_000);
    assert.equal(polls.length, 1);
    assert.ok(time.now() <= 30_000, `${time.now()} ms`);
  });

  test('at its deadline where the wall clock is turned back', async (t) => {
    const { time } = await jump(t, -3_600_000);
    assert.ok(time.now() >= 295_000 && time.now() <= 300_000, `${time.now()} ms`);
  });
});

test('rule 6: a pause that no timer can count is kept', { timeout: 10_000 }, async (t) => {
  const time = fakeTime(t);
  const days = 30 * 86_400;
  // Without a part that chance adds.
  const pollInterval = { min: 3000, max: 3000 };
  const later = () => answer({}, { status: 429, headers: { 'retry-after': `${days}` } });
  const { options, polls } = service(time, (count) => (count === 1 ? later() : done()));
  await time.until(waitForTask('img_1', { ...options, maxWait: Number.POSITIVE_INFINITY, pollInterval }));
  assert.deepEqual(polls, [0, days * 1000]);
  assert.equal(time.timers(), 0);
});

test('rule 4: a time-out that no timer can count is kept', { timeout: 10_000 }, async (t) => {
  const time = fakeTime(t);
  const requestTimeout = 30 * 86_400_000;
  const options = { apiKey: 'sk-1', requestTimeout, fetch: () => new Promise(() => {}) };
  const error = await failure(time.until(generate({ prompt: 'a lemon' }, options)));
  assert.ok(error instanceof RequestTimeoutError);
  assert.ok(time.now() >= requestTimeout && time.now() <= requestTimeout + 10, `${time.now()} ms`);
  assert.equal(time.timers(), 0);
});
