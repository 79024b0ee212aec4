/** The server behind the page: its files, its refusals, and the key that it keeps. Its relay has its own tests. */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';

const { Request: NativeRequest, Response: NativeResponse } = globalThis;
const { servePage } = await import('../../scripts/lib/serve-page.js');
const { startServer } = await import('../server/index.js');

const CREATE = '/api/lemondata/v1/images/generations';
const JSON_TYPE = { 'content-type': 'application/json' };
const KEY = 'sk-secret-of-the-page-server-42';
const BODY = JSON.stringify({ prompt: 'A lemon', model: 'flux-schnell', size: '16x16' });

let upstream;
let page;

before(async () => {
  upstream = await startServer({ apiKey: KEY, taskMs: 0 });
  page = await servePage({ upstream: { url: upstream.url, key: KEY } });
});

after(async () => {
  await page.close();
  await upstream.close();
});

beforeEach(() => upstream.reset());

/** Every answer of the current test. None may hold the key. */
const answers = [];
afterEach(() => {
  for (const { status, headers, body } of answers) {
    assert.ok(
      !`${JSON.stringify(headers)}${body}`.includes(KEY),
      `the key is in an answer of status ${status}`,
    );
  }
  answers.length = 0;
});

/**
 * Sends a request unchanged, with any Host and any path, which `fetch` would not.
 *
 * @returns {Promise<{ status: number, headers: object, body: string, json(): any }>}
 */
async function send(method, path, { headers = {}, body, to = page } = {}) {
  const request = httpRequest(to.url, { method, headers, agent: false });
  request.path = path;
  request.end(body);
  const [response] = await once(request, 'response');
  const chunks = await collect(response);
  const answer = {
    status: response.statusCode,
    headers: response.headers,
    body: Buffer.concat(chunks).toString('utf8'),
    json: () => JSON.parse(answer.body),
  };
  answers.push(answer);
  return answer;
}

async function collect(stream) {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return chunks;
}

const create = (headers = {}, body = BODY, to = page) =>
  send('POST', CREATE, { headers: { ...JSON_TYPE, ...headers }, body, to });

const scenario = (name) => create({}, JSON.stringify({ prompt: 'A lemon', model: `test-${name}` }));

/** Checks that an answer is a refusal, in the provider's shape, and that nothing went on. */
function assertRefused({ status, headers, json }, expected, code) {
  assert.equal(status, expected);
  assert.match(headers['content-type'], /^application\/json/);
  const { error } = json();
  assert.equal(error.code, code);
  assert.equal(typeof error.message, 'string');
  assert.equal(typeof error.type, 'string');
  assert.deepEqual(upstream.counts.requests, []);
}

