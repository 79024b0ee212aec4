/** What the relay promises, sentence by sentence. What attackers try stands in `attacks.test.js`. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import {
  InvalidRequestError,
  LemonData,
  NotFoundError,
  PermissionDeniedError,
  RateLimitError,
  ServerError,
  TaskCancelledError,
  TaskFailedError,
  TaskNotFoundError,
} from 'lemondata-wasm';
import {
  anonymousByIp,
  cloudflareLimiter,
  createRelay,
  memoryLimiter,
  memoryStore,
  toNodeHandler,
} from 'lemondata-wasm/relay';
import { startProxy } from '../faults/proxy.js';
import { startServer } from '../server/index.js';
import { CREATE, clientOf, come, createHarness, KEY, PROMPT, RELAY, SECRET } from './harness.js';

const PAGE = 'https://app.example';
const JSON_TYPE = { 'content-type': 'application/json' };
/** No test needs this long: it ends one that would hang. */
const GUARD = { timeout: 20_000 };
const TASK_MS = 3000;

/** The clock of the upstream and of the relays. */
const clock = { now: Date.UTC(2026, 0, 1) };
const now = () => clock.now;
let server;
/** A request that arrives here was sent to the wrong place. */
let foreign;
let make;
let ask;
let create;
let keyed;
let poll;
let events;

before(async () => {
  foreign = await startServer();
  server = await startServer({
    apiKey: KEY,
    taskMs: TASK_MS,
    retryAfter: 7,
    foreignOrigin: foreign.url,
    now,
  });
});
after(async () => {
  await server.close();
  await foreign.close();
});
beforeEach(() => {
  server.reset();
  ({ make, ask, create, keyed, poll, events } = createHarness(server, clock));
});
afterEach(() => assert.deepEqual(foreign.counts.requests, []));

/** Checks that an answer is a refusal in the shape of the provider's errors, and shows nothing of the inside. */
function assertRefused({ status, headers, body, text }, expected, code) {
  assert.equal(status, expected, text);
  assert.equal(headers.get('content-type'), 'application/json');
  assert.equal(body.error.code, code);
  assert.equal(typeof body.error.message, 'string');
  assert.equal(typeof body.error.type, 'string');
  assert.doesNotMatch(text, /\.js|node_modules|Error:/);
}

/** What arrived at the upstream as creates. */
const sent = () => server.counts.requests.filter(({ method }) => method === 'POST').map(({ body }) => body);

describe('1. routes', () => {
  test('it mounts under any path prefix', async () => {
    const relay = make();
    for (const base of [
      'https://r.example',
      RELAY,
      'https://r.example/v1',
      'http://r.example:8080/a/b%20c/d',
    ]) {
      const made = await create(relay, { model: 'flux-pro' }, { base });
      assert.equal(made.status, 200, base);
      assert.equal((await poll(relay, made.body.task_id, { base })).status, 200, base);
      assert.deepEqual((await ask(relay, 'GET', '/health', { base })).body, { status: 'ok' });
    }
    assert.equal(server.counts.creates, 4);
    assert.equal(server.counts.polls, 4);
  });

  test('it exposes only create, task status and a health check: everything else is 404', async () => {
    const relay = make();
    for (const path of [
      '',
      '/',
      '/v1',
      '/v1/models/',
      '/v1/models/dall-e-3',
      '/v1/images',
      '/v1/tasks',
      '/v1/tasks/',
      '/v1/tasks/a/b',
      `${CREATE}/`,
      `${CREATE}x`,
      `${CREATE}/a/b`,
      '/v2/images/generations',
      '/v1/images%2fgenerations',
      '/v1/%69mages/generations',
      '/v1//images/generations',
      '/v1/images/generations;x',
      '/healthy',
      '/health/',
      '/files/a.png',
      '/v1/images/edits/',
      '/v1/images/variations',
      '/v1/chat/completions',
    ]) {
      for (const method of ['GET', 'POST', 'DELETE', 'OPTIONS']) {
        assertRefused(await ask(relay, method, path), 404, 'not_found');
      }
    }
    assert.deepEqual(server.counts.requests, []);
  });

  test('wrong methods are 405', async () => {
    const relay = make();
    for (const [path, allowed, wrong] of [
      [CREATE, 'POST, OPTIONS', ['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE']],
      ['/v1/tasks/t_a.b', 'GET, OPTIONS', ['HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']],
      [`${CREATE}/t_a.b`, 'GET, OPTIONS', ['POST', 'DELETE']],
      ['/health', 'GET, HEAD, OPTIONS', ['POST', 'DELETE']],
    ]) {
      for (const method of wrong) {
        const answer = await ask(relay, method, path);
        assertRefused(answer, 405, 'method_not_allowed');
        assert.equal(answer.headers.get('allow'), allowed);
      }
    }
    assert.deepEqual(server.counts.requests, []);
  });

  test('the health check sends nothing to the service, and needs no identity', async () => {
    // Monitors ask by HEAD.
    for (const method of ['GET', 'HEAD']) {
      assert.equal((await ask(make(), method, '/health', { user: '' })).status, 200, method);
    }
    assert.deepEqual(server.counts.requests, []);
  });

  test('upstream origin and routes are pinned: the query goes nowhere', async () => {
    const relay = make({ baseUrl: `${server.url}/` });
    const made = await ask(relay, 'POST', `${CREATE}?url=${foreign.url}&x=1#y`, {
      headers: JSON_TYPE,
      body: { prompt: PROMPT, model: 'flux-pro' },
    });
    await ask(relay, 'GET', `/v1/tasks/${made.body.task_id}?url=${foreign.url}`);
    const paths = server.counts.requests.map(({ path }) => path);
    assert.equal(paths[0], CREATE);
    assert.match(paths[1], /^\/v1\/images\/generations\/img_\w+$/);
  });
});

