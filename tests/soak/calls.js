/**
 * Calls of every kind, each with the end that it has to have: done, failed in each way, and aborted at each stage.
 * Transports answer at once; whatever takes time takes that of the clock of the test.
 */

import { answer } from '../helpers/fake-time.js';

const ID = 'img_abc123def456';
const IMAGES = [{ url: 'https://cdn.example.com/a.png' }];
const INLINE = { created: 1_706_000_000, data: IMAGES };
const PENDING = { status: 'pending', task_id: ID, data: [{ url: '' }] };
const NAMED = { ...PENDING, poll_url: `/v1/images/generations/${ID}` };
const RUNNING = { status: 'processing', task_id: ID, progress: 40, data: [] };
const DONE = { status: 'completed', task_id: ID, data: IMAGES };
const PICTURE = { model: 'flux-pro', prompt: 'a lemon' };

const refusal = (more) => ({ error: { message: 'No.', code: 'some_code', ...more } });
const fail = async () => {
  throw new Error('on purpose');
};

/** What a request may bring, given its signal. A transport has to end with that. */
const ok = (body) => async () => answer(body);
const status = (code, body, headers) => async () => answer(body ?? refusal(), { status: code, headers });
const silence = (signal) =>
  new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
const endless = async (signal) => ({ ...answer(''), text: () => silence(signal) });
const cut = async () => ({ ...answer(''), text: fail });

/** A transport that brings these, one after another, and the last of them for ever. */
function script(...turns) {
  let index = 0;
  return (_url, { signal }) => {
    const turn = turns[Math.min(index, turns.length - 1)];
    index += 1;
    return turn(signal);
  };
}

const generate = (options, request = PICTURE) => {
  return (client, shared) => client.generate(request, { ...shared, ...options() });
};
const generateAndWait = (options) => {
  return (client, shared) => client.generateAndWait(PICTURE, { ...shared, ...options() });
};
const waitForTask = (options, task = ID) => {
  return (client, shared) => client.waitForTask(task, { ...shared, ...options() });
};
const getTask = (options) => (client, shared) => client.getTask(ID, { ...shared, ...options() });

/** Options with a transport that brings these. */
const brings =
  (...turns) =>
  () => ({ fetch: script(...turns) });

/**
 * What is done, by name: how the call is made, and the status or the kind of error with which it ends.
 *
 * @type {[name: string, end: string, start: (client: object, shared: object) => Promise<object>][]}
 */
export const CALLS = [
  ['an inline answer', 'completed', generate(brings(ok(INLINE)))],
  ['an answer in base64', 'completed', generate(brings(ok({ data: [{ b64_json: 'aGk='.repeat(500) }] })))],
  ['a task', 'pending', generate(() => ({ fetch: script(ok(NAMED)), async onTask() {} }))],
  ['a task, and a wait for it', 'completed', createThenWait],
  [
    'a task that runs on',
    'completed',
    generateAndWait(brings(ok(PENDING), ok(RUNNING), ok(RUNNING), ok(DONE))),
  ],
  ['a task that is asked for once', 'processing', getTask(brings(ok(RUNNING)))],
  ['a generation that is done', 'completed', (client) => client.waitForTask({ ...DONE })],
  ['callbacks', 'completed', generateAndWait(withCallbacks)],
  [
    'a fresh task that is not found yet',
    'completed',
    generateAndWait(brings(ok(PENDING), status(404), ok(DONE))),
  ],
  ['a wait through losses', 'completed', waitForTask(brings(status(502), fail, cut, silence, ok(DONE)))],
  [
    'a create that is repeated',
    'completed',
    generate(brings(status(429), status(429, refusal({ retry_after: 7 })), ok(INLINE))),
  ],
  [
    'a create that a relay repeats',
    'completed',
    ({ constructor: LemonData }, shared) =>
      new LemonData({ baseUrl: 'https://relay.test', relay: true }).generate(PICTURE, {
        ...shared,
        fetch: script(status(500), ok(INLINE)),
      }),
  ],
  ['a status of 400', 'invalid_request', generate(brings(status(400)))],
  ['a status of 401', 'authentication', generate(brings(status(401)))],
  ['a status of 402', 'payment_required', generate(brings(status(402)))],
  ['a status of 403', 'permission_denied', getTask(brings(status(403)))],
  [
    'a status of 429 for ever',
    'rate_limit',
    generate(brings(status(429, refusal(), { 'retry-after': '3' }))),
  ],
  ['a status of 500', 'server', generate(brings(status(500, '<!DOCTYPE html>')))],
  ['a redirect', 'response', generate(brings(status(302)))],
  ['an answer without a meaning', 'response', generate(brings(ok({})))],
  ['a body that breaks off', 'response', generate(brings(cut))],
  ['a connection that fails', 'connection', generate(brings(fail))],
  ['a create without an answer', 'request_timeout', generate(brings(silence))],
  ['a create whose body does not end', 'request_timeout', generate(brings(endless))],
  [
    'a task that is gone',
    'task_not_found',
    waitForTask(brings(status(404, refusal({ code: 'async_task_not_found' })))),
  ],
  [
    'a task that fails',
    'task_failed',
    waitForTask(brings(ok(RUNNING), ok({ ...RUNNING, status: 'failed', error: 'No.' }))),
  ],
  [
    'a task that is cancelled',
    'task_cancelled',
    waitForTask(brings(ok({ ...RUNNING, status: 'failed', cancelled: true }))),
  ],
  [
    'a task that takes too long',
    'wait_timeout',
    waitForTask(() => ({ fetch: script(ok(RUNNING)), maxWait: 9000 })),
  ],
  ['too many polls', 'poll_budget', waitForTask(() => ({ fetch: script(ok(RUNNING)), maxPolls: 2 }))],
  [
    'a foreign poll_url',
    'untrusted_url',
    waitForTask(brings(fail), { task_id: ID, poll_url: 'https://evil.example/t' }),
  ],
  ['a key that fails', 'authentication', generate(() => ({ apiKey: fail }))],
  ['headers that fail', 'invalid_request', generate(() => ({ headers: fail }))],
  ['onTask that fails', 'callback', generate(() => ({ fetch: script(ok(PENDING)), onTask: fail }))],
  ['a request without a prompt', 'invalid_request', generate(brings(fail), {})],
  ['an option of the wrong type', 'invalid_request', generate(() => ({ maxWait: 'long' }))],
];

