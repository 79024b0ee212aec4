/** The relay in frameworks: each adapter carries a create, a poll and a refusal, and the address where it has one. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, request } from 'node:http';
import { after, afterEach, before, describe, test } from 'node:test';
import { getRequestListener } from '@hono/node-server';
import express from 'express';
import { Hono } from 'hono';
import { LemonData, RateLimitError, TaskNotFoundError } from 'lemondata-wasm';
import {
  anonymousByIp,
  memoryLimiter,
  memoryStore,
  toCloudflare,
  toHono,
  toNextRoute,
  toNodeHandler,
} from 'lemondata-wasm/relay';
import { startServer } from '../server/index.js';
import { KEY, makeRelay } from './maker.js';
import { requestOf, send } from './raw.js';

const PREFIX = '/api/lemondata';
const CREATES = 4;
/** No test needs this long: it ends one that would hang. */
const GUARD = { timeout: 20_000 };

let server;
before(async () => {
  server = await startServer({ apiKey: KEY, taskMs: 10 });
});
after(() => server.close());

const closers = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

/** A relay as an application makes it. */
const make = (options) =>
  makeRelay({
    baseUrl: server.url,
    authorize: anonymousByIp(),
    limiter: memoryLimiter({ creates: CREATES }),
    store: memoryStore(),
    ...options,
  });

/** Listens with what Node calls for a request, and tells the address. */
async function listen(handler) {
  const http = createServer(handler).listen(0, '127.0.0.1');
  await once(http, 'listening');
  closers.push(() => {
    http.closeAllConnections();
    http.close();
  });
  return `http://127.0.0.1:${http.address().port}`;
}

/** Uses a relay as the client of a page does, and as one that it refuses. */
async function use(origin, transport = fetch) {
  server.reset();
  const lemon = new LemonData({
    baseUrl: `${origin}${PREFIX}`,
    relay: true,
    fetch: transport,
    pollInterval: { min: 5, max: 10 },
    maxRetries: 0,
  });
  const health = await transport(`${origin}${PREFIX}/health`);
  assert.deepEqual(await health.json(), { status: 'ok' });
  const inline = await lemon.generateAndWait({ prompt: 'A lemon', model: 'dall-e-3' });
  assert.equal(inline.data.length, 1);
  const task = await lemon.generateAndWait({ prompt: 'A lemon', model: 'flux-pro' });
  assert.equal(task.status, 'completed');
  assert.match(task.task_id, /^t_/);
  await assert.rejects(lemon.getTask('t_none'), TaskNotFoundError);

  const wrong = await transport(`${origin}${PREFIX}/v1/tasks/t_none`, { method: 'DELETE' });
  assert.equal(wrong.status, 405);
  assert.equal(wrong.headers.get('allow'), 'GET, OPTIONS');
  const foreign = await transport(`${origin}${PREFIX}/v1/images/generations`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: 'https://evil.example' },
    body: '{"prompt":"x"}',
  });
  assert.equal(foreign.status, 403);
  const own = await transport(`${origin}${PREFIX}/v1/images/generations`, {
    method: 'OPTIONS',
    headers: { origin, 'access-control-request-method': 'POST' },
  });
  assert.equal(own.status, 204);
  assert.equal(own.headers.get('access-control-allow-origin'), origin);

  await lemon.generate({ prompt: 'A lemon' });
  await lemon.generate({ prompt: 'A lemon' });
  await assert.rejects(lemon.generate({ prompt: 'A lemon' }), RateLimitError);
  assert.equal(server.counts.creates, CREATES);
  return server.counts.requests[0].body.user;
}

