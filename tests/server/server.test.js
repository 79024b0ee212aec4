import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { afterEach, before, describe, test } from 'node:test';
import { PNG } from 'pngjs';
import { MODELS } from '../../js/testing/catalogue.js';
import { drawPicture } from '../../js/testing/picture.js';
import { REPLIES } from '../../js/testing/replies.js';
import { TASKS } from '../../js/testing/traits.js';
import {
  AUTH,
  clock,
  create,
  errorOf,
  example,
  get,
  json,
  SMALL,
  shape,
  start,
  started,
  TASK_MS,
} from './help.js';
import { startServer, TEST_KEY } from './index.js';

describe('requests', () => {
  let server;
  before(async () => {
    server = await start();
  });
  afterEach(() => server.reset());

  test('the key is checked before anything else', async () => {
    for (const authorization of [
      '',
      'Bearer sk-other',
      `bearer ${TEST_KEY}x`,
      TEST_KEY,
      `Basic ${TEST_KEY}`,
    ]) {
      const response = await create(server, 'not JSON', { authorization, 'content-type': 'text/plain' });
      assert.deepEqual(await json(response, 401), example('error-401'));
    }
    for (const path of ['/v1/tasks/x', '/v1/images/generations/x', '/v1/images/img_x']) {
      await errorOf(await get(server, path, {}), 401, 'invalid_api_key');
    }
    await errorOf(await fetch(`${server.url}/v1/tasks/x`, { method: 'DELETE' }), 401, 'invalid_api_key');
    assert.equal(server.counts.rejected, 9);
  });

  test('another key can be chosen', async () => {
    const other = await start({ apiKey: 'sk-mine' });
    assert.equal(other.apiKey, 'sk-mine');
    assert.equal((await get(other, '/v1/models', { authorization: 'Bearer sk-mine' })).status, 200);
    assert.equal((await get(other, '/v1/models')).status, 401);
  });

  test('what is not a JSON object is refused', async () => {
    const good = JSON.stringify({ prompt: 'x', ...SMALL });
    const cases = [
      [good, 'text/plain', 'content-type'],
      [good, 'application/jsonp', 'content-type'],
      [good, 'multipart/form-data', 'content-type'],
      [good, 'multipart/form-data; charset=utf-8', 'body'],
      ['', 'application/json', 'body'],
      ['{', 'application/json', 'body'],
      ['[]', 'application/json', 'body'],
      ['null', 'application/json', 'body'],
      ['"x"', 'application/json', 'body'],
      [Buffer.from('{"prompt":"\xff"}', 'latin1'), 'application/json', 'body'],
    ];
    for (const [body, type, param] of cases) {
      const error = await errorOf(
        await create(server, body, { 'content-type': type }),
        400,
        'invalid_request_error',
      );
      assert.equal(error.param, param);
    }
    assert.equal(
      (await create(server, good, { 'content-type': 'Application/JSON; charset=utf-8' })).status,
      200,
    );
  });

  test('a field that is wrong is named', async () => {
    const longList = Array(17).fill('https://x.test/1.png');
    const wrong = {
      prompt: [undefined, null, '', ' \n', 7, 'x'.repeat(4001)],
      model: ['', 7, null],
      n: [0, 11, 1.5, '1', null],
      size: ['big', '0x10', '4097x16', '16', 16, null],
      response_format: ['png', null, 1],
      style: ['loud', null, 1],
      quality: [1, null],
      user: [1, null],
      operation: ['image-to-video', null],
      image_url: ['ftp://x.test/1.png', 'x.png', null, {}],
      image_urls: [[], 'https://x.test/1.png', ['x.png'], longList],
      reference_image_urls: [[], null, [null], longList],
      mask_url: ['', 1],
      async: ['true', 1, null],
      aspect_ratio: [1.5],
      resolution: [2],
      negative_prompt: [false],
      expand_prompt: ['no'],
      seed: [1.5, '1', null],
      background: ['black'],
      output_format: ['gif'],
      output_compression: [-1, 101, '50'],
      compression: [101],
      moderation: ['high'],
      stream: ['false', 1],
    };
    for (const [field, values] of Object.entries(wrong)) {
      for (const value of values) {
        const body = await json(await create(server, { prompt: 'x', ...SMALL, [field]: value }), 400);
        assert.equal(body.error.code, 'invalid_request_error');
        assert.equal(body.error.type, 'invalid_request_error');
        assert.equal(body.error.param, field, JSON.stringify(value));
        const [{ message, code }, ...others] = body.validation_errors;
        assert.equal(body.error.message, `${field}: ${message}`);
        assert.match(code, /^[a-z_]+$/);
        assert.deepEqual(others, []);
        assert.equal(body.validation_errors[0].field, field);
      }
    }
    const both = await json(await create(server, { n: 0 }), 400);
    assert.deepEqual(
      both.validation_errors.map(({ field }) => field),
      ['prompt', 'n'],
    );
    assert.equal(server.tasks.size, 0);
  });

  test('the limits themselves, the documented values and unknown fields are accepted', async () => {
    const right = [
      { prompt: 'x'.repeat(4000) },
      { prompt: '🍋'.repeat(4000) },
      { n: 10 },
      { quality: 'hd' },
      { quality: 'auto' },
      { style: 'natural' },
      { response_format: 'b64_json' },
      { user: 'someone' },
      { async: false, seed: -1, a_new_field: { deep: null } },
      { image_urls: Array(16).fill('https://x.test/1.png'), mask_url: 'http://x.test/m.png' },
      { image_url: 'data:image/png;base64,iVBORw0KGgo=', operation: 'image-to-image', model: 'gpt-image-2' },
      { aspect_ratio: '16:9', resolution: '1K', negative_prompt: 'pips', expand_prompt: true },
      { background: 'transparent', output_format: 'webp', output_compression: 0, compression: 100 },
      { moderation: 'low', stream: false },
    ];
    for (const fields of right) {
      const answer = await json(await create(server, { prompt: 'x', ...SMALL, ...fields }));
      assert.equal(answer.data.length, fields.n ?? 1);
    }
  });

  test('an unknown model is refused with suggestions', async () => {
    const body = await json(await create(server, { prompt: 'x', model: 'dalle3' }), 400);
    assert.deepEqual(body, example('error-400-model-not-found'));
    const error = await errorOf(
      await create(server, { prompt: 'x', model: 'flux_pro' }),
      400,
      'model_not_found',
    );
    assert.equal(error.did_you_mean, 'flux-pro');
  });

  test('a body over 1 MiB is refused, one of 1 MiB is not', async () => {
    const padded = (/** @type {number} */ length) => {
      const body = { prompt: 'x', ...SMALL, padding: '' };
      body.padding = 'p'.repeat(length - JSON.stringify(body).length);
      return JSON.stringify(body);
    };
    await errorOf(await create(server, padded(2 ** 20 + 1)), 413, 'payload_too_large');
    assert.equal((await create(server, padded(2 ** 20))).status, 200);
  });

  test('unknown paths and methods get errors of the usual shape', async () => {
    await errorOf(await get(server, '/v2/anything'), 404, 'not_found');
    await errorOf(await get(server, '/'), 404, 'not_found');
    const response = await fetch(`${server.url}/v1/tasks/x`, { method: 'POST' });
    await errorOf(response, 405, 'method_not_allowed');
    assert.equal(response.headers.get('allow'), 'GET, DELETE');
    await errorOf(await get(server, '/v1/images/generations'), 405, 'method_not_allowed');
  });

  test('health needs no key', async () => {
    assert.deepEqual(await json(await get(server, '/health', {})), { status: 'ok' });
  });

  test('a refusal for the rate limit says that no request is left', async () => {
    for (const scenario of ['error-429', 'error-429-date']) {
      const refused = await create(server, { prompt: 'x', model: `test-${scenario}` });
      assert.equal(refused.headers.get('x-ratelimit-remaining'), '0', scenario);
    }
  });

  test('every answer carries its id, the rate limit and no-store', async () => {
    const first = await get(server, '/v1/models');
    const second = await get(server, '/nowhere');
    const left = (response) => Number(response.headers.get('x-ratelimit-remaining'));
    assert.equal(first.headers.get('x-ratelimit-limit'), '1000');
    assert.equal(left(first), 999);
    assert.equal(left(second), 998);
    assert.equal(first.headers.get('x-ratelimit-reset'), String(clock.ms / 1000 + 60));
    assert.equal(first.headers.get('cache-control'), 'no-store');
    assert.match(second.headers.get('x-request-id'), /^req_[0-9a-f]{24}$/);
    assert.notEqual(first.headers.get('x-request-id'), second.headers.get('x-request-id'));
    clock.ms += 60_000;
    assert.equal(left(await get(server, '/v1/models')), 999);
  });

  test('what was received is counted and kept', async () => {
    const seen = [];
    const lines = [];
    const watched = await start({
      onRequest: (record) => seen.push(record),
      log: (line) => lines.push(line),
    });
    await create(watched, { prompt: 'x', ...SMALL }, { 'X-Mine': 'yes' });
    await get(watched, '/v1/tasks/none?a=b');
    const [first, second] = watched.counts.requests;
    assert.deepEqual(seen, [first, second]);
    assert.equal(first.method, 'POST');
    assert.equal(first.path, '/v1/images/generations');
    assert.equal(first.headers['x-mine'], 'yes');
    assert.deepEqual(first.body, { prompt: 'x', ...SMALL });
    assert.equal(first.at, clock.ms);
    assert.equal(first.status, 200);
    assert.equal(second.path, '/v1/tasks/none?a=b');
    assert.equal(second.body, undefined);
    assert.deepEqual(lines, ['POST /v1/images/generations 200 0 ms', 'GET /v1/tasks/none?a=b 404 0 ms']);
    const { requests, ...numbers } = watched.counts;
    assert.equal(requests.length, 2);
    assert.deepEqual(numbers, {
      creates: 1,
      edits: 0,
      polls: 1,
      cancels: 0,
      models: 0,
      files: 0,
      health: 0,
      preflights: 0,
      rejected: 1,
      aborted: 0,
      keyLeaks: 0,
    });
    watched.reset();
    assert.equal(watched.counts.creates, 0);
    assert.equal(watched.counts.requests.length, 0);
  });
});