describe('the page and the package', () => {
  test('are served with headers that keep the page to itself', async () => {
    const [, style] = (await send('GET', '/')).body.match(/<style>(.*?)<\/style>/s);
    for (const [path, type] of [
      ['/', 'text/html; charset=utf-8'],
      ['/index.html', 'text/html; charset=utf-8'],
      ['/chunk.js', 'text/javascript; charset=utf-8'],
    ]) {
      const { status, headers, body } = await send('GET', path);
      assert.equal(status, 200, path);
      assert.equal(headers['content-type'], type, path);
      assert.equal(headers['x-content-type-options'], 'nosniff');
      assert.equal(headers['referrer-policy'], 'no-referrer');
      assert.equal(
        headers['content-security-policy'],
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'sha256-" +
          `${createHash('sha256').update(style).digest('base64')}'; ` +
          `connect-src 'self' https: ${upstream.url}; ` +
          `img-src 'self' blob: data: https: ${upstream.url}; ` +
          "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
      );
      assert.ok(body.length > 500, path);
    }
  });

  test('are all that is served', async () => {
    for (const path of [
      '/package.json',
      '/..%2fpackage.json',
      '/../package.json',
      '//package.json',
      '/pkg/index.js',
      '/main.js',
      '/app.js',
      '/style.css',
      '/style/index.css',
      '/README.md',
      '/scripts/start.js',
    ]) {
      assertRefused(await send('GET', path), 404, 'not_found');
    }
    assertRefused(await send('POST', '/'), 404, 'not_found');
  });

  test('name the upstream', async (t) => {
    assert.match((await send('GET', '/')).body, /<html data-upstream="embedded" /);
    const real = await servePage({ upstream: { url: 'https://lemondata.example', key: KEY } });
    t.after(real.close);
    const { body, headers } = await send('GET', '/', { to: real });
    assert.match(body, /<html data-upstream="service" /);
    assert.match(
      headers['content-security-policy'],
      /; connect-src 'self' https:; img-src 'self' blob: data: https:; /,
    );
  });

  test('name the gap between polls and the id of the relay', async (t) => {
    const own = await servePage({
      upstream: { url: upstream.url, key: KEY },
      pollInterval: { min: 40, max: 60 },
    });
    t.after(own.close);
    const relayOf = async (to) => {
      const [, relay, poll] = (await send('GET', '/', { to })).body.match(
        /data-relay="(.+?)" data-poll="(.+?)"/,
      );
      assert.equal(
        (await send('GET', '/api/lemondata/health', { to })).headers['x-studio-relay'],
        relay,
        'every answer of the relay has its id',
      );
      return [relay, poll];
    };
    const [relay, poll] = await relayOf(page);
    const [other, faster] = await relayOf(own);
    assert.deepEqual([poll, faster], ['3000-5000', '40-60']);
    assert.notEqual(relay, other);
  });

  test('are compressed as well as the browser accepts', async () => {
    const { body } = await send('GET', '/chunk.js');
    for (const [accepted, encoding, unpack] of [
      ['gzip, deflate, br', 'br', brotliDecompressSync],
      ['gzip', 'gzip', gunzipSync],
    ]) {
      const request = httpRequest(page.url, { path: '/chunk.js', headers: { 'accept-encoding': accepted } });
      request.end();
      const [response] = await once(request, 'response');
      assert.equal(response.headers['content-encoding'], encoding);
      assert.equal(response.headers.vary, 'accept-encoding');
      assert.equal(unpack(Buffer.concat(await collect(response))).toString(), body);
    }
  });

  test('leave the globals of the process alone', () => {
    assert.equal(globalThis.Request, NativeRequest);
    assert.equal(globalThis.Response, NativeResponse);
  });
});