describe('toNodeHandler', () => {
  test("under Node's http", async () => {
    assert.equal(await use(await listen(toNodeHandler(make()))), 'ip:127.0.0.1');
  });

  test('under Express, where it is mounted', async () => {
    const app = express();
    app.use(PREFIX, toNodeHandler(make()));
    app.use(express.json());
    app.get('/', (_, response) => response.send('the page'));
    const origin = await listen(app);
    assert.equal(await use(origin), 'ip:127.0.0.1');
    assert.equal(await (await fetch(origin)).text(), 'the page');
  });

  test('under Express, the address of a client is the one that its trust proxy names', async () => {
    for (const [trusted, user] of [
      [false, 'ip:127.0.0.1'],
      [1, 'ip:198.51.100.7'],
      // Any client could name an address.
      [true, 'ip:127.0.0.1'],
    ]) {
      server.reset();
      const app = express();
      app.set('trust proxy', trusted);
      app.use('/api', toNodeHandler(make({ authorize: anonymousByIp() })));
      const url = await listen(app);
      const headers = { 'content-type': 'application/json', 'x-forwarded-for': '198.51.100.7' };
      const body = JSON.stringify({ prompt: 'A lemon', model: 'dall-e-3' });
      const { status } = await fetch(`${url}/api/v1/images/generations`, { method: 'POST', headers, body });
      assert.equal(status, 200);
      assert.equal(server.counts.requests[0].body.user, user);
    }
  });

  test('under Express, authorize sees the whole address', async () => {
    const seen = [];
    const app = express();
    const authorize = ({ url }) => {
      seen.push(url);
      return null;
    };
    app.use(PREFIX, toNodeHandler(make({ authorize })));
    const url = `${await listen(app)}${PREFIX}/v1/tasks/t_none?x=1`;
    assert.equal((await fetch(url)).status, 401);
    assert.deepEqual(seen, [url]);
  });

  test('behind a proxy that speaks TLS, pages of the named origin may call', async () => {
    const origin = await listen(toNodeHandler(make(), { origin: 'https://app.example' }));
    const ask = (from) => fetch(`${origin}/health`, { headers: { origin: from } });
    assert.equal((await ask('https://app.example')).status, 200);
    assert.equal((await ask(origin)).status, 403);
  });

  test('answers what is no valid request with 400, and goes on', async () => {
    const origin = await listen(toNodeHandler(make()));
    for (const init of [{ method: 'TRACE' }, { method: 'GET', headers: { host: 'a b' } }]) {
      const sending = request(`${origin}/health`, init).end();
      const [answer] = await once(sending, 'response');
      answer.resume();
      assert.equal(answer.statusCode, 400);
    }
    assert.equal((await fetch(`${origin}/health`)).status, 200);
  });

  test('keeps a connection for the next request, and closes it where a body was not read', async () => {
    const origin = await listen(toNodeHandler(make({ authorize: () => null })));
    const small = await fetch(`${origin}/health`);
    assert.equal(small.headers.get('connection'), 'keep-alive');
    const large = await fetch(`${origin}/v1/images/generations`, {
      method: 'POST',
      body: 'x'.repeat(4_000_000),
    });
    assert.equal(large.status, 401);
    assert.equal(large.headers.get('connection'), 'close');
    assert.equal((await large.json()).error.code, 'unauthorized');
  });
});

test(
  'toNodeHandler takes the rest of a body that was refused, so that its sender comes to read why',
  GUARD,
  async () => {
    const origin = await listen(toNodeHandler(make({ authorize: () => null })));
    const sending = request(`${origin}/v1/images/generations`, { method: 'POST', agent: false });
    const finished = once(sending, 'finish');
    sending.end(Buffer.alloc(32 * 1024 * 1024));
    const [answer] = await once(sending, 'response');
    answer.resume();
    assert.equal(answer.statusCode, 401);
    await finished;
  },
);

describe('toHono', () => {
  test('under its adapter for Node', async () => {
    const app = new Hono();
    const relay = make({ authorize: () => 'ann' });
    app.all(`${PREFIX}/*`, toHono(relay));
    app.get('/', (c) => c.text('the page'));
    const origin = await listen(getRequestListener(app.fetch, { overrideGlobalObjects: false }));
    assert.equal(await use(origin), 'ann');
  });

  test('in a worker, with what keeps it alive', async () => {
    const app = new Hono();
    app.all(`${PREFIX}/*`, toHono(make({ authorize: () => 'ann' })));
    const kept = [];
    const context = { waitUntil: (promise) => kept.push(promise), passThroughOnException() {} };
    const transport = async (url, init) => app.fetch(new Request(url, init), {}, context);
    assert.equal(await use('https://app.example', transport), 'ann');
    assert.equal(kept.length, CREATES);
    await Promise.all(kept);
  });
});

