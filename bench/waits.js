/** Thousands of waits at once: the memory of each while it sleeps, the processor time of a poll, and how both grow. */

import { BASE, clientFile, clientsWith } from './clients/index.js';
import { compare } from './measure.js';
import { startProcess, startServer } from './processes.js';

/** The slope of the line that lies closest to some points. */
export function slope(points) {
  const mean = (axis) => points.reduce((sum, point) => sum + point[axis], 0) / points.length;
  const [x, y] = [mean(0), mean(1)];
  const above = points.reduce((sum, point) => sum + (point[0] - x) * (point[1] - y), 0);
  return above / points.reduce((sum, point) => sum + (point[0] - x) ** 2, 0);
}

/** How much longer than it takes to start all waits they sleep; the second is for a machine that falters. */
const MARGINS = [1.4, 2.8, 5.6];

/** Of so many waits, memory is looked at once more after each has polled so often. */
const AGED = { count: 1_000, polls: 5 };

async function ask(server, name, ...numbers) {
  const args = [clientFile(name), server.url, ...numbers];
  const process = await startProcess('children/waits.js', args, ['--expose-gc']);
  try {
    return await process.next();
  } finally {
    await process.stop();
  }
}

async function measure(server, name, count) {
  for (const margin of MARGINS) {
    const measured = await ask(server, name, count, margin);
    if (measured.pollsPerWait > 0.99) return measured;
  }
  throw new Error(`${name} always polled before all ${count} waits slept`);
}

export async function benchWaits({ counts }) {
  const names = clientsWith(({ waits }) => waits);
  const server = await startServer();
  const byCount = [];
  const aged = {};
  try {
    for (const count of counts) {
      const entries = [];
      for (const name of names) entries.push([name, await measure(server, name, count)]);
      byCount.push({ count, measured: Object.fromEntries(entries) });
    }
    for (const name of names)
      aged[name] = [(await ask(server, name, AGED.count, 0, AGED.polls)).bytesPerWait];
  } finally {
    await server.stop();
  }
  const pick = (measured, values) =>
    compare(Object.fromEntries(names.map((name) => [name, values(measured[name])])), BASE);
  return {
    counts,
    memory: {
      unit: 'bytes',
      byCount: byCount.map(({ count, measured }) => ({
        count,
        rows: pick(measured, (m) => [m.bytesPerWait]),
      })),
      /** What one more wait takes, whatever the others share. */
      slopes: Object.fromEntries(
        names.map((name) => [
          name,
          slope(byCount.map(({ count, measured }) => [count, count * measured[name].bytesPerWait])),
        ]),
      ),
    },
    aged: { unit: 'bytes', ...AGED, rows: compare(aged, BASE) },
    polls: {
      unit: 'µs',
      byCount: byCount.map(({ count, measured }) => ({
        count,
        rows: pick(measured, (m) => m.microsecondsPerPoll),
      })),
    },
  };
}