describe('inline answers', () => {
  let server;
  before(async () => {
    server = await start();
  });
  afterEach(() => server.reset());

  test('each inline model answers at once', async () => {
    for (const model of ['dall-e-3', 'dall-e-2', 'flux-schnell', 'stable-diffusion-3', undefined]) {
      const answer = await json(await create(server, { prompt: 'x', model, ...SMALL }));
      assert.deepEqual(shape(answer), shape(example('inline-url')));
      assert.equal(answer.created, Math.floor(clock.ms / 1000));
    }
    assert.equal(server.tasks.size, 0);
  });

  test('as base64', async () => {
    const answer = await json(
      await create(server, { prompt: 'x', response_format: 'b64_json', n: 2, size: '20x10' }),
    );
    const {
      data: [one, two],
    } = answer;
    assert.deepEqual(shape({ ...answer, data: [one] }), shape(example('inline-b64')));
    const png = PNG.sync.read(Buffer.from(one.b64_json, 'base64'));
    assert.deepEqual([png.width, png.height], [20, 10]);
    assert.notEqual(one.b64_json, two.b64_json);
  });

  test('inlineMs delays them', async () => {
    const slow = await start({ inlineMs: 40 });
    const from = performance.now();
    await json(await create(slow, { prompt: 'x', ...SMALL }));
    assert.ok(performance.now() - from >= 35);
  });

  test('a picture is public, and refuses a key', async () => {
    const {
      data: [{ url }],
    } = await json(await create(server, { prompt: 'x', size: '24x12' }));
    assert.ok(url.startsWith(`${server.url}/files/`) && url.endsWith('.png'));
    const response = await fetch(url);
    assert.equal(response.status, 200);
    assert.equal(response.headers.get('content-type'), 'image/png');
    assert.equal(response.headers.get('access-control-allow-origin'), '*');
    const png = PNG.sync.read(Buffer.from(await response.arrayBuffer()));
    assert.deepEqual([png.width, png.height], [24, 12]);

    assert.equal(server.counts.keyLeaks, 0);
    await errorOf(await fetch(url, { headers: AUTH }), 400, 'unexpected_key');
    assert.equal(server.counts.keyLeaks, 1);
    await fetch(url, {
      method: 'OPTIONS',
      headers: {
        origin: 'http://a.example',
        'access-control-request-method': 'GET',
        'access-control-request-headers': 'authorization',
      },
    });
    assert.equal(server.counts.keyLeaks, 2);
    assert.equal(server.counts.files, 2);
    await errorOf(await fetch(`${server.url}/files/other.png`), 404, 'not_found');
  });
});

