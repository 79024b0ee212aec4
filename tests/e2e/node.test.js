/**
 * The package as Node's users have it: imported by its name, against the embedded server.
 *
 * The server's clock is the test's. Each request of a picture's or a task's state moves it on by a third of a
 * task's time, so that a task is done at the third poll, however fast the machine is.
 */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { after, before, beforeEach, describe, test } from 'node:test';
import { inspect } from 'node:util';
import * as lemondata from 'lemondata-wasm';
import {
  AuthenticationError,
  CallbackError,
  ConnectionError,
  generate,
  generateAndWait,
  getTask,
  InternalError,
  InvalidRequestError,
  LemonData,
  LemonDataError,
  NotFoundError,
  PaymentRequiredError,
  PermissionDeniedError,
  PollBudgetError,
  RateLimitError,
  RequestTimeoutError,
  ResponseError,
  ServerError,
  TaskCancelledError,
  TaskFailedError,
  TaskNotFoundError,
  toBlob,
  UntrustedUrlError,
  WaitTimeoutError,
  waitForTask,
} from 'lemondata-wasm';
import { failure } from '../helpers/failure.js';
import { answer, fakeTime } from '../helpers/fake-time.js';
import { startServer } from '../server/index.js';

const TASK_MS = 3000;
const RETRY_AFTER_MS = 20;
const CREATE = '/v1/images/generations';
/** No test needs this long: it ends one that would hang. */
const GUARD = { timeout: 10_000 };

/** The servers' clock. */
let clock = 1_706_000_000_000;
/** How far a poll moves it on. */
let step;
/** Emits `request` for every request that arrives at `server`. */
const traffic = new EventEmitter();

let server;
/** Whatever arrives here has been sent to the wrong place. */
let foreign;

/** @param {import('../server/index.js').Options} [options] */
const start = (options) =>
  startServer({
    now: () => clock,
    taskMs: TASK_MS,
    retryAfter: RETRY_AFTER_MS / 1000,
    ...options,
    onRequest(record) {
      if (record.method === 'GET') clock += step;
      options?.onRequest?.(record);
    },
  });

before(async () => {
  foreign = await start();
  server = await start({
    foreignOrigin: foreign.url,
    onRequest: (record) => traffic.emit('request', record),
  });
});
after(() => Promise.all([server, foreign].map((each) => each.close())));
beforeEach(() => {
  step = TASK_MS / 3;
  server.reset();
  foreign.reset();
});

/** Options for the server: polls come as fast as they can. */
const here = (options) => ({
  apiKey: server.apiKey,
  baseUrl: server.url,
  pollInterval: { min: 1, max: 2 },
  ...options,
});

/** As a relay would be called: a key of its own is in the way, and the server wants one. */
const hereByRelay = () =>
  here({ relay: true, apiKey: undefined, headers: { authorization: `Bearer ${server.apiKey}` } });

/** A small picture of a model, or of a scenario. */
const picture = (model, more) => ({ prompt: 'a lemon', size: '16x16', model, ...more });

/** The requests that the server received. */
const requestLines = (of = server) => of.counts.requests.map(({ method, path }) => `${method} ${path}`);

/** Checks an error's class and those of its fields that are given; `undefined` means that there is none. */
function check(error, Class, fields) {
  assert.ok(error instanceof Class, `${error?.stack ?? error} is no ${Class.name}`);
  assert.ok(error instanceof LemonDataError);
  assert.ok(error instanceof Error);
  const kind = error.name
    .replace(/Error$/, '')
    .replace(/(?<!^)[A-Z]/g, '_$&')
    .toLowerCase();
  assert.equal(error.kind, kind);
  assert.ok(error.message.length > 0);
  const { cause, message } = error;
  assert.deepEqual(pick({ ...error, cause, message }, fields), pick(fields, fields), error.stack);
}

const pick = (from, fields) => Object.fromEntries(Object.keys(fields).map((name) => [name, from[name]]));

/** Waits for a condition that no event announces. */
async function until(condition) {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 1));
}

/**
 * Has the test say when the timer of so many milliseconds runs out: when a request has arrived, however busy the
 * machine is. The network keeps its own timers.
 *
 * @returns {() => void} runs it out
 */
function hold(t, ms) {
  const { setTimeout } = globalThis;
  let fire;
  t.mock.method(globalThis, 'setTimeout', (callback, delay, ...rest) => {
    // A slow first call may have used a part of it.
    if (delay <= ms && delay > ms - 1_000) fire = callback;
    return setTimeout(callback, delay, ...rest);
  });
  return () => fire();
}

describe('an inline answer', GUARD, () => {
  test('is a completed generation', async () => {
    const generation = await generate(picture('dall-e-3', { n: 2 }), here());
    assert.equal(generation.status, 'completed');
    assert.equal(generation.data.length, 2);
    assert.ok(generation.data[0].url.startsWith(server.url));
    assert.equal(generation.data[0].revised_prompt, 'a lemon, in soft light');
    assert.equal(generation.created, clock / 1000);
    assert.ok(!('task_id' in generation));
    assert.deepEqual(requestLines(), [`POST ${CREATE}`]);
  });

  test('may hold the picture itself', async () => {
    const generation = await generate(picture('dall-e-3', { response_format: 'b64_json' }), here());
    assert.equal(generation.status, 'completed');
    assert.match(generation.data[0].b64_json, /^iVBORw0KGgo/);
    assert.ok(!('url' in generation.data[0]));
  });

  test('ends generateAndWait without a poll', async () => {
    const generation = await generateAndWait(picture('flux-schnell'), here());
    assert.equal(generation.status, 'completed');
    assert.deepEqual(requestLines(), [`POST ${CREATE}`]);
  });

  test('answers the request as it was written, unknown fields included', async () => {
    const request = picture('dall-e-3', { seed: 7, user: 'u', nested: { list: [1, null] }, n: undefined });
    await generate(request, here());
    const [{ body, headers }] = server.counts.requests;
    assert.deepEqual(body, JSON.parse(JSON.stringify(request)));
    assert.equal(headers.authorization, `Bearer ${server.apiKey}`);
    assert.match(headers['content-type'], /^application\/json/);
    assert.equal(headers['idempotency-key'], undefined);
  });

  test('brings fields that are not declared', async () => {
    server.next({ on: 'create', reply: { body: { data: [{ url: 'https://x.test/1' }], cost_usd: 0.1 } } });
    assert.deepEqual(await generate(picture('dall-e-3'), here()), {
      status: 'completed',
      data: [{ url: 'https://x.test/1' }],
      cost_usd: 0.1,
    });
  });
});

