/** The adapter for Node under each kind of server that it may meet, and what it does where something breaks. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, request as httpRequest } from 'node:http';
import {
  connect as connectHttp2,
  constants,
  createServer as createHttp2,
  createSecureServer,
} from 'node:http2';
import { createServer as createHttps, request as httpsRequest } from 'node:https';
import { afterEach, describe, test } from 'node:test';
import { getRequestListener } from '@hono/node-server';
import express from 'express';
import { Hono } from 'hono';
import { anonymousByIp, toCloudflare, toHono, toNextRoute, toNodeHandler } from 'lemondata-wasm/relay';
import { CREATE, come, PROMPT, relays, server, useServer } from './harness.js';
import { cert, key } from './localhost.js';

const BODY = JSON.stringify({ prompt: PROMPT, model: 'flux-pro' });
const JSON_TYPE = { 'content-type': 'application/json' };
/** No test needs this long: it ends one that would hang. */
const GUARD = { timeout: 20_000 };

useServer();

const closers = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

const make = (options) => relays.make({ authorize: anonymousByIp(), ...options });

/** Lets a server listen, and tells its port. */
async function listen(listening) {
  listening.listen(0, '127.0.0.1');
  await once(listening, 'listening');
  closers.push(() => {
    listening.closeAllConnections?.();
    listening.close();
  });
  return listening.address().port;
}

/** Sends a request by HTTP/1.1. */
function send(sendRequest, port, method, path, { headers, body } = {}) {
  return new Promise((resolve, reject) => {
    const options = {
      port,
      host: '127.0.0.1',
      method,
      path,
      headers,
      agent: false,
      rejectUnauthorized: false,
    };
    const request = sendRequest(options, async (response) => {
      let text = '';
      for await (const chunk of response) text += chunk;
      resolve({ status: response.statusCode, headers: response.headers, text });
    });
    request.on('error', reject).end(body);
  });
}
const ask = (...parts) => send(httpRequest, ...parts);
const post = (port, { headers, body = BODY, path = CREATE, sendRequest = httpRequest } = {}) =>
  send(sendRequest, port, 'POST', path, { headers: { ...JSON_TYPE, ...headers }, body });

/** A connection by HTTP/2, and requests on it. */
function connect(url) {
  const session = connectHttp2(url, { rejectUnauthorized: false });
  closers.push(() => session.destroy());
  return (method, path, { headers, body } = {}) =>
    new Promise((resolve, reject) => {
      const stream = session.request({ ...headers, ':method': method, ':path': path }, { endStream: !body });
      let found;
      let text = '';
      stream.on('response', (head) => {
        found = head;
      });
      stream.on('data', (chunk) => {
        text += chunk;
      });
      stream.on('end', () => resolve({ status: found[':status'], headers: found, text }));
      stream.on('error', reject);
      if (body) stream.end(body);
    });
}

describe('every kind of server', GUARD, () => {
  for (const [name, start] of [
    ['http2 without TLS', (handler) => createHttp2(handler)],
    ['http2 with TLS', (handler) => createSecureServer({ key, cert }, handler)],
  ]) {
    test(name, async () => {
      const port = await listen(start(toNodeHandler(make())));
      const protocol = name.endsWith('with TLS') ? 'https' : 'http';
      const origin = `${protocol}://127.0.0.1:${port}`;
      const go = connect(origin);
      assert.equal((await go('GET', '/health')).status, 200);
      // The page's own origin, as the relay finds it from the connection and `:authority`.
      const made = await go('POST', CREATE, { headers: { ...JSON_TYPE, origin }, body: BODY });
      assert.equal(made.status, 200, made.text);
      assert.equal(made.headers['access-control-allow-origin'], origin);
      assert.equal(server.counts.requests[0].body.user, 'ip:127.0.0.1');
      assert.equal((await go('GET', `/v1/tasks/${JSON.parse(made.text).task_id}`)).status, 200);
      assert.equal((await go('HEAD', '/health')).status, 200);
      assert.equal((await go('HEAD', CREATE)).status, 405);
      const large = await go('POST', CREATE, { headers: JSON_TYPE, body: 'x'.repeat(1_000_000) });
      assert.equal(large.status, 413);
      assert.equal((await go('GET', '/health')).status, 200, 'the connection goes on');
    });
  }

  test('https, and http2 for a client of HTTP/1.1', async () => {
    for (const start of [createHttps, createSecureServer]) {
      const port = await listen(start({ key, cert, allowHTTP1: true }, toNodeHandler(make())));
      const origin = `https://127.0.0.1:${port}`;
      const made = await post(port, { headers: { origin }, sendRequest: httpsRequest });
      assert.equal(made.status, 200, made.text);
      assert.equal(made.headers['access-control-allow-origin'], origin);
    }
  });
});