describe('options that are missing or wrong throw a TypeError with an explanation', () => {
  const good = { apiKey: KEY, secret: SECRET, authorize: () => 'ann', models: 'any' };

  for (const [name, options, message] of [
    ['none at all', undefined, /apiKey must be.*but is missing/],
    ['no object', 'options', /takes an object of options, but got "options"/],
    [
      'no authorize',
      { ...good, authorize: undefined },
      /authorize must be.*but is missing.*spend your balance.*anonymousByIp\(\)/,
    ],
    ['authorize is no function', { ...good, authorize: true }, /authorize must be.*but is true/],
    ['no apiKey', { ...good, apiKey: undefined }, /apiKey must be.*but is missing/],
    ['an empty apiKey', { ...good, apiKey: '' }, /apiKey must be.*but is an empty text/],
    [
      'an apiKey with the newline of its file',
      { ...good, apiKey: `${KEY}\n` },
      /apiKey.*without quotes and white space/,
    ],
    ['no secret', { ...good, secret: undefined }, /secret must be.*at least 32.*missing.*randomBytes/],
    ['a short secret', { ...good, secret: 'x'.repeat(31) }, /at least 32/],
    ['a short secret behind a good one', { ...good, secret: [SECRET, 'short'] }, /at least 32/],
    ['an empty list of secrets', { ...good, secret: [] }, /secret must be.*but is a list of 0/],
    [
      'a misspelt option',
      { ...good, allowedOrigin: [PAGE] },
      /knows no option allowedOrigin\. Did you mean allowedOrigins\?/,
    ],
    ['an option of the name of an inherited one', { ...good, constructor: 1 }, /knows no option constructor/],
    ...[
      '*',
      'null',
      'app.example',
      `${PAGE}/`,
      `${PAGE}/page`,
      'https://*.example',
      `${PAGE}:443`,
      '',
      5,
      'file://',
      'file://host',
      'wss://app.example',
      'data:text/html,x',
      'chrome-extension://*',
      'chrome-extension://abc/page.html',
      'chrome-extension://',
      'chrome-extension:abc',
      'CHROME-EXTENSION://abc',
      'moz-extension://*/x',
      'capacitor://local host',
      'capacitor://user@localhost',
    ].map((origin) => [
      `the origin ${origin}`,
      { ...good, allowedOrigins: [origin] },
      /allowedOrigins.*exact origins/,
    ]),
    ['origins that are no list', { ...good, allowedOrigins: PAGE }, /allowedOrigins/],
    ['a header name with a line break', { ...good, allowedHeaders: ['a\r\nb'] }, /allowedHeaders/],
    ['all headers', { ...good, allowedHeaders: ['*'] }, /allowedHeaders/],
    ...[
      '/v1',
      'ftp://x.example',
      'x.example',
      5,
      new URL('https://x.example'),
      'https://u:p@x.example',
      'https://x.example/?a=b',
      'https://x.example/v1/images/generations',
    ].map((baseUrl) => [`baseUrl ${baseUrl}`, { ...good, baseUrl }, /baseUrl must be an absolute URL/]),
    ['fetch', { ...good, fetch: 'fetch' }, /fetch must be/],
    ['requestTimeout', { ...good, requestTimeout: 0 }, /requestTimeout must be/],
    [
      'models neither listed nor any',
      { ...good, models: undefined },
      /models must be a list of models, or 'any', but is missing\. Name .*models: \['gpt-image-2'\].*models: 'any'\.$/,
    ],
    ['no models', { ...good, models: [] }, /models must be/],
    ['models as a word', { ...good, models: 'all' }, /models must be/],
    ['sizes', { ...good, sizes: '512x512' }, /sizes must be/],
    ...['maxN', 'maxPromptLength', 'maxBodyBytes'].flatMap((name) =>
      [0, -1, 1.5, '1.5', '', 'many', null, Number.NaN, Number.POSITIVE_INFINITY].map((value) => [
        `${name} ${JSON.stringify(value)}`,
        { ...good, [name]: value },
        new RegExp(`${name} must be a whole number`),
      ]),
    ),
    ...['ttlMs', 'bodyTimeoutMs', 'requestTimeout'].flatMap((name) =>
      [0, -1, '1d', '', '1,000', null, Number.NaN, Number.POSITIVE_INFINITY, 1e15].map((value) => [
        `${name} ${JSON.stringify(value)}`,
        { ...good, [name]: value },
        new RegExp(`${name} must be a number of milliseconds`),
      ]),
    ),
    // A timer of the platform would fire at once.
    ['bodyTimeoutMs beyond what a timer counts', { ...good, bodyTimeoutMs: 3e9 }, /to 2147483647/],
    ['requestTimeout beyond what a timer counts', { ...good, requestTimeout: 3e9 }, /to 2147483647/],
    ['extraFields', { ...good, extraFields: 'keep' }, /extraFields must be/],
    ...['prompt', 'model', 'n', 'size', 'user', '__proto__'].map((name) => [
      `the allowed field ${name}`,
      { ...good, allowedFields: [name] },
      /allowedFields must be/,
    ]),
    ['user', { ...good, user: 'ann' }, /user must be/],
    ['limiter', { ...good, limiter: true }, /limiter must be/],
    ['store', { ...good, store: {} }, /store must be/],
    ['store as a flag', { ...good, store: true }, /store must be/],
    ['hub', { ...good, hub: { create() {} } }, /hub must be/],
    ['log', { ...good, log: console }, /log must be/],
    ['logPrompts', { ...good, logPrompts: 'yes' }, /logPrompts must be/],
    ['allowCredentials', { ...good, allowCredentials: 1 }, /allowCredentials must be/],
    ['now', { ...good, now: 5 }, /now must be/],
  ]) {
    test(name, () => {
      assert.throws(
        () => createRelay(options),
        (error) => error instanceof TypeError && message.test(error.message) && !error.message.includes(KEY),
      );
    });
  }

  test('the limiters name what they need', () => {
    for (const options of [
      { creates: 0 },
      { polls: 1.5 },
      { creates: '' },
      { polls: 'unlimited' },
      { create: 1 },
    ]) {
      assert.throws(() => memoryLimiter(options), TypeError);
    }
    const binding = { limit: async () => ({ success: true }) };
    assert.throws(() => cloudflareLimiter(undefined), /rate limiting binding/);
    assert.throws(() => cloudflareLimiter({ creates: undefined }), /rate limiting binding/);
    assert.throws(() => cloudflareLimiter({ creates: binding, polls: {} }), /polls must be/);
    assert.throws(() => cloudflareLimiter({ creates: binding, periodSeconds: 30 }), /10 or 60/);
  });

  test('the store in memory names what it needs', () => {
    for (const options of [
      { ttlMs: Number.POSITIVE_INFINITY },
      { maxEntries: 0 },
      { maxLength: 'x' },
      { now: 5 },
    ]) {
      assert.throws(() => memoryStore(options), TypeError);
    }
  });

  test('numeric text is a number, as environment variables have it', async () => {
    const relay = make({ maxN: '2', ttlMs: '1000', bodyTimeoutMs: '10000', allowCredentials: 'false' });
    assertRefused(await create(relay, { n: 3 }), 400, 'invalid_request_error');
    const { body } = await create(relay, { n: 2, model: 'flux-pro' });
    assert.equal((await poll(relay, body.task_id)).status, 200);
    clock.now += 1001;
    assertRefused(await poll(relay, body.task_id), 404, 'async_task_not_found');
    const limiter = memoryLimiter({ creates: '1', now });
    assert.equal(limiter.take('ann', 'create'), 0);
    assert.equal(limiter.take('ann', 'create'), 60_000);
  });

  test('good ones do not', () => {
    createRelay(good);
    createRelay({
      ...good,
      secret: [SECRET, `${SECRET}2`],
      baseUrl: 'http://127.0.0.1:1/prefix/v1/',
      allowedOrigins: [],
      limiter: undefined,
    });
  });
});