describe('a task', GUARD, () => {
  for (const pollPath of ['images', 'tasks', 'none']) {
    test(`is waited for with one create and its polls, poll path: ${pollPath}`, async () => {
      const own = await start({ pollPath });
      try {
        const generation = await generateAndWait(picture('flux-pro'), here({ baseUrl: own.url }));
        assert.equal(generation.status, 'completed');
        assert.ok(generation.data[0].url);
        const root = pollPath === 'tasks' ? '/v1/tasks' : CREATE;
        const poll = `GET ${root}/${generation.task_id}`;
        assert.deepEqual(requestLines(own), [`POST ${CREATE}`, poll, poll, poll]);
        assert.deepEqual([own.counts.creates, own.counts.polls], [1, 3]);
      } finally {
        await own.close();
      }
    });

    test(`is handed over by generate and waited for by id, poll path: ${pollPath}`, async () => {
      const own = await start({ pollPath });
      try {
        const options = here({ baseUrl: own.url });
        const { status, task_id, poll_url } = await generate(picture('flux-pro'), options);
        assert.equal(status, 'pending');
        assert.match(task_id, pollPath === 'tasks' ? /^ldtask_/ : /^img_/);
        assert.equal(poll_url === undefined, pollPath === 'none');
        assert.deepEqual([own.counts.creates, own.counts.polls], [1, 0]);
        const generation = await waitForTask(task_id, options);
        assert.deepEqual([generation.status, generation.task_id], ['completed', task_id]);
        assert.deepEqual([own.counts.creates, own.counts.polls], [1, 3]);
      } finally {
        await own.close();
      }
    });
  }

  test('tells onTask, onUpdate and onResponse how it goes', async () => {
    const callbacks = [];
    const generation = await generateAndWait(
      picture('flux-pro'),
      here({
        onTask: (task) => callbacks.push(['task', task]),
        onUpdate: ({ status, progress }) => callbacks.push(['update', status, progress]),
        onResponse: (info) => callbacks.push(['response', info]),
      }),
    );
    const { task_id } = generation;
    const poll_url = `${CREATE}/${task_id}`;
    const ids = server.counts.requests.map(({ id }) => id);
    const infos = callbacks.filter(([name]) => name === 'response').map(([, info]) => info);
    for (const { durationMs, rateLimit } of infos) {
      assert.ok(durationMs >= 0);
      assert.equal(rateLimit.limit, 1000);
      assert.ok(rateLimit.reset > clock / 1000);
    }
    const remaining = infos.map(({ rateLimit }) => rateLimit.remaining);
    assert.deepEqual(
      remaining,
      remaining.map((_, index) => remaining[0] - index),
    );
    for (const { billingTransactionId } of infos) assert.match(billingTransactionId, /^btx_/);
    const seen = infos.map(({ durationMs, rateLimit, billingTransactionId, ...info }) => info);
    const common = { status: 200, usage: undefined };
    assert.deepEqual(seen, [
      { ...common, method: 'POST', path: CREATE, requestId: ids[0], attempt: 1 },
      { ...common, method: 'GET', path: poll_url, requestId: ids[1], attempt: 1 },
      { ...common, method: 'GET', path: poll_url, requestId: ids[2], attempt: 2 },
      { ...common, method: 'GET', path: poll_url, requestId: ids[3], attempt: 3 },
    ]);
    assert.deepEqual(
      callbacks.map(([name, ...rest]) => (name === 'response' ? [name] : [name, ...rest])),
      [
        ['response'],
        ['task', { task_id, poll_url }],
        ['response'],
        ['update', 'processing', 33],
        ['response'],
        ['update', 'processing', 66],
        ['response'],
        ['update', 'completed', undefined],
      ],
    );
  });

  test('is given to onTask by generate, too', async () => {
    const tasks = [];
    const { task_id, poll_url } = await generate(
      picture('flux-pro'),
      here({ onTask: (task) => tasks.push(task) }),
    );
    assert.deepEqual(tasks, [{ task_id, poll_url }]);
  });

  test('is not polled before onTask is done', async () => {
    let stored;
    const storing = new Promise((resolve) => {
      stored = resolve;
    });
    const waiting = generateAndWait(picture('flux-pro'), here({ onTask: () => storing }));
    await once(traffic, 'request');
    await new Promise((resolve) => setTimeout(resolve, 30));
    assert.equal(server.counts.polls, 0);
    stored();
    assert.equal((await waiting).status, 'completed');
  });

  test('is found by every reference', async () => {
    const pending = await generate(picture('flux-pro'), here());
    const { task_id, poll_url } = pending;
    for (const reference of [
      task_id,
      { task_id },
      { task_id, poll_url },
      { id: task_id },
      { id: task_id, poll_url },
      { task_id, poll_url: `${server.url}${poll_url}` },
      pending,
      JSON.parse(JSON.stringify(pending)),
    ]) {
      const generation = await waitForTask(reference, here());
      assert.deepEqual([generation.status, generation.task_id], ['completed', task_id], inspect(reference));
    }
    assert.equal(server.counts.creates, 1);
  });

  test('is sought at the other path where an id alone is not found', async () => {
    const missing = { status: 404, body: { error: { message: 'No', code: 'async_task_not_found' } } };
    const { task_id } = await generate(picture('flux-pro'), here());
    server.next({ on: 'poll', reply: missing });
    const generation = await waitForTask(task_id, here());
    assert.equal(generation.status, 'completed');
    const [first, second, ...others] = requestLines().slice(1);
    assert.equal(first, `GET ${CREATE}/${task_id}`);
    assert.equal(second, `GET /v1/tasks/${task_id}`);
    assert.equal(others.length, 1);
  });

  test('may be unknown for a moment after its create', async () => {
    server.next({ on: 'poll', times: 2, reply: { status: 404, body: { error: { message: 'No' } } } });
    const generation = await generateAndWait(picture('flux-pro'), here());
    assert.equal(generation.status, 'completed');
    assert.equal(server.counts.polls, 3);
  });

  test('that is completed comes back at once, with no request', async () => {
    const waited = await generateAndWait(picture('flux-pro'), here());
    const inline = await generate(picture('dall-e-3'), here());
    server.reset();
    assert.deepEqual(await waitForTask(waited, here()), waited);
    assert.deepEqual(await waitForTask(inline, here()), inline);
    assert.deepEqual(await waitForTask(JSON.parse(JSON.stringify(inline)), here()), inline);
    assert.deepEqual(requestLines(), []);
  });

  test('is asked for once by getTask', async () => {
    const { task_id } = await generate(picture('flux-pro'), here());
    const states = [];
    for (let polls = 1; polls <= 3; polls++) {
      const { status, progress } = await getTask(task_id, here());
      states.push([status, progress]);
      assert.equal(server.counts.polls, polls);
    }
    assert.deepEqual(states, [
      ['processing', 33],
      ['processing', 66],
      ['completed', undefined],
    ]);
  });

  test('that failed rejects getTask as it rejects waitForTask', async () => {
    step = TASK_MS;
    const pending = await generate(picture('test-task-failed-string'), here());
    const error = await failure(getTask(pending, here()));
    check(error, TaskFailedError, { outcome: 'failed' });
    assert.equal(error.task.task_id, pending.task_id);
  });

  test('rule 5: with a status of another dialect keeps its word', async () => {
    step = 0;
    const generation = await generate(picture('test-task-unknown-status'), here());
    assert.deepEqual([generation.status, generation.provider_status], ['pending', 'queued']);
    assert.equal((await getTask(generation, here())).provider_status, 'queued');
  });

  test('with an id alone gets a task_id', async () => {
    const generation = await generate(picture('test-task-id-only'), here());
    assert.match(generation.task_id, /^img_/);
    assert.equal(generation.task_id, generation.id);
  });

  test('of another type completes with its own result', async () => {
    const generation = await generateAndWait(picture('test-task-video'), here());
    assert.equal(generation.status, 'completed');
    assert.deepEqual(generation.data, []);
    assert.match(generation.video_url, /\.mp4$/);
  });
});

describe('toBlob', GUARD, () => {
  test('decodes a picture that is in the answer', async () => {
    const [image] = (await generate(picture('dall-e-3', { response_format: 'b64_json' }), here())).data;
    server.reset();
    const blob = await toBlob(image);
    assert.ok(blob instanceof Blob);
    assert.equal(blob.type, 'image/png');
    assert.deepEqual(Buffer.from(await blob.arrayBuffer()), Buffer.from(image.b64_json, 'base64'));
    assert.deepEqual(requestLines(), []);
  });

  test('downloads a picture, never with the key or a header', async () => {
    const [image] = (await generate(picture('dall-e-3'), here())).data;
    const blob = await toBlob(image, here({ headers: { 'x-secret': 'lemon' } }));
    assert.equal(blob.type, 'image/png');
    const [signature] = new Uint32Array((await blob.arrayBuffer()).slice(0, 4));
    assert.equal(signature, 0x474e5089);
    assert.deepEqual([server.counts.files, server.counts.keyLeaks], [1, 0]);
    const { headers } = server.counts.requests.at(-1);
    assert.equal(headers.authorization, undefined);
    assert.equal(headers['x-secret'], undefined);
  });

  test('uses the transport that it is given', async () => {
    const calls = [];
    const transport = (url, init) => {
      calls.push([url, init.method, ...init.headers]);
      return fetch(url, init);
    };
    const [image] = (await generate(picture('dall-e-3'), here())).data;
    await toBlob(image, { fetch: transport });
    assert.deepEqual(calls, [[image.url, 'GET']]);
  });

  test('refuses what is no picture', async () => {
    for (const [image, param] of [
      [{}, 'image'],
      [undefined, 'image'],
      ['https://x.test/1', 'image'],
      [{ url: '', b64_json: '' }, 'image'],
      [{ b64_json: 'not base64!' }, 'b64_json'],
    ]) {
      check(await failure(toBlob(image)), InvalidRequestError, { outcome: 'not_sent', param });
    }
    assert.deepEqual(requestLines(), []);
  });

  test('rejects where the picture is gone, the server is or the caller aborts', async (t) => {
    const missing = await failure(toBlob({ url: `${server.url}/files/none.png` }));
    check(missing, NotFoundError, { status: 404, outcome: 'rejected' });
    server.next({ on: 'file', reply: { reset: true } });
    const reset = await failure(toBlob({ url: `${server.url}/files/none.png` }));
    check(reset, ConnectionError, { outcome: 'rejected' });
    server.next({ on: 'file', reply: { hang: true } });
    const requestTimeout = 9_999;
    const fire = hold(t, requestTimeout);
    const slow = failure(toBlob({ url: `${server.url}/files/none.png` }, { requestTimeout }));
    await once(traffic, 'request');
    fire();
    check(await slow, RequestTimeoutError, { outcome: 'rejected' });
    const reason = new Error('enough');
    const signal = AbortSignal.abort(reason);
    assert.equal(await failure(toBlob({ url: `${server.url}/files/none.png` }, { signal })), reason);
  });
});