describe('the rest of a body that was refused', GUARD, () => {
  test('is not read without an end: http2', async () => {
    const port = await listen(createHttp2(toNodeHandler(make({ authorize: () => null }))));
    const session = connectHttp2(`http://127.0.0.1:${port}`);
    closers.push(() => session.destroy());
    const stream = session.request({ ':method': 'POST', ':path': CREATE });
    const chunk = Buffer.alloc(1024 * 1024);
    let sent = 0;
    const send = () => {
      sent += chunk.length;
      if (sent < 256 * chunk.length) stream.write(chunk, send);
    };
    send();
    const [head] = await once(stream, 'response');
    assert.equal(head[':status'], 401);
    stream.resume();
    await once(stream, 'close');
    assert.ok(sent < 96 * chunk.length, `${sent} bytes were sent`);
  });
});

describe('a body that was read before', GUARD, () => {
  /** What other frameworks do with a request before a handler gets it. */
  const readFirst = (keep) => (handler) => async (incoming, outgoing) => {
    const chunks = [];
    for await (const chunk of incoming) chunks.push(chunk);
    Object.assign(incoming, keep(Buffer.concat(chunks)));
    // Its events have passed by then.
    setImmediate(() => handler(incoming, outgoing));
  };
  const withExpress = (parser) => (handler) => express().use(parser).use(handler);

  for (const [name, wrap] of [
    ['by express.json()', withExpress(express.json())],
    ['by express.text()', withExpress(express.text({ type: '*/*' }))],
    ['by express.raw()', withExpress(express.raw({ type: '*/*' }))],
    ['by Fastify or Koa, and handed over', readFirst((bytes) => ({ body: JSON.parse(bytes) }))],
    ['by a cloud function', readFirst((bytes) => ({ body: JSON.parse(bytes), rawBody: bytes }))],
  ]) {
    test(`${name} is taken from there`, async () => {
      const port = await listen(createServer(wrap(toNodeHandler(make()))));
      const made = await post(port);
      assert.equal(made.status, 200, made.text);
      assert.equal(server.counts.requests[0].body.prompt, PROMPT);
    });
  }

  test('and unpacked is not taken for packed', async () => {
    const { gzipSync } = await import('node:zlib');
    const port = await listen(createServer(express().use(express.json()).use(toNodeHandler(make()))));
    const made = await post(port, { headers: { 'content-encoding': 'gzip' }, body: gzipSync(BODY) });
    assert.equal(made.status, 200, made.text);
  });

  test('is checked like any other', async () => {
    const port = await listen(createServer(express().use(express.json()).use(toNodeHandler(make()))));
    assert.equal((await post(port, { body: '{"prompt":5}' })).status, 400);
    assert.equal((await post(port, { body: `{"prompt":"${'x'.repeat(70_000)}"}` })).status, 413);
  });

  test('and not kept is an error that tells the operator what to do', async () => {
    const port = await listen(createServer(readFirst(() => ({}))(toNodeHandler(make()))));
    const { status, text } = await post(port);
    assert.equal(status, 500);
    assert.match(text, /"code":"body_used"/);
    const { message } = relays.events.find(({ event }) => event === 'refused');
    assert.equal(
      message,
      'Another part of the server has read the body of a request before the relay. Mount toNodeHandler(relay) before ' +
        'body parsers, or have them leave the parsed body in request.body.',
    );
  });

  test('is none of a preflight, which has no body', async () => {
    const port = await listen(createServer(readFirst(() => ({}))(toNodeHandler(make()))));
    const origin = `http://127.0.0.1:${port}`;
    assert.equal((await ask(port, 'OPTIONS', CREATE, { headers: { origin } })).status, 204);
    assert.equal((await ask(port, 'GET', '/health')).status, 200);
  });

  test('in Hono is taken from c.req', async () => {
    const app = new Hono();
    app.use(async (c, next) => {
      if (c.req.method === 'POST') await c.req.json();
      await next();
    });
    app.all('/v1/*', toHono(make()));
    const port = await listen(createServer(getRequestListener(app.fetch, { overrideGlobalObjects: false })));
    const made = await post(port);
    assert.equal(made.status, 200, made.text);
    assert.equal(
      server.counts.requests[0].body.user,
      'ip:127.0.0.1',
      'and the address from its adapter for Node',
    );
  });
});