describe('tasks', () => {
  const paths = {
    images: { id: /^img_[0-9a-f]{12}$/, pending: 'pending-images-path', root: '/v1/images/generations/' },
    tasks: { id: /^ldtask_[0-9a-f]{32}$/, pending: 'pending-tasks-path', root: '/v1/tasks/' },
    none: { id: /^img_[0-9a-f]{12}$/, pending: 'pending-no-poll-url' },
  };

  for (const [pollPath, expected] of Object.entries(paths)) {
    test(`the life of a task, poll path ${pollPath}`, async () => {
      const server = await start({ pollPath });
      const pending = await json(await create(server, { prompt: 'x', model: 'flux-pro', ...SMALL }));
      assert.deepEqual(shape(pending), shape(example(expected.pending)));
      assert.equal(pending.status, 'pending');
      assert.match(pending.task_id, expected.id);
      assert.equal(pending.poll_url, expected.root && expected.root + pending.task_id);
      assert.deepEqual(
        pending.data.map(({ url }) => url),
        pollPath === 'tasks' ? [] : [''],
      );

      const path = pending.poll_url ?? `/v1/tasks/${pending.task_id}`;
      const poll = async () => json(await get(server, path));
      assert.deepEqual(await poll(), pending);
      clock.ms += TASK_MS / 3 - 1;
      assert.equal((await poll()).status, 'pending');
      clock.ms += 1;
      const early = await poll();
      clock.ms += TASK_MS / 3;
      const late = await poll();
      assert.deepEqual([early.status, late.status], ['processing', 'processing']);
      assert.deepEqual([early.progress, late.progress], [33, 66]);
      if (pollPath === 'tasks') {
        assert.deepEqual(shape(early), shape(example('processing')));
      }
      clock.ms += TASK_MS / 3;
      const done = await poll();
      assert.equal(done.status, 'completed');
      if (pollPath !== 'tasks') {
        assert.deepEqual(shape(done), shape(example('completed')));
      }
      assert.deepEqual(await poll(), done, 'a completed task stays as it is');
      assert.equal((await fetch(done.data[0].url)).status, 200);
      assert.equal(server.counts.polls, 6);
    });
  }

  test('image ids answer on both paths, task ids on one', async () => {
    const images = await start();
    const { task_id: imageId } = await json(
      await create(images, { prompt: 'x', model: 'midjourney', ...SMALL }),
    );
    assert.equal((await get(images, `/v1/tasks/${imageId}`)).status, 200);
    assert.equal((await get(images, `/v1/images/generations/${imageId}`)).status, 200);

    const tasks = await start({ pollPath: 'tasks' });
    const { task_id: taskId } = await json(
      await create(tasks, { prompt: 'x', model: 'ideogram-v3', ...SMALL }),
    );
    assert.equal((await get(tasks, `/v1/tasks/${taskId}`)).status, 200);
    const elsewhere = await get(tasks, `/v1/images/generations/${taskId}`);
    assert.deepEqual(await json(elsewhere, 404), example('error-404-task'));
    assert.deepEqual(await json(await get(tasks, '/v1/tasks/ldtask_no'), 404), example('error-404-task'));
  });

  test('several pictures, as base64', async () => {
    const server = await start();
    const body = { prompt: 'x', model: 'flux-pro', n: 3, response_format: 'b64_json', ...SMALL };
    const pending = await json(await create(server, body));
    assert.equal(pending.data.length, 3);
    clock.ms += TASK_MS;
    const { data } = await json(await get(server, pending.poll_url));
    assert.equal(new Set(data.map(({ b64_json }) => b64_json)).size, 3);
    PNG.sync.read(Buffer.from(data[2].b64_json, 'base64'));
  });

  test('cancelling is refused', async () => {
    const server = await start();
    const { task_id } = await json(await create(server, { prompt: 'x', model: 'flux-pro', ...SMALL }));
    const cancel = (id) => fetch(`${server.url}/v1/tasks/${id}`, { method: 'DELETE', headers: AUTH });
    await errorOf(await cancel(task_id), 400, 'unsupported_task_cancel');
    clock.ms += TASK_MS;
    await errorOf(await cancel(task_id), 409, 'task_not_cancellable');
    await errorOf(await cancel('img_no'), 404, 'async_task_not_found');
    assert.equal(server.counts.cancels, 3);
  });

  test('reset forgets them', async () => {
    const server = await start();
    const { poll_url } = await json(await create(server, { prompt: 'x', model: 'flux-pro', ...SMALL }));
    server.reset();
    assert.equal((await get(server, poll_url)).status, 404);
  });
});

