/**
 * Ten thousand tasks of 30–120 s in virtual time: the polls per task, the delay until a result is seen, and the
 * distribution of a fleet's polls over time.
 *
 * This package runs itself, under a replaced clock; the others are represented by the rules of their loops. An
 * answer takes no time, so that only the cadence counts.
 */

import FakeTimers from '@sinonjs/fake-timers';
import { OURS } from './clients/index.js';
import { spread } from './measure.js';

const SHORTEST_MS = 30_000;
const LONGEST_MS = 120_000;
/** The resolution of the rate of polls: fine enough to show loops of 500 ms that run in step. */
const BUCKET_MS = 250;
/** The time over which a steady fleet's tasks arrive. */
const ARRIVALS_MS = 240_000;
/** Its multiples fill 0..1 evenly and without order, so that chance favours no client. */
const GOLDEN = (Math.sqrt(5) - 1) / 2;

/** The rules of the loops: the pause after an answer, and whether the first poll follows the create at once. */
const RULES = {
  'fixed 4 s': { pause: 4_000, isEager: false },
  'sample (3 s)': { pause: 3_000, isEager: true },
  'openai helper (5 s)': { pause: 5_000, isEager: true },
  'replicate, fal (500 ms)': { pause: 500, isEager: true },
};
export const CADENCE_BASE = 'fixed 4 s';

/** A random generator with a seed. */
function chance(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Tasks as `[created, done]`: created all at once, or one after another. */
export const makeTasks = (count, isBurst) =>
  Array.from({ length: count }, (_, index) => {
    const created = isBurst ? 0 : (index / count) * ARRIVALS_MS;
    return [created, created + SHORTEST_MS + (LONGEST_MS - SHORTEST_MS) * ((index * GOLDEN) % 1)];
  });

/** The times at which a loop polls each task. */
export const loop = (tasks, { pause, isEager }) =>
  tasks.map(([created, done]) => {
    const polls = [];
    let time = created + (isEager ? 0 : pause);
    for (; time < done; time += pause) polls.push(time);
    return [...polls, time];
  });

/** The times at which this package polls each task. */
export async function drive(tasks) {
  const { setImmediate } = globalThis;
  const { LemonData } = await import('lemondata-wasm');
  const polls = tasks.map(() => []);
  let clock;
  const reply = (body) => {
    const text = JSON.stringify(body);
    return { status: 200, headers: new Headers(), text: async () => text };
  };
  async function transport(url, { method, body }) {
    if (method === 'POST') {
      const index = JSON.parse(body).prompt;
      return reply({ task_id: `t${index}`, status: 'pending', poll_url: `/v1/tasks/${index}`, data: [] });
    }
    const index = Number(url.slice(url.lastIndexOf('/') + 1));
    polls[index].push(clock.now);
    const isDone = clock.now >= tasks[index][1];
    return reply(
      isDone
        ? { status: 'completed', data: [{ url: 'https://files.test/1.png' }] }
        : { status: 'processing' },
    );
  }
  const lemon = new LemonData({ apiKey: 'sk-bench', fetch: /** @type {any} */ (transport) });
  // The module is compiled in real time.
  await lemon.generate({ prompt: '0' });

  const { random } = Math;
  Math.random = chance(1);
  clock = FakeTimers.install({ now: 0, toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'] });
  try {
    let left = tasks.length;
    for (const [index, [created]] of tasks.entries()) {
      setTimeout(async () => {
        await lemon.generateAndWait({ prompt: String(index) });
        left -= 1;
      }, created);
    }
    while (left > 0) {
      clock.next();
      // Everything that needs no time happens before the clock moves on.
      await new Promise((resolve) => setImmediate(resolve));
    }
  } finally {
    clock.uninstall();
    Math.random = random;
  }
  return polls;
}

/** The number of polls within each bucket, from one time to another. */
function rates(polls, from, to) {
  const buckets = new Array(Math.floor((to - from) / BUCKET_MS)).fill(0);
  for (const time of polls.flat()) {
    const bucket = Math.floor((time - from) / BUCKET_MS);
    if (bucket >= 0 && bucket < buckets.length) buckets[bucket] += 1;
  }
  return buckets;
}

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Rates the polls of a fleet, while the fleet has its full size. */
export function judge(tasks, polls, isBurst) {
  const delays = tasks.map(([, done], index) => polls[index].at(-1) - done);
  // No task of a burst is done before the shortest one; a steady fleet is complete after the longest one.
  const [from, to] = isBurst ? [0, SHORTEST_MS] : [LONGEST_MS, ARRIVALS_MS];
  const buckets = rates(polls, from, to);
  return {
    polls: mean(polls.map((each) => each.length)),
    delay: { mean: mean(delays), ...spread(delays) },
    peakOverMean: Math.max(...buckets) / mean(buckets),
    // For the plot.
    rate: isBurst ? buckets : undefined,
  };
}

export async function* benchCadence({ tasks: count, measures }) {
  for (const measure of measures) {
    const isBurst = measure === 'burst';
    const tasks = makeTasks(count, isBurst);
    const rows = { [OURS]: judge(tasks, await drive(tasks), isBurst) };
    for (const [name, rule] of Object.entries(RULES)) rows[name] = judge(tasks, loop(tasks, rule), isBurst);
    yield { tasks: count, [measure]: { rows } };
  }
}