async function createThenWait(client, shared) {
  const fetch = script(ok(NAMED), ok(RUNNING), ok(DONE));
  const task = await client.generate(PICTURE, { ...shared, fetch });
  return client.waitForTask(JSON.parse(JSON.stringify(task)), { ...shared, fetch });
}

function withCallbacks() {
  const called = [];
  const note = (name) => async () => called.push(name);
  return {
    fetch: script(ok(NAMED), ok(RUNNING), ok(DONE)),
    apiKey: async () => 'sk-1',
    headers: async () => ({ 'x-lemon': 'yes' }),
    onTask: note('task'),
    onUpdate: note('update'),
    onResponse: note('response'),
  };
}

/** Aborts a little later than now, when whatever follows has come to rest. */
const soon = (abort) => setTimeout(abort, 500);

/** The same turn, aborted a little later. */
const then = (turn, abort) => (signal) => {
  soon(abort);
  return turn(signal);
};

/** Settles long after the call was aborted. */
const slow = (abort) => () => {
  soon(abort);
  return new Promise((resolve) => setTimeout(resolve, 5000, 'sk-1'));
};

/**
 * What is aborted, by the stage: what is done, with options that abort it there.
 *
 * @type {[stage: string, method: string, options: (abort: () => void) => object][]}
 */
export const ABORTED = [
  [
    'before it begins',
    'generate',
    (abort) => {
      abort();
      return { fetch: fail };
    },
  ],
  ['while the key is awaited', 'generate', (abort) => ({ apiKey: slow(abort) })],
  ['while headers are awaited', 'generate', (abort) => ({ headers: slow(abort) })],
  ['in a create', 'generate', (abort) => ({ fetch: script(then(silence, abort)) })],
  ['in the body of a create', 'generate', (abort) => ({ fetch: script(then(endless, abort)) })],
  [
    'between two creates',
    'generate',
    (abort) => ({ fetch: script(then(status(429, refusal({ retry_after: 9 })), abort)) }),
  ],
  ['in onTask', 'generateAndWait', (abort) => ({ fetch: script(ok(PENDING)), onTask: slow(abort) })],
  ['before the first poll', 'generateAndWait', (abort) => ({ fetch: script(then(ok(PENDING), abort)) })],
  ['in a poll', 'waitForTask', (abort) => ({ fetch: script(then(silence, abort)) })],
  ['in the body of a poll', 'waitForTask', (abort) => ({ fetch: script(then(endless, abort)) })],
  ['between two polls', 'waitForTask', (abort) => ({ fetch: script(ok(RUNNING), then(ok(RUNNING), abort)) })],
  [
    'in a back-off',
    'waitForTask',
    (abort) => ({ fetch: script(status(502), status(502), then(status(502), abort)) }),
  ],
  ['in the only poll', 'getTask', (abort) => ({ fetch: script(then(silence, abort)) })],
];

/** A call that is aborted: its promise, its own signal, and the reason with which it has to end. */
export function startAborted(client, [, method, options]) {
  const controller = new AbortController();
  const reason = new Error('enough');
  const { signal } = controller;
  const promise = client[method](method.startsWith('generate') ? PICTURE : ID, {
    ...options(() => controller.abort(reason)),
    signal,
  });
  return { promise, signal, reason };
}

let tasks = 0;

/** Waits for a task of its own: calls that wait for one task are compared with each other. */
function waitForOwn(...turns) {
  return (client, shared) => {
    tasks += 1;
    return client.waitForTask(`img_${tasks}`, { ...shared, fetch: script(...turns) });
  };
}

/** A wait of some polls, the way most waits are. */
export const longWait = waitForOwn(ok(PENDING), ok(RUNNING), ok(RUNNING), ok(DONE));

/** A wait that is still asleep when it is aborted. */
export const sleepingWait = waitForOwn(ok(RUNNING));