describe('a create that fails', GUARD, () => {
  const unclear = { status: 200, outcome: 'unknown' };
  for (const [scenario, Class, fields] of [
    ['error-400', InvalidRequestError, { status: 400, code: 'invalid_request_error', param: 'prompt' }],
    [
      'error-400-model-not-found',
      InvalidRequestError,
      {
        status: 400,
        code: 'model_not_found',
        type: 'invalid_request_error',
        param: 'model',
        hint: "Did you mean 'dall-e-3'? Use GET /v1/models to list all available models.",
      },
    ],
    ['error-401', AuthenticationError, { status: 401, code: 'invalid_api_key', hint: undefined }],
    ['error-401-expired', AuthenticationError, { status: 401, code: 'expired_api_key' }],
    [
      'error-402',
      PaymentRequiredError,
      { status: 402, code: 'insufficient_balance', hint: 'Try a cheaper model, or top up.' },
    ],
    ['error-402-quota', PaymentRequiredError, { status: 402, code: 'quota_exceeded' }],
    ['error-403', PermissionDeniedError, { status: 403, code: 'access_denied' }],
    ['error-403-model', PermissionDeniedError, { status: 403, code: 'model_not_allowed', param: 'model' }],
    ['error-404', NotFoundError, { status: 404, code: 'not_found' }],
    ['error-404-task', TaskNotFoundError, { status: 404, code: 'async_task_not_found' }],
    ['error-408', ServerError, { status: 408, code: 'timeout_error', outcome: 'unknown' }],
    ['error-413', InvalidRequestError, { status: 413, code: 'payload_too_large' }],
    ['error-422', InvalidRequestError, { status: 422, param: 'size' }],
    [
      'error-429',
      RateLimitError,
      {
        status: 429,
        code: 'rate_limit_exceeded',
        retryAfterMs: RETRY_AFTER_MS,
        hint: 'Rate limited. Retry after 0.02s. Current limit: 60/min for user role.',
      },
    ],
    ['error-429-body', RateLimitError, { status: 429, retryAfterMs: RETRY_AFTER_MS }],
    ['error-429-bare', RateLimitError, { status: 429, retryAfterMs: undefined }],
    ['error-500', ServerError, { status: 500, code: 'server_error', outcome: 'unknown' }],
    ['error-502', ServerError, { status: 502, code: 'upstream_error', outcome: 'unknown' }],
    ['error-502-html', ServerError, { status: 502, code: undefined, outcome: 'unknown' }],
    ['error-502-empty', ServerError, { status: 502, code: undefined, outcome: 'unknown' }],
    [
      'error-503-retryable',
      ServerError,
      { status: 503, code: 'all_channels_failed', retryAfterMs: RETRY_AFTER_MS },
    ],
    ['error-503-final', ServerError, { status: 503, outcome: 'unknown' }],
    ['error-503-bare', ServerError, { status: 503, outcome: 'unknown' }],
    ['error-504', ServerError, { status: 504, code: 'timeout_error', outcome: 'unknown' }],
    ['error-520', ServerError, { status: 520, code: undefined, outcome: 'unknown' }],
    ['redirect', ResponseError, { status: 307 }],
    ['html', ResponseError, unclear],
    ['inline-empty', ResponseError, unclear],
    ['inline-no-body', ResponseError, unclear],
    ['inline-not-json', ResponseError, { ...unclear, body: 'OK, your image is on its way!' }],
    ['inline-cut-json', ResponseError, unclear],
    ['inline-truncated', ResponseError, unclear],
  ]) {
    test(`${scenario} is a ${Class.name}`, async () => {
      const error = await failure(generate(picture(`test-${scenario}`), here({ maxRetries: 0 })));
      check(error, Class, { outcome: 'rejected', task: undefined, ...fields });
      const [request] = server.counts.requests;
      assert.equal(error.requestId, request.id);
      assert.deepEqual(requestLines(), [`POST ${CREATE}`]);
      assert.deepEqual(requestLines(foreign), []);
    });
  }

  test('without an answer is a ConnectionError, whose outcome is unknown', async () => {
    const error = await failure(generate(picture('test-reset'), here()));
    const fields = { outcome: 'unknown', status: undefined, requestId: undefined, body: undefined };
    check(error, ConnectionError, fields);
    assert.ok(error.cause instanceof Error);
    assert.equal(server.counts.creates, 1);
  });

  test('without an answer in time is a RequestTimeoutError, whose outcome is unknown', async (t) => {
    const requestTimeout = 9_999;
    const fire = hold(t, requestTimeout);
    const promise = failure(generate(picture('test-hang'), here({ requestTimeout })));
    await once(traffic, 'request');
    fire();
    const error = await promise;
    check(error, RequestTimeoutError, { outcome: 'unknown', status: undefined, task: undefined });
    assert.equal(server.counts.creates, 1);
    await until(() => server.counts.aborted === 1);
  });

  test('keeps all that the server said', async () => {
    const error = await failure(generate(picture('test-error-400'), here()));
    assert.equal(error.body.validation_errors[0].field, 'prompt');
    assert.match(error.message, /Your prompt cannot be used with this model/);
    assert.match(error.message, /400/);
  });

  test('as a task that failed at once names the task', async () => {
    const body = { task_id: 'img_1', status: 'failed', error: { code: 'upstream_error', message: 'No' } };
    server.next({ on: 'create', reply: { body } });
    const error = await failure(generate(picture('flux-pro'), here()));
    check(error, TaskFailedError, { outcome: 'failed', code: 'upstream_error', task: { task_id: 'img_1' } });
  });

  test('shows all but its cause as JSON', async () => {
    const error = await failure(generate(picture('test-error-402'), here()));
    const { name, message, kind, outcome, status, code, type, hint, requestId, body } = error;
    const { suggestions, balanceUsd, estimatedCostUsd } = error;
    const hints = { hint, suggestions, balanceUsd, estimatedCostUsd };
    const fields = { name, message, kind, outcome, status, code, type, ...hints, requestId, body };
    assert.deepEqual(JSON.parse(JSON.stringify(error)), fields);
    const lost = await failure(generate(picture('test-reset'), here()));
    assert.ok(!('cause' in JSON.parse(JSON.stringify(lost))));
  });
});

describe('rule 1: a create is repeated', GUARD, () => {
  for (const scenario of ['error-429', 'error-503-retryable']) {
    test(`after ${scenario}, twice at most`, async () => {
      const generation = await generate(picture(`test-${scenario}:2`), here());
      assert.equal(generation.status, 'completed');
      assert.equal(server.counts.creates, 3);
      server.reset();
      const error = await failure(generate(picture(`test-${scenario}:3`), here()));
      assert.equal(error.outcome, 'rejected');
      assert.equal(server.counts.creates, 3);
    });
  }

  for (const scenario of [
    'error-500',
    'error-502-html',
    'error-503-bare',
    'error-503-final',
    'reset',
    'html',
  ]) {
    test(`never after ${scenario}: it may have been billed`, async () => {
      const error = await failure(generate(picture(`test-${scenario}:1`), here({ idempotencyKey: 'mine' })));
      assert.equal(error.outcome, 'unknown');
      assert.equal(server.counts.creates, 1);
      assert.equal(server.counts.requests[0].headers['idempotency-key'], 'mine');
    });
  }

  test('not at all with maxRetries: 0', async () => {
    check(await failure(generate(picture('test-error-429:1'), here({ maxRetries: 0 }))), RateLimitError, {});
    assert.equal(server.counts.creates, 1);
  });

  test('rule 6: not where the server asks for more patience than there is', async () => {
    server.next({ on: 'create', reply: { status: 429, headers: { 'retry-after': '61' }, body: {} } });
    check(await failure(generate(picture('dall-e-3'), here())), RateLimitError, { retryAfterMs: 61_000 });
    assert.equal(server.counts.creates, 1);
  });

  test('after a loss only through a relay, with one key of its own', async () => {
    const generation = await generate(picture('test-reset:1'), hereByRelay());
    assert.equal(generation.status, 'completed');
    const keys = server.counts.requests.map(({ headers }) => headers['idempotency-key']);
    assert.equal(keys.length, 2);
    assert.ok(keys[0]);
    assert.equal(keys[1], keys[0]);
    await generate(picture('dall-e-3'), hereByRelay());
    assert.notEqual(server.counts.requests.at(-1).headers['idempotency-key'], keys[0]);
  });
});