describe('2. who may call', () => {
  test('a caller whom authorize refuses is refused, and nothing goes on', async () => {
    for (const refusal of [null, undefined, '', false]) {
      const relay = make({ authorize: () => refusal });
      assertRefused(await create(relay), 401, 'unauthorized');
      assertRefused(await poll(relay, 't_a.b'), 401, 'unauthorized');
    }
    assert.deepEqual(server.counts.requests, []);
  });

  test('an authorize that fails, at once or later, is a 503 that says nothing of it, and nothing goes on', async () => {
    for (const authorize of [
      () => {
        throw new Error('the database at 10.0.0.1');
      },
      async () => {
        throw 'the database at 10.0.0.1';
      },
    ]) {
      const answer = await create(make({ authorize }));
      assertRefused(answer, 503, 'relay_unavailable');
      assert.equal(answer.body.error.retryable, true);
      assert.doesNotMatch(answer.text, /database/);
      assert.match(String(events.find(({ event }) => event === 'authorize_failed').error), /database/);
    }
    assert.deepEqual(server.counts.requests, []);
  });

  describe('anonymous use is named, and counts the address', () => {
    /** The identity of an address, as the service gets it. */
    async function identityOf(context, headers = {}, authorize = anonymousByIp()) {
      server.reset();
      const answer = await create(make({ authorize }), {}, { context, headers, user: '' });
      return answer.status === 200 ? sent()[0].user : answer.status;
    }

    test('of IPv4', async () => {
      assert.equal(await identityOf({ ip: '192.0.2.1' }), 'ip:192.0.2.1');
    });

    test('of IPv6, by the network of a household, which has 56 bits', async () => {
      for (const ip of [
        '2001:db8:1:2::1',
        '2001:db8:1:ff::1',
        '2001:0DB8:0001:0002:aaaa:bbbb:cccc:dddd',
        '2001:db8:1:2:3:4:192.0.2.1',
        '2001:db8:1:2::%eth0',
      ]) {
        assert.equal(await identityOf({ ip }), 'ip:2001:db8:1:0::/56', ip);
      }
      assert.equal(await identityOf({ ip: '2001:db8:1:1ff::1' }), 'ip:2001:db8:1:100::/56');
      assert.equal(await identityOf({ ip: '2001:db8::1' }), 'ip:2001:db8:0:0::/56');
      assert.equal(await identityOf({ ip: '::1' }), 'ip:0:0:0:0::/56');
      assert.equal(await identityOf({ ip: 'fe80::' }), 'ip:fe80:0:0:0::/56');
    });

    test('of IPv6, by a network of another size', async () => {
      const sizes = { 128: '2001:db8:1:2ff:0:0:0:1/128', 64: '2001:db8:1:2ff::/64', 48: '2001:db8:1::/48' };
      for (const [ipv6Prefix, network] of Object.entries(sizes)) {
        const authorize = anonymousByIp({ ipv6Prefix });
        assert.equal(await identityOf({ ip: '2001:db8:1:2ff::1' }, {}, authorize), `ip:${network}`);
      }
      for (const ipv6Prefix of [0, 24, 129, 'all', null]) {
        assert.throws(
          () => anonymousByIp({ ipv6Prefix }),
          /anonymousByIp: ipv6Prefix must be a whole number/,
        );
      }
    });

    test('of IPv4 in IPv6, as IPv4', async () => {
      for (const ip of [
        '::ffff:192.0.2.1',
        '::FFFF:192.0.2.1',
        '::ffff:c000:201',
        '0:0:0:0:0:ffff:192.0.2.1',
      ]) {
        assert.equal(await identityOf({ ip }), 'ip:192.0.2.1', ip);
      }
    });

    test('and no header that anybody can send', async () => {
      const forged = {
        'x-forwarded-for': '198.51.100.7',
        'x-real-ip': '198.51.100.7',
        forwarded: 'for=198.51.100.7',
        'cf-connecting-ip': '198.51.100.7',
        'true-client-ip': '198.51.100.7',
      };
      assert.equal(await identityOf({ ip: '192.0.2.1' }, forged), 'ip:192.0.2.1');
      assert.equal(await identityOf(undefined, forged), 503);
      assert.equal(await identityOf({}, forged), 503);
    });

    test('but one that the operator names', async () => {
      const authorize = anonymousByIp({ from: (request) => request.headers.get('x-real-ip') });
      assert.equal(
        await identityOf(undefined, { 'x-real-ip': '198.51.100.7' }, authorize),
        'ip:198.51.100.7',
      );
      events.length = 0;
      assert.equal(await identityOf({ ip: '192.0.2.1' }, {}, authorize), 401);
      // A misspelt header must not look like callers that are not signed in.
      const [{ event, code, message }] = events;
      assert.deepEqual([event, code], ['refused', 'unauthorized']);
      assert.match(message, /anonymousByIp\(\{ from \}\) returned no address\. Check the name of the header/);
    });
  });

  test('allowedOrigins is CORS only, never authorisation', async () => {
    const relay = make({ allowedOrigins: [PAGE] });
    assertRefused(await create(relay, {}, { user: '', headers: { origin: PAGE } }), 401, 'unauthorized');
    // Outside of browsers, a client sends no origin.
    assert.equal((await create(relay)).status, 200);
  });

  test('a request that carries an Origin outside the list is refused', async () => {
    const relay = make({ allowedOrigins: [PAGE] });
    for (const [method, path] of [
      ['POST', CREATE],
      ['GET', '/v1/tasks/t_a.b'],
      ['GET', '/health'],
      ['OPTIONS', CREATE],
    ]) {
      const answer = await ask(relay, method, path, { headers: { origin: 'https://evil.example' } });
      assertRefused(answer, 403, 'origin_not_allowed');
      for (const [name] of answer.headers) assert.doesNotMatch(name, /^access-control/);
    }
    assert.deepEqual(server.counts.requests, []);
  });

  describe('extensions and apps have origins of their own', () => {
    for (const origin of [
      'chrome-extension://aapbdbdomjkkjkaonfhkkikfgjllcleb',
      'moz-extension://2c127fa4-62c7-7e4f-90e5-472b45eecfdc',
      'safari-web-extension://B5C3F4A1-0A2B-4C3D-8E9F-112233445566',
      'capacitor://localhost',
      'ionic://localhost',
      'tauri://localhost',
      'http://tauri.localhost',
      'app://my-app.example:8080',
    ]) {
      test(origin, async () => {
        const relay = make({ allowedOrigins: [origin] });
        const answer = await create(relay, {}, { headers: { origin } });
        assert.equal(answer.status, 200);
        assert.equal(answer.headers.get('access-control-allow-origin'), origin);
        for (const other of [
          `${origin}x`,
          origin.replace('://', '://x'),
          origin.replace(/^\w+/, 'x'),
          'null',
        ]) {
          assertRefused(await create(relay, {}, { headers: { origin: other } }), 403, 'origin_not_allowed');
        }
      });
    }

    test('of Firefox and Safari, another one for each installation', async () => {
      const relay = make({ allowedOrigins: ['moz-extension://*', 'safari-web-extension://*'] });
      for (const [origin, status] of [
        ['moz-extension://2c127fa4-62c7-7e4f-90e5-472b45eecfdc', 200],
        ['safari-web-extension://B5C3F4A1-0A2B-4C3D-8E9F-112233445566', 200],
        ['moz-extension://*', 403],
        ['moz-extension://', 403],
        ['moz-extension://a.example', 403],
        ['https://moz-extension', 403],
        ['chrome-extension://aapbdbdomjkkjkaonfhkkikfgjllcleb', 403],
        ['null', 403],
      ]) {
        assert.equal((await create(relay, {}, { headers: { origin } })).status, status, origin);
      }
    });
  });

  test("'self', the default, is the origin of the relay itself", async () => {
    for (const relay of [make(), make({ allowedOrigins: ['self', PAGE] })]) {
      const answer = await create(relay, {}, { headers: { origin: 'https://relay.example' } });
      assert.equal(answer.status, 200);
      assert.equal(answer.headers.get('access-control-allow-origin'), 'https://relay.example');
      for (const origin of [
        'self',
        'http://relay.example',
        'https://relay.example:444',
        'https://relay.exampl',
      ]) {
        assertRefused(await create(relay, {}, { headers: { origin } }), 403, 'origin_not_allowed');
      }
      const base = 'https://relay.example:8443';
      const withoutPort = { headers: { origin: 'https://relay.example' }, base };
      assertRefused(await create(relay, {}, withoutPort), 403, 'origin_not_allowed');
    }
    assertRefused(await create(make(), {}, { headers: { origin: PAGE } }), 403, 'origin_not_allowed');
  });

  test('creates require Content-Type: application/json', async () => {
    const relay = make();
    for (const type of [
      undefined,
      '',
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      'application/jsonp',
      'text/plain; application/json',
      'application/json, text/plain',
      'application/json; charset=utf-16',
      'application/json; version=1; charset=utf-16',
      'application/json; charset=utf-8; charset=iso-8859-1',
      'application/json; charset',
      'application/json version=1',
      'application/vnd.api+json',
    ]) {
      const headers = type === undefined ? {} : { 'content-type': type };
      const body = new TextEncoder().encode(JSON.stringify({ prompt: PROMPT }));
      const stream = new ReadableStream({
        start(controller) {
          controller.enqueue(body);
          controller.close();
        },
      });
      assertRefused(
        await ask(relay, 'POST', CREATE, { headers, body: stream }),
        415,
        'unsupported_media_type',
      );
    }
    assert.deepEqual(server.counts.requests, []);
    for (const type of [
      'application/json',
      'Application/JSON; charset=UTF-8',
      'application/json;charset="utf-8"',
      'application/json; charset=utf8',
      'application/json;',
      'application/json; odata.metadata=minimal; charset=utf-8',
    ]) {
      assert.equal((await create(relay, {}, { headers: { 'content-type': type } })).status, 200, type);
    }
  });

  test('a preflight is answered for exact origins only, and needs no identity', async () => {
    const relay = make({ allowedOrigins: [PAGE], allowedHeaders: ['x-session'] });
    const preflight = (path, method) =>
      ask(relay, 'OPTIONS', path, {
        user: '',
        headers: {
          origin: PAGE,
          'access-control-request-method': method,
          'access-control-request-headers': 'content-type,idempotency-key',
        },
      });
    for (const [path, method] of [
      [CREATE, 'POST'],
      ['/v1/tasks/t_a.b', 'GET'],
    ]) {
      const { status, headers, text } = await preflight(path, method);
      assert.equal(status, 204);
      assert.equal(text, '');
      assert.equal(headers.get('access-control-allow-origin'), PAGE);
      assert.equal(headers.get('access-control-allow-methods'), `${method}, OPTIONS`);
      assert.equal(
        headers.get('access-control-allow-headers'),
        'content-type, idempotency-key, x-lemondata-client, x-session',
      );
      assert.equal(headers.get('access-control-allow-credentials'), null);
      assert.equal(headers.get('vary'), 'origin');
    }
    assert.deepEqual(server.counts.requests, []);
  });

  test('a page that may call reads every refusal, also that of a wrong path', async () => {
    const relay = make({ allowedOrigins: [PAGE] });
    const headers = {
      origin: PAGE,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'content-type,idempotency-key',
    };
    const wrong = '/v1/image/generations';
    const asked = await ask(relay, 'OPTIONS', wrong, { user: '', headers });
    assert.equal(asked.status, 204);
    assert.equal(asked.headers.get('access-control-allow-origin'), PAGE);
    assert.equal(asked.headers.get('access-control-allow-methods'), 'GET, POST, OPTIONS');
    assert.match(asked.headers.get('access-control-allow-headers'), /content-type, idempotency-key/);
    const answer = await ask(relay, 'POST', wrong, { headers: { origin: PAGE }, body: {} });
    assertRefused(answer, 404, 'not_found');
    assert.equal(answer.headers.get('access-control-allow-origin'), PAGE);

    const others = { ...headers, origin: 'https://another.example' };
    for (const method of ['OPTIONS', 'POST']) {
      const refused = await ask(relay, method, wrong, { headers: others });
      assertRefused(refused, 404, 'not_found');
      assert.equal(refused.headers.get('access-control-allow-origin'), null);
    }
  });

  test('it exposes the headers that the client needs, on answers and on refusals', async () => {
    const relay = make({ allowedOrigins: [PAGE], limiter: memoryLimiter({ creates: 1, now }) });
    for (const expected of [200, 429]) {
      const { status, headers } = await create(relay, {}, { headers: { origin: PAGE } });
      assert.equal(status, expected);
      assert.equal(headers.get('access-control-allow-origin'), PAGE);
      assert.deepEqual(headers.get('access-control-expose-headers').split(', '), [
        'retry-after',
        'x-request-id',
        'x-billing-transaction-id',
        'x-ratelimit-limit',
        'x-ratelimit-remaining',
        'x-ratelimit-reset',
      ]);
      assert.equal(headers.get('vary'), 'origin');
      assert.equal(headers.get('cache-control'), 'no-store');
      assert.equal(headers.get('x-content-type-options'), 'nosniff');
    }
  });

  test('cookies pass only where the operator says so', async () => {
    const header = 'access-control-allow-credentials';
    const answer = (options) =>
      create(make({ allowedOrigins: [PAGE], ...options }), {}, { headers: { origin: PAGE } });
    assert.equal((await answer()).headers.get(header), null);
    assert.equal((await answer({ allowCredentials: true })).headers.get(header), 'true');
  });
});