describe('the relay passes on', () => {
  test('a create, with the key and without headers that the page may not send', async () => {
    const { status, headers, json } = await create({
      authorization: 'Bearer sk-of-the-page',
      cookie: 'session=1',
      origin: page.url,
      'idempotency-key': 'once',
      'x-forwarded-for': '192.0.2.1',
      'x-lemon-scenario': 'task',
    });
    assert.equal(status, 200);
    assert.equal(json().status, 'completed');
    assert.equal(headers['content-type'], 'application/json');

    const [{ method, path, body, headers: sent, id }] = upstream.counts.requests;
    assert.equal(`${method} ${path}`, 'POST /v1/images/generations');
    assert.deepEqual(body, { ...JSON.parse(BODY), n: 1 });
    assert.equal(sent.authorization, `Bearer ${KEY}`);
    for (const name of ['cookie', 'origin', 'x-forwarded-for', 'idempotency-key', 'x-lemon-scenario']) {
      assert.equal(sent[name], undefined, name);
    }
    assert.equal(headers['x-request-id'], id);
    assert.equal(headers['x-ratelimit-limit'], '1000');
    assert.equal(headers['cache-control'], 'no-store');
    assert.match(headers['content-security-policy'], /default-src 'none'/);
    assert.equal(headers['cross-origin-resource-policy'], 'same-origin');
  });

  test('a create that is repeated with its key, once', async () => {
    const first = await create({ 'idempotency-key': 'twice' });
    assert.equal((await create({ 'idempotency-key': 'twice' })).body, first.body);
    assert.equal(upstream.counts.creates, 1);
  });

  test('polls on both paths', async () => {
    const { task_id } = (await create({}, JSON.stringify({ prompt: 'A lemon', model: 'flux-pro' }))).json();
    assert.match(task_id, /^t_/);
    for (const path of [`/v1/images/generations/${task_id}`, `/v1/tasks/${task_id}`]) {
      const { status, json } = await send('GET', `/api/lemondata${path}`);
      assert.equal(status, 200);
      assert.equal(json().status, 'completed');
      assert.match(upstream.counts.requests.at(-1).path, /^\/v1\/images\/generations\/img_\w+$/);
    }
  });

  test('any model, those of the tests among them', async () => {
    assert.equal((await scenario('error-422')).status, 422);
  });

  test('up to ten pictures, and fields that the relay does not know', async () => {
    const request = { ...JSON.parse(BODY), n: 10, seed: 7, aspect_ratio: '4:3' };
    assert.equal((await create({}, JSON.stringify(request))).status, 200);
    assert.deepEqual(upstream.counts.requests[0].body, request);
    upstream.reset();
    const other = { ...request, a_field_of_next_year: { nested: [7] } };
    assert.equal((await create({}, JSON.stringify(other))).status, 200);
    assert.deepEqual(upstream.counts.requests[0].body, other);
  });

  test('a poll of a task that another process of this server created', async (t) => {
    const { task_id } = (await create({}, JSON.stringify({ prompt: 'A lemon', model: 'flux-pro' }))).json();
    const path = `/api/lemondata/v1/tasks/${task_id}`;
    const next = await servePage({ upstream: { url: upstream.url, key: KEY } });
    t.after(next.close);
    assert.equal((await send('GET', path, { to: next })).json().status, 'completed');
    const foreign = await servePage({ upstream: { url: upstream.url, key: 'sk-another' } });
    t.after(foreign.close);
    assert.equal(
      (await send('GET', path, { to: foreign })).status,
      404,
      'with another key, it is none of its own',
    );
  });

  test('as many creates as the person at this machine wants', async () => {
    for (let index = 0; index < 40; index += 1) assert.equal((await create()).status, 200);
  });

  test('the abort of a poll, but not of a create', { timeout: 300_000 }, async () => {
    const start = (method, path, body) => {
      const headers = body ? JSON_TYPE : {};
      const request = httpRequest(page.url, { agent: false, method, path, headers });
      request.on('error', () => {});
      request.end(body);
      return request;
    };
    const creating = start('POST', CREATE, JSON.stringify({ prompt: 'A lemon', model: 'test-slow:50' }));
    while (upstream.counts.creates === 0) await sleep(5);
    creating.destroy();
    while (upstream.counts.requests[0].status === undefined) await sleep(5);
    assert.equal(upstream.counts.aborted, 0);

    const { task_id } = (await scenario('poll:hang')).json();
    const polling = start('GET', `/api/lemondata/v1/tasks/${task_id}`);
    while (upstream.counts.polls === 0) await sleep(5);
    polling.destroy();
    while (upstream.counts.aborted === 0) await sleep(5);
  });
});