describe('rule 2: a wait that fails', GUARD, () => {
  for (const [scenario, Class, fields] of [
    ['poll:error-400', InvalidRequestError, { status: 400, code: 'invalid_request_error' }],
    ['poll:error-401', AuthenticationError, { status: 401, code: 'invalid_api_key' }],
    ['poll:error-402', PaymentRequiredError, { status: 402, hint: 'Try a cheaper model, or top up.' }],
    ['poll:error-403', PermissionDeniedError, { status: 403, code: 'access_denied' }],
    ['poll:error-404', NotFoundError, { status: 404, code: 'not_found' }],
    ['poll:error-404-task', TaskNotFoundError, { status: 404, code: 'async_task_not_found' }],
    ['poll:error-503-final', ServerError, { status: 503, code: 'all_channels_failed' }],
    ['poll:redirect', ResponseError, { status: 307 }],
  ]) {
    // A missing task is asked for once more.
    const polls = fields.status === 404 ? 2 : 1;
    test(`after ${scenario}, with a ${Class.name} that holds the task`, async () => {
      const { task_id, poll_url } = await generate(picture(`test-${scenario}`), here());
      const error = await failure(waitForTask({ task_id, poll_url }, here()));
      check(error, Class, { outcome: 'accepted', task: { task_id, poll_url }, ...fields });
      assert.equal(error.requestId, server.counts.requests.at(-1).id);
      assert.equal(server.counts.polls, polls);
      assert.deepEqual(requestLines(foreign), []);
    });
  }

  test('by the failure of its task', async () => {
    const error = await failure(generateAndWait(picture('test-task-failed-string'), here()));
    check(error, TaskFailedError, { outcome: 'failed', code: undefined, status: undefined });
    assert.match(error.message, /Content policy violation/);
    assert.match(error.task.task_id, /^img_/);
    assert.equal(error.body.status, 'failed');
    assert.ok(!(error instanceof TaskCancelledError));
    const polled = await failure(generateAndWait(picture('test-task-failed-object'), here()));
    check(polled, TaskFailedError, { outcome: 'failed', code: 'upstream_error' });
    assert.match(polled.message, /The provider rejected the prompt/);
  });

  test('by the cancellation of its task', async () => {
    const error = await failure(generateAndWait(picture('test-task-cancelled'), here()));
    check(error, TaskCancelledError, { outcome: 'failed' });
    assert.ok(error instanceof TaskFailedError);
    assert.match(error.task.task_id, /^img_/);
  });

  test('by the loss of its task', async () => {
    const pending = await generate(picture('test-task-vanishes'), here());
    const stored = JSON.parse(JSON.stringify(pending));
    const error = await failure(waitForTask(stored, here()));
    check(error, TaskNotFoundError, { outcome: 'accepted', status: 404 });
    assert.equal(error.task.task_id, pending.task_id);
    assert.equal(server.counts.polls, 3);
  });

  test('by a completed task without a picture', async () => {
    const error = await failure(generateAndWait(picture('test-task-completed-empty'), here()));
    check(error, TaskFailedError, { outcome: 'failed' });
    assert.match(error.task.task_id, /^img_/);
  });

  test('after maxWait goes on where it ended', async () => {
    step = 0;
    const error = await failure(generateAndWait(picture('flux-pro'), here({ maxWait: 30 })));
    check(error, WaitTimeoutError, { outcome: 'accepted', status: undefined });
    step = TASK_MS / 3;
    const generation = await waitForTask(JSON.parse(JSON.stringify(error)).task, here());
    assert.deepEqual([generation.status, generation.task_id], ['completed', error.task.task_id]);
    assert.equal(server.counts.creates, 1);
  });

  test('with maxWait: 0 polls once', async () => {
    step = 0;
    const pending = await generate(picture('flux-pro'), here());
    check(await failure(waitForTask(pending, here({ maxWait: 0 }))), WaitTimeoutError, {});
    assert.equal(server.counts.polls, 1);
  });

  test('after maxPolls goes on where it ended', async () => {
    const error = await failure(generateAndWait(picture('flux-pro'), here({ maxPolls: 2 })));
    check(error, PollBudgetError, { outcome: 'accepted' });
    assert.equal(server.counts.polls, 2);
    assert.equal((await waitForTask(error.task, here({ maxPolls: 1 }))).status, 'completed');
    assert.equal(server.counts.polls, 3);
    assert.equal(server.counts.creates, 1);
  });

  test('not by a lost connection, nor by what the server may recover from', async (t) => {
    // The back-off is drawn between nothing and a second.
    t.mock.method(Math, 'random', () => 0);
    for (const scenario of [
      'reset',
      'error-408',
      'error-429',
      'error-500',
      'error-502-html',
      'error-503',
      'inline-empty',
    ]) {
      server.reset();
      const generation = await generateAndWait(picture(`test-poll:${scenario}:2`), here());
      assert.equal(generation.status, 'completed', scenario);
      assert.deepEqual([server.counts.creates, server.counts.polls], [1, 3], scenario);
    }
  });

  test('rule 6: at once where the server asks for more patience than there is', async () => {
    const pending = await generate(picture('flux-pro'), here());
    server.next({ on: 'poll', reply: { status: 429, headers: { 'retry-after': '30' }, body: {} } });
    const error = await failure(waitForTask(pending, here({ maxWait: 10_000 })));
    check(error, WaitTimeoutError, { outcome: 'accepted', retryAfterMs: 30_000 });
    assert.equal(error.task.task_id, pending.task_id);
    assert.ok(error.cause instanceof RateLimitError);
    assert.equal(server.counts.polls, 1);
  });

  test('rule 6: at once where the answer to the create asks for more patience than there is', async () => {
    const body = { task_id: 'img_1', status: 'pending' };
    server.next({ on: 'create', reply: { status: 202, headers: { 'retry-after': '30' }, body } });
    const error = await failure(generateAndWait(picture('flux-pro'), here({ maxWait: 10_000 })));
    check(error, WaitTimeoutError, { outcome: 'accepted', retryAfterMs: 30_000 });
    assert.equal(error.task.task_id, 'img_1');
    assert.equal(server.counts.polls, 0);
  });

  test('rule 3: by a poll_url on another server, to which nothing is sent', async () => {
    const error = await failure(generateAndWait(picture('test-foreign-poll-url'), here()));
    check(error, UntrustedUrlError, { outcome: 'accepted' });
    assert.deepEqual(Object.keys(error.task), ['task_id']);
    const host = foreign.url.replace('http:', '');
    for (const poll_url of [`${foreign.url}/v1/tasks/1`, `${host}/v1/tasks/1`, `https:${host}/v1/tasks/1`]) {
      const other = await failure(waitForTask({ task_id: '1', poll_url }, here()));
      check(other, UntrustedUrlError, { outcome: 'accepted', task: { task_id: '1' } });
    }
    assert.deepEqual(requestLines(foreign), []);
    assert.equal(server.counts.polls, 0);
    assert.equal((await waitForTask(error.task, here())).status, 'completed');
  });
});

describe('validation', GUARD, () => {
  for (const [name, ...values] of [
    ['apiKey', 7, true, {}, [], '', 'sk-1\n', ' sk-1', 'sk-\u00fc'],
    ['baseUrl', 7, {}, '', 'lemondata', '/api/lemondata', '//x.test', 'ftp://x.test', 'data:,x'],
    ['baseUrl', 'https://u:p@x.test', 'https://x.test/?q', 'https://x.test/#f', 'https://x.test:99999'],
    ['relay', 'yes', 1, {}],
    ['fetch', 'fetch', {}],
    ['headers', 'x: y', 7, true],
    ['dangerouslyAllowBrowser', 'yes', 1],
    ['signal', 'stop', 7, {}, new AbortController(), () => {}],
    ['requestTimeout', '5', {}, 0, -1, Number.NaN],
    ['maxRetries', '2', true, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY],
    ['pollInterval', 3000, '3s', [3000, 5000], () => {}],
    ['pollInterval', { min: '3000' }, { max: null, min: -1 }, { min: 0 }, { max: 0 }, { min: Number.NaN }],
    ['pollInterval', { min: 2, max: 1 }, { max: Number.POSITIVE_INFINITY }],
    ['maxWait', '300', {}, -1, Number.NaN],
    ['maxPolls', '3', 0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY],
    ['idempotencyKey', 7, {}, '', 'a b', 'ü'],
    ['onTask', 'store', {}],
    ['onUpdate', 'show', {}],
    ['onResponse', 'log', {}],
  ]) {
    for (const value of values) {
      test(`names ${name} where it is ${inspect(value, { depth: 0 })}`, async () => {
        const options = here({ [name]: value });
        const calls = [
          (callOptions) => generate(picture('dall-e-3'), callOptions),
          (callOptions) => generateAndWait(picture('dall-e-3'), callOptions),
          (callOptions) => waitForTask('img_1', callOptions),
          (callOptions) => getTask('img_1', callOptions),
          (callOptions) => new LemonData(callOptions).generate(picture('dall-e-3')),
          (callOptions) => new LemonData(here()).generate(picture('dall-e-3'), callOptions),
        ];
        for (const call of calls) {
          const error = await failure(call(options));
          check(error, InvalidRequestError, { outcome: 'not_sent', param: name, status: undefined });
          assert.ok(error.message.includes(name), error.message);
        }
        assert.deepEqual(requestLines(), []);
      });
    }
  }

  test('asks for a key, unless another server or headers are given', async () => {
    const sent = [];
    const transport = async (url) => {
      sent.push(url);
      return answer({ data: [{ url: 'https://x.test/1' }] });
    };
    for (const options of [undefined, {}, { fetch: transport }, { fetch: transport, apiKey: null }]) {
      const error = await failure(generate(picture('dall-e-3'), options));
      check(error, InvalidRequestError, { outcome: 'not_sent', param: 'apiKey' });
    }
    assert.deepEqual(sent, []);
    await generate(picture('dall-e-3'), { fetch: transport, baseUrl: 'https://relay.test' });
    await generate(picture('dall-e-3'), { fetch: transport, headers: { authorization: 'Bearer sk-1' } });
    assert.deepEqual(sent, [`https://relay.test${CREATE}`, `https://api.lemondata.cc${CREATE}`]);
  });

  test('takes null and undefined for options that are not given', async () => {
    const names = ['relay', 'fetch', 'headers', 'signal', 'requestTimeout', 'maxRetries', 'maxWait'];
    names.push('maxPolls', 'idempotencyKey', 'onTask', 'onUpdate', 'onResponse', 'dangerouslyAllowBrowser');
    for (const nothing of [null, undefined]) {
      const options = here(Object.fromEntries(names.map((name) => [name, nothing])));
      assert.equal((await generateAndWait(picture('flux-pro'), options)).status, 'completed');
    }
    // Here it is the server that misses the key.
    for (const apiKey of [null, undefined]) {
      const error = await failure(generate(picture('dall-e-3'), here({ apiKey })));
      check(error, AuthenticationError, { status: 401 });
    }
  });

  test('wants an object of options', async () => {
    for (const options of ['sk-1', 7, true, []]) {
      const error = await failure(generate(picture('dall-e-3'), options));
      check(error, InvalidRequestError, { outcome: 'not_sent', param: 'options' });
    }
  });

  for (const [param, request] of [
    ['request', undefined],
    ['request', null],
    ['request', 'a lemon'],
    ['request', []],
    ['request', { ...picture('dall-e-3'), seed: 1n }],
    ['prompt', { model: 'dall-e-3' }],
    ['prompt', { prompt: '' }],
    ['prompt', { prompt: 7 }],
    ['n', { prompt: 'a lemon', n: 0 }],
    ['n', { prompt: 'a lemon', n: 1.5 }],
    ['n', { prompt: 'a lemon', n: '1' }],
    ...['model', 'size', 'quality', 'response_format', 'style', 'user'].map((name) => [
      name,
      { prompt: 'a lemon', [name]: 7 },
    ]),
  ]) {
    test(`names ${param} where the request is ${inspect(request, { breakLength: 200 })}`, async () => {
      for (const call of [generate, generateAndWait]) {
        const error = await failure(call(request, here()));
        check(error, InvalidRequestError, { outcome: 'not_sent', param });
        assert.ok(error.message.includes(param), error.message);
      }
      assert.deepEqual(requestLines(), []);
    });
  }

  test('names a reference that is none', async () => {
    for (const task of [undefined, null, '', 7, {}, [], { task_id: '' }, { task_id: 0.5 }, '..', '.']) {
      for (const call of [waitForTask, getTask]) {
        const error = await failure(call(task, here()));
        check(error, InvalidRequestError, { outcome: 'not_sent', param: 'task' });
      }
    }
    assert.deepEqual(requestLines(), []);
  });

  test('leaves to the server what only the server can know', async () => {
    const error = await failure(generate({ prompt: 'a lemon', model: 'lemon-9' }, here()));
    check(error, InvalidRequestError, { outcome: 'rejected', status: 400, code: 'model_not_found' });
  });

  test('never shows the key', async () => {
    const error = await failure(generate(picture('dall-e-3'), here({ apiKey: 'sk-secret\n' })));
    assert.doesNotMatch(inspect(error, { depth: Number.POSITIVE_INFINITY }), /sk-secret/);
  });
});

