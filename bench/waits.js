/** Thousands of waits at once: the memory of each while it sleeps, the processor time of a poll, and how both grow. */

import { BASE, clientFile, clientsWith } from './clients/index.js';
import { compare } from './measure.js';
import { startProcess, startServer } from './processes.js';

/** The slope of the line of best fit. */
export function slope(points) {
  const mean = (axis) => points.reduce((sum, point) => sum + point[axis], 0) / points.length;
  const [x, y] = [mean(0), mean(1)];
  const above = points.reduce((sum, point) => sum + (point[0] - x) * (point[1] - y), 0);
  return above / points.reduce((sum, point) => sum + (point[0] - x) ** 2, 0);
}

/** The sleep, as a multiple of the time to start all waits; the later ones are for a machine under load. */
const MARGINS = [1.4, 2.8, 5.6];

/** The number of waits whose memory is measured again, and the polls of each before that. */
const AGED = { count: 1_000, polls: 5 };

async function runWaits(server, name, ...numbers) {
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
    const measured = await runWaits(server, name, count, margin);
    if (measured.pollsPerWait > 0.99) return measured;
  }
  throw new Error(`${name} always polled before all ${count} waits slept`);
}

export async function* benchWaits({ counts, measures }) {
  const names = clientsWith(({ waits }) => waits);
  const server = await startServer();
  try {
    if (measures.includes('many')) yield await many(server, names, counts);
    if (measures.includes('aged')) yield await aged(server, names);
  } finally {
    await server.stop();
  }
}

/** Memory and polls of each number of waits. */
async function many(server, names, counts) {
  const byCount = [];
  for (const count of counts) {
    const measured = {};
    for (const name of names) measured[name] = await measure(server, name, count);
    byCount.push({ count, measured });
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
      /** The memory of one more wait, without the memory that all share. */
      slopes: Object.fromEntries(
        names.map((name) => [
          name,
          slope(byCount.map(({ count, measured }) => [count, count * measured[name].bytesPerWait])),
        ]),
      ),
    },
    polls: {
      unit: 'µs',
      byCount: byCount.map(({ count, measured }) => ({
        count,
        rows: pick(measured, (m) => m.microsecondsPerPoll),
      })),
    },
  };
}

/** Memory of waits that have polled. */
async function aged(server, names) {
  /** @type {Record<string, number[]>} */
  const values = {};
  for (const name of names)
    values[name] = [(await runWaits(server, name, AGED.count, 0, AGED.polls)).bytesPerWait];
  return { aged: { unit: 'bytes', ...AGED, rows: compare(values, BASE) } };
}