describe('scenarios', () => {
  /** What a client meets under each name: status, code, and what else is particular. */
  const expected = {
    'error-400': [400, 'invalid_request_error', { fields: ['param'] }],
    'error-400-model': [400, 'invalid_request_error', { text: 'model: Model is required' }],
    'error-400-parameter': [400, 'unsupported_parameter', { text: '"request_id":"req_' }],
    'error-400-model-not-found': [400, 'model_not_found', { example: 'error-400-model-not-found' }],
    'error-401': [401, 'invalid_api_key', { example: 'error-401' }],
    'error-401-expired': [401, 'expired_api_key'],
    'error-401-echo': [401, 'invalid_api_key', { text: TEST_KEY }],
    'error-402': [402, 'insufficient_balance', { example: 'error-402' }],
    'error-402-quota': [402, 'quota_exceeded'],
    'error-403': [403, 'access_denied'],
    'error-403-task': [403, 'task_not_owned'],
    'error-403-model': [403, 'model_not_allowed'],
    'error-404': [404, 'not_found'],
    'error-404-task': [404, 'async_task_not_found', { example: 'error-404-task' }],
    'error-408': [408, 'timeout_error'],
    'error-413': [413, 'payload_too_large'],
    'error-422': [422, 'invalid_request_error'],
    'error-429': [429, 'rate_limit_exceeded', { example: 'error-429', retryAfter: '8' }],
    'error-429-date': [429, 'rate_limit_exceeded', { retryAfter: 'date' }],
    'error-429-body': [429, 'rate_limit_exceeded', { example: 'error-429' }],
    'error-429-bare': [429, 'rate_limit_exceeded'],
    'error-500': [500, 'server_error'],
    'error-502': [502, 'upstream_error'],
    'error-502-html': [502, null, { type: 'text/html; charset=utf-8', text: 'Bad Gateway' }],
    'error-502-empty': [502, null, { exact: '' }],
    'error-503': [503, 'all_channels_failed', { example: 'error-503', retryAfter: '30' }],
    'error-503-retryable': [503, 'all_channels_failed', { example: 'error-503', retryAfter: '30' }],
    'error-503-final': [503, 'all_channels_failed', { text: '"retryable":false' }],
    'error-503-bare': [503, 'all_channels_failed'],
    'error-503-model': [503, 'model_unavailable', { text: '"retryable":true' }],
    'error-503-tier': [503, 'delivery_tier_unavailable', { text: '"retryable":false' }],
    'error-504': [504, 'timeout_error'],
    'error-520': [520, null, { type: 'text/html; charset=utf-8', text: 'Bad Gateway' }],
    redirect: [307, null, { exact: '', location: 'https://foreign.example' }],
    'redirect-301': [301, null, { exact: '', location: 'https://foreign.example' }],
    'redirect-302': [302, null, { exact: '', location: 'https://foreign.example' }],
    'redirect-303': [303, null, { exact: '', location: 'https://foreign.example' }],
    'redirect-308': [308, null, { exact: '', location: 'https://foreign.example' }],
    'redirect-here': [307, null, { exact: '', location: '/moved/v1/' }],
    html: [200, null, { type: 'text/html; charset=utf-8', text: 'Bad Gateway' }],
    'inline-empty': [200, null, { text: '"data":[]', type: 'application/json' }],
    'inline-filtered': [
      200,
      null,
      { text: '"data":[],"error":{"code":"content_filtered"', type: 'application/json' },
    ],
    'inline-partly-filtered': [
      200,
      null,
      { text: '{"error":{"code":"content_filtered"', type: 'application/json' },
    ],
    'inline-no-body': [200, null, { exact: '', type: 'application/json' }],
    'inline-not-json': [200, null, { text: 'OK', type: 'application/json' }],
    'inline-cut-json': [200, null, { text: '{"created"', type: 'application/json' }],
    hang: 'no answer',
    reset: 'no answer',
    'inline-truncated': 'broken body',
  };

  const servers = {};
  before(async () => {
    servers.images = await start();
    servers.tasks = await start({ pollPath: 'tasks' });
    // The two examples ask for different waits.
    servers[429] = await start({ retryAfter: 8 });
    servers[503] = await start({ retryAfter: 30 });
  });
  afterEach(() => {
    for (const server of Object.values(servers)) {
      server.reset();
    }
  });

  test('every scenario is covered here', () => {
    assert.deepEqual(Object.keys(expected).sort(), Object.keys(REPLIES).sort());
  });

  /** The three places in which a request may name a reply. */
  const places = {
    'as the model': (server, name) => create(server, { prompt: 'x', model: `test-${name}`, ...SMALL }),
    'in the header': (server, name) =>
      create(server, { prompt: 'x', ...SMALL }, { 'x-lemon-scenario': name }),
    'for the polls': async (server, name) => {
      const task = await json(await create(server, { prompt: 'x', model: `test-poll:${name}`, ...SMALL }));
      assert.equal(task.status, 'pending');
      return get(server, task.poll_url);
    },
  };

  for (const [name, expectation] of Object.entries(expected)) {
    for (const [place, ask] of Object.entries(places)) {
      test(`${name} ${place}`, async () => {
        if (name === 'hang') {
          const server = await start();
          const request = ask(server, name).then(
            () => 'answered',
            () => 'broken',
          );
          const soon = new Promise((resolve) => setTimeout(resolve, 20, 'nothing yet'));
          assert.equal(await Promise.race([request, soon]), 'nothing yet');
          await server.close();
          started.pop();
          assert.equal(await request, 'broken');
          return;
        }
        if (expectation === 'no answer') {
          await assert.rejects(ask(servers.images, name), TypeError);
          return;
        }
        if (expectation === 'broken body') {
          const response = await ask(servers.images, name);
          assert.equal(response.status, 200);
          await assert.rejects(response.text());
          return;
        }
        const [status, code, details = {}] = expectation;
        const response = await ask(servers[status] ?? servers.images, name);
        assert.equal(response.status, status);
        const text = await response.text();
        if (code !== null) {
          const { error } = JSON.parse(text);
          assert.equal(error.code, code);
          assert.equal(typeof error.message, 'string');
          assert.equal(typeof error.type, 'string');
        }
        if (details.example) {
          assert.deepEqual(JSON.parse(text), example(details.example));
        }
        if (details.exact !== undefined) {
          assert.equal(text, details.exact);
        }
        assert.ok(text.includes(details.text ?? ''), text);
        assert.equal(
          response.headers.get('content-type') ?? undefined,
          code === null ? details.type : 'application/json',
          'content type',
        );
        const retryAfter = response.headers.get('retry-after') ?? undefined;
        if (details.retryAfter === 'date') {
          assert.equal(Date.parse(retryAfter) - Math.floor(clock.ms / 1000) * 1000, 8000);
        } else {
          assert.equal(retryAfter, details.retryAfter);
        }
        assert.ok((response.headers.get('location') ?? '').startsWith(details.location ?? ''));
        assert.equal(response.headers.has('location'), details.location !== undefined);
      });
    }
  }

  const words = (pending, completed) => (first, last) => {
    assert.deepEqual([first.status, last.status], [pending, completed]);
    assert.match(last.data[0].url, /^http/);
  };
  const ending = (status) => (first, last) => {
    assert.equal(first.status, 'pending');
    assert.deepEqual([last.status, last.data], [status, []]);
  };
  const resulting = (read) => (_first, last) => {
    assert.equal(last.status, 'completed');
    assert.match(read(last), /^https:/);
    assert.equal(last.data?.[0]?.url, undefined);
  };

  /** What each scenario makes of a task: a check of the first answer and the last, for each style of server. */
  const tasks = {
    task: (first, last) => {
      assert.equal(first.status, 'pending');
      assert.equal(last.status, 'completed');
    },
    'task-failed-string': (_first, last, pollPath) => {
      const { id, ...rest } = last;
      assert.deepEqual(shape(rest), shape(example('failed-string')));
      assert.equal(id, pollPath === 'tasks' ? last.task_id : undefined);
    },
    'task-failed-object': (_first, last, pollPath) => {
      const { id, ...failed } = example('failed-object');
      assert.deepEqual(
        shape(last),
        shape(pollPath === 'tasks' ? { id, ...failed } : { task_id: id, ...failed }),
      );
      assert.equal(last.status, 'failed');
    },
    'task-cancelled': (_first, last, pollPath) => {
      const { id, ...cancelled } = example('cancelled');
      assert.deepEqual(shape(last), shape(pollPath === 'tasks' ? { id, ...cancelled } : cancelled));
      assert.equal(last.cancelled, true);
    },
    'task-vanishes': (_first, last) => {
      assert.deepEqual(last, example('error-404-task'));
    },
    'task-no-poll-url': (first, last) => {
      assert.equal('poll_url' in first, false);
      assert.equal(last.status, 'completed');
    },
    'task-unknown-status': (first, last) => {
      assert.equal(first.status, 'queued');
      assert.equal(last.status, 'completed');
    },
    'task-upper-case': words('PENDING', 'COMPLETED'),
    'task-queued-succeeded': words('queued', 'succeeded'),
    'task-unknown-words': words('warming_up', 'polished'),
    'task-canceled': ending('canceled'),
    'task-cancelled-status': ending('cancelled'),
    'task-expired': ending('expired'),
    'task-timeout': ending('timeout'),
    'task-error': ending('error'),
    'task-images-poll-url': (first, last) => {
      assert.equal(first.poll_url, `/v1/images/${first.task_id}`);
      assert.equal(last.status, 'completed');
    },
    'task-id-only': (first, last) => {
      assert.equal('task_id' in first || 'task_id' in last, false);
      assert.equal(first.id, last.id);
      assert.ok(first.poll_url.endsWith(first.id));
    },
    'task-completed-empty': (_first, last) => {
      assert.equal(last.status, 'completed');
      assert.deepEqual(last.data, []);
    },
    'task-filtered': (_first, last) => {
      assert.equal(last.status, 'completed');
      assert.deepEqual(last.data, []);
      assert.equal(last.error.code, 'content_filtered');
    },
    'task-video': resulting(({ video_url }) => video_url),
    'task-video-object': resulting(({ video }) => video.url),
    'task-videos': resulting(({ videos }) => videos[0].url),
    'task-audio': resulting(({ audio_url }) => audio_url),
    'task-audio-data': resulting(({ data }) => data[0].audio_url),
    'task-model': resulting(({ model_url }) => model_url),
    'foreign-poll-url': (first, last, pollPath) => {
      const root = pollPath === 'tasks' ? '/v1/tasks' : '/v1/images/generations';
      assert.equal(first.poll_url, `https://foreign.example${root}/${first.task_id}`);
      assert.equal(last.status, 'completed');
    },
  };

  test('every task scenario is covered here', () => {
    assert.deepEqual([...Object.keys(tasks), 'task-late'].sort(), Object.keys(TASKS).sort());
  });

  for (const [name, check] of Object.entries(tasks)) {
    for (const pollPath of ['images', 'tasks']) {
      for (const place of ['as the model', 'in the header']) {
        test(`${name} ${place}, poll path ${pollPath}`, async () => {
          const server = servers[pollPath];
          const first = await json(await places[place](server, name));
          const path = `/v1/tasks/${first.task_id ?? first.id}`;
          assert.equal((await get(server, path)).status, 200);
          clock.ms += TASK_MS;
          const last = await (await get(server, path)).json();
          check(first, last, pollPath);
        });
      }
    }
  }

  test('task-late is found after one poll, or after so many', async () => {
    for (const [name, expected] of [
      ['task-late', [404, 200, 200]],
      ['task-late:2', [404, 404, 200]],
    ]) {
      const { poll_url } = await json(await places['as the model'](servers.images, name));
      const statuses = [];
      while (statuses.length < expected.length) {
        statuses.push((await get(servers.images, poll_url)).status);
      }
      assert.deepEqual(statuses, expected, name);
    }
  });

  test('type-only leaves out the code of an error, wherever it comes from', async () => {
    const server = servers.images;
    const header = { 'x-lemon-scenario': 'type-only' };
    for (const response of [
      await create(server, { prompt: 'x', model: 'dalle3' }, header),
      await create(server, { prompt: 'x', model: 'test-type-only,error-400-model-not-found' }),
    ]) {
      const { error } = await json(response, 400);
      assert.equal('code' in error, false);
      assert.equal(error.type, 'model_not_found');
    }
    const { poll_url } = await json(await places['as the model'](server, 'task-late,poll:type-only'));
    const { error } = await json(await get(server, poll_url), 404);
    assert.equal('code' in error, false);
    assert.equal(error.type, 'async_task_not_found');
    assert.equal((await get(server, poll_url)).status, 200);
  });

  test('a limit ends a scenario, for creates', async () => {
    const server = servers.images;
    const statuses = [];
    for (let i = 0; i < 4; i++) {
      statuses.push((await places['in the header'](server, 'error-429:2')).status);
    }
    assert.deepEqual(statuses, [429, 429, 200, 200]);
    server.reset();
    assert.equal((await places['in the header'](server, 'error-429:2')).status, 429);
  });

  test('a limit ends a scenario, for the polls of each task', async () => {
    const server = servers.images;
    for (let i = 0; i < 2; i++) {
      const { poll_url } = await json(await places['as the model'](server, 'poll:error-503:2'));
      const statuses = [];
      for (let j = 0; j < 3; j++) {
        statuses.push((await get(server, poll_url)).status);
      }
      assert.deepEqual(statuses, [503, 503, 200]);
    }
  });

  test('a poll can ask for itself, and a scenario for creates leaves polls alone', async () => {
    const server = servers.images;
    const { poll_url } = await json(await create(server, { prompt: 'x', model: 'flux-pro', ...SMALL }));
    const poll = (scenario) => get(server, poll_url, { ...AUTH, 'x-lemon-scenario': scenario });
    assert.equal((await poll('poll:error-500')).status, 500);
    assert.equal((await poll('error-500')).status, 200);
  });

  test('scenarios can be combined', async () => {
    const server = servers.images;
    const ask = () => places['in the header'](server, 'error-429:1, task-id-only, task-no-poll-url');
    assert.equal((await ask()).status, 429);
    const task = await json(await ask());
    assert.deepEqual(Object.keys(task).sort(), ['created', 'data', 'id', 'status']);
  });

  test('slow answers late', async () => {
    for (const place of Object.keys(places)) {
      const from = performance.now();
      assert.equal((await places[place](servers.images, 'slow:40')).status, 200);
      assert.ok(performance.now() - from >= 35, place);
    }
  });

  test('a misspelt scenario is an error, not the normal answer', async () => {
    for (const name of [
      'error-499',
      '',
      'error-429:',
      'error-429:x',
      'poll:task',
      'poll:billing',
      'constructor',
      'error-500,',
    ]) {
      for (const place of ['as the model', 'in the header']) {
        await errorOf(await places[place](servers.images, name), 400, 'unknown_scenario');
      }
    }
  });

  test('a scenario does not excuse a wrong request', async () => {
    const server = servers.images;
    assert.equal((await create(server, { model: 'test-error-500' })).status, 400);
    assert.equal(
      (await create(server, { prompt: 'x', model: 'test-error-500' }, { authorization: 'no' })).status,
      401,
    );
  });
});

