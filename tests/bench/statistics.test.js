/** What the bench makes of its numbers. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drive, judge, loop, makeTasks } from '../../bench/cadence.js';
import { compare, FEWEST_ROUNDS, inTurns, short, sideBySide, spread } from '../../bench/measure.js';
import { slope } from '../../bench/waits.js';

test('every subject is measured in every round, and none always first', async () => {
  const order = [];
  const subject = (name, value) => async () => {
    order.push(name);
    return value;
  };
  const subjects = { a: subject('a', 1), b: subject('b', 2), c: subject('c', 3) };
  const values = await inTurns(subjects, { rounds: 3, warmUp: 1 });
  assert.deepEqual(values, { a: [1, 1, 1], b: [2, 2, 2], c: [3, 3, 3] });
  assert.equal(order.join(''), 'abcbcacababc');
});

test('a measure whose time is over ends with a whole round, and not before it has the fewest', async () => {
  let calls = 0;
  const values = await inTurns(
    { a: async () => ++calls, b: async () => ++calls },
    { rounds: 99, warmUp: 1, seconds: 0 },
  );
  assert.deepEqual([values.a.length, values.b.length], [FEWEST_ROUNDS, FEWEST_ROUNDS]);
  assert.equal(calls, 2 * (FEWEST_ROUNDS + 1));
});

test('times are of each subject alone, in the order of the rounds', async () => {
  let round = 0;
  const times = await sideBySide({ a: async () => (round += 1) }, { rounds: 4, warmUp: 2 });
  assert.equal(round, 6);
  assert.equal(times.a.length, 4);
  assert.ok(times.a.every((ms) => ms >= 0));
});

test('a spread is the median and the quartiles, whatever the order', () => {
  assert.deepEqual(spread([5, 1, 4, 2, 3, 9, 7, 8, 6]), { low: 3, median: 5, high: 7 });
  assert.deepEqual(spread([10, 9]), { low: 9, median: 10, high: 10 });
  const values = [3, 1, 2];
  spread(values);
  assert.deepEqual(values, [3, 1, 2], 'the rounds keep their order');
});

test('a ratio is taken within a round, so that a machine that slows down does not show', () => {
  const { base, twice } = compare({ base: [1, 2, 40], twice: [2, 4, 80] }, 'base');
  assert.deepEqual(twice.ratio, { low: 2, median: 2, high: 2 });
  assert.equal(twice.median, 4);
  assert.deepEqual(base.ratio, { low: 1, median: 1, high: 1 });
});

test('numbers are shown with three digits', () => {
  assert.deepEqual([1234.5, 123.4, 12.34, 1.234, 0.1234, 0].map(short), [
    '1235',
    '123',
    '12.3',
    '1.23',
    '0.123',
    '0',
  ]);
});

test('the slope is that of the line through the points, whatever it begins with', () => {
  assert.equal(
    slope([
      [1, 12],
      [3, 16],
      [10, 30],
    ]),
    2,
  );
});

test('tasks last evenly from 30 to 120 s, and begin at once or one after another', () => {
  for (const isBurst of [true, false]) {
    const tasks = makeTasks(1000, isBurst);
    const lengths = tasks.map(([created, done]) => done - created).sort((a, b) => a - b);
    assert.ok(lengths[0] >= 30_000 && lengths[0] < 30_200);
    assert.ok(lengths[999] <= 120_000 && lengths[999] > 119_800);
    assert.ok(Math.abs(lengths[500] - 75_000) < 200);
    assert.equal(new Set(tasks.map(([created]) => created)).size, isBurst ? 1 : 1000);
  }
});

test('a loop polls until its task is done, and once behind', () => {
  const tasks = [[100, 10_000]];
  assert.deepEqual(loop(tasks, { pause: 4_000, isEager: false }), [[4_100, 8_100, 12_100]]);
  assert.deepEqual(loop(tasks, { pause: 5_000, isEager: true }), [[100, 5_100, 10_100]]);
});

test('a fixed loop of tasks that begin at once is in step', () => {
  const tasks = makeTasks(2_000, true);
  const judged = judge(tasks, loop(tasks, { pause: 4_000, isEager: false }), true);
  // Half a pause, but for those of 30–32 s: theirs is a quarter.
  const delay = (88 * 2_000 + 2 * 1_000) / 90;
  assert.ok(Math.abs(judged.delay.mean - delay) < 10, String(judged.delay.mean));
  assert.ok(Math.abs(judged.polls - (75_000 + delay) / 4_000) < 0.01, String(judged.polls));
  // Seven quarters of 120 hold all polls of the first 30 s.
  assert.equal(judged.peakOverMean, 120 / 7);
});

test('this package is driven for real: 3–5 s between its polls, the last one behind the end of its task', async () => {
  const tasks = makeTasks(20, false);
  const polls = await drive(tasks);
  for (const [index, each] of polls.entries()) {
    const [created, done] = tasks[index];
    const gaps = each.map((at, poll) => at - (each[poll - 1] ?? created));
    // A timer rounds up to a whole millisecond.
    assert.ok(
      gaps.every((gap) => gap >= 3_000 && gap <= 5_002),
      String(gaps),
    );
    assert.ok(each.at(-2) < done && each.at(-1) >= done);
  }
});