describe('rule 4: a signal', GUARD, () => {
  const reason = new Error('enough');

  /** Checks that the call rejects with the reason itself, and that nothing is asked for after that. */
  async function stops(promise, controller, why = reason) {
    controller.abort(why);
    assert.equal(await failure(promise), why);
    const before = requestLines();
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.deepEqual(requestLines(), before);
  }

  test('that has aborted lets nothing be sent', async () => {
    const signal = AbortSignal.abort(reason);
    for (const call of [
      generate(picture('dall-e-3'), here({ signal })),
      generateAndWait(picture('flux-pro'), here({ signal })),
      waitForTask('img_1', here({ signal })),
      getTask('img_1', here({ signal })),
      new LemonData(here({ signal })).generate(picture('dall-e-3')),
    ]) {
      assert.equal(await failure(call), reason);
    }
    assert.deepEqual(requestLines(), []);
  });

  test('stops a create', async () => {
    const controller = new AbortController();
    const promise = generate(picture('test-hang'), here({ signal: controller.signal }));
    await once(traffic, 'request');
    await stops(promise, controller);
    await until(() => server.counts.aborted === 1);
    assert.deepEqual(requestLines(), [`POST ${CREATE}`]);
  });

  test('stops the body of an answer', async () => {
    const controller = new AbortController();
    let reading;
    const text = new Promise((resolve) => {
      reading = resolve;
    });
    const transport = async () => ({
      ...answer(''),
      text() {
        reading();
        return new Promise(() => {});
      },
    });
    const promise = generate(picture('dall-e-3'), here({ fetch: transport, signal: controller.signal }));
    await text;
    await stops(promise, controller);
  });

  test('stops the pause before a repeat', async () => {
    const controller = new AbortController();
    server.next({ on: 'create', reply: { status: 429, headers: { 'retry-after': '30' }, body: {} } });
    let answered;
    const refused = new Promise((resolve) => {
      answered = resolve;
    });
    const options = here({ signal: controller.signal, onResponse: answered });
    const promise = generate(picture('dall-e-3'), options);
    await refused;
    await new Promise((resolve) => setImmediate(resolve));
    await stops(promise, controller);
    assert.equal(server.counts.creates, 1);
  });

  test('stops the pause between two polls', async () => {
    const controller = new AbortController();
    const pollInterval = { min: 60_000, max: 60_000 };
    let known;
    const task = new Promise((resolve) => {
      known = resolve;
    });
    const options = here({ pollInterval, signal: controller.signal, onTask: known });
    const promise = generateAndWait(picture('flux-pro'), options);
    const reference = await task;
    await new Promise((resolve) => setImmediate(resolve));
    await stops(promise, controller);
    assert.deepEqual(requestLines(), [`POST ${CREATE}`]);
    // The task went on.
    assert.equal((await waitForTask(reference, here())).status, 'completed');
  });

  test('stops a poll', async () => {
    const controller = new AbortController();
    const promise = generateAndWait(picture('test-poll:hang'), here({ signal: controller.signal }));
    await until(() => server.counts.polls === 1);
    await stops(promise, controller);
    await until(() => server.counts.aborted === 1);
    assert.equal(server.counts.polls, 1);
  });

  test('stops the wait for a key, for headers and for onTask', async () => {
    for (const name of ['apiKey', 'headers', 'onTask']) {
      server.reset();
      const controller = new AbortController();
      let called;
      const call = new Promise((resolve) => {
        called = resolve;
      });
      const options = here({
        signal: controller.signal,
        [name]() {
          called();
          return new Promise(() => {});
        },
      });
      const promise = generateAndWait(picture('flux-pro'), options);
      await call;
      await stops(promise, controller);
      assert.equal(server.counts.requests.length, name === 'onTask' ? 1 : 0, name);
    }
  });

  test('of a time-out rejects with its own TimeoutError', async () => {
    const signal = AbortSignal.timeout(20);
    const hang = () => new Promise(() => {});
    const error = await failure(generate(picture('dall-e-3'), here({ signal, fetch: hang })));
    assert.equal(error, signal.reason);
    assert.equal(error.name, 'TimeoutError');
  });

  test('without a reason rejects with its AbortError', async () => {
    const controller = new AbortController();
    const promise = generate(picture('test-hang'), here({ signal: controller.signal }));
    await once(traffic, 'request');
    controller.abort();
    assert.equal((await failure(promise)).name, 'AbortError');
  });

  test('keeps no listener of a call that is over', async () => {
    const { signal } = new AbortController();
    let listeners = 0;
    for (const [name, change] of [
      ['addEventListener', 1],
      ['removeEventListener', -1],
    ]) {
      const own = signal[name];
      signal[name] = (type, ...rest) => {
        if (type === 'abort') listeners += change;
        return own.call(signal, type, ...rest);
      };
    }
    // The platform's fetch is given a signal of its own.
    await generateAndWait(picture('flux-pro'), here({ signal }));
    await failure(generate(picture('test-error-400'), here({ signal })));
    assert.equal(listeners, 0);
  });
});

describe('apiKey', GUARD, () => {
  test('may be a function, which is asked at every request', async () => {
    for (const wrap of [(key) => key, async (key) => key]) {
      server.reset();
      let calls = 0;
      const apiKey = () => {
        calls += 1;
        return wrap(server.apiKey);
      };
      await generateAndWait(picture('flux-pro'), here({ apiKey }));
      assert.equal(calls, 4);
      assert.equal(server.counts.requests.length, 4);
    }
  });

  test('may change between two requests', async () => {
    const keys = ['sk-1', 'sk-2'];
    const seen = [];
    const transport = async (_url, init) => {
      seen.push(init.headers.get('authorization'));
      return answer(
        init.method === 'POST' ? { task_id: 'img_1', status: 'pending' } : { video_url: 'https://x.test/1' },
      );
    };
    await generateAndWait(picture('flux-pro'), here({ apiKey: () => keys.shift(), fetch: transport })).catch(
      () => {},
    );
    assert.deepEqual(seen, ['Bearer sk-1', 'Bearer sk-2']);
  });

  for (const [how, apiKey] of [
    [
      'throws',
      () => {
        throw new Error('no vault');
      },
    ],
    ['rejects', () => Promise.reject(new Error('no vault'))],
  ]) {
    test(`as a function that ${how} is an AuthenticationError`, async () => {
      const error = await failure(generate(picture('dall-e-3'), here({ apiKey })));
      check(error, AuthenticationError, { outcome: 'not_sent', status: undefined });
      assert.equal(error.cause.message, 'no vault');
      assert.deepEqual(requestLines(), []);
    });
  }

  for (const key of [undefined, null, '', 7, {}, 'sk-1\n']) {
    test(`as a function that returns ${inspect(key)} is an InvalidRequestError`, async () => {
      for (const apiKey of [() => key, async () => key]) {
        const error = await failure(generate(picture('dall-e-3'), here({ apiKey })));
        check(error, InvalidRequestError, { outcome: 'not_sent', param: 'apiKey' });
      }
      assert.deepEqual(requestLines(), []);
    });
  }

  test('as a function that fails before a poll leaves the task', async () => {
    const keys = [server.apiKey];
    const apiKey = () => {
      if (keys.length === 0) throw new Error('no vault');
      return keys.shift();
    };
    const error = await failure(generateAndWait(picture('flux-pro'), here({ apiKey })));
    check(error, AuthenticationError, { outcome: 'accepted' });
    assert.match(error.task.task_id, /^img_/);
    assert.deepEqual(requestLines(), [`POST ${CREATE}`]);
  });

  test('as a function that takes too long ends with the time-out', async () => {
    const apiKey = () => new Promise(() => {});
    const error = await failure(generate(picture('dall-e-3'), here({ apiKey, requestTimeout: 20 })));
    check(error, RequestTimeoutError, { outcome: 'not_sent' });
    assert.deepEqual(requestLines(), []);
  });
});

