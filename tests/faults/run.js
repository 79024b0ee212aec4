/** Performs a case in a runtime, and judges what came of it. */

import { startServer } from '../server/index.js';
import { startProxy } from './proxy.js';

/** What has not settled by then hangs. */
const GUARD_MS = 10_000;

/** A task is pending, then processing, then done: several polls at the cadence of a case. */
const TASK_MS = 30;

/** Not the server's usual key: whatever holds it has it from a case of this suite. */
const KEY = 'sk-fault-7f3a9c51e8d24b06';

/** The server draws a pattern of its own for it, and fetches nothing. */
const PICTURE = 'https://pictures.example/lemon.png';

/**
 * What a case in a runtime brought.
 *
 * @typedef {object} Cell
 * @property {string} got the class
 * @property {string[]} problems empty where all is as it has to be
 * @property {number} creates
 * @property {boolean} hung
 * @property {number} duplicates creates beyond the first that the server may have billed
 * @property {number} resent creates that the platform itself sent again, below the package, and is known to
 * @property {number} leaks places where the key was found and must not be
 * @property {boolean} lost whether a task neither completed nor could be waited for again
 */

/**
 * @param {import('./runtimes.js').Runtime} runtime
 * @param {import('./manifest.js').Case} item
 * @returns {Promise<Cell>}
 */
export async function runCase(runtime, item) {
  const foreign = await startServer({ apiKey: KEY, cors: true });
  const server = await startServer({ apiKey: KEY, cors: true, taskMs: TASK_MS });
  const proxy = await startProxy(server.port);
  try {
    return await judge(runtime, item, server, foreign, proxy);
  } finally {
    await Promise.all([proxy.close(), server.close(), foreign.close()]);
  }
}