describe('cross-origin', () => {
  const preflight = (server, origin, path = '/v1/images/generations') =>
    fetch(server.url + path, {
      method: 'OPTIONS',
      headers: {
        origin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization,content-type',
      },
    });
  const allowed = (response) => response.headers.get('access-control-allow-origin');

  test('off: no page may read an answer', async () => {
    const server = await start();
    const response = await preflight(server, 'http://a.example');
    assert.equal(response.status, 405);
    assert.equal(allowed(response), null);
    assert.equal(allowed(await get(server, '/v1/models', { ...AUTH, origin: 'http://a.example' })), null);
    assert.equal(server.counts.preflights, 1);
  });

  test('on for any origin: errors can be read, too, with their headers', async () => {
    const server = await start({ cors: true });
    const response = await preflight(server, 'http://a.example');
    assert.equal(response.status, 204);
    assert.equal(allowed(response), '*');
    assert.match(response.headers.get('access-control-allow-methods'), /\bPOST\b/);
    assert.equal(response.headers.get('access-control-allow-headers'), 'authorization,content-type');
    assert.equal(server.counts.preflights, 1);
    assert.equal(server.counts.creates, 0);

    const from = { origin: 'http://a.example' };
    const refused = await create(server, { prompt: 'x', model: 'test-error-429' }, from);
    assert.equal(refused.status, 429);
    assert.equal(allowed(refused), '*');
    const exposed = refused.headers.get('access-control-expose-headers').toLowerCase().split(/, ?/);
    for (const header of [
      'retry-after',
      'x-request-id',
      'x-task-id',
      'x-billing-transaction-id',
      'x-ratelimit-limit',
      'x-ratelimit-remaining',
      'x-ratelimit-reset',
    ]) {
      assert.ok(exposed.includes(header), header);
    }
    assert.equal(allowed(await create(server, '{', { ...from, authorization: 'none' })), '*');
    assert.equal(allowed(await get(server, '/health', from)), '*');
    server.next({ on: 'create', reply: { partial: 'x' } });
    const broken = await create(server, {}, from);
    assert.equal(allowed(broken), '*');
    await assert.rejects(broken.text());
  });

  test('on for some origins', async () => {
    const server = await start({ cors: ['http://a.example', 'http://b.example:8080'] });
    for (const origin of ['http://a.example', 'http://b.example:8080']) {
      assert.equal(allowed(await preflight(server, origin)), origin);
      assert.equal(allowed(await get(server, '/v1/models', { ...AUTH, origin })), origin);
    }
    for (const origin of ['https://a.example', 'http://b.example', 'null']) {
      assert.equal(allowed(await preflight(server, origin)), null);
      const response = await get(server, '/v1/models', { ...AUTH, origin });
      assert.equal(allowed(response), null);
      assert.match(response.headers.get('vary'), /\bOrigin\b/i);
    }
  });
});