describe('headers', GUARD, () => {
  for (const [form, headers] of [
    ['an object', { 'X-Trace': '1' }],
    ['pairs', [['X-Trace', '1']]],
    ['a Headers object', new Headers({ 'X-Trace': '1' })],
    ['a function', () => ({ 'X-Trace': '1' })],
    ['an asynchronous function', async () => new Headers({ 'X-Trace': '1' })],
  ]) {
    test(`may be ${form}`, async () => {
      await generateAndWait(picture('flux-pro'), here({ headers }));
      assert.equal(server.counts.requests.length, 4);
      for (const request of server.counts.requests) {
        assert.equal(request.headers['x-trace'], '1');
        assert.equal(request.headers.authorization, `Bearer ${server.apiKey}`);
      }
    });
  }

  test('as a function are asked for at every request', async () => {
    let calls = 0;
    await generateAndWait(picture('flux-pro'), here({ headers: () => ({ 'x-call': `${++calls}` }) }));
    const seen = server.counts.requests.map((request) => request.headers['x-call']);
    assert.deepEqual(seen, ['1', '2', '3', '4']);
  });

  test('do not replace the key, nor what the body is', async () => {
    const headers = { Authorization: 'Bearer other', 'Content-Type': 'text/plain' };
    assert.equal((await generate(picture('dall-e-3'), here({ headers }))).status, 'completed');
  });

  test('are not changed', async () => {
    const headers = new Headers({ 'x-trace': '1' });
    await generate(picture('dall-e-3'), here({ headers }));
    assert.deepEqual([...headers], [['x-trace', '1']]);
  });

  for (const [form, headers] of [
    ['with a name that is none', { 'x y': '1' }],
    ['with a value that is none', { 'x-trace': 'a\nb' }],
    [
      'of a function that throws',
      () => {
        throw new Error('x-secret');
      },
    ],
    ['of a function that rejects', () => Promise.reject(new Error('x-secret'))],
  ]) {
    test(`${form} are an InvalidRequestError`, async () => {
      const error = await failure(generate(picture('dall-e-3'), here({ headers })));
      check(error, InvalidRequestError, { outcome: 'not_sent', param: 'headers' });
      assert.deepEqual(requestLines(), []);
    });
  }
});

describe('baseUrl', GUARD, () => {
  for (const end of ['/', '/v1', '/v1/', '///']) {
    test(`may end in ${end}`, async () => {
      const generation = await generateAndWait(picture('flux-pro'), here({ baseUrl: server.url + end }));
      const poll = `GET ${CREATE}/${generation.task_id}`;
      assert.deepEqual(requestLines(), [`POST ${CREATE}`, poll, poll, poll]);
    });
  }

  for (const end of ['', '/', '/v1/']) {
    test(`may have a prefix, which stands before every path, ending: ${end || 'none'}`, async () => {
      const prefix = '/api/lemondata';
      const seen = [];
      const transport = (url, init) => {
        seen.push(`${init.method} ${url.slice(server.url.length)}`);
        return fetch(url.replace(prefix, ''), init);
      };
      const options = here({ baseUrl: server.url + prefix + end, fetch: transport });
      const generation = await generateAndWait(picture('flux-pro'), options);
      const poll = `GET ${prefix}${CREATE}/${generation.task_id}`;
      assert.deepEqual(seen, [`POST ${prefix}${CREATE}`, poll, poll, poll]);
      // A poll_url that has the prefix already, as a relay may write it, gets no second one.
      seen.length = 0;
      const { task_id } = generation;
      await waitForTask({ task_id, poll_url: `${prefix}${CREATE}/${task_id}` }, options);
      assert.deepEqual(seen, [poll]);
    });
  }
});

describe('fetch', GUARD, () => {
  test('may be replaced, and is called as a plain function', async () => {
    const calls = [];
    function transport(url, init) {
      calls.push([this, url, init]);
      return fetch(url, init);
    }
    await generateAndWait(picture('flux-pro'), here({ fetch: transport }));
    assert.equal(calls.length, 4);
    for (const [index, [self, url, init]] of calls.entries()) {
      assert.equal(self, undefined);
      assert.ok(url.startsWith(`${server.url}/v1/`));
      assert.equal(init.method, index === 0 ? 'POST' : 'GET');
      assert.equal(init.redirect, 'manual');
      assert.ok(init.signal instanceof AbortSignal);
      assert.equal(typeof init.body, index === 0 ? 'string' : 'undefined');
    }
  });

  test('is the global one of the moment', async (t) => {
    const mock = t.mock.method(globalThis, 'fetch');
    await generate(picture('dall-e-3'), here());
    assert.equal(mock.mock.callCount(), 1);
  });

  for (const [how, transport] of [
    [
      'throws',
      () => {
        throw new TypeError('no network');
      },
    ],
    ['rejects', () => Promise.reject(new TypeError('no network'))],
  ]) {
    test(`that ${how} is a ConnectionError`, async (t) => {
      // What throws before it returns a promise has sent nothing, and is tried again after a pause.
      t.mock.method(Math, 'random', () => 0);
      const error = await failure(generate(picture('dall-e-3'), here({ fetch: transport })));
      check(error, ConnectionError, { outcome: how === 'throws' ? 'not_sent' : 'unknown' });
      assert.equal(error.cause.message, 'no network');
    });
  }

  test('that brings no answer does not take other calls down', async () => {
    const other = generateAndWait(picture('test-slow:60,task'), here());
    other.catch(() => {});
    await once(traffic, 'request');
    for (const nothing of [undefined, null, 7, {}]) {
      const error = await failure(generate(picture('dall-e-3'), here({ fetch: async () => nothing })));
      assert.ok(
        error instanceof LemonDataError && !(error instanceof InternalError),
        `${inspect(nothing)}: ${error}`,
      );
      assert.equal(error.outcome, 'unknown');
    }
    assert.equal((await other).status, 'completed');
  });
});

describe('a callback that fails', GUARD, () => {
  for (const [how, onTask] of [
    [
      'throws',
      () => {
        throw new Error('no store');
      },
    ],
    ['rejects', () => Promise.reject(new Error('no store'))],
  ]) {
    test(`onTask ${how}: a CallbackError holds the task`, async () => {
      for (const call of [generate, generateAndWait]) {
        server.reset();
        const error = await failure(call(picture('flux-pro'), here({ onTask })));
        check(error, CallbackError, { outcome: 'accepted' });
        assert.equal(error.cause.message, 'no store');
        assert.deepEqual(requestLines(), [`POST ${CREATE}`]);
        assert.equal((await waitForTask(error.task, here())).status, 'completed');
        assert.equal(server.counts.creates, 1);
      }
    });
  }

  for (const name of ['onUpdate', 'onResponse']) {
    test(`${name} throws: it is reported, and the wait goes on`, async () => {
      const reported = [];
      globalThis.reportError = (error) => reported.push(error.message);
      try {
        const thrower = () => {
          throw new Error('no view');
        };
        const generation = await generateAndWait(picture('flux-pro'), here({ [name]: thrower }));
        assert.equal(generation.status, 'completed');
      } finally {
        delete globalThis.reportError;
      }
      const times = name === 'onUpdate' ? 3 : 4;
      assert.deepEqual(reported, Array(times).fill('no view'));
    });

    test(`${name} throws: it is in the console where nothing else reports errors`, async (t) => {
      const { mock } = t.mock.method(console, 'error', () => {});
      const thrower = () => {
        throw new Error('no view');
      };
      await generateAndWait(picture('flux-pro'), here({ [name]: thrower }));
      assert.equal(mock.callCount(), name === 'onUpdate' ? 3 : 4);
    });

    test(`${name} rejects: it is reported, and the wait goes on`, async () => {
      // In a process of its own: an unhandled rejection ends one, and this test with it.
      const script = `
        import { generateAndWait } from 'lemondata-wasm';
        const options = ${JSON.stringify(here())};
        globalThis.reportError = ({ message }) => console.log(message);
        options.${name} = async () => { throw new Error('no view'); };
        const { status } = await generateAndWait(${JSON.stringify(picture('flux-pro'))}, options);
        setImmediate(() => console.log(status));
      `;
      const output = await new Promise((resolve) => {
        const args = ['--input-type=module', '--eval', script];
        const cwd = new URL('../..', import.meta.url);
        execFile(process.execPath, args, { cwd }, (_error, stdout, stderr) => resolve(stdout + stderr));
      });
      const times = name === 'onUpdate' ? 3 : 4;
      assert.equal(output, `${'no view\n'.repeat(times)}completed\n`);
    });
  }
});

