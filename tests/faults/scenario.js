/** One call under a fault, in whichever runtime loads this file. */

import {
  edit,
  editAndWait,
  generate,
  generateAndWait,
  getTask,
  LemonDataError,
  waitForTask,
} from 'lemondata-wasm';

// Back-off with full jitter is drawn from 0 up to its step of a second or more. At 0 the cadence alone counts,
// so that a case with three losses takes milliseconds; that back-off grows is proved with fake time elsewhere.
Math.random = () => 0;

/** How often the package has sent a create, by origin: a platform may send it more often than that. */
const sent = new Map();
const transport = globalThis.fetch;
globalThis.fetch = (url, init) => {
  const { origin } = new URL(url);
  if (init?.method === 'POST') sent.set(origin, (sent.get(origin) ?? 0) + 1);
  return transport(url, init);
};

const CALLS = { edit, editAndWait, generate, generateAndWait, getTask, waitForTask };

/** A picture by its first bytes, too large for one packet. */
const makePicture = () => {
  const bytes = new Uint8Array(200_000);
  bytes.set([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return new Blob([bytes], { type: 'image/png' });
};

/**
 * What a case consists of: plain JSON, since it may travel.
 *
 * @typedef {object} Input
 * @property {keyof typeof CALLS} call
 * @property {any} argument the request, or the task
 * @property {boolean} [isForm] whether the request holds a picture as a Blob, which cannot travel as JSON
 * @property {string} apiKey
 * @property {string} baseUrl
 * @property {Record<string, unknown>} [options]
 * @property {number} [abortAfter] milliseconds from the start
 * @property {number} [abortWait] milliseconds from the moment that the task is known
 * @property {unknown} [warmUp] a task to ask for first, so that the call finds an open connection
 */

/**
 * What became of it: plain JSON as well.
 *
 * @typedef {object} Result
 * @property {true} settled
 * @property {string} className `completed` or another status of the result, or else the error's class
 * @property {string} [kind]
 * @property {string} [outcome]
 * @property {number} [status]
 * @property {number} [retryAfterMs]
 * @property {unknown} [task] the task that resumes the wait
 * @property {string} [message]
 * @property {number} ms
 * @property {number} sent creates that the package has sent
 * @property {boolean} leak whether the key can be read in anything that the caller is given
 */

/**
 * @param {Input} input
 * @returns {Promise<Result>}
 */
export async function perform(input) {
  const { call, isForm, apiKey, baseUrl, options, abortAfter, abortWait, warmUp } = input;
  const argument = isForm ? { ...input.argument, image: makePicture() } : input.argument;
  const started = Date.now();
  const delivered = [];
  let known;
  const controller = new AbortController();
  let timer;
  const abortIn = (ms) => {
    if (ms) timer = setTimeout(() => controller.abort(new Error('enough')), ms);
  };
  abortIn(abortAfter);
  const all = {
    // A relay holds its own key. Here, the server behind the proxy plays it, and wants one.
    ...(options?.relay ? { headers: { authorization: `Bearer ${apiKey}` } } : { apiKey }),
    baseUrl,
    dangerouslyAllowBrowser: true,
    pollInterval: { min: 5, max: 10 },
    maxWait: 5000,
    signal: controller.signal,
    onTask(task) {
      known = task;
      abortIn(abortWait);
      delivered.push(task);
    },
    onUpdate: (update) => delivered.push(update),
    onResponse: (info) => delivered.push(info),
    ...options,
  };
  if (warmUp) await getTask(warmUp, all);
  // Another case may have had the same port before.
  const sentBefore = sent.get(baseUrl) ?? 0;
  let result;
  try {
    const generation = await CALLS[call](argument, all);
    delivered.push(generation);
    result = { className: generation.status, task: generation.task_id && { task_id: generation.task_id } };
  } catch (error) {
    delivered.push(error, `${error}`, error.stack);
    // The caller of an aborted wait has the reference that onTask was given.
    const aborted = error === controller.signal.reason;
    const { kind, outcome, status, retryAfterMs, task, message } = error;
    result = {
      className: error instanceof LemonDataError ? error.name : aborted ? 'aborted' : `${error}`,
      ...{ kind, outcome, status, retryAfterMs, message },
      task: task ?? (aborted ? known : undefined),
    };
  } finally {
    clearTimeout(timer);
  }
  const leak = delivered.some((value) => holds(value, apiKey));
  const creates = (sent.get(baseUrl) ?? 0) - sentBefore;
  return { settled: true, ...result, ms: Date.now() - started, sent: creates, leak };
}

/** Whether a text can be read anywhere in a value, however it is looked at. */
function holds(value, secret, seen = new Set()) {
  if (typeof value === 'string') return value.includes(secret);
  if (typeof value !== 'object' || value === null || seen.has(value)) return false;
  seen.add(value);
  if (JSON.stringify(value)?.includes(secret)) return true;
  return Reflect.ownKeys(value).some(
    (name) => String(name).includes(secret) || holds(value[name], secret, seen),
  );
}