describe('a body that was read past the adapter', GUARD, () => {
  const REMEDY = /read the body .* Hand the request to the relay before it is read, or a clone of it\.$/;
  const makeRequest = () =>
    new Request(`https://app.example${CREATE}`, { method: 'POST', headers: JSON_TYPE, body: BODY });
  const inHono = (spoil) => {
    const app = new Hono();
    app.all('/v1/*', async (c, next) => {
      await spoil(c.req.raw);
      await next();
    });
    app.all('/v1/*', toHono(make({ authorize: () => 'ann' })));
    return (request) => app.fetch(request);
  };
  const withoutHono = (handle) => (spoil) => async (request) => {
    await spoil(request);
    return handle(request);
  };

  for (const [name, wrap] of [
    ['of Hono', inHono],
    ['of Next.js', withoutHono((request) => toNextRoute(make({ authorize: () => 'ann' })).POST(request))],
    ['that is none', withoutHono((request) => make({ authorize: () => 'ann' })(request))],
  ]) {
    test(`${name} is an error that tells the operator what to do`, async () => {
      for (const spoil of [(request) => request.text(), (request) => void request.body.getReader()]) {
        relays.events.length = 0;
        const response = await wrap(spoil)(makeRequest());
        assert.equal(response.status, 500);
        assert.equal((await response.json()).error.code, 'body_used');
        assert.match(relays.events.find(({ event }) => event === 'refused').message, REMEDY);
      }
    });
  }
});

describe('the address of a client, with Hono and without,', () => {
  const app = () => {
    const hono = new Hono();
    hono.all('/v1/*', toHono(make()));
    return hono;
  };
  const address = '203.0.113.7';
  const bun = { requestIP: (request) => (request instanceof Request ? { address } : null) };

  for (const [platform, env] of [
    ['Bun', bun],
    ['Bun, with the server by its name', { server: bun }],
    ['Deno', { remoteAddr: { transport: 'tcp', hostname: address, port: 4711 } }],
    ['a function URL of Lambda', { requestContext: { http: { sourceIp: address } } }],
    ['API Gateway', { requestContext: { identity: { sourceIp: address } } }],
  ]) {
    test(`on ${platform} is the one of the connection`, async () => {
      const init = { method: 'POST', headers: { ...JSON_TYPE, 'x-forwarded-for': '192.0.2.1' }, body: BODY };
      const send = (handle) => handle(new Request(`https://app.example${CREATE}`, init), env);
      // Without Hono, the platform calls the relay itself.
      for (const handle of [app().fetch, make()]) {
        server.reset();
        const response = await send(handle);
        assert.equal(response.status, 200, await response.text());
        assert.equal(server.counts.requests[0].body.user, `ip:${address}`);
      }
    });
  }

  test('is missed where the platform tells none', async () => {
    for (const env of [undefined, {}, { requestIP: () => null }, { requestContext: {} }]) {
      const init = { method: 'POST', headers: JSON_TYPE, body: BODY };
      const response = await app().fetch(new Request(`https://app.example${CREATE}`, init), env);
      assert.equal(response.status, 503);
    }
  });
});