describe('errors', GUARD, () => {
  const commonjs = createRequire(import.meta.url)('lemondata-wasm');

  test('are told apart across ESM and CommonJS', async () => {
    assert.notEqual(commonjs.LemonDataError, LemonDataError);
    assert.deepEqual(Object.keys(commonjs).sort(), Object.keys(lemondata).sort());
    for (const [call, other] of [
      [generateAndWait, commonjs],
      [commonjs.generateAndWait, lemondata],
    ]) {
      const cancelled = await failure(call(picture('test-task-cancelled'), here()));
      assert.ok(cancelled instanceof other.TaskCancelledError);
      assert.ok(cancelled instanceof other.TaskFailedError);
      assert.ok(cancelled instanceof other.LemonDataError);
      assert.ok(!(cancelled instanceof other.RateLimitError));
      const failed = await failure(call(picture('test-task-failed-string'), here()));
      assert.ok(failed instanceof other.TaskFailedError);
      assert.ok(!(failed instanceof other.TaskCancelledError));
    }
  });

  test('carry a code and a request id wherever an answer puts them', async () => {
    const refused = async (body, headers) =>
      failure(
        generate(picture('x'), { apiKey: 'sk-1', fetch: async () => answer(body, { status: 422, headers }) }),
      );
    for (const [body, headers, expected] of [
      [{ error: { code: 'a', type: 'b' } }, {}, { code: 'a', type: 'b', requestId: undefined }],
      [{ error: { type: 'b' } }, {}, { code: 'b', type: 'b', requestId: undefined }],
      [{ code: 'c', message: 'x', request_id: 'r' }, {}, { code: 'c', type: undefined, requestId: 'r' }],
      [{ error: { code: 7, request_id: 'r' } }, {}, { code: undefined, requestId: 'r' }],
      [{ error: { request_id: 'r' } }, { 'x-request-id': 'h' }, { requestId: 'h' }],
      [{ error: 'x', code: '', request_id: '' }, {}, { code: undefined, requestId: undefined }],
    ]) {
      check(await refused(body, headers), InvalidRequestError, expected);
    }
  });

  test('carry what the provider says of them, where it has the right type', async () => {
    const read = async (name) =>
      JSON.parse(await readFile(new URL(`../server/examples/${name}.json`, import.meta.url)));
    const refused = async (status, body) =>
      failure(generate(picture('x'), { apiKey: 'sk-1', fetch: async () => answer(body, { status }) }));

    const poor = await read('error-402');
    check(await refused(402, poor), PaymentRequiredError, {
      balanceUsd: poor.error.balance_usd,
      estimatedCostUsd: poor.error.estimated_cost_usd,
      suggestions: poor.error.suggestions,
      hint: poor.error.hint,
    });
    const unknown = await read('error-400-model-not-found');
    check(await refused(400, unknown), InvalidRequestError, {
      didYouMean: 'dall-e-3',
      suggestions: unknown.error.suggestions,
      param: 'model',
    });
    const busy = await read('error-503');
    busy.error.retryable = false;
    check(await refused(503, busy), ServerError, { alternatives: busy.error.alternatives });

    const odd = {
      did_you_mean: 7,
      suggestions: 'x',
      alternatives: {},
      balance_usd: '1',
      estimated_cost_usd: null,
    };
    check(await refused(400, { error: odd }), InvalidRequestError, {
      didYouMean: undefined,
      suggestions: undefined,
      alternatives: undefined,
      balanceUsd: undefined,
      estimatedCostUsd: undefined,
    });
  });

  test('of a task whose fields cannot be read are those of a task without them', async () => {
    const unreadable = {
      get() {
        throw new Error('no');
      },
    };
    const task = Object.defineProperty({}, 'task_id', unreadable);
    check(await failure(waitForTask(task, here())), InvalidRequestError, {
      param: 'task',
      outcome: 'not_sent',
    });
    const known = Object.defineProperty({ task_id: 'img_1' }, 'poll_url', unreadable);
    check(await failure(waitForTask(known, here())), TaskNotFoundError, { task: { task_id: 'img_1' } });
  });

  test('are no other thing, and no other thing is one', () => {
    for (const [name, Class] of Object.entries(lemondata)) {
      if (!name.endsWith('Error')) continue;
      assert.equal(Class.name, name);
      for (const other of [new Error('x'), {}, { kind: 'server' }, null, undefined, 'x', 7]) {
        assert.ok(!(other instanceof Class), `${inspect(other)} instanceof ${name}`);
      }
    }
  });

  test('of classes that others derive are compared in the ordinary way', () => {
    class Mine extends RateLimitError {}
    const details = { kind: 'rate_limit', outcome: 'rejected', message: 'x' };
    assert.ok(new Mine(details) instanceof Mine);
    assert.ok(new Mine(details) instanceof RateLimitError);
    assert.ok(!(new RateLimitError(details) instanceof Mine));
  });
});

/** All names and texts in a value. */
const strings = (value) =>
  typeof value === 'object' && value !== null
    ? Object.entries(value).flatMap(([name, field]) => [name, ...strings(field)])
    : [String(value)];

describe('rule 3: the key', GUARD, () => {
  test('is not shown by a client', () => {
    const lemon = new LemonData({ apiKey: 'sk-secret', headers: { 'x-secret': 'sk-secret' } });
    assert.doesNotMatch(JSON.stringify(lemon), /secret/);
    assert.doesNotMatch(JSON.stringify(structuredClone(lemon)), /secret/);
    const all = { showHidden: true, depth: Number.POSITIVE_INFINITY, getters: true };
    assert.doesNotMatch(inspect(lemon, all), /secret/);
    assert.doesNotMatch(inspect(structuredClone(lemon), all), /secret/);
    assert.doesNotMatch(String(lemon), /secret/);
    assert.deepEqual([...Object.getOwnPropertyNames(lemon), ...Object.keys({ ...lemon })], []);
    for (const name of Object.getOwnPropertySymbols(lemon)) {
      assert.equal(Object.getOwnPropertyDescriptor(lemon, name).enumerable, false);
      assert.doesNotMatch(inspect(lemon[name], all), /secret/);
    }
  });

  test('is in no error, even where the server repeats it', async () => {
    const all = { showHidden: true, depth: Number.POSITIVE_INFINITY };
    server.next({
      on: 'create',
      reply: {
        status: 400,
        headers: { 'x-request-id': server.apiKey },
        body: { error: { message: server.apiKey, code: server.apiKey, hint: server.apiKey } },
      },
    });
    server.next({ on: 'create', reply: { status: 500, body: `<p>${server.apiKey}</p>` } });
    for (const scenario of ['x', 'x', 'error-401-echo', 'reset', 'html', 'poll:error-401-echo']) {
      const error = await failure(generateAndWait(picture(`test-${scenario}`), here()));
      for (const shown of [JSON.stringify(error), inspect(error, all), `${error.stack} ${error.message}`]) {
        assert.ok(!shown.includes(server.apiKey), shown);
      }
    }
  });

  for (const apiKey of ['sk-abc/def', 'sk-abc"def', 'sk-abc\\def', 'sk-abcdef']) {
    test(`is in no error, however the server writes it: ${apiKey}`, async () => {
      const escaped = (char) => `\\u${char.charCodeAt().toString(16).padStart(4, '0')}`;
      for (const written of [
        JSON.stringify(apiKey),
        JSON.stringify(apiKey).replaceAll('/', '\\/'),
        `"${Array.from(apiKey, escaped).join('')}"`,
      ]) {
        const body = `{"error": {"message": ${written}, "hint": [${written}]}, ${written}: {${written}: 1}}`;
        const fetch = async () => answer(body, { status: 401 });
        const error = await failure(generate(picture('x'), { apiKey, fetch }));
        check(error, AuthenticationError, { status: 401 });
        const shown = [error.message, ...strings(error.body)];
        assert.ok(shown.length > 4 && shown.every((text) => !text.includes(apiKey)), `${written}: ${shown}`);
      }
    });
  }

  test('is not told to onResponse', async () => {
    const seen = [];
    server.next({ on: 'create', reply: { headers: { 'x-request-id': server.apiKey }, body: {} } });
    await failure(generate(picture('dall-e-3'), here({ onResponse: (info) => seen.push(info) })));
    assert.equal(seen.length, 1);
    assert.ok(!JSON.stringify(seen).includes(server.apiKey));
  });

  test('stays out of a redirect', async () => {
    await failure(generate(picture('test-redirect'), here()));
    await failure(generateAndWait(picture('test-poll:redirect'), here()));
    assert.deepEqual(requestLines(foreign), []);
  });
});

