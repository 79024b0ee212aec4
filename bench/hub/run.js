/**
 * A load on a hub in one local workerd: its requests upstream, its memory, and the time from the completion of a task to
 * the push to its watchers.
 */

import { execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installPacked } from '../../tests/helpers/pack.js';
import { bundleWorker } from '../../tests/helpers/worker.js';
import { watchAll } from './watchers.js';

const TASKS = Number(process.env.TASKS);
const WATCHERS = Number(process.env.WATCHERS);
/** Long enough for two cores to poll five thousand tasks and to serve their watchers. */
const POLL_INTERVAL = { min: 15_000, max: 20_000 };
/** Idle objects are evicted after ten seconds. */
const EVICTION_MS = 13_000;
const OPENING = { atOnce: 200, withinMs: 75_000 };
const CREATES_AT_ONCE = 50;
const WARM_UP = 50;
const SETTLING_MS = 3000;
const MEASURING_MS = 3.5 * POLL_INTERVAL.max;
const FINISHING_MS = 10_000;

const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const started = Date.now();
const log = (text) => console.log(`${((Date.now() - started) / 1000).toFixed(0).padStart(4)} s  ${text}`);

function start(file) {
  const child = fork(file, { serialization: 'advanced' });
  /**
   * @param {any} message
   * @param {(message: any) => unknown} isAnswer
   * @returns {Promise<any>}
   */
  const request = (message, isAnswer) => {
    const answer = new Promise((resolve) => {
      child.on('message', function receive(received) {
        if (!isAnswer(received)) return;
        child.off('message', receive);
        resolve(received);
      });
    });
    if (message) child.send(message);
    return answer;
  };
  return { child, request };
}

/** A hub in a process of its own, and the workerd in it. */
async function startHub(modules, upstream) {
  const { child, request: requestHub } = start(here('../../tests/hub/child.js'));
  // In memory if possible, so that the disk of this machine does not count.
  const files = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'lemondata-bench-'));
  const { url, error } = await requestHub(
    {
      modules,
      host: '127.0.0.1',
      compatibilityDate: '2026-07-01',
      bindings: { LEMONDATA_API_KEY: 'sk-bench', LEMONDATA_BASE_URL: upstream, POLL_INTERVAL },
      durableObjectsPersist: files,
      durableObjects: {
        TASKS: { className: 'TaskHub', useSQLite: true },
        HELD: { className: 'Held', useSQLite: true },
      },
    },
    (answer) => answer.url || answer.error,
  );
  if (error) throw new Error(error);
  const printed = [];
  child.on('message', (/** @type {any} */ message) => message.printed && printed.push(message.printed));
  const workerd = execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
    .find(([, parent]) => parent === child.pid)[0];
  return {
    url,
    /** The last output of workerd, which explains an unexpected end. */
    output: () => printed.join('').slice(-2000),
    /** The number of open files of workerd, where the system shows it. */
    files: () => (existsSync(`/proc/${workerd}/fd`) ? readdirSync(`/proc/${workerd}/fd`).length : Number.NaN),
    port: Number(new URL(url).port),
    isRunning: () => existsSync(`/proc/${workerd}`) || !existsSync('/proc'),
    /** The memory of workerd in megabytes. */
    memory: () => Number(execFileSync('ps', ['-o', 'rss=', '-p', `${workerd}`], { encoding: 'utf8' })) / 1024,
    async close() {
      const closed = once(child, 'exit');
      child.disconnect();
      await closed;
      rmSync(files, { recursive: true, force: true });
    },
  };
}

/** Each create has its own connection, because workerd soon closes idle ones. */
async function create(url, number) {
  const body = JSON.stringify({ prompt: `A lemon ${number}`, model: 'flux-pro' });
  const headers = { 'content-type': 'application/json', 'content-length': body.length };
  const sent = request(`${url}/v1/images/generations`, { method: 'POST', headers, agent: false });
  sent.end(body);
  const [response] = await once(sent, 'response');
  const answer = (await response.setEncoding('utf8').toArray()).join('');
  if (response.statusCode !== 200) throw new Error(answer);
  return JSON.parse(answer).task_id;
}

/** Creates tasks with these numbers in their prompts. */
async function createAll(url, from, count) {
  const references = [];
  let next = 0;
  await Promise.all(
    Array.from({ length: CREATES_AT_ONCE }, async () => {
      while (next < count) {
        const index = next;
        next += 1;
        references[index] = await create(url, from + index);
      }
    }),
  );
  return references;
}

const seconds = (from) => (Date.now() - from) / 1000;
const kilobytes = (from, to, count) => ((to - from) * 1024) / Math.max(1, count);