describe('3. what may be asked', () => {
  test('models on the list, and one that is not is named, with those on offer', async () => {
    const relay = make({ models: ['dall-e-3', 'flux-pro'] });
    for (const model of ['dall-e-3', 'flux-pro']) {
      assert.equal((await create(relay, { model })).status, 200);
    }
    const refused = await create(relay, { model: 'gpt-image-1' });
    assertRefused(refused, 400, 'model_not_found');
    assert.deepEqual(refused.body.error, {
      message: 'This relay does not offer the model "gpt-image-1". It offers dall-e-3, flux-pro.',
      type: 'relay_error',
      code: 'model_not_found',
      param: 'model',
      suggestions: [{ id: 'dall-e-3' }, { id: 'flux-pro' }],
    });
    assert.equal(server.counts.creates, 2);
  });

  test('a create without a model gets the first one on offer, or leaves the choice to the service', async () => {
    for (const model of [undefined, null]) {
      assert.equal((await create(make({ models: ['flux-schnell', 'dall-e-2'] }), { model })).status, 200);
      assert.equal((await create(make(), { model })).status, 200);
    }
    assert.deepEqual(
      sent().map(({ model }) => model),
      ['flux-schnell', undefined, 'flux-schnell', undefined],
    );
  });

  test('a model is a short text', async () => {
    for (const models of ['any', ['dall-e-3']]) {
      const relay = make({ models });
      for (const model of [5, true, {}, ['dall-e-3'], '', 'x'.repeat(129)]) {
        assertRefused(await create(relay, { model }), 400, 'invalid_request_error');
      }
    }
    assert.deepEqual(server.counts.requests, []);
  });

  test('n up to the cap', async () => {
    const relay = make({ maxN: 2 });
    for (const n of [undefined, null, 1, 2]) assert.equal((await create(relay, { n })).status, 200);
    for (const n of [0, 3, -1, 1.5, '1', true, [1], 1e99]) {
      const refused = await create(relay, { n });
      assertRefused(refused, 400, 'invalid_request_error');
      assert.equal(refused.body.error.param, 'n');
    }
    assert.deepEqual(
      sent().map(({ n }) => n),
      [1, 1, 1, 2],
    );
  });

  test('sizes on the list: by default any of the usual form', async () => {
    const relay = make({ sizes: ['512x512'] });
    assert.equal((await create(relay, { size: '512x512' })).status, 200);
    for (const size of ['1024x1024', 'auto', 512, ['512x512']]) {
      assertRefused(await create(relay, { size }), 400, 'invalid_request_error');
    }
    const usual = make();
    for (const size of ['auto', '64x64', undefined, null]) {
      assert.equal((await create(usual, { size })).status, 200);
    }
    for (const size of ['1x1', '999999x1', '0512x512', '64x64 ', '64X64', '64x64\n', {}]) {
      assertRefused(await create(usual, { size }), 400, 'invalid_request_error');
    }
  });

  test('prompts up to a length, and no other kind of prompt', async () => {
    const relay = make({ maxPromptLength: 10 });
    assert.equal((await create(relay, { prompt: 'x'.repeat(10) })).status, 200);
    for (const prompt of ['x'.repeat(11), '', undefined, null, 5, ['x'], { length: 1 }]) {
      const refused = await create(relay, { prompt });
      assertRefused(refused, 400, 'invalid_request_error');
      assert.equal(refused.body.error.param, 'prompt');
    }
    assert.equal(server.counts.creates, 1);
  });

  test('words up to a length', async () => {
    const relay = make();
    const fields = { quality: 'hd', style: 'vivid', response_format: 'b64_json' };
    assert.equal((await create(relay, fields)).status, 200);
    assert.deepEqual(sent()[0], { prompt: PROMPT, n: 1, ...fields, user: 'ann' });
    for (const name of Object.keys(fields)) {
      for (const value of ['x'.repeat(33), 5, {}, true]) {
        assertRefused(await create(relay, { [name]: value }), 400, 'invalid_request_error');
      }
    }
  });

  test('bodies up to a size', async () => {
    const relay = make({ maxBodyBytes: 100 });
    const padded = (size) => JSON.stringify({ prompt: 'x' }).padEnd(size);
    assert.equal((await create(relay, padded(100))).status, 200);
    assertRefused(await create(relay, padded(101)), 413, 'payload_too_large');
    const lying = await create(relay, padded(50), { headers: { 'content-length': '101' } });
    assertRefused(lying, 413, 'payload_too_large');
    assert.equal(server.counts.creates, 1);
  });

  test('a body without an end is answered at the cap, and not cancelled', GUARD, async () => {
    let pulled = 0;
    let isCancelled = false;
    const body = new ReadableStream({
      pull(controller) {
        pulled += 1;
        controller.enqueue(new Uint8Array(65_536).fill(32));
      },
      cancel() {
        isCancelled = true;
      },
    });
    const relay = make({ maxBodyBytes: 100 });
    assertRefused(await ask(relay, 'POST', CREATE, { headers: JSON_TYPE, body }), 413, 'payload_too_large');
    // Behind a framework, that may end the process.
    assert.equal(isCancelled, false);
    assert.ok(pulled <= 1100, `${pulled} chunks were taken`);
  });

  test('a body that does not end in time is answered, and what comes later is dropped', GUARD, async () => {
    let isCancelled = false;
    let controller;
    const body = new ReadableStream({
      start(given) {
        controller = given;
      },
      cancel() {
        isCancelled = true;
      },
    });
    const relay = make({ bodyTimeoutMs: 5 });
    assertRefused(
      await ask(relay, 'POST', CREATE, { headers: JSON_TYPE, body }),
      400,
      'invalid_request_error',
    );
    assert.equal(isCancelled, false);
    for (let count = 0; count < 3; count += 1) controller.enqueue(new Uint8Array(1));
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(controller.desiredSize, 1, 'nothing is kept');
  });

  test('a field that is not known is refused by name, dropped or passed, as the operator chooses', async () => {
    const fields = { image_urlz: ['https://x.example/1.png'], user: 'bob' };
    const refused = await create(make(), fields);
    assertRefused(refused, 400, 'invalid_request_error');
    assert.equal(refused.body.error.message, 'This relay does not know the field "image_urlz".');
    assert.equal(refused.body.error.param, 'image_urlz');
    assert.match(refused.body.error.hint, /allowedFields.*extraFields: 'drop'/);
    assert.deepEqual(server.counts.requests, []);

    const made = { prompt: PROMPT, n: 1, user: 'ann' };
    assert.equal((await create(make({ extraFields: 'drop' }), fields)).status, 200);
    assert.deepEqual(sent()[0], made);

    const listed = make({ allowedFields: ['strength'] });
    assert.equal((await create(listed, { strength: { deep: [1] } })).status, 200);
    assert.deepEqual(sent()[1], { ...made, strength: { deep: [1] } });

    const open = make({ extraFields: 'pass' });
    assert.equal((await create(open, { a_new_field: { deep: [1] }, seed: 7, user: 'bob' })).status, 200);
    assert.deepEqual(sent()[2], { ...made, a_new_field: { deep: [1] }, seed: 7 });
    const nest = (depth) => (depth === 0 ? 1 : [nest(depth - 1)]);
    assertRefused(await create(open, { a_new_field: nest(40) }), 400, 'invalid_request_error');
  });

  test('a field that the operator lists passes unchecked, a documented one as well', async () => {
    const relay = make({ allowedFields: ['seed'] });
    // The service judges it, and refuses.
    assert.equal((await create(relay, { seed: { deep: [1] } })).status, 400);
    assert.deepEqual(sent()[0].seed, { deep: [1] });
  });

  test('user is set from the identity, or as the operator says', async () => {
    await create(make(), { user: 'bob' });
    await create(make({ user: (identity) => `hash of ${identity}` }), { user: 'bob' });
    await create(make({ user: false }), { user: 'bob' });
    await create(make({ user: () => undefined }), { user: 'bob' });
    assert.deepEqual(
      sent().map(({ user }) => user),
      ['ann', 'hash of ann', undefined, undefined],
    );
  });

  test('user may be looked up: its function may return a promise', async () => {
    const { status, text } = await create(make({ user: async (identity) => `user of ${identity}` }));
    assert.equal(status, 200, text);
    assert.equal(sent()[0].user, 'user of ann');
  });

  test('where user fails or returns no text, nothing goes on and the log says why', async () => {
    for (const user of [() => 5, async () => null, () => ({}), () => Promise.reject(new Error('no users'))]) {
      assertRefused(await create(make({ user })), 503, 'relay_unavailable');
      assert.match(String(events.find(({ event }) => event === 'user_failed').error), /user must|no users/);
      events.length = 0;
    }
    assert.deepEqual(server.counts.requests, []);
  });

  test("refusals look like the provider's errors, so that the client's classes work unchanged", async () => {
    const relay = make({
      models: ['dall-e-3'],
      store: false,
      limiter: memoryLimiter({ creates: 3, now }),
      authorize: (request) => request.headers.get('x-user') || null,
    });
    const errorOf = (options, request) =>
      clientOf(relay, options)
        .generate({ prompt: PROMPT, ...request })
        .catch((error) => error);

    const model = await errorOf({}, { model: 'none' });
    assert.ok(model instanceof InvalidRequestError);
    assert.equal(model.code, 'model_not_found');
    assert.equal(model.param, 'model');
    assert.deepEqual(model.suggestions, [{ id: 'dall-e-3' }]);
    assert.equal(model.outcome, 'rejected');
    const key = await errorOf({ relay: true });
    assert.ok(key instanceof InvalidRequestError);
    assert.equal(key.code, 'idempotency_not_supported');
    await errorOf({}, { n: 9 });
    const limit = await errorOf({});
    assert.ok(limit instanceof RateLimitError);
    assert.equal(limit.retryAfterMs, 20_000);
    assert.equal(limit.outcome, 'rejected');
    const refused = await errorOf({ headers: {} });
    assert.equal(refused.kind, 'authentication');
    assert.deepEqual(server.counts.requests, []);
  });
});