test('toNextRoute has a function for each method', async () => {
  const route = toNextRoute(make({ authorize: () => 'ann' }));
  assert.deepEqual(Object.keys(route).sort(), ['DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT']);
  const transport = async (url, init) => {
    const request = new Request(url, init);
    // As Next.js calls it: with the parameters of the route behind the request.
    return route[request.method](request, { params: Promise.resolve({ path: ['v1'] }) });
  };
  assert.equal(await use('https://app.example', transport), 'ann');
});

describe('toNextRoute, whose routes get a URL at localhost,', () => {
  /** The status of a create whose request has these headers. */
  async function statusOf(options, headers) {
    const request = new Request(`http://localhost:3000${PREFIX}/v1/images/generations`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: '{"prompt":"A lemon"}',
    });
    return (await toNextRoute(make({ authorize: () => 'ann' }), options).POST(request)).status;
  }

  test('takes the page’s origin from its option', async () => {
    const headers = { origin: 'https://app.example' };
    assert.equal(await statusOf({}, headers), 403);
    assert.equal(await statusOf({ origin: 'https://app.example' }, headers), 200);
  });

  test('takes its host from the header Host', async () => {
    for (const host of ['127.0.0.1:3000', 'app.example', '192.168.0.7:3000']) {
      assert.equal(await statusOf({}, { host, origin: `http://${host}` }), 200, host);
      assert.equal(await statusOf({}, { host, origin: 'http://localhost:3000' }), 403, host);
    }
    assert.equal(await statusOf({}, { host: 'app.example/v1/models?', origin: 'http://app.example' }), 400);
  });

  test('believes a proxy where the operator says so', async () => {
    const proxied = { host: 'inside:3000', 'x-forwarded-host': 'app.example', 'x-forwarded-proto': 'https' };
    const headers = { ...proxied, origin: 'https://app.example' };
    assert.equal(await statusOf({}, headers), 403);
    assert.equal(await statusOf({ trustProxy: true }, headers), 200);
    const listed = { ...headers, 'x-forwarded-host': 'app.example, evil.example' };
    assert.equal(await statusOf({ trustProxy: true }, listed), 400);
    // Of several proxies, the first has seen the client.
    const chain = { ...headers, 'x-forwarded-proto': 'https, http' };
    assert.equal(await statusOf({ trustProxy: true }, chain), 200);
    const odd = { ...headers, 'x-forwarded-proto': 'gopher, https' };
    assert.equal(await statusOf({ trustProxy: true }, odd), 403);
    const foreign = { ...headers, 'x-forwarded-host': 'evil.example' };
    assert.equal(await statusOf({ origin: 'https://app.example', trustProxy: true }, foreign), 421);
  });
});

test('toNodeHandler believes a proxy where the operator says so', async () => {
  const headers = {
    origin: 'https://app.example',
    'x-forwarded-host': 'app.example',
    'x-forwarded-proto': 'https',
  };
  for (const [options, status] of [
    [{}, 403],
    [{ trustProxy: true }, 200],
  ]) {
    const url = await listen(toNodeHandler(make(), options));
    assert.equal((await fetch(`${url}/health`, { headers })).status, status);
  }
});