describe('rule 4: the module', GUARD, () => {
  let copies = 0;
  /** A copy of the package with a module that has not been started. */
  const fresh = () => import(`${import.meta.resolve('lemondata-wasm')}?${++copies}`);

  test('that cannot be started is an InternalError, and is tried again', async (t) => {
    const copy = await fresh();
    const compile = t.mock.method(WebAssembly, 'Module', function refuse() {
      throw new Error('refused');
    });
    const error = await failure(copy.generate(picture('dall-e-3'), here()));
    check(error, InternalError, { outcome: 'not_sent' });
    assert.equal(error.cause.message, 'refused');
    const { task } = await failure(copy.waitForTask({ task_id: 'img_1' }, here()));
    assert.deepEqual(task, { task_id: 'img_1' });
    assert.deepEqual(requestLines(), []);
    compile.mock.restore();
    assert.equal((await copy.generate(picture('dall-e-3'), here())).status, 'completed');
  });

  test('that is too large to be compiled at once is compiled on another thread', async (t) => {
    const copy = await fresh();
    const { Module } = WebAssembly;
    const refused = t.mock.method(WebAssembly, 'Module', function refuse(bytes) {
      if (bytes.length <= 4096) return new Module(bytes);
      throw new RangeError('the buffer size is larger than 4KB');
    });
    const compile = t.mock.method(WebAssembly, 'compile');
    const calls = ['dall-e-3', 'dall-e-3'].map((model) => copy.generate(picture(model), here()));
    for (const { status } of await Promise.all(calls)) assert.equal(status, 'completed');
    assert.equal(refused.mock.callCount(), 2, 'the decoder and the module, once each');
    assert.equal(compile.mock.callCount(), 1);
  });

  test('that traps rejects every call at work, and starts a fresh instance', async (t) => {
    const copy = await fresh();
    const create = failure(copy.generate(picture('test-hang'), here()));
    await once(traffic, 'request');
    const wait = failure(
      copy.waitForTask({ task_id: 'img_1' }, here({ fetch: () => new Promise(() => {}) })),
    );
    await new Promise((resolve) => setImmediate(resolve));
    const random = t.mock.method(Math, 'random', () => {
      throw new Error('trap');
    });
    const cause = await failure(copy.generateAndWait(picture('flux-pro'), here()));
    random.mock.restore();
    check(cause, InternalError, { outcome: 'unknown' });
    assert.equal(cause.cause.message, 'trap');
    check(await create, InternalError, { outcome: 'unknown' });
    // A trap does not end a task: its wait has to go on from the error.
    check(await wait, InternalError, { outcome: 'accepted', task: { task_id: 'img_1' } });
    await until(() => server.counts.aborted === 1);
    assert.equal((await copy.generateAndWait(picture('flux-pro'), here())).status, 'completed');
  });
});

describe('time', GUARD, () => {
  /** Starts the module, which takes real time. */
  before(() => waitForTask({ status: 'completed', data: [] }, { apiKey: 'sk-1' }));

  /**
   * A service that answers at once, and notes when it was asked.
   *
   * @param {ReturnType<typeof fakeTime>} time
   * @param {(polls: number) => ReturnType<typeof answer>} poll the answer to a poll, counted from 1
   */
  function service(time, poll) {
    const creates = [];
    const polls = [];
    return {
      creates,
      polls,
      options: {
        apiKey: 'sk-1',
        async fetch(_, { method }) {
          if (method === 'POST') {
            creates.push(time.now());
            return answer({ task_id: 'img_1', status: 'pending' });
          }
          polls.push(time.now());
          return poll(polls.length);
        },
      },
    };
  }

  const running = () => answer({ task_id: 'img_1', status: 'processing' });
  const done = () => answer({ task_id: 'img_1', status: 'completed', data: [{ url: 'https://x.test/1' }] });
  const gaps = (times) => times.slice(1).map((time, index) => time - times[index]);

  /** Every gap lies between 3 and 5 s, and they are not all the same. */
  function checkCadence(all) {
    for (const gap of all) assert.ok(gap >= 3000 && gap <= 5000, `a gap of ${gap} ms`);
    assert.ok(new Set(all).size > all.length / 2, `gaps of ${all} ms`);
  }

  test('between polls is 3 to 5 s, never in step; generateAndWait begins with a gap', async (t) => {
    const time = fakeTime(t);
    const { options, creates, polls } = service(time, (count) => (count < 40 ? running() : done()));
    const generation = await time.until(generateAndWait(picture('flux-pro'), options));
    assert.equal(generation.status, 'completed');
    assert.deepEqual(creates, [0]);
    assert.equal(polls.length, 40);
    checkCadence(gaps([...creates, ...polls]));
    assert.equal(time.timers(), 0);
  });

  test('is not lost before the first poll of waitForTask', async (t) => {
    const time = fakeTime(t);
    const { options, creates, polls } = service(time, (count) => (count < 40 ? running() : done()));
    await time.until(waitForTask('img_1', options));
    assert.deepEqual([creates.length, polls.length, polls[0]], [0, 40, 0]);
    checkCadence(gaps(polls));
    assert.equal(time.timers(), 0);
  });

  test('is not lost at all with a task that is done', async (t) => {
    const time = fakeTime(t);
    const { options, polls } = service(time, done);
    await time.until(waitForTask('img_1', options));
    await time.until(getTask('img_1', options));
    assert.deepEqual([time.now(), polls.length, time.timers()], [0, 2, 0]);
  });

  test('between polls is what pollInterval says', async (t) => {
    const time = fakeTime(t);
    const { options, polls } = service(time, (count) => (count < 9 ? running() : done()));
    await time.until(waitForTask('img_1', { ...options, pollInterval: { min: 20_000, max: 20_000 } }));
    assert.deepEqual(gaps(polls), Array(8).fill(20_000));
  });

  test('for a task is 300 s', async (t) => {
    const time = fakeTime(t);
    const { options, polls } = service(time, running);
    const error = await failure(time.until(generateAndWait(picture('flux-pro'), options)));
    check(error, WaitTimeoutError, { outcome: 'accepted', task: { task_id: 'img_1' } });
    assert.ok(time.now() >= 295_000 && time.now() <= 300_000, `${time.now()} ms`);
    assert.ok(polls.length >= 59 && polls.length <= 100, `${polls.length} polls`);
    assert.equal(time.timers(), 0);
  });

  test('between polls is cut by the deadline alone, which has one last poll', async (t) => {
    t.mock.method(Math, 'random', () => 0.5);
    const time = fakeTime(t);
    const { options, polls } = service(time, running);
    await failure(time.until(waitForTask('img_1', { ...options, maxWait: 10_000 })));
    assert.deepEqual(polls, [0, 4500, 9000, 10_000]);
  });

  test('for a task may have no limit', async (t) => {
    const time = fakeTime(t);
    const { options } = service(time, (count) => (count < 400 ? running() : done()));
    const maxWait = Number.POSITIVE_INFINITY;
    const promise = waitForTask('img_1', { ...options, maxWait });
    assert.equal((await time.until(promise)).status, 'completed');
    assert.ok(time.now() > 300_000);
  });

  test('after a loss grows, and never beyond 30 s', async (t) => {
    t.mock.method(Math, 'random', () => 0.999_999);
    const time = fakeTime(t);
    const lost = () => answer({}, { status: 502 });
    const { options, polls } = service(time, (count) => (count < 10 ? lost() : done()));
    await time.until(waitForTask('img_1', options));
    const all = gaps(polls);
    for (const gap of all) assert.ok(gap >= 3000 && gap <= 30_000, `a gap of ${gap} ms`);
    assert.deepEqual(
      all,
      all.toSorted((a, b) => a - b),
    );
    assert.ok(all.at(-1) > 29_000);
  });

  test('rule 6: between polls is what the server asks for', async (t) => {
    const time = fakeTime(t);
    const later = () => answer({}, { status: 429, headers: { 'retry-after': '17' } });
    const { options, polls } = service(time, (count) => (count === 1 ? later() : done()));
    // Without a part that chance adds.
    const pollInterval = { min: 3000, max: 3000 };
    await time.until(waitForTask('img_1', { ...options, pollInterval }));
    assert.deepEqual(polls, [0, 17_000]);
  });

  test('rule 6: between polls is what the server asks for as a date', async (t) => {
    const time = fakeTime(t);
    await time.pass(1000 - (Date.now() % 1000));
    const first = time.now();
    const date = new Date(Date.now() + 17_000).toUTCString();
    const later = () => answer({}, { status: 429, headers: { 'retry-after': date } });
    const { options, polls } = service(time, (count) => (count === 1 ? later() : done()));
    // Without a part that chance adds.
    const pollInterval = { min: 3000, max: 3000 };
    await time.until(waitForTask('img_1', { ...options, pollInterval }));
    assert.deepEqual(polls, [first, first + 17_000]);
  });

  test('of one attempt is 300 s for a create and 60 s for a poll', async (t) => {
    const time = fakeTime(t);
    const options = { apiKey: 'sk-1', fetch: () => new Promise(() => {}) };
    check(await failure(time.until(generate(picture('dall-e-3'), options))), RequestTimeoutError, {});
    assert.equal(time.now(), 300_000);
    check(await failure(time.until(getTask('img_1', options))), RequestTimeoutError, { outcome: 'accepted' });
    assert.equal(time.now(), 360_000);
    assert.equal(time.timers(), 0);
  });

  test('ends with the signal, and leaves no timer that could send a poll', async (t) => {
    const time = fakeTime(t);
    const { options, polls } = service(time, running);
    const controller = new AbortController();
    const promise = failure(generateAndWait(picture('flux-pro'), { ...options, signal: controller.signal }));
    await time.pass(12_000);
    const before = polls.length;
    assert.ok(before >= 2);
    assert.equal(time.timers(), 1);
    const reason = new Error('enough');
    controller.abort(reason);
    assert.equal(await promise, reason);
    assert.equal(time.timers(), 0);
    await time.pass(60_000);
    assert.equal(polls.length, before);
  });

  test('between the attempts of a create is at most 60 s', async (t) => {
    const time = fakeTime(t);
    const creates = [];
    const transport = async () => {
      creates.push(time.now());
      return answer({}, { status: 429, headers: { 'retry-after': '25' } });
    };
    const options = { apiKey: 'sk-1', fetch: transport, maxRetries: 9 };
    const error = await failure(time.until(generate(picture('dall-e-3'), options)));
    check(error, RateLimitError, { outcome: 'rejected', retryAfterMs: 25_000 });
    assert.deepEqual(creates, [0, 25_000, 50_000]);
  });
});