describe('4. whose task', () => {
  /** Creates a task, and tells the reference to it. */
  async function start(relay, fields, more) {
    const { body, text } = await create(relay, { model: 'flux-pro', ...fields }, more);
    assert.ok(body.task_id, text);
    return body.task_id;
  }

  test('a caller polls only tasks that it created', async () => {
    const relay = make();
    const reference = await start(relay);
    assert.equal((await poll(relay, reference)).body.status, 'pending');
    assertRefused(await poll(relay, reference, { user: 'bob' }), 404, 'async_task_not_found');
    assertRefused(await poll(relay, reference, { user: 'ann ' + 'x' }), 404, 'async_task_not_found');
    assert.equal(server.counts.polls, 1);
  });

  test('a reference is safe in a path, in place of the id', async () => {
    for (const pollPath of ['images', 'tasks', 'none']) {
      const other = await startServer({ apiKey: KEY, pollPath, now });
      try {
        const reference = await start(make({ baseUrl: other.url }));
        assert.equal(encodeURIComponent(reference), reference);
        assert.match(reference, /^t_[\w-]+\.[\w-]+$/);
        assert.ok(reference.length < 300);
      } finally {
        await other.close();
      }
    }
  });

  test("every answer's id, task_id and poll_url is rewritten", async () => {
    const relay = make();
    server.next({
      on: 'create',
      reply: { body: { id: 'img_1', task_id: 'img_1', status: 'pending', poll_url: '/v1/tasks/img_1' } },
    });
    const made = await create(relay);
    const reference = made.body.task_id;
    assert.deepEqual(made.body, {
      status: 'pending',
      id: reference,
      task_id: reference,
      poll_url: `/v1/tasks/${reference}`,
    });
    for (const body of [
      { id: 'img_1', status: 'processing', progress: 5 },
      {
        task_id: 'img_1',
        poll_url: '/v1/images/generations/img_1',
        status: 'completed',
        data: [{ url: 'u' }],
      },
      { id: 'img_1', task_id: 'img_1', status: 'failed', error: 'no' },
      { id: 'img_1', poll_url: '/v1/tasks/img_1', status: 'failed', cancelled: true, error: 'no' },
    ]) {
      server.next({ on: 'poll', reply: { body } });
      const answer = await poll(relay, reference);
      assert.equal(answer.status, 200);
      assert.equal(answer.body.status, body.status);
      assert.equal(answer.body.task_id, reference);
      assert.equal(answer.body.poll_url, `/v1/tasks/${reference}`);
      if (body.id) assert.equal(answer.body.id, reference);
      assert.doesNotMatch(answer.text, /img_1/);
    }
  });

  test('also where a create has failed or is done at once', async () => {
    for (const [body, status] of [
      [{ id: 'img_1', status: 'failed', error: 'Content policy violation' }, 'failed'],
      [{ id: 'img_1', poll_url: '/v1/tasks/img_1', data: [{ url: 'https://x.example/1.png' }] }, 'completed'],
    ]) {
      server.next({ on: 'create', reply: { body } });
      const answer = await create(make());
      assert.equal(answer.status, 200, answer.text);
      assert.equal(answer.body.status, status);
      assert.equal(answer.body.error, body.error);
      assert.doesNotMatch(answer.text, /img_1/);
      assert.equal(answer.body.id, answer.body.task_id);
    }
  });

  test('an answer that names no task gets no reference', async () => {
    const { body } = await create(make());
    assert.deepEqual(Object.keys(body).sort(), ['created', 'data', 'status']);
    server.next({
      on: 'create',
      reply: { body: { id: '', task_id: '', poll_url: '', data: [{ url: 'u' }] } },
    });
    const odd = await create(make());
    assert.deepEqual(Object.keys(odd.body).sort(), ['data', 'status']);
  });

  test('both poll routes accept them, and ask where the provider wants to be asked', async () => {
    for (const [pollPath, route] of [
      ['images', '/v1/images/generations/img_'],
      ['tasks', '/v1/tasks/ldtask_'],
    ]) {
      const other = await startServer({ apiKey: KEY, pollPath, now });
      try {
        const relay = make({ baseUrl: other.url });
        const reference = await start(relay);
        for (const path of [`/v1/tasks/${reference}`, `${CREATE}/${reference}`]) {
          assert.equal((await ask(relay, 'GET', path)).status, 200, path);
          assert.ok(other.counts.requests.at(-1).path.startsWith(route));
        }
      } finally {
        await other.close();
      }
    }
  });

  test('a forged one answers 404 async_task_not_found, as if it did not exist', async () => {
    const relay = make();
    const reference = await start(relay);
    const other = await start(relay);
    const [payload, signature] = reference.split('.');
    const [, otherSignature] = other.split('.');
    const genuine = await poll(relay, other, { user: 'bob' });
    for (const forged of [
      'img_abc123def456',
      't_',
      't_.',
      `${payload}.${otherSignature}`,
      `${payload}.${'A'.repeat(43)}`,
      `${payload}x.${signature}`,
      `${payload}.${signature}A`,
      `${payload}.${signature}=`,
      `x${reference}`,
      reference.toUpperCase(),
      encodeURIComponent(`${reference}\0`),
      `${reference}.${signature}`,
      `t_${'A'.repeat(5000)}.${signature}`,
      // Every single character of it counts.
      ...[...reference].map(
        (char, at) => `${reference.slice(0, at)}${char === 'A' ? 'B' : 'A'}${reference.slice(at + 1)}`,
      ),
      // The last one spells bits that decoding ignores.
      ...'AEIMQUYcgkosw048'
        .split('')
        .flatMap((char) =>
          [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_']
            .filter((last) => last === char || last.charCodeAt(0) - char.charCodeAt(0) < 4)
            .map((last) => `${reference.slice(0, -1)}${last}`),
        ),
    ]) {
      if (forged === reference) continue;
      const answer = await poll(relay, forged);
      assertRefused(answer, 404, 'async_task_not_found');
      assert.equal(answer.text, genuine.text, 'it does not tell why');
    }
    assert.equal(server.counts.polls, 0);
  });

  test('a truncated one, too', async () => {
    const relay = make();
    const reference = await start(relay);
    for (let length = 1; length < reference.length; length += 1) {
      assertRefused(await poll(relay, reference.slice(0, length)), 404, 'async_task_not_found');
    }
    assert.equal(server.counts.polls, 0);
  });

  test('an expired one, too', async () => {
    const relay = make({ ttlMs: 60_000 });
    const reference = await start(relay);
    clock.now += 59_000;
    assert.equal((await poll(relay, reference)).status, 200);
    clock.now += 2000;
    assertRefused(await poll(relay, reference), 404, 'async_task_not_found');
    assert.equal(server.counts.polls, 1);
  });

  test('a secret can be rotated without losing tasks, and one that is gone is worth nothing', async () => {
    const [old, fresh] = [SECRET, 'another secret, which is long enough, too'];
    const reference = await start(make({ secret: old }));
    const both = make({ secret: [fresh, old] });
    assert.equal((await poll(both, reference)).status, 200);
    const signedByFresh = await start(both);
    assert.equal((await poll(make({ secret: fresh }), signedByFresh)).status, 200);
    assertRefused(await poll(make({ secret: fresh }), reference), 404, 'async_task_not_found');
    assertRefused(await poll(make({ secret: old }), signedByFresh), 404, 'async_task_not_found');
  });

  test('no state is needed: another process with the same secret accepts them', async () => {
    const reference = await start(make());
    assert.equal((await poll(make(), reference)).status, 200);
  });

  test('a poll URL on another server is not called, and the task is not lost', async () => {
    const relay = make();
    const reference = await start(relay, { model: 'test-foreign-poll-url' });
    assert.equal((await poll(relay, reference)).body.status, 'pending');
    assert.deepEqual(foreign.counts.requests, []);
  });

  test('a poll URL of any length does not lose the task', async () => {
    const relay = make();
    const { id } = server.tasks.start({ prompt: PROMPT, n: 1, traits: {}, scenarios: [], images: () => [] });
    const poll_url = `/v1/tasks/${id}?${'x'.repeat(8000)}`;
    server.next({ on: 'create', reply: { body: { task_id: id, status: 'pending', poll_url } } });
    const { body } = await create(relay);
    assert.equal((await poll(relay, body.task_id)).status, 200);
  });

  test('the client waits with references as with ids, and can resume with them', async () => {
    const relay = make();
    const lemon = clientOf(relay);
    const generation = await lemon.generate({ prompt: PROMPT, model: 'flux-pro' });
    assert.match(generation.task_id, /^t_/);
    clock.now += TASK_MS;
    const done = await lemon.waitForTask(JSON.parse(JSON.stringify(generation)));
    assert.equal(done.status, 'completed');
    assert.equal((await lemon.waitForTask(generation.task_id)).data.length, 1);
  });
});

describe('5. rate limits', () => {
  test('per identity, and creates apart from polls', async () => {
    const relay = make({ limiter: memoryLimiter({ creates: 2, polls: 1, now }) });
    for (const status of [200, 200, 429]) assert.equal((await create(relay)).status, status);
    assert.equal((await create(relay, {}, { user: 'bob' })).status, 200);
    for (const status of [404, 429]) assert.equal((await poll(relay, 't_a.b')).status, status);
    assert.equal(server.counts.creates, 3);
  });

  test('429 with Retry-After, after which the next one passes', async () => {
    const relay = make({ limiter: memoryLimiter({ creates: 2, now }) });
    await create(relay);
    await create(relay);
    const refused = await create(relay);
    assertRefused(refused, 429, 'rate_limit_exceeded');
    assert.equal(refused.headers.get('retry-after'), '30');
    assert.equal(refused.body.error.retry_after, 30);
    assert.equal(refused.body.error.retryable, true);
    clock.now += 29_000;
    assert.equal((await create(relay)).status, 429);
    clock.now += 1000;
    assert.equal((await create(relay)).status, 200);
    assert.equal((await create(relay)).status, 429);
    // However long a caller waits, it saves up no more than that.
    clock.now += 3_600_000;
    for (const status of [200, 200, 429]) assert.equal((await create(relay)).status, status);
  });

  test('a clock that goes back neither refills an allowance nor takes from it', async () => {
    const limiter = memoryLimiter({ creates: 2, now });
    const passes = () => limiter.take('ann', 'create') === 0;
    assert.ok(passes());
    clock.now -= 60_000;
    assert.ok(passes());
    assert.ok(!passes());
    clock.now += 60_000;
    assert.ok(!passes());
    clock.now += 30_000;
    assert.ok(passes());
  });

  test('a limiter that never lets a caller in again gives no time, since no header can say it', async () => {
    const answer = await create(make({ limiter: { take: () => Number.POSITIVE_INFINITY } }));
    assertRefused(answer, 429, 'rate_limit_exceeded');
    assert.equal(answer.headers.get('retry-after'), null);
    assert.equal('retry_after' in answer.body.error, false);
  });

  test('and its clients do not try again by themselves', async () => {
    let takes = 0;
    const take = () => {
      takes += 1;
      return Number.POSITIVE_INFINITY;
    };
    const lemon = clientOf(make({ limiter: { take } }), { maxRetries: 3 });
    await assert.rejects(lemon.generate({ prompt: PROMPT, model: 'flux-pro' }), RateLimitError);
    assert.equal(takes, 1);
    assert.deepEqual(
      events.filter(({ event }) => event === 'refused'),
      [],
      'the operator has set the limit, and needs no notice',
    );
  });

  test('one is on by default', async () => {
    const relay = make({ limiter: undefined });
    let passed = 0;
    while (passed < 100 && (await create(relay)).status === 200) passed += 1;
    assert.ok(passed > 0 && passed < 100, `${passed} creates`);
  });

  test('requests that are refused for what they ask count, too', async () => {
    const relay = make({ limiter: memoryLimiter({ creates: 1, now }) });
    assert.equal((await create(relay, 'no json')).status, 400);
    assert.equal((await create(relay)).status, 429);
  });

  test('a limiter that fails lets no request through', async () => {
    const relay = make({
      limiter: {
        async take() {
          throw new Error('the binding at 10.0.0.1');
        },
      },
    });
    const answer = await create(relay);
    assertRefused(answer, 503, 'relay_unavailable');
    assert.equal(answer.body.error.retryable, true);
    assert.ok(events.some(({ event }) => event === 'limiter_failed'));
    assert.deepEqual(server.counts.requests, []);
  });

  test("Cloudflare's binding is asked by identity, for creates and, where there is one, for polls", async () => {
    const asked = [];
    const binding = (name, success) => ({
      async limit({ key }) {
        asked.push([name, key]);
        return { success };
      },
    });
    const both = cloudflareLimiter({ creates: binding('create', true), polls: binding('poll', false) });
    assert.equal(await both.take('ann', 'create'), 0);
    assert.equal(await both.take('ann', 'poll'), 60_000);
    assert.deepEqual(asked, [
      ['create', 'ann'],
      ['poll', 'ann'],
    ]);
    const one = cloudflareLimiter({ creates: binding('create', false), periodSeconds: 10 });
    assert.equal(await one.take('ann', 'create'), 10_000);
    assert.equal(await one.take('ann', 'poll'), 0);
  });
});

describe('6. once only', () => {
  test('the same key from the same identity gets the same answer, and one upstream create', async () => {
    const relay = make({ store: memoryStore() });
    const first = await keyed(relay, 'k', { model: 'flux-pro' });
    clock.now += 1000;
    const second = await keyed(relay, 'k', { model: 'flux-pro' });
    assert.equal(second.status, 200);
    assert.equal(second.text, first.text);
    assert.equal(second.headers.get('x-request-id'), first.headers.get('x-request-id'));
    assert.equal(server.counts.creates, 1);
    assert.equal(events.at(-1).repeated, true);
    assert.equal(events[0].repeated, undefined);
  });

  test('also when two arrive at once', async () => {
    const relay = make({ store: memoryStore() });
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => keyed(relay, 'k', { model: 'test-slow:20' })),
    );
    assert.equal(new Set(answers.map(({ text }) => text)).size, 1);
    assert.equal(answers[0].status, 200);
    assert.equal(server.counts.creates, 1);
  });

  test('the same key with another body is 422, also while the first one is under way', async () => {
    const relay = make({ store: memoryStore() });
    const first = keyed(relay, 'k', { model: 'test-slow:20' });
    await come(() => server.counts.creates === 1);
    const second = await keyed(relay, 'k', { model: 'test-slow:20', n: 2 });
    assertRefused(second, 422, 'idempotency_key_reused');
    assert.equal((await first).status, 200);
    assertRefused(await keyed(relay, 'k', { model: 'dall-e-3' }), 422, 'idempotency_key_reused');
    assert.equal(server.counts.creates, 1);
  });

  test('what is dropped from a body does not make it another one', async () => {
    const relay = make({ store: memoryStore(), extraFields: 'drop' });
    await keyed(relay, 'k', { strength: 1 });
    assert.equal((await keyed(relay, 'k', { strength: 2 })).status, 200);
    assert.equal(server.counts.creates, 1);
  });

  test('keys are per identity', async () => {
    const relay = make({ store: memoryStore() });
    await keyed(relay, 'k', { model: 'flux-pro' });
    const bob = await keyed(relay, 'k', { model: 'flux-pro' }, { user: 'bob' });
    assert.equal(bob.status, 200);
    assert.equal(server.counts.creates, 2);
    assert.equal((await poll(relay, bob.body.task_id, { user: 'bob' })).status, 200);
    // An identity and a key cannot be cut in another place.
    await keyed(relay, 'cd', {}, { user: 'ab' });
    await keyed(relay, 'd', {}, { user: 'abc' });
    assert.equal(server.counts.creates, 4);
  });

  test('an upstream outcome that is unknown is stored and returned, never sent again', async () => {
    for (const [index, model] of [
      'test-reset',
      'test-inline-truncated',
      'test-error-500',
      'test-error-502-html',
      'test-error-503-final',
      'test-error-503-bare',
      'test-error-504',
      'test-error-408',
      'test-error-520',
      'test-html',
    ].entries()) {
      server.reset();
      const relay = make({ store: memoryStore() });
      const first = await keyed(relay, `k${index}`, { model });
      assert.ok(first.status >= 500, `${model}: ${first.status}`);
      for (let again = 0; again < 3; again += 1) {
        const repeated = await keyed(relay, `k${index}`, { model });
        assert.deepEqual([repeated.status, repeated.text], [first.status, first.text], model);
      }
      assert.equal(server.counts.creates, 1, model);
    }
  });

  test('so is a time-out', GUARD, async () => {
    const relay = make({ store: memoryStore(), requestTimeout: 500 });
    assertRefused(await keyed(relay, 'k', { model: 'test-hang' }), 502, 'upstream_error');
    assertRefused(await keyed(relay, 'k', { model: 'test-hang' }), 502, 'upstream_error');
    assert.equal(server.counts.creates, 1);
  });

  test('a duplicate of a refused request gets the same refusal', async () => {
    const relay = make({ store: memoryStore() });
    for (const model of ['test-error-400', 'test-error-402', 'test-error-422']) {
      const first = await keyed(relay, model, { model });
      assert.equal((await keyed(relay, model, { model })).text, first.text);
    }
    assert.equal(server.counts.creates, 3);
  });

  test('a refusal frees the key after its pause', async () => {
    for (const [model, status] of [
      ['test-error-429:1', 429],
      ['test-error-503-retryable:1', 503],
    ]) {
      server.reset();
      const relay = make({ store: memoryStore() });
      const refused = await keyed(relay, 'k', { model });
      assert.equal(refused.status, status);
      assert.equal(refused.headers.get('retry-after'), '7');
      clock.now += 7000;
      assert.equal((await keyed(relay, 'k', { model })).status, 200);
      assert.equal((await keyed(relay, 'k', { model })).status, 200);
      assert.equal(server.counts.creates, 2);
    }
  });

  test('so does a request that was never sent', async () => {
    let key = () => {
      throw new Error('the vault is closed');
    };
    const relay = make({ store: memoryStore(), apiKey: () => key() });
    const refused = await keyed(relay, 'k');
    assertRefused(refused, 503, 'relay_error');
    assert.equal(refused.body.error.retryable, true);
    assert.doesNotMatch(refused.text, /vault/);
    key = () => KEY;
    assert.equal((await keyed(relay, 'k')).status, 200);
    assert.equal(server.counts.creates, 1);
  });

  test('of those that wait for a key that is freed, one tries', async () => {
    let isClosed = true;
    const apiKey = async () => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      if (!isClosed) return KEY;
      isClosed = false;
      throw new Error('the vault is closed');
    };
    const relay = make({ store: memoryStore(), apiKey });
    const answers = await Promise.all(Array.from({ length: 4 }, () => keyed(relay, 'k')));
    assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 200, 200, 503]);
    assert.equal(server.counts.creates, 1);
  });

  test('without a store, a keyed create is 400', async () => {
    assertRefused(await keyed(make({ store: false }), 'k'), 400, 'idempotency_not_supported');
    assert.deepEqual(server.counts.requests, []);
  });

  test('a key is 1 to 255 visible characters', async () => {
    const relay = make({ store: memoryStore() });
    for (const key of ['', 'a b', 'x'.repeat(256), 'ü', 'a, b']) {
      assertRefused(await keyed(relay, key), 400, 'invalid_request_error');
    }
    assert.deepEqual(server.counts.requests, []);
    assert.equal((await keyed(relay, '~'.repeat(255))).status, 200);
  });

  test('a store that cannot claim has nothing done', async () => {
    const claim = async () => {
      throw new Error('the store is full');
    };
    const answer = await keyed(make({ store: { claim, settle() {} } }), 'k');
    assertRefused(answer, 503, 'relay_unavailable');
    assert.deepEqual(server.counts.requests, []);
  });

  test('a store that cannot settle does not take the answer away', async () => {
    const settle = async () => {
      throw new Error('the store is full');
    };
    const answer = await keyed(make({ store: { async claim() {}, settle } }), 'k');
    assert.equal(answer.status, 200);
    assert.ok(events.some(({ event }) => event === 'store_failed'));
  });

  test('a store that has lost an answer has nothing done again', async () => {
    const claim = async (_, fingerprint) => ({ fingerprint, answer: undefined });
    assertRefused(await keyed(make({ store: { claim, settle() {} } }), 'k'), 500, 'server_error');
    assert.ok(events.some(({ event }) => event === 'failed'));
    assert.deepEqual(server.counts.requests, []);
  });

  test('the store sees neither prompt nor key nor identity', async () => {
    const seen = [];
    const store = {
      async claim(...values) {
        seen.push(...values);
      },
      async settle(key) {
        seen.push(key);
      },
    };
    await keyed(make({ store }), 'the-clients-key');
    assert.equal(seen.length, 3);
    for (const text of seen) assert.match(text, /^[0-9a-f]{64}$/);
  });

  describe('the store in memory', () => {
    const body = (size) => ({ status: 200, headers: {}, body: 'x'.repeat(size) });

    test('forgets what is old', async () => {
      const store = memoryStore({ ttlMs: 1000, now });
      await store.claim('k', 'f');
      await store.settle('k', body(1));
      assert.ok(await store.claim('k', 'f'));
      clock.now += 1000;
      assert.equal(await store.claim('k', 'f'), undefined);
    });

    test('drops the oldest answers where they are too long, and has none of them carried out again', async () => {
      const store = memoryStore({ maxLength: 1000, now });
      for (const key of ['a', 'b', 'c']) {
        await store.claim(key, 'f');
        await store.settle(key, body(400));
      }
      const { answer } = await store.claim('a', 'f');
      assert.equal(answer.status, 502);
      assert.match(answer.body, /answer_not_kept/);
      assert.equal((await store.claim('b', 'f')).answer.body.length, 400);
      assert.equal((await store.claim('c', 'f')).answer.body.length, 400);
      await store.claim('huge', 'f');
      await store.settle('huge', body(5000));
      assert.equal((await store.claim('huge', 'f')).answer.body.length, 5000, 'the latest is kept');
      assert.equal((await store.claim('c', 'f')).answer.status, 502);
      await store.claim('d', 'f');
      await store.settle('d', body(500));
      assert.equal((await store.claim('huge', 'f')).answer.status, 502);
      assert.equal((await store.claim('d', 'f')).answer.body.length, 500);
    });
  });

  describe('the client with relay: true', () => {
    /** A relay on a real connection, which a proxy can break. */
    async function overNetwork(t, options) {
      const relay = make({ store: memoryStore(), ...options });
      const http = createServer(toNodeHandler(relay)).listen(0, '127.0.0.1');
      await once(http, 'listening');
      const proxy = await startProxy(http.address().port);
      t.after(async () => {
        await proxy.close();
        http.closeAllConnections();
        http.close();
      });
      const lemon = new LemonData({
        baseUrl: proxy.url,
        relay: true,
        headers: { 'x-user': 'ann' },
        pollInterval: { min: 1, max: 2 },
      });
      return { proxy, lemon };
    }

    for (const mode of [
      'reset-before',
      'reset-after',
      'reset-in-head',
      'reset-in-body',
      'close-before',
      'close-after',
      'close-in-head',
      'close-in-body',
      'garbage',
    ]) {
      test(`gets a lost answer by asking again, and is billed once: ${mode}`, GUARD, async (t) => {
        const { proxy, lemon } = await overNetwork(t);
        await proxy.plan([{ on: 'create', mode }]);
        const generation = await lemon.generate({ prompt: PROMPT, model: 'flux-pro' });
        assert.equal(generation.status, 'pending');
        assert.equal(proxy.injected.create, 1);
        assert.equal(server.counts.creates, 1);
      });
    }

    test('also while the create is still under way', GUARD, async (t) => {
      const { proxy, lemon } = await overNetwork(t);
      await proxy.plan([{ on: 'create', mode: 'swallow' }]);
      const generation = await lemon.generate(
        { prompt: PROMPT, model: 'test-slow:150' },
        { requestTimeout: 60, maxRetries: 9 },
      );
      assert.equal(generation.status, 'completed');
      assert.equal(server.counts.creates, 1);
    });

    test('keys each create of its own, and none without relay: true', async () => {
      const keys = [];
      const relay = make({ store: memoryStore() });
      const fetch = (url, init) => {
        const request = new Request(url, init);
        keys.push(request.headers.get('idempotency-key'));
        return relay(request);
      };
      await clientOf(relay, { fetch, relay: true }).generate({ prompt: PROMPT });
      await clientOf(relay, { fetch, relay: true }).generate({ prompt: PROMPT });
      await clientOf(relay, { fetch }).generate({ prompt: PROMPT });
      assert.ok(keys[0] && keys[1] && keys[0] !== keys[1]);
      assert.equal(keys[2], null);
      assert.equal(server.counts.creates, 3);
    });
  });
});