describe('a relay without its adapter', GUARD, () => {
  const NAMED = /toNodeHandler\(relay\).*toHono\(relay\).*toNextRoute\(relay\).*toCloudflare/;

  test('throws at once, whatever calls it', () => {
    const relay = make();
    for (const other of [undefined, null, {}, { url: '/', headers: { host: 'x' } }, { req: { raw: {} } }]) {
      assert.throws(
        () => relay(other, {}),
        (error) => error instanceof TypeError && NAMED.test(error.message),
      );
    }
  });

  test('in Express is an error of Express, and no request that hangs', async () => {
    const app = express().use(make());
    app.use((error, _request, response, _next) => response.status(500).send(error.message));
    const { status, text } = await post(await listen(createServer(app)));
    assert.equal(status, 500);
    assert.match(text, NAMED);
  });

  test('and an adapter without its relay throws when it is made', () => {
    for (const adapter of [toNodeHandler, toHono, toNextRoute]) {
      for (const other of [undefined, null, {}, 'relay']) {
        assert.throws(() => adapter(other), /takes the relay that createRelay returns/);
      }
    }
    assert.throws(() => toCloudflare({}), /toCloudflare\(\(env\) => createRelay/);
  });

  test('nor with an origin that is none', () => {
    for (const origin of ['app.example', 'https://app.example/', 'null', 'self', '', 5, null]) {
      for (const adapter of [toNodeHandler, toNextRoute]) {
        assert.throws(() => adapter(make(), { origin }), /origin must be where pages see this server/);
      }
    }
  });
});

describe('hosts', GUARD, () => {
  test('a host that would move the path is refused, and logged', async () => {
    const port = await listen(createServer(toNodeHandler(make())));
    for (const host of [
      'h/v1/images/generations?',
      'h/v1/tasks/x#',
      'user@h',
      'user:p@h',
      'h\\',
      'a b',
      '[::1',
      'h:port',
    ]) {
      relays.events.length = 0;
      const { status, text } = await ask(port, 'POST', '/public', {
        headers: { host, ...JSON_TYPE },
        body: BODY,
      });
      assert.equal(status, 400, `${host}: ${text}`);
      assert.match(text, /"code":"invalid_request_error"/);
      assert.equal(relays.events[0].status, 400);
    }
    assert.deepEqual(server.counts.requests, []);
    for (const host of ['h', 'relay.example', 'relay.example:8080', '127.0.0.1:1', '[::1]:80', 'a_b.c-d.']) {
      assert.equal((await ask(port, 'GET', '/health', { headers: { host } })).status, 200, host);
    }
  });

  test('several hosts of proxies are refused, and the log says what to set', async () => {
    const port = await listen(createServer(toNodeHandler(make(), { trustProxy: true })));
    const hosts = { 'x-forwarded-host': 'app.example, inner.example', 'x-forwarded-proto': 'https, http' };
    assert.equal((await ask(port, 'GET', '/health', { headers: hosts })).status, 400);
    const [{ event, message }] = relays.events;
    assert.equal(event, 'refused');
    assert.match(
      message,
      /x-forwarded-host has several values: "app\.example, inner\.example"\. Set the adapter's option/,
    );
    // The first of several protocols is the one that the client speaks.
    const one = { ...hosts, 'x-forwarded-host': 'app.example', origin: 'https://app.example' };
    assert.equal((await ask(port, 'GET', '/health', { headers: one })).status, 200);
  });

  test('with an origin, a page whose name was bound to this server is refused: DNS rebinding', async () => {
    const relay = make();
    const port = await listen(createServer(toNodeHandler(relay, { origin: 'http://localhost:3000' })));
    for (const host of [
      'evil.example',
      'evil.example:3000',
      'localhost.evil.example',
      'xn--e1afmkfd.example',
    ]) {
      const { status, text } = await ask(port, 'GET', '/v1/models', { headers: { host } });
      assert.equal(status, 421);
      assert.match(text, /"code":"misdirected_request".*/);
      const origin = `http://${host}`;
      assert.equal((await post(port, { headers: { host, origin } })).status, 421);
      // One that a proxy has renamed is of another origin all the same.
      assert.equal((await post(port, { headers: { host: 'localhost', origin } })).status, 403);
    }
    assert.deepEqual(server.counts.requests, []);
  });

  test('with an origin, that host, addresses and names without a dot pass', async () => {
    const relay = make();
    const port = await listen(createServer(toNodeHandler(relay, { origin: 'https://app.example' })));
    for (const host of [
      'app.example',
      'APP.example:443',
      'app.example.',
      '10.0.0.5:3000',
      '[::1]:3000',
      'relay',
    ]) {
      assert.equal((await ask(port, 'GET', '/health', { headers: { host } })).status, 200, host);
    }
    const route = toNextRoute(relay, { origin: 'https://app.example' });
    const health = (host) => route.GET(new Request('http://localhost:3000/health', { headers: { host } }));
    assert.equal((await health('app.example')).status, 200);
  });

  test('with an origin, any host may check the health, as platforms do by names of their own', async () => {
    const options = { origin: 'https://app.example' };
    const port = await listen(createServer(toNodeHandler(make(), options)));
    const route = toNextRoute(make(), options);
    const host = 'healthcheck.railway.app';
    for (const path of ['/health', '/api/lemondata/health?from=platform']) {
      for (const method of ['GET', 'HEAD']) {
        assert.equal((await ask(port, method, path, { headers: { host } })).status, 200, path);
        const request = new Request(`http://localhost:3000${path}`, { method, headers: { host } });
        assert.equal((await route[method](request)).status, 200, path);
      }
    }
    for (const path of ['/v1/models', '/v1/models?path=/health', '/v1/models#/health', '/health/x']) {
      assert.equal((await ask(port, 'GET', path, { headers: { host } })).status, 421, path);
      const request = new Request(`http://localhost:3000${path}`, { headers: { host } });
      assert.equal((await route.GET(request)).status, 421, path);
    }
  });
});

describe('what breaks behind the adapter', GUARD, () => {
  const STREAM = { headers: { 'content-type': 'text/event-stream' } };
  const event = new TextEncoder().encode('data: 1\n\n');

  for (const [name, start, get] of [
    ['http', createServer, (port) => ask(port, 'GET', '/')],
    ['http2', createHttp2, (port) => connect(`http://127.0.0.1:${port}`)('GET', '/')],
  ]) {
    test(`a stream that breaks ends its request alone, and the process goes on: ${name}`, async (t) => {
      const unhandled = t.mock.fn();
      process.on('unhandledRejection', unhandled);
      t.after(() => process.removeListener('unhandledRejection', unhandled));
      let parts = 0;
      const body = () =>
        new ReadableStream({
          pull(controller) {
            parts += 1;
            if (parts % 2) controller.enqueue(event);
            else controller.error(new Error('the hub has gone'));
          },
        });
      const port = await listen(start(toNodeHandler(async () => new Response(body(), STREAM))));
      await assert.rejects(get(port));
      await assert.rejects(get(port));
      assert.equal(unhandled.mock.callCount(), 0);
    });
  }

  test('a body that breaks, or a relay that rejects, ends the connection and not the process', async () => {
    const broken = () =>
      new ReadableStream({
        start(controller) {
          controller.error(new Error('broken'));
        },
      });
    for (const relay of [async () => new Response(broken()), () => Promise.reject(new Error('no'))]) {
      const port = await listen(createServer(toNodeHandler(relay)));
      await assert.rejects(ask(port, 'GET', '/'));
    }
  });

  test('a reader that does not read stops the stream', async () => {
    const chunk = new Uint8Array(64 * 1024);
    let pulled = 0;
    let isCancelled = false;
    const body = new ReadableStream({
      pull(controller) {
        pulled += 1;
        controller.enqueue(chunk);
      },
      cancel() {
        isCancelled = true;
      },
    });
    const port = await listen(createServer(toNodeHandler(async () => new Response(body, STREAM))));
    const request = httpRequest({ port, host: '127.0.0.1', agent: false }).end();
    const [response] = await once(request, 'response');
    // It settles where the buffers of both sides are full.
    let before = -1;
    while (before !== pulled) {
      before = pulled;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    assert.ok(pulled * chunk.length < 64 * 1024 * 1024, `${pulled} chunks`);
    response.destroy();
    await come(() => isCancelled);
  });

  for (const [name, start] of [
    ['http', createServer],
    ['http2', createHttp2],
  ]) {
    test(`a client that left before the relay was called is not answered: ${name}`, async () => {
      let isCalled = false;
      const relay = async () => {
        isCalled = true;
        return new Response(new ReadableStream({ pull: (controller) => controller.enqueue(event) }), STREAM);
      };
      let leave;
      let resolve;
      const called = new Promise((resolveCalled) => {
        resolve = resolveCalled;
      });
      // Another part of the server is busy until the client has left.
      const port = await listen(
        start(async (request, response) => {
          const closed = once(response, 'close');
          leave();
          await closed;
          resolve(toNodeHandler(relay)(request, response));
        }),
      );
      if (name === 'http') {
        const request = httpRequest({ port, host: '127.0.0.1', agent: false }).on('error', () => {});
        leave = () => request.destroy();
        request.end();
      } else {
        const session = connectHttp2(`http://127.0.0.1:${port}`);
        closers.push(() => session.destroy());
        const stream = session.request({ ':path': '/' }).on('error', () => {});
        leave = () => stream.close(constants.NGHTTP2_CANCEL);
      }
      await called;
      assert.equal(isCalled, false);
    });
  }

  test('a client that left while the relay worked leaves no stream behind', async () => {
    let isCancelled = false;
    const body = new ReadableStream({
      cancel() {
        isCancelled = true;
      },
    });
    let answer;
    let isAsked = false;
    const relay = () =>
      new Promise((resolve) => {
        isAsked = true;
        answer = () => resolve(new Response(body, STREAM));
      });
    const incoming = [];
    const listening = createServer((request, response) => {
      incoming.push(once(response, 'close'));
      toNodeHandler(relay)(request, response);
    });
    const port = await listen(listening);
    const request = httpRequest({ port, host: '127.0.0.1', agent: false }).on('error', () => {});
    request.end();
    await come(() => isAsked);
    request.destroy();
    await incoming[0];
    answer();
    await come(() => isCancelled);
  });

  test('a method that no Request can have is refused, and logged', async () => {
    const port = await listen(createServer(toNodeHandler(make())));
    assert.equal((await ask(port, 'TRACE', '/health')).status, 400);
    assert.equal(relays.events.at(-1).code, 'invalid_request_error');
  });
});

test('a stream says that no proxy may keep or pack it', async () => {
  const hub = {
    create: async () => ({ id: 'a', view: { generation: { status: 'pending' } } }),
    getTask: async () => ({ generation: { status: 'pending' } }),
    watch: async () => ({ addEventListener() {}, accept() {}, close() {} }),
    picture: async () => undefined,
  };
  const relay = relays.make({ hub });
  const { body } = await relays.create(relay);
  const response = await relay(
    new Request(`https://relay.example/v1/tasks/${body.task_id}`, {
      headers: { 'x-user': 'ann', accept: 'text/event-stream' },
    }),
  );
  assert.equal(response.headers.get('content-type'), 'text/event-stream');
  assert.match(response.headers.get('cache-control'), /no-transform/);
  assert.equal(response.headers.get('x-accel-buffering'), 'no');
});