describe('scripted replies', () => {
  let server;
  before(async () => {
    server = await start();
  });
  afterEach(() => server.reset());

  test('come in order, as often as they say, before any check', async () => {
    server.next({
      on: 'create',
      times: 2,
      reply: { status: 418, headers: { 'x-a': 'b' }, body: { any: 1 } },
    });
    server.next({ on: 'create', reply: { body: 'text' } });
    server.next({ on: 'poll', reply: { body: Buffer.from([0, 255]) } });
    for (let i = 0; i < 2; i++) {
      const response = await create(server, 'anything', { authorization: '' });
      assert.equal(response.headers.get('x-a'), 'b');
      assert.match(response.headers.get('x-request-id'), /^req_/);
      assert.deepEqual(await json(response, 418), { any: 1 });
    }
    assert.equal(await (await create(server, '')).text(), 'text');
    assert.equal((await create(server, '')).status, 400);
    const polled = await get(server, '/v1/tasks/any');
    assert.deepEqual([...new Uint8Array(await polled.arrayBuffer())], [0, 255]);
    assert.equal((await get(server, '/v1/tasks/any')).status, 404);
    assert.equal(server.counts.creates, 4);
    assert.equal(server.counts.polls, 2);
  });

  test('the caller’s object is left as it is, and reset forgets the rest', async () => {
    const script = { on: 'create', times: 2, reply: { status: 500 } };
    server.next(script);
    assert.equal((await create(server, '')).status, 500);
    assert.deepEqual(script, { on: 'create', times: 2, reply: { status: 500 } });
    server.reset();
    assert.equal((await create(server, '')).status, 400);
  });

  test('hang: the client can only leave', async () => {
    server.next({ on: 'poll', reply: { hang: true } });
    const abort = new AbortController();
    const request = fetch(`${server.url}/v1/tasks/any`, { signal: abort.signal });
    await until(() => server.counts.polls === 1);
    assert.equal(server.counts.aborted, 0);
    abort.abort();
    await assert.rejects(request, { name: 'AbortError' });
    await until(() => server.counts.aborted === 1);
    assert.equal(server.counts.requests[0].status, undefined);
  });

  test('reset: the connection is destroyed', async () => {
    server.next({ on: 'create', reply: { reset: true } });
    await assert.rejects(create(server, ''), ({ cause }) => cause.code === 'ECONNRESET');
    assert.equal(server.counts.aborted, 0);
  });

  test('partial: the body ends too early', async () => {
    server.next({ on: 'create', reply: { status: 201, partial: '{"a":', headers: { 'x-a': 'b' } } });
    const { statusCode, headers, text, complete } = await rawPost(`${server.url}/v1/images/generations`);
    assert.equal(statusCode, 201);
    assert.equal(headers['x-a'], 'b');
    assert.equal(text, '{"a":');
    assert.equal(Number(headers['content-length']) > text.length, true);
    assert.equal(complete, false);
  });

  test('delay: the reply comes later', async () => {
    server.next({ on: 'create', reply: { delay: 40, status: 204 } });
    const from = performance.now();
    assert.equal((await create(server, '')).status, 204);
    assert.ok(performance.now() - from >= 35);
  });
});