/** Opens watchers of one kind, and measures their number, time and memory. */
async function openAll(hub, paths, kind) {
  const wanted = paths.map((path, task) => ({ port: hub.port, path, task: task % TASKS, kind }));
  const before = hub.memory();
  const from = Date.now();
  const watchers = await watchAll(wanted, OPENING);
  const duration = seconds(from);
  if (!hub.isRunning())
    throw new Error(`workerd has ended with ${watchers.length} watchers: ${hub.output()}`);
  // By then, the garbage of opening is collected.
  await sleep(SETTLING_MS);
  const open = watchers.filter(({ isOpen, isLost }) => isOpen && !isLost).length;
  const after = hub.memory();
  log(`${open} of ${wanted.length} watch, opened in ${duration.toFixed(0)} s: ${after.toFixed(0)} MB`);
  return {
    watchers,
    figures: {
      wanted: wanted.length,
      open,
      seconds: duration,
      kilobytesEach: kilobytes(before, after, open),
    },
  };
}

/** The hub under load. */
async function measureHub(modules, provider) {
  const counts = () => provider.request({ command: 'counts' }, ({ polls }) => polls !== undefined);
  const hub = await startHub(modules, provider.url);
  try {
    // The first tasks allocate the memory that all share.
    await createAll(hub.url, TASKS, WARM_UP);
    await sleep(SETTLING_MS);
    const empty = hub.memory();
    log(`workerd has started: ${empty.toFixed(0)} MB`);

    const from = Date.now();
    const references = await createAll(hub.url, 0, TASKS);
    const createSeconds = seconds(from);
    const created = hub.memory();
    log(
      `${TASKS} tasks, created in ${createSeconds.toFixed(0)} s: ${created.toFixed(0)} MB, ${hub.files()} files`,
    );
    const begun = await counts();
    const begunAt = Date.now();
    await sleep(EVICTION_MS);
    const settled = hub.memory();
    log(`${EVICTION_MS / 1000} s later: ${settled.toFixed(0)} MB, ${hub.files()} files`);

    const paths = Array.from(
      { length: WATCHERS / 2 },
      (_, index) => `/v1/tasks/${references[index % TASKS]}`,
    );
    // The first kind wakes the objects, so only the second kind shows the memory of a watcher.
    const kinds = process.env.SOCKETS_FIRST ? ['socket', 'stream'] : ['stream', 'socket'];
    const opened = {};
    for (const kind of kinds) opened[kind] = await openAll(hub, paths, kind);
    opened[kinds[0]].figures.kilobytesEach = undefined;
    const { stream: streams, socket: sockets } = opened;
    const watchers = [...streams.watchers, ...sockets.watchers];
    await sleep(Math.max(0, begunAt + MEASURING_MS - Date.now()));

    // Over several intervals, because tasks that were created together are polled together.
    const later = await counts();
    const pollsPerMinute = ((later.polls - begun.polls) * 60) / seconds(begunAt) / (TASKS + WARM_UP);

    await provider.request({ command: 'finish', withinMs: FINISHING_MS }, ({ finished }) => finished);
    const end = Date.now() + POLL_INTERVAL.max + FINISHING_MS;
    while (
      watchers.some(({ isOpen, isLost, completedAt }) => isOpen && !isLost && !completedAt) &&
      Date.now() < end
    ) {
      await sleep(200);
    }
    log(`all tasks have completed: ${hub.memory().toFixed(0)} MB`);
    const { completed, answered } = await provider.request({ command: 'times' }, ({ answered }) => answered);
    for (const { end: close } of watchers) close();

    const since = (some, times) =>
      some.flatMap(({ completedAt, task }) => (completedAt && times[task] ? completedAt - times[task] : []));
    return {
      tasks: TASKS,
      createsPerSecond: TASKS / createSeconds,
      upstream: {
        creates: later.creates - WARM_UP,
        pollsPerTaskAndMinute: pollsPerMinute,
        expected: 120_000 / (POLL_INTERVAL.min + POLL_INTERVAL.max),
      },
      megabytes: { empty, created, settled },
      kilobytesPerTask: {
        live: kilobytes(empty, created, TASKS),
        evicted: kilobytes(empty, settled, TASKS),
      },
      streams: streams.figures,
      sockets: sockets.figures,
      // From the answer to the hub's poll, and from the completion, which a poll has to find.
      milliseconds: {
        streams: {
          answer: since(streams.watchers, answered),
          completion: since(streams.watchers, completed),
        },
        sockets: {
          answer: since(sockets.watchers, answered),
          completion: since(sockets.watchers, completed),
        },
      },
    };
  } finally {
    await hub.close();
  }
}

/** The cost of streams that the objects themselves hold open. */
async function measureHeld(modules, provider) {
  const hub = await startHub(modules, provider.url);
  try {
    const paths = Array.from(
      { length: WATCHERS / 4 },
      (_, index) => `/held/${index % Math.min(TASKS, 1250)}`,
    );
    const held = await openAll(hub, paths, 'stream');
    for (const { end } of held.watchers) end();
    return held.figures;
  } finally {
    await hub.close();
  }
}

const project = installPacked();
const modules = await bundleWorker(project.folder, here('worker.js'));
project.remove();
const providerProcess = start(here('provider.js'));
const provider = {
  ...providerProcess,
  url: (await providerProcess.request(undefined, ({ url }) => url)).url,
};
const measured = await measureHub(modules, provider);
// One of the parallel processes measures this.
const held = process.env.HOLDS ? await measureHeld(modules, provider) : undefined;
process.send({ ...measured, held, pollInterval: POLL_INTERVAL }, () => process.exit());