test('a server that takes its pages for https is told what to set', async () => {
  const relay = make({ authorize: () => 'ann' });
  const headers = { origin: 'http://localhost:3000' };
  const refused = await relay(new Request(`https://localhost:3000${PREFIX}/health`, { headers }));
  assert.equal(refused.status, 403);
  const { error } = await refused.json();
  assert.match(error.hint, /For SvelteKit's adapter-node, set ORIGIN=http:\/\/localhost:3000;/);
});

test('toNodeHandler passes a stream on as it comes, and ends it with its client', GUARD, async () => {
  let controller;
  let isOver = false;
  const body = new ReadableStream({
    start(made) {
      controller = made;
    },
    cancel() {
      isOver = true;
    },
  });
  const headers = { 'content-type': 'text/event-stream' };
  const url = await listen(toNodeHandler(async () => new Response(body, { headers })));
  controller.enqueue(new TextEncoder().encode('data: 1\n\n'));
  const response = await fetch(url);
  const reader = response.body.getReader();
  assert.equal(new TextDecoder().decode((await reader.read()).value), 'data: 1\n\n');
  await reader.cancel();
  while (!isOver) await new Promise((resolve) => setTimeout(resolve, 2));
});

test(
  'toNodeHandler says how long an answer is, also of a relay in a function of its own',
  GUARD,
  async () => {
    const relay = make();
    for (const handler of [toNodeHandler(relay), toNodeHandler((...given) => relay(...given))]) {
      const origin = await listen(handler);
      const post = (body) =>
        fetch(`${origin}/v1/images/generations`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body,
        });
      for (const answer of [await post('{"prompt":"Zitrone, süß"}'), await post('{')]) {
        const bytes = Buffer.from(await answer.arrayBuffer());
        assert.equal(answer.headers.get('content-length'), String(bytes.length));
        assert.equal(answer.headers.get('cache-control'), 'no-store');
        JSON.parse(bytes.toString());
      }
      const preflight = await fetch(`${origin}/health`, { method: 'OPTIONS' });
      assert.equal(preflight.status, 204);
      assert.equal(preflight.headers.get('content-length'), null);
    }
  },
);

test('toNodeHandler aborts the signal of a request whose client leaves, and of no other', GUARD, async () => {
  const signals = [];
  let hold = false;
  const relay = make({
    authorize: (request) => {
      signals.push(request.signal);
      return hold ? new Promise(() => {}) : 'ann';
    },
  });
  let closed = 0;
  const handle = toNodeHandler(relay);
  const origin = await listen((incoming, outgoing) => {
    outgoing.on('close', () => {
      closed += 1;
    });
    handle(incoming, outgoing);
  });
  const settled = async (count) => {
    while (closed < count) await new Promise((resolve) => setTimeout(resolve, 2));
    await new Promise((resolve) => setImmediate(resolve));
  };
  await (await fetch(`${origin}/v1/models`)).text();
  await settled(1);
  assert.equal(signals[0].aborted, false);

  hold = true;
  const leaving = new AbortController();
  const left = fetch(`${origin}/v1/models`, { signal: leaving.signal });
  while (signals.length < 2) await new Promise((resolve) => setTimeout(resolve, 2));
  leaving.abort();
  await assert.rejects(left);
  await settled(2);
  assert.equal(signals[1].aborted, true);
});

test('toCloudflare makes the relay once for an environment', async () => {
  let made = 0;
  const worker = toCloudflare((env) => {
    made += 1;
    return make({ apiKey: env.KEY, authorize: () => 'ann' });
  });
  const env = { KEY };
  const kept = [];
  const context = { waitUntil: (promise) => kept.push(promise) };
  const transport = async (url, init) => worker.fetch(new Request(url, init), env, context);
  assert.equal(await use('https://app.example', transport), 'ann');
  assert.equal(made, 1);
  assert.equal(kept.length, CREATES);
  await worker.fetch(new Request('https://app.example/health'), { KEY: 'sk-another-key' }, context);
  assert.equal(made, 2);
});

test('toCloudflare waits for a relay whose secrets have to be fetched, and keeps the first', async () => {
  let made = 0;
  const worker = toCloudflare(async (env) => {
    made += 1;
    const apiKey = await env.KEY.get();
    return make({ apiKey, authorize: () => 'ann', limiter: memoryLimiter({ polls: 2 }) });
  });
  const env = { KEY: { get: async () => KEY } };
  const ask = async () => (await worker.fetch(new Request('https://app.example/v1/models'), env, {})).status;
  assert.deepEqual(await Promise.all([ask(), ask()]), [200, 200]);
  assert.equal(await ask(), 429);
  assert.equal(made, 2, 'one for each request of the start');
  const failing = toCloudflare(async () => {
    throw new TypeError('No secret.');
  });
  await assert.rejects(failing.fetch(new Request('https://app.example/health'), {}, {}), /No secret/);
});

