/**
 * Has one client wait for many tasks at once, and tells what memory a wait takes while it sleeps, and what
 * processor time the polls take. Run with `--expose-gc`.
 */

import { API_KEY } from '../key.js';

const [file, url, ...numbers] = process.argv.slice(2);
/**
 * How many waits, how much longer than all creates take a pause between two polls is, so that none is before all
 * sleep; or instead of that margin, after how many polls of each memory is looked at.
 */
const [count, margin, polls] = numbers.map(Number);
/** So many creates are under way at once: all at once, they would measure connections instead. */
const CREATES_AT_ONCE = 64;
const WARM_UP = 1000;
/** Processor time is read so many times while the polls run. */
const SLICES = 10;
const SHORTEST_PAUSE_MS = 1_000;

const { fetch } = globalThis;
let sent = 0;
let answered = 0;
let onAnswer = () => {};
/** While it is there, requests wait for it. */
let gate;
globalThis.fetch = async (...args) => {
  if (gate) await gate;
  sent += 1;
  try {
    return await fetch(...args);
  } finally {
    answered += 1;
    onAnswer();
  }
};

const { connect } = await import(file);
const client = connect(url, API_KEY);
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** A wait for a task that is, unless told otherwise, done shortly before it is polled after a pause. */
const wait = (pause, lasts = pause * 0.9) => client.wait(`task-${Math.round(lasts)}`, pause);

/** What is alive, on the heap and beside it. */
async function liveBytes() {
  // What is finalised by one collection is freed by the next.
  for (let time = 0; time < 3; time += 1) {
    globalThis.gc();
    await sleep(5);
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** Some clients poll at once: how many answers a wait takes until it sleeps. */
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
async function start(waits, pause, lasts) {
  const base = answered;
  const started = [];
  while (started.length < waits) {
    while (started.length < waits && started.length - (answered - base) / answers < CREATES_AT_ONCE) {
      started.push(wait(pause, lasts));
    }
    await new Promise((resolve) => {
      onAnswer = resolve;
    });
  }
  while (answered - base < waits * answers) await sleep(2);
  return started;
}

const answers = await countAnswersToSleep();
// Code compiled, connections opened, pools filled: none of it is a wait's.
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
    /** Below 1, some have polled before all slept. */
    pollsPerWait: (answered - base) / count,
  });
}

/** Looks at the memory of waits that have polled and go on. */
async function age() {
  const base = answered;
  await start(count, SHORTEST_PAUSE_MS, 1e6);
  while (answered - base < count * (answers + polls)) await sleep(10);
  // What requests take while they are under way is not a wait's.
  gate = new Promise(() => {});
  while (answered < sent) await sleep(5);
  await sleep(20);
  process.send({ bytesPerWait: ((await liveBytes()) - empty) / count });
}