async function judge(runtime, item, server, foreign, proxy) {
  const { where, call, argument, kind, abortAfter, fault, replies = [], times = 1, created } = item;
  const [model, ...fallback] = item.models;
  const options = { ...item.options, ...(item.hasFallback && { fallback }) };
  const expect = { ...item.expect, ...item.platform?.[runtime.name] };
  const { task, id } = startTask(server);
  const context = { url: proxy.url, foreignUrl: foreign.url, apiKey: KEY, task };
  if (created) server.next({ on: 'create', reply: created(context) });
  for (const [index, reply] of replies.entries()) {
    const last = index === replies.length - 1;
    server.next({ on: where, times: last ? times : 1, reply: reply(context) });
  }
  await proxy.plan(fault ? [{ on: where, ...fault }] : []);

  const target = { apiKey: KEY, baseUrl: proxy.url };
  const request = { prompt: 'a lemon', size: '16x16', model, ...(kind === 'edit' && { image_url: PICTURE }) };
  const started = performance.now();
  const result = await guarded(
    runtime.run('perform', {
      ...target,
      call,
      argument: { undefined: request, task, id }[argument],
      isForm: kind === 'form',
      options,
      [where === 'create' ? 'abortAfter' : 'abortWait']: abortAfter,
      warmUp: item.warm ? task : undefined,
    }),
  );
  const ms = performance.now() - started;

  const problems = [];
  const check = (holds, problem) => holds || problems.push(problem);
  const { className, outcome, message } = result;
  const received = [className, outcome && `(${outcome})`, message].filter(Boolean).join(' ');
  check(result.settled, 'it hangs');
  const expected = `${expect.className}${expect.outcome ? ` (${expect.outcome})` : ''}`;
  check(
    className === expect.className && outcome === expect.outcome,
    `expected ${expected}, got ${received}`,
  );
  check(
    ms >= (expect.minMs ?? 0),
    `it took ${Math.round(ms)} ms, and the server asked for ${expect.minMs} ms`,
  );
  check(ms <= (expect.maxMs ?? GUARD_MS), `it took ${Math.round(ms)} ms, which is no prompt end`);
  const { retryAfterMs } = expect;
  check(!retryAfterMs || result.retryAfterMs === retryAfterMs, `retryAfterMs is ${result.retryAfterMs}`);

  // A case whose fault never struck proves nothing.
  const struck = fault ? proxy.injected[where] : server.counts[`${where}s`];
  check(struck > 0, 'the fault was not met');

  const { creates, requests } = server.counts;
  check(creates <= expect.creates, `${creates} creates, at most ${expect.creates} allowed`);
  const { sent = creates } = result;
  const resent = Math.min(Math.max(0, creates - sent), item.platform?.[runtime.name]?.resent ?? 0);
  const billed = creates - resent - refusedOf(item, context, creates) - Math.min(creates, item.failures ?? 0);
  const duplicates = Math.max(0, billed - 1);
  check(duplicates === 0, `${billed} creates that may be billed`);
  const sentCreates = requests.filter(({ method }) => method === 'POST');
  if (options.idempotencyKey) {
    const keys = sentCreates.map(({ headers }) => headers['idempotency-key']);
    check(new Set(keys).size === 1 && keys[0] === options.idempotencyKey, `the idempotency keys are ${keys}`);
  }
  const route = kind ? '/v1/images/edits' : '/v1/images/generations';
  check(
    sentCreates.every(({ path }) => path === route),
    `creates went to ${sentCreates.map(({ path }) => path)}`,
  );
  const chain = sentCreates.map(({ body }) => item.models.indexOf(body.model));
  const isOrdered = chain.every(
    (place, index) => place >= 0 && [0, 1].includes(place - (chain[index - 1] ?? 0)),
  );
  check(isOrdered, `the models were asked in the order ${chain}`);

  check(foreign.counts.requests.length === 0, 'another origin was called');
  const leaks =
    (result.leak ? 1 : 0) +
    (JSON.stringify(result).includes(KEY) ? 1 : 0) +
    server.counts.keyLeaks +
    foreign.counts.requests.filter((seen) => JSON.stringify(seen).includes(KEY)).length;
  check(leaks === 0, 'the key has leaked');

  let lost = false;
  if (expect.resumes || outcome === 'accepted') {
    await recover(server, proxy);
    const resumed = result.task
      ? await guarded(runtime.run('perform', { ...target, call: 'waitForTask', argument: result.task }))
      : { className: 'no task' };
    lost = resumed.className !== 'completed' || server.counts.creates > 0;
    check(!lost, `the task is lost: ${resumed.className} ${resumed.message ?? ''}`);
  }
  return { got: className, problems, creates, hung: !result.settled, duplicates, resent, leaks, lost };
}

/** Starts a task that no create of the client led to. */
function startTask(server) {
  const { id } = server.tasks.start({
    prompt: 'a lemon',
    n: 1,
    traits: {},
    scenarios: [],
    images: () => [{ url: `${server.url}/files/none.png` }],
  });
  return { id, task: { task_id: id, poll_url: `/v1/images/generations/${id}` } };
}

/** How many of so many creates the server has refused, by saying that it did nothing. */
function refusedOf({ where, replies = [], times = 1 }, context, creates) {
  if (where !== 'create') return 0;
  const refuses = ({ status, body }) =>
    (status >= 300 && status < 500 && status !== 408) || (status === 503 && body?.error?.retryable === true);
  let refused = 0;
  for (const [index, reply] of replies.entries()) {
    const most = index === replies.length - 1 ? times : 1;
    if (refuses(reply(context))) refused += Math.min(most, creates - index);
  }
  return refused;
}

/** Makes the fault go away; the tasks stay. */
async function recover(server, proxy) {
  const tasks = [...server.tasks];
  server.reset();
  for (const [id, task] of tasks) server.tasks.set(id, task);
  await proxy.plan([]);
}

/** Takes a promise that does not settle, or a runtime that fails, for what it is. */
async function guarded(promise) {
  let timer;
  const guard = new Promise((resolve) => {
    timer = setTimeout(resolve, GUARD_MS, { settled: false, className: 'hang' });
  });
  const failed = (error) => ({ settled: true, className: 'crash', message: `${error}` });
  const result = await Promise.race([promise.catch(failed), guard]);
  clearTimeout(timer);
  return result;
}