describe('7. secrets stay', () => {
  test("the client's cookies and authorization never reach upstream, nor any other header of its own", async () => {
    const relay = make({ store: memoryStore() });
    const headers = {
      authorization: 'Bearer sk-of-the-client',
      cookie: 'session=1',
      'x-lemon-scenario': 'task',
      'x-forwarded-for': '192.0.2.1',
      'user-agent': 'the client',
      accept: 'text/html',
      referer: PAGE,
    };
    const made = await keyed(
      relay,
      'the-key-of-the-create',
      { model: 'flux-pro' },
      {
        headers: { ...headers, 'idempotency-key': 'the-key-of-the-create' },
      },
    );
    await poll(relay, made.body.task_id, { headers });
    assert.equal(server.counts.requests.length, 2);
    for (const { headers: arrived } of server.counts.requests) {
      assert.equal(arrived.authorization, `Bearer ${KEY}`);
      assert.equal(arrived.accept, 'application/json');
      for (const name of ['cookie', 'x-lemon-scenario', 'x-forwarded-for', 'referer', 'idempotency-key']) {
        assert.equal(arrived[name], undefined, name);
      }
      assert.notEqual(arrived['user-agent'], 'the client');
      assert.doesNotMatch(JSON.stringify(arrived), /\bann\b|of-the-create/);
    }
  });

  test('upstream headers never reach a client, but those that it needs', async () => {
    server.next({
      on: 'create',
      reply: {
        headers: {
          'set-cookie': 'a=b',
          'x-internal': '1',
          'access-control-allow-origin': '*',
          'x-request-id': `req of ${KEY}`,
          'content-type': 'text/html',
          server: 'nginx',
        },
        body: '{"data":[{"url":"https://x.example/1.png"}]}',
      },
    });
    const { headers } = await create(make());
    assert.deepEqual([...headers.keys()].sort(), [
      'cache-control',
      'content-type',
      'vary',
      'x-content-type-options',
      'x-ratelimit-limit',
      'x-ratelimit-remaining',
      'x-ratelimit-reset',
      'x-request-id',
    ]);
    assert.equal(headers.get('content-type'), 'application/json');
    assert.equal(headers.get('x-request-id'), 'req of [key]');
  });

  test('the key never reaches a client, where the upstream repeats it', async () => {
    for (const status of [200, 400, 401, 402, 403, 404, 422, 429, 500, 503]) {
      const error = { message: `your key ${KEY}`, hint: KEY, code: KEY, param: KEY, alternatives: [KEY] };
      const data = [{ url: `https://x.example/${KEY}` }];
      server.next({ on: 'create', reply: { status, body: { error, data } } });
      const answer = await create(make());
      assert.ok(!`${answer.text}${JSON.stringify([...answer.headers])}`.includes(KEY), `status ${status}`);
      assert.ok(!JSON.stringify(events).includes(KEY), `status ${status}`);
    }
  });

  test("errors of the account are its operator's affair", async () => {
    for (const model of [
      'test-error-401-echo',
      'test-error-401-expired',
      'test-error-402',
      'test-error-402-quota',
      'test-error-403',
    ]) {
      const answer = await create(make(), { model });
      assertRefused(answer, 403, 'upstream_refused');
      assert.doesNotMatch(answer.text, /balance|quota|\$|expired|Access denied|sk-/i);
      const { upstreamStatus, code } = events.at(-1);
      assert.ok([401, 402, 403].includes(upstreamStatus));
      assert.match(code, /api_key|balance|quota|access|model/, 'the operator sees it');
    }
    const error = await clientOf(make())
      .generate({ prompt: PROMPT, model: 'test-error-402' })
      .catch((thrown) => thrown);
    assert.ok(error instanceof PermissionDeniedError);
    assert.equal(error.outcome, 'rejected');
  });

  test('a model that the account may not use is skipped, as without a relay', async () => {
    const request = { prompt: PROMPT, model: 'test-error-403-model' };
    const found = await clientOf(make(), { fallback: ['dall-e-3'] }).generate(request);
    assert.equal(found.model, 'dall-e-3');
    assert.equal(found.skipped_models[0].error.code, 'model_not_allowed');
  });

  test('messages of 5xx are hidden, and what a client can act upon is not', async () => {
    const internal = 'connect ECONNREFUSED 10.0.0.1 at Object.<anonymous> (/srv/app.js:1:1)';
    for (const status of [500, 502, 503, 504, 520, 599]) {
      server.next({
        on: 'create',
        reply: { status, body: { error: { message: internal, stack: internal } } },
      });
      const answer = await create(make());
      assert.equal(answer.status, status);
      assert.doesNotMatch(answer.text, /ECONN|10\.0|srv/);
    }
    const { status, headers, body } = await create(make(), { model: 'test-error-503-retryable' });
    assert.equal(status, 503);
    assert.equal(headers.get('retry-after'), '7');
    assert.equal(body.error.retryable, true);
    assert.equal(body.error.retry_after, 7);
    assert.equal(body.error.code, 'all_channels_failed');
    assert.deepEqual(body.error.alternatives, [{ id: 'flux-schnell', status: 'available', tags: [] }]);
  });

  test('messages of 4xx pass, since they concern the request', async () => {
    const { body } = await create(make(), { model: 'test-error-422' });
    assert.equal(body.error.message, 'This size is not available');
    assert.equal(body.error.param, 'size');
  });

  test('error classes are unchanged in the client', async () => {
    const relay = make();
    const lemon = clientOf(relay);
    for (const [model, Class, outcome] of [
      ['error-400', InvalidRequestError, 'rejected'],
      ['error-404', NotFoundError, 'rejected'],
      ['error-413', InvalidRequestError, 'rejected'],
      ['error-422', InvalidRequestError, 'rejected'],
      ['error-429', RateLimitError, 'rejected'],
      ['error-500', ServerError, 'unknown'],
      ['error-502-html', ServerError, 'unknown'],
      ['error-503-retryable', ServerError, 'rejected'],
      ['error-503-final', ServerError, 'unknown'],
      ['error-408', ServerError, 'unknown'],
      ['reset', ServerError, 'unknown'],
      ['html', ServerError, 'unknown'],
    ]) {
      const error = await lemon
        .generate({ prompt: PROMPT, model: `test-${model}` })
        .catch((thrown) => thrown);
      assert.ok(error instanceof Class, `${model}: ${error}`);
      assert.equal(error.outcome, outcome, model);
    }
    for (const [model, Class, outcome] of [
      ['task-failed-string', TaskFailedError, 'failed'],
      ['task-failed-object', TaskFailedError, 'failed'],
      ['task-cancelled', TaskCancelledError, 'failed'],
      ['poll:error-404-task', TaskNotFoundError, 'accepted'],
    ]) {
      const task = await lemon.generate({ prompt: PROMPT, model: `test-${model}` });
      clock.now += 20_000;
      const error = await lemon.getTask(task).catch((thrown) => thrown);
      assert.ok(error instanceof Class, `${model}: ${error}`);
      assert.equal(error.outcome, outcome, model);
    }
  });

  test('a status that makes browsers send a create again does not reach them', async () => {
    const { status, body } = await create(make(), { model: 'test-error-408' });
    assert.equal(status, 504);
    assert.equal(body.error.code, 'timeout_error');
  });

  test('a status that no Response can have is an answer that cannot be used', async () => {
    // `Response` of Node cannot make one either, so this `fetch` brings a plain object.
    for (const status of [600, 999]) {
      const fetch = async () => ({ status, headers: new Headers(), text: async () => '{}' });
      assertRefused(await create(make({ fetch })), 502, 'upstream_error');
    }
  });

  test('an answer that cannot be used tells its request id', async () => {
    const answer = await create(make(), { model: 'test-html' });
    assertRefused(answer, 502, 'upstream_error');
    assert.equal(answer.headers.get('x-request-id'), server.counts.requests[0].id);
  });

  test('stack traces never reach a client, whatever breaks', async () => {
    const boom = () => {
      throw new Error(`boom at ${KEY}`);
    };
    for (const options of [
      { user: boom },
      { authorize: boom },
      { apiKey: boom },
      { limiter: { take: boom } },
      { fetch: boom },
      { store: { claim: boom, settle: boom } },
      { log: boom },
    ]) {
      const answer = await (options.store ? keyed(make(options), 'k') : create(make(options)));
      if (options.log) assert.equal(answer.status, 200);
      else assert.ok(answer.status >= 500, answer.text);
      assert.doesNotMatch(answer.text, /boom|\.js/);
    }
  });

  test('a client that disconnects ends its polls', GUARD, async () => {
    const relay = make();
    const { body } = await create(relay, { model: 'test-poll:hang' });
    const leaving = new AbortController();
    const polling = relay(
      new Request(`${RELAY}/v1/tasks/${body.task_id}`, {
        headers: { 'x-user': 'ann' },
        signal: leaving.signal,
      }),
    );
    await come(() => server.counts.polls === 1);
    leaving.abort();
    assert.equal((await polling).status, 499);
    await come(() => server.counts.aborted === 1);
    assert.equal(events.at(-1).status, 499);
  });

  test('and never an upstream create: that one finishes under waitUntil', GUARD, async () => {
    for (const key of [undefined, 'k']) {
      server.reset();
      const relay = make({ store: memoryStore() });
      const leaving = new AbortController();
      const kept = [];
      const creating = relay(
        new Request(`${RELAY}${CREATE}`, {
          method: 'POST',
          headers: { ...JSON_TYPE, 'x-user': 'ann', ...(key && { 'idempotency-key': key }) },
          body: JSON.stringify({ prompt: PROMPT, model: 'test-slow:50' }),
          signal: leaving.signal,
        }),
        { waitUntil: (promise) => kept.push(promise) },
      );
      await come(() => server.counts.creates === 1);
      leaving.abort();
      assert.equal(kept.length, 1);
      assert.equal((await kept[0]).status, 200);
      assert.equal((await creating).status, 200);
      assert.equal(server.counts.aborted, 0);
      if (key) {
        assert.equal((await keyed(relay, key, { model: 'test-slow:50' })).status, 200);
        assert.equal(server.counts.creates, 1);
      }
    }
  });

  test('the promise for waitUntil never rejects', async () => {
    const kept = [];
    const user = () => {
      throw new Error('boom');
    };
    const context = { waitUntil: (promise) => kept.push(promise) };
    await create(make({ fetch: user }), {}, { context });
    await create(make(), { model: 'test-reset' }, { context });
    await Promise.all(kept);
    assert.equal(kept.length, 2);
  });

  test('a connection that breaks ends the poll, and not the create, behind Node', GUARD, async (t) => {
    const http = createServer(toNodeHandler(make())).listen(0, '127.0.0.1');
    await once(http, 'listening');
    t.after(() => {
      http.closeAllConnections();
      http.close();
    });
    const url = `http://127.0.0.1:${http.address().port}`;
    const leaving = new AbortController();
    const headers = { ...JSON_TYPE, 'x-user': 'ann' };
    const body = JSON.stringify({ prompt: PROMPT, model: 'test-slow:60' });
    const creating = fetch(`${url}${CREATE}`, { method: 'POST', headers, body, signal: leaving.signal });
    await come(() => server.counts.creates === 1);
    leaving.abort();
    await assert.rejects(creating);
    await come(() => events.length === 1);
    assert.equal(events[0].status, 200);
    assert.equal(server.counts.aborted, 0);

    const made = await create(make(), { model: 'test-poll:hang' });
    const gone = new AbortController();
    const polling = fetch(`${url}/v1/tasks/${made.body.task_id}`, { headers, signal: gone.signal });
    await come(() => server.counts.polls === 1);
    gone.abort();
    await assert.rejects(polling);
    await come(() => server.counts.aborted === 1);
  });

  test('logs through an injected logger, key never in it, prompt text off by default', async () => {
    const relay = make({ store: memoryStore() });
    const made = await keyed(relay, 'k', { model: 'flux-pro' });
    await poll(relay, made.body.task_id);
    await poll(relay, 't_a.b');
    await create(relay, 'not json');
    await create(relay, { prompt: PROMPT.repeat(1000) });
    await ask(relay, 'GET', '/none');
    assert.deepEqual(
      events.map(({ event, method, route, status, identity, code, upstream, model, durationMs }) => ({
        event,
        method,
        route,
        status,
        identity,
        code,
        upstream,
        model,
        durationMs,
      })),
      [
        ['POST', 'create', 200, 'ann', undefined, 'create', 'flux-pro'],
        ['GET', 'poll', 200, 'ann', undefined, 'poll', undefined],
        ['GET', 'poll', 404, 'ann', 'async_task_not_found', undefined, undefined],
        ['POST', 'create', 400, 'ann', 'invalid_request_error', undefined, undefined],
        ['POST', 'create', 400, 'ann', 'invalid_request_error', undefined, undefined],
        ['GET', 'none', 404, undefined, 'not_found', undefined, undefined],
      ].map(([method, route, status, identity, code, upstream, model]) => ({
        event: 'request',
        method,
        route,
        status,
        identity,
        code,
        upstream,
        model,
        durationMs: 0,
      })),
    );
    assert.ok(!JSON.stringify(events).includes(PROMPT));
    assert.ok(!JSON.stringify(events).includes(KEY));

    await create(make({ logPrompts: true }));
    assert.equal(events.at(-1).prompt, PROMPT);
  });
});