describe('pictures', () => {
  const base = { prompt: 'a red fox', model: 'dall-e-3', index: 0, width: 96, height: 64 };

  const decode = (bytes) => PNG.sync.read(Buffer.from(bytes));

  test('are PNGs of the right size', () => {
    for (const [width, height] of [
      [1, 1],
      [7, 300],
      [300, 7],
      [512, 512],
      [1792, 1024],
    ]) {
      const png = decode(drawPicture({ ...base, width, height }));
      assert.deepEqual([png.width, png.height], [width, height]);
    }
  });

  test('are the same for the same request, and differ by prompt, model and index', () => {
    const draw = (change) => Buffer.from(drawPicture({ ...base, ...change })).toString('base64');
    const pictures = [{}, { prompt: 'a red box' }, { model: 'dall-e-2' }, { index: 1 }].map(draw);
    assert.equal(new Set(pictures).size, 4);
    // More than the cache holds, so that the first one is drawn again.
    for (let index = 2; index < 30; index++) {
      draw({ index });
    }
    assert.deepEqual([{}, { prompt: 'a red box' }].map(draw), pictures.slice(0, 2));
  });

  test('follow the words of the prompt', () => {
    const mean = (prompt) => {
      const { data } = decode(drawPicture({ ...base, prompt }));
      const sums = [0, 0, 0];
      data.forEach((value, i) => {
        if (i % 4 < 3) {
          sums[i % 4] += value / (data.length / 4);
        }
      });
      return sums;
    };
    const [red, blue, green] = ['red', 'blue', 'green'].map(mean);
    assert.ok(red[0] > red[2] && blue[2] > blue[0] && green[1] > green[0] && green[1] > green[2]);
    const light = ([r, g, b]) => r + g + b;
    assert.ok(light(mean('night')) < light(mean('day')) / 1.5);
  });

  test('any text can be a caption', () => {
    for (const prompt of ['레몬 나무', '🍋🍋', 'ça — “va”?', '\n\t', 'w'.repeat(4000), '\ud800']) {
      decode(drawPicture({ ...base, prompt }));
    }
  });
});