describe('toCloudflare behind a tool that traces the worker', () => {
  /** As such tools do it: another wrapper for each request, and for each access to a binding. */
  const traced = (env) =>
    new Proxy(env, {
      get: (target, name) => (target[name] instanceof Map ? new Proxy(target[name], {}) : target[name]),
    });
  const makeWorker = () => {
    const made = [];
    const worker = toCloudflare((env) => {
      made.push(env);
      return make({ apiKey: KEY, authorize: () => 'ann', limiter: memoryLimiter({ creates: 2 }) });
    });
    const create = async (env) => {
      const body = JSON.stringify({ prompt: 'A lemon', model: 'flux-pro' });
      const headers = { 'content-type': 'application/json' };
      const request = new Request(`https://app.example${PREFIX}/v1/images/generations`, {
        method: 'POST',
        headers,
        body,
      });
      return (await worker.fetch(request, env, { waitUntil() {} })).status;
    };
    return { made, create };
  };

  test('keeps the relay, and what it has counted', async () => {
    const { made, create } = makeWorker();
    // A class of the platform stands for its bindings.
    const env = { KEY, TASKS: new Map(), LIST: ['a'] };
    assert.equal(await create(traced(env)), 200);
    assert.equal(await create(traced(env)), 200);
    assert.equal(await create(traced(env)), 429);
    assert.equal(made.length, 1);
  });

  test('makes another relay for another environment', async () => {
    const { made, create } = makeWorker();
    const limiter = { limit() {} };
    class Fake {}
    for (const env of [
      { KEY },
      { KEY: 'sk-another-key' },
      { OTHER: 'sk-another-key' },
      { OTHER: 'sk-another-key', TASKS: new Map() },
      { OTHER: 'sk-another-key', TASKS: new Fake() },
      { OTHER: 'sk-another-key', TASKS: new Fake() },
      { OTHER: 'sk-another-key', TASKS: Object.create(null) },
      { OTHER: 'sk-another-key', TASKS: Object.create(null) },
      { OTHER: 'sk-another-key', TASKS: limiter },
      { OTHER: 'sk-another-key', TASKS: { limit() {} } },
      { OTHER: 'sk-another-key', TASKS: undefined },
      { LIST: ['a'] },
      { LIST: ['b'] },
      undefined,
    ]) {
      assert.equal(await create(env && traced(env)), 200);
      assert.equal(await create(env && traced(env)), 200);
    }
    assert.equal(made.length, 14);
  });
});

test(
  'a path that Node has as another one is refused, so that it passes no guard in front',
  GUARD,
  async () => {
    const app = express();
    const guarded = '/api/v1/images/edits';
    app.all(guarded, (_request, response) =>
      response.status(402).json({ error: 'Edits are for customers.' }),
    );
    app.use('/api', toNodeHandler(make({ limiter: false })));
    const url = await listen(app);
    const body = JSON.stringify({
      prompt: 'a lemon',
      model: 'gpt-image-2',
      image_url: 'https://pictures.example/a.png',
    });
    const edit = async (path) =>
      (await send(url, requestOf('POST', path, ['content-type: application/json'], body))).status;
    assert.equal(await edit(guarded), 402);
    const before = server.counts.edits;
    for (const path of [
      '/api/v1/images/x/../edits',
      '/api/v1/images/x/%2e%2e/edits',
      '/api/v1/images/./edits',
      '/api/v1/images\\edits',
      '/api/x/..\\v1/images/edits',
    ]) {
      assert.equal(await edit(path), 400, path);
    }
    assert.equal(server.counts.edits, before);
    // A prefix is no other path.
    assert.equal(await edit('/api/some/prefix/v1/images/edits?from=page'), 200);
  },
);
