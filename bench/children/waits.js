/**
 * Has one client wait for many tasks at once, and reports the memory of a sleeping wait and the processor time of the
 * polls. Run with `--expose-gc`.
 */

import { API_KEY } from '../key.js';

const [file, url, ...numbers] = process.argv.slice(2);
/**
 * - the number of waits;
 * - the pause between two polls, as a multiple of the time that all creates take: no poll comes before all waits sleep;
 * - in place of that multiple, the number of polls of each wait before its memory is measured.
 */
const [count, margin, polls] = numbers.map(Number);
/** A limit for simultaneous requests. More would measure connections instead. */
const AT_ONCE = 64;
const WARM_UP = 1000;
/** The number of readings of the processor time while the polls run. */
const SLICES = 10;
const SHORTEST_PAUSE_MS = 1_000;

const { fetch, setTimeout } = globalThis;
let sent = 0;
let answered = 0;
/** @type {(value?: unknown) => void} */
let onAnswer = () => {};
/** What lets each request begin that waits for another's end. */
const queue = [];
globalThis.fetch = async (/** @type {Parameters<typeof fetch>} */ ...args) => {
  sent += 1;
  if (sent - answered > AT_ONCE) await new Promise((resolve) => queue.push(resolve));
  try {
    return await fetch(...args);
  } finally {
    answered += 1;
    queue.shift()?.();
    onAnswer();
  }
};

/** The timers of the client that have fired since it was halted. */
let halted;
/** @type {any} Node's function has properties besides */
const setClientTimeout = (callback, ms) =>
  setTimeout(() => (halted ? halted.push(callback) : callback()), ms);
if (polls) globalThis.setTimeout = setClientTimeout;

const { connect } = await import(file);
const client = connect(url, API_KEY);
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** A wait for a task, which by default is done shortly before its first poll. */
const wait = (pause, durationMs = pause * 0.9) => client.wait(`task-${Math.round(durationMs)}`, pause);

/** The live memory, on the heap and beside it. */
async function liveBytes() {
  // One collection finalises objects, the next one frees them.
  for (let time = 0; time < 3; time += 1) {
    globalThis.gc();
    await sleep(5);
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** The number of answers until a wait sleeps. Some clients poll right after the create. */
async function countAnswersToSleep() {
  await client.inline();
  const before = answered;
  const waiting = wait(SHORTEST_PAUSE_MS);
  await sleep(SHORTEST_PAUSE_MS / 2);
  const answers = answered - before;
  await waiting;
  return answers;
}

/** Starts waits, some at a time, until each has created its task and sleeps. */
async function start(waits, pause, durationMs = undefined) {
  const base = answered;
  const started = [];
  while (started.length < waits) {
    while (started.length < waits && started.length - (answered - base) / answers < AT_ONCE) {
      started.push(wait(pause, durationMs));
    }
    await new Promise((resolve) => {
      onAnswer = resolve;
    });
  }
  while (answered - base < waits * answers) await sleep(2);
  return started;
}

const answers = await countAnswersToSleep();
// Warm up: compiled code, connections and pools do not belong to a wait.
const cold = await start(WARM_UP / 2, SHORTEST_PAUSE_MS);
const began = performance.now();
const warm = await start(WARM_UP / 2, SHORTEST_PAUSE_MS);
const msPerCreate = (performance.now() - began) / (WARM_UP / 2);
await Promise.all([...cold, ...warm]);

const empty = await liveBytes();
if (polls) await age();
else await measure();

async function measure() {
  const waits = await start(count, Math.max(SHORTEST_PAUSE_MS, margin * msPerCreate * count));
  const bytes = await liveBytes();
  const slices = [];
  const perSlice = Math.floor(count / SLICES);
  const base = answered;
  let processor = process.cpuUsage();
  onAnswer = () => {
    if ((answered - base) % perSlice !== 0) return;
    const { user, system } = process.cpuUsage(processor);
    processor = process.cpuUsage();
    slices.push((user + system) / perSlice);
  };
  await Promise.all(waits);
  process.send({
    bytesPerWait: (bytes - empty) / count,
    microsecondsPerPoll: slices.slice(0, SLICES),
    /** Below 1, some waits polled before all slept. */
    pollsPerWait: (answered - base) / count,
  });
}

/** Measures the memory of waits that have polled and continue. */
async function age() {
  const base = answered;
  await start(count, SHORTEST_PAUSE_MS, 1e6);
  while (answered - base < count * (answers + polls)) await sleep(10);
  // Memory of requests in flight does not belong to a wait: all of them end, and no other begins.
  halted = [];
  while (answered < sent) await sleep(5);
  await sleep(20);
  process.send({ bytesPerWait: ((await liveBytes()) - empty) / count });
}