describe('the server refuses', () => {
  test('other routes and other methods', async () => {
    for (const [method, path, status, code] of [
      ['GET', '/v1/models/x', 404, 'not_found'],
      ['GET', '/v1/images', 404, 'not_found'],
      ['POST', '/v1/images/generations/', 404, 'not_found'],
      ['GET', '/v1/tasks', 404, 'not_found'],
      ['GET', '/v1/tasks/', 404, 'not_found'],
      ['GET', '/v1/tasks/a/b', 404, 'not_found'],
      ['GET', '/files/a.png', 404, 'not_found'],
      ['GET', '/', 404, 'not_found'],
      ['GET', '/v1/images/generations', 405, 'method_not_allowed'],
      ['PUT', '/v1/images/generations', 405, 'method_not_allowed'],
      ['POST', '/v1/images/generations/img_1', 405, 'method_not_allowed'],
      ['DELETE', '/v1/tasks/img_1', 405, 'method_not_allowed'],
      ['POST', '/v1/tasks/img_1', 405, 'method_not_allowed'],
    ]) {
      const headers = method === 'GET' ? {} : JSON_TYPE;
      assertRefused(await send(method, `/api/lemondata${path}`, { headers }), status, code);
    }
    const { status, body } = await send('HEAD', '/api/lemondata/v1/tasks/img_1');
    assert.equal(status, 405);
    assert.equal(body, '');
    assert.deepEqual(upstream.counts.requests, []);
  });

  test('an id that would leave its route, or that it did not issue', async () => {
    for (const id of ['..', '%2e%2e', '.', '%2e']) {
      assertRefused(await send('GET', `/api/lemondata/v1/tasks/${id}`), 404, 'not_found');
    }
    for (const id of ['img_1', '..%2fmodels', '..%2f..%2fhealth', 'a%2fb', 'a%5c..', 'a%3fb', '%252e%252e']) {
      assertRefused(await send('GET', `/api/lemondata/v1/tasks/${id}`), 404, 'async_task_not_found');
    }
  });

  test('a host that is not its own', async () => {
    const { port } = new URL(page.url);
    for (const host of ['evil.example', `evil.example:${port}`, '127.0.0.1', 'localhost', '127.0.0.1:1']) {
      assertRefused(await create({ host }), 403, 'host_not_allowed');
      assertRefused(await send('GET', '/', { headers: { host } }), 403, 'host_not_allowed');
    }
    for (const host of [`127.0.0.1:${port}`, `localhost:${port}`]) {
      assert.equal((await create({ host, origin: `http://${host}` })).status, 200, host);
    }
  });

  test('an origin that is not its own', async () => {
    const { port } = new URL(page.url);
    for (const origin of [
      'https://evil.example',
      'null',
      '',
      `https://127.0.0.1:${port}`,
      `http://localhost:${port}`,
      upstream.url,
      `${page.url}.evil.example`,
    ]) {
      assertRefused(await create({ origin }), 403, 'origin_not_allowed');
    }
    assert.equal((await create({ origin: page.url })).status, 200);
  });

  test('a create of a type that a form could send', async () => {
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data',
      'application/jsonp',
    ]) {
      assertRefused(await create({ 'content-type': type }), 415, 'unsupported_media_type');
    }
    assertRefused(await send('POST', CREATE, { body: BODY }), 415, 'unsupported_media_type');
    assert.equal((await create({ 'content-type': 'application/json; charset=utf-8' })).status, 200);
  });

  test('a request that is too large', async () => {
    assertRefused(await create({}, Buffer.alloc(1024 * 1024, ' ')), 413, 'payload_too_large');
  });
});

describe('the key', () => {
  test('is neither in the answer to an error that repeats it nor in the output of this server', async (t) => {
    const printed = t.mock.method(console, 'error', () => {});
    const { status, json, headers } = await scenario('error-401-echo');
    assert.equal(status, 403);
    assert.equal(json().error.code, 'upstream_refused');
    assert.equal(headers['x-studio-account'], '401 invalid_api_key', 'the page may show the reason');
    upstream.next({ on: 'create', reply: { status: 402, body: { error: { message: KEY, code: KEY } } } });
    assert.equal((await create()).headers['x-studio-account'], '402 payment_required');
    assert.equal((await create()).headers['x-studio-account'], undefined);
    assert.deepEqual(
      printed.mock.calls.map(({ arguments: [line] }) => line),
      [
        'LemonData refused the account: 401 invalid_api_key',
        'LemonData refused the account: 402 payment_required',
      ],
    );
  });

  test('does not follow a redirect', async (t) => {
    const foreign = await startServer();
    t.after(foreign.close);
    upstream.next({
      on: 'create',
      reply: { status: 307, headers: { location: `${foreign.url}/?${KEY}` }, body: `to ${KEY}` },
    });
    const { status, headers } = await create();
    assert.equal(status, 403);
    assert.equal(headers.location, undefined);
    assert.deepEqual(foreign.counts.requests, []);
  });

  test('is not in the answer when LemonData cannot be reached', async (t) => {
    const gone = await startServer();
    const own = await servePage({ upstream: { url: gone.url, key: KEY } });
    t.after(own.close);
    await gone.close();
    assertRefused(await create({}, BODY, own), 503, 'relay_error');
  });

  test('is not in the answer when the connection to LemonData breaks', async () => {
    const { status, json } = await scenario('reset');
    assert.equal(status, 502);
    assert.equal(json().error.code, 'upstream_error');
  });
});