test('the README names every scenario and model', () => {
  const readme = readFileSync(new URL('README.md', import.meta.url), 'utf8');
  for (const name of [...Object.keys(REPLIES), ...Object.keys(TASKS), ...MODELS.keys()]) {
    assert.ok(readme.includes(`\`${name}\``) || readme.includes(`\`${name}:2\``), name);
  }
});

test('close ends connections that are kept alive or waiting, and frees the port', {
  timeout: 10_000,
}, async () => {
  const server = await startServer();
  await (await get(server, '/health')).text();
  server.next({ on: 'poll', reply: { hang: true } });
  server.next({ on: 'poll', reply: { delay: 60_000 } });
  const waiting = Promise.allSettled([get(server, '/v1/tasks/a'), get(server, '/v1/tasks/b')]);
  await until(() => server.counts.polls === 2);
  const from = performance.now();
  await server.close();
  assert.deepEqual(
    (await waiting).map(({ status }) => status),
    ['rejected', 'rejected'],
  );
  assert.ok(performance.now() - from < 2000);
  const again = await startServer({ port: server.port });
  assert.equal(again.url, server.url);
  await again.close();
});

test('starting on a port in use rejects', async () => {
  const server = await start();
  await assert.rejects(startServer({ port: server.port }), { code: 'EADDRINUSE' });
});

test('the globals of the process are left alone', async () => {
  const before = [globalThis.Request, globalThis.Response, globalThis.fetch];
  await start();
  assert.deepEqual([globalThis.Request, globalThis.Response, globalThis.fetch], before);
});

/** Waits for something that is about to happen. */
async function until(condition) {
  const deadline = Date.now() + 5000;
  while (!condition()) {
    assert.ok(Date.now() < deadline, 'it did not happen');
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** A POST that shows an answer as far as it came. */
function rawPost(url) {
  return new Promise((resolve, reject) => {
    const request = httpRequest(url, { method: 'POST' }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk) => {
        text += chunk;
      });
      response.on('error', () => {});
      response.on('close', () => {
        const { statusCode, headers, complete } = response;
        resolve({ statusCode, headers, text, complete });
      });
    });
    request.on('error', reject);
    request.end();
  });
}
