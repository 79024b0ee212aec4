/**
 * What attackers try, in Node and in a real edge worker.
 *
 * After each test it is checked what has arrived: nothing but creates and polls of the upstream, with the headers
 * that the relay itself sets. At the end, the key and the prompts are searched for in all that was answered and logged.
 */

import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { memoryLimiter } from 'lemondata-wasm/relay';
import { startServer } from '../server/index.js';
import { KEY, SECRET } from './maker.js';
import { PLACES } from './places.js';
import { chunkOf, requestOf, send } from './raw.js';
import { LIMIT, PAGE } from './relays.js';

const PROMPT = 'the-prompt-of-a-visitor';
const CREATE = '/v1/images/generations';
const EDIT = '/v1/images/edits';
const BODY = JSON.stringify({ prompt: PROMPT, model: 'flux-pro' });
const JSON_TYPE = 'content-type: application/json';
const ANN = 'x-user: ann';
const MAX_BODY_BYTES = 65_536;
/** All of them together need much less: it ends one that would hang. */
const GUARD = { timeout: 120_000 };

/** What the relay's own runtime adds to a request, beside what the relay sets. */
const ARRIVING = [
  ...['accept', 'authorization', 'content-type', 'content-length', 'host'],
  ...['connection', 'accept-encoding', 'accept-language', 'sec-fetch-mode', 'user-agent', 'cf-worker'],
  // Nothing between may answer a poll from memory.
  ...['cache-control', 'pragma'],
];
const PATHS =
  /^(POST \/v1\/images\/generations|GET \/v1\/(images\/generations\/img_|tasks\/(img|ldtask)_)\w+)$/;
const FIELDS = ['prompt', 'model', 'n', 'user', 'seed', 'constructor', 'toString'];

for (const [name, start] of Object.entries(PLACES)) {
  describe(name, GUARD, () => {
    let server;
    /** Whatever arrives here was sent to the wrong place. */
    let foreign;
    let place;
    const answers = [];

    before(async () => {
      foreign = await startServer();
      server = await startServer({ apiKey: KEY, foreignOrigin: foreign.url, taskMs: 3_600_000 });
      place = await start({ key: KEY, upstream: server.url, secret: SECRET });
    });
    after(async () => {
      await place?.close();
      await server.close();
      await foreign.close();
    });
    beforeEach(() => server.reset());

    afterEach(() => {
      assert.deepEqual(foreign.counts.requests, []);
      for (const { method, path, headers, body } of server.counts.requests) {
        assert.match(`${method} ${path}`, PATHS);
        for (const header of Object.keys(headers)) assert.ok(ARRIVING.includes(header), header);
        assert.equal(headers.authorization, `Bearer ${KEY}`);
        assert.equal(headers.accept, 'application/json');
        assert.equal(headers.host, new URL(server.url).host);
        for (const field of Object.keys(body ?? {})) assert.ok(FIELDS.includes(field), field);
      }
    });

    /** Sends bytes, and keeps the answer for the search. */
    async function attack(parts, options) {
      const answer = await send(place.url, parts, options);
      answers.push(answer);
      return answer;
    }

    /** A create of this user at one of the relays, as raw as can be. */
    const create = (relay, { headers = [ANN, JSON_TYPE], body = BODY } = {}) =>
      attack(requestOf('POST', `/${relay}${CREATE}`, headers, body));

    const poll = (relay, reference, headers = [ANN]) =>
      attack(requestOf('GET', `/${relay}/v1/tasks/${reference}`, headers));

    /** Starts a task in the proper way, and tells its reference. */
    async function startTask(relay = 'plain', more = {}) {
      const { status, text } = await create(relay, more);
      assert.equal(status, 200, text);
      const [, reference] = /"task_id":"([^"]+)"/.exec(text);
      return reference;
    }

    /** Checks that nothing has gone on, and that the answer says why in the provider's form, where there is one. */
    function assertNothing({ status, text }, expected, code) {
      assert.ok(expected.includes(status), `${status} is none of ${expected}: ${text}`);
      if (code && status) assert.match(text, new RegExp(`"code":"${code}"`));
      assert.deepEqual(server.counts.requests, []);
    }

    /** Checks that an answer leads nowhere; what has arrived is checked after each test. */
    function assertHarmless({ status, text }) {
      assert.ok(!status || status === 200 || status >= 400, text);
      assert.doesNotMatch(text, /^location:/im);
    }

    test('what is asked for properly is answered', async () => {
      const reference = await startTask();
      const { status, text } = await poll('plain', reference);
      assert.equal(status, 200);
      assert.match(text, /"status":"pending"/);
      assert.equal(server.counts.creates, 1);
      assert.equal(server.counts.polls, 1);
    });

    describe('forging the target', () => {
      test('of a create, through path, encoded path, query, absolute form and two slashes', async () => {
        const evil = new URL(foreign.url).host;
        for (const target of [
          `http://${evil}${CREATE}`,
          `https://${evil}${CREATE}`,
          `ftp://${evil}${CREATE}`,
          `//${evil}${CREATE}`,
          `///${evil}${CREATE}`,
          `/\\${evil}${CREATE}`,
          `\\\\${evil}${CREATE}`,
          `/http://${evil}${CREATE}`,
          `/http:%2f%2f${evil}${CREATE}`,
          `/%2f%2f${evil}${CREATE}`,
          `/%252f%252f${evil}${CREATE}`,
          `/@${evil}${CREATE}`,
          `@${evil}${CREATE}`,
          `.${evil}${CREATE}`,
          `/..//${evil}${CREATE}`,
          `/%2e%2e/${evil}${CREATE}`,
          `${CREATE}?url=${foreign.url}&baseUrl=${foreign.url}`,
          `${CREATE}?/../models`,
          `${CREATE}%3f`,
          `${CREATE}%23`,
          `${CREATE}/../../models`,
          `${CREATE}/%2e%2e/%2e%2e/models`,
          `${CREATE}/..%2f..%2fmodels`,
          '/v1/models',
          '/files/a.png',
          '*',
          '',
        ]) {
          const answer = await attack(requestOf('POST', target, [ANN, JSON_TYPE], BODY));
          assertHarmless(answer);
        }
        // Those that end with the route below some prefix are answered by the one upstream there is.
        assert.ok(server.counts.creates > 0);
        assert.ok(server.counts.requests.every(({ path }) => path === CREATE));
      });

      test('of a poll, through the id', async () => {
        const evil = new URL(foreign.url).host;
        for (const id of [
          '..',
          '%2e%2e',
          '.',
          '%2e',
          '..%2fpricing',
          '%2e%2e%2fpricing',
          '..%252fpricing',
          '%252e%252e%252fpricing',
          '..%5cpricing',
          '..\\pricing',
          `http:%2f%2f${evil}%2f`,
          `%2f%2f${evil}`,
          `@${evil}`,
          'img_abc123def456',
          'img_abc123def456?x=1',
          'img_abc123def456%00',
          'img_abc%0d%0aHost:%20evil.example',
          '%00',
          '%',
          '%zz',
          '%ff%fe',
          't_..%2f.%2f',
          'x'.repeat(10_000),
        ]) {
          for (const route of ['/v1/tasks', CREATE]) {
            const answer = await attack(requestOf('GET', `/plain${route}/${id}`, [ANN]));
            assertNothing(answer, [400, 404, 405, 414, 431]);
          }
        }
      });

      test('through the host header and those of proxies', async () => {
        const evil = new URL(foreign.url).host;
        for (const headers of [
          [`host: ${evil}`],
          ['host: evil.example'],
          [`host: ${evil}/v1/tasks/x?`],
          [`host: ${evil}#`],
          [`host: user:pass@${evil}`],
          ['host: '],
          ['host: [::1'],
          ['host: a b'],
          ['host: relay.example', `host: ${evil}`],
          [`x-forwarded-host: ${evil}`, `forwarded: host=${evil}`, `x-original-url: ${foreign.url}`],
          [`x-forwarded-proto: https`, `x-rewrite-url: /v1/models`, `x-http-method-override: DELETE`],
        ]) {
          const answer = await create('plain', { headers: [ANN, JSON_TYPE, ...headers] });
          assertHarmless(answer);
        }
        assert.ok(server.counts.requests.every(({ path }) => path === CREATE));
      });

      test('through a redirect of the upstream', async () => {
        for (const status of [301, 302, 303, 307, 308]) {
          for (const location of [
            foreign.url,
            `${foreign.url}${CREATE}?${KEY}`,
            '/v1/models',
            '//evil.example',
          ]) {
            server.next({ on: 'create', reply: { status, headers: { location } } });
            const answer = await create('plain');
            assert.equal(answer.status, 403);
            assert.match(answer.text, /"code":"upstream_refused"/);
            assert.doesNotMatch(answer.text, /^location:/im);
          }
        }
        const reference = await startTask('plain', {
          body: JSON.stringify({ prompt: PROMPT, model: 'test-poll:redirect' }),
        });
        assert.equal((await poll('plain', reference)).status, 403);
      });

      test('through a poll_url that the upstream was made to give', async () => {
        const { host } = new URL(foreign.url);
        for (const poll_url of [
          `${foreign.url}/v1/tasks/img_1`,
          `//${host}/v1/tasks/img_1`,
          `\\\\${host}\\v1`,
          `http://${new URL(server.url).host}@${host}/v1/tasks/img_1`,
          `https://${new URL(server.url).host}/v1/tasks/img_1`,
          'http://169.254.169.254/latest/meta-data',
          'file:///etc/passwd',
          'javascript:alert(1)',
          'data:,x',
        ]) {
          server.next({ on: 'create', reply: { body: { task_id: 'img_1', status: 'pending', poll_url } } });
          const reference = await startTask();
          server.next({ on: 'poll', reply: { body: { task_id: 'img_1', status: 'processing', poll_url } } });
          const answer = await poll('plain', reference);
          assert.equal(answer.status, 200, answer.text);
          assert.ok(!answer.text.includes(host), 'the foreign URL is not handed out');
        }
      });
    });

    describe('pages of other origins', () => {
      const FOREIGN_ORIGINS = [
        'null',
        '*',
        'self',
        'https://evil.example',
        `${PAGE}.evil.example`,
        'https://evil-app.example',
        'https://evilapp.example',
        'https://sub.app.example',
        'https://appxexample',
        'http://app.example',
        'wss://app.example',
        `${PAGE}:8443`,
        `${PAGE}:443`,
        `${PAGE}:`,
        `${PAGE}/`,
        `${PAGE}.`,
        `${PAGE}, https://evil.example`,
        `https://evil.example, ${PAGE}`,
        `${PAGE} https://evil.example`,
        `${PAGE}%60.evil.example`,
        `${PAGE}%00.evil.example`,
        'https://APP.example',
        'HTTPS://app.example',
        'https://user@app.example',
        'https://app.example@evil.example',
        'file://',
        'https://',
        'http://relay.example',
      ];

      test('are refused, whatever their origin looks like: null, suffix, prefix, scheme, port, case', async () => {
        for (const origin of FOREIGN_ORIGINS) {
          for (const relay of ['plain', 'cookie', 'self']) {
            // The relay's own origin, where pages of its own may call.
            if (relay === 'self' && origin === 'http://relay.example') continue;
            const headers = [ANN, 'cookie: session=ann', `origin: ${origin}`];
            const post = await create(relay, { headers: [...headers, JSON_TYPE] });
            assertNothing(post, [403], 'origin_not_allowed');
            const preflight = await attack(
              requestOf('OPTIONS', `/${relay}${CREATE}`, [
                `origin: ${origin}`,
                'access-control-request-method: POST',
                'access-control-request-headers: content-type,x-user',
              ]),
            );
            assertNothing(preflight, [403], 'origin_not_allowed');
            for (const { text } of [post, preflight]) assert.doesNotMatch(text, /access-control-allow/i);
          }
        }
      });

      test('learn nothing where their origin is empty, which some runtimes take for none', async () => {
        const { status, text } = await create('plain', { headers: [ANN, JSON_TYPE, 'origin:'] });
        assert.ok([200, 403].includes(status), text);
        assert.doesNotMatch(text, /access-control/i);
      });

      test('are refused where they send two origins', async () => {
        for (const pair of [
          [PAGE, 'https://evil.example'],
          ['https://evil.example', PAGE],
        ]) {
          const headers = [ANN, JSON_TYPE, ...pair.map((origin) => `origin: ${origin}`)];
          assertNothing(await create('plain', { headers }), [400, 403]);
        }
      });

      test('cannot have a visitor send a simple request in their name', async () => {
        for (const type of [
          'content-type: text/plain',
          'content-type: text/plain;charset=UTF-8',
          'content-type: application/x-www-form-urlencoded',
          'content-type: multipart/form-data; boundary=x',
          'content-type: text/plain; application/json',
          'content-type: text/plain, application/json',
          'content-type:',
          'x-nothing: there',
        ]) {
          for (const origin of [[], [`origin: ${PAGE}`]]) {
            for (const route of [CREATE, EDIT]) {
              const headers = ['cookie: session=ann', type, ...origin];
              const answer = await attack(requestOf('POST', `/cookie${route}`, headers, BODY));
              assertNothing(answer, [415], 'unsupported_media_type');
            }
          }
        }
        // As two headers, of which only one is looked at by some.
        const twice = ['cookie: session=ann', 'content-type: text/plain', JSON_TYPE];
        assertNothing(await create('cookie', { headers: twice }), [400, 415]);
      });

      test('cannot create by the methods that need no preflight', async () => {
        for (const method of ['GET', 'HEAD']) {
          const answer = await attack(
            requestOf(method, `/cookie${CREATE}?prompt=x`, [
              'cookie: session=ann',
              'x-http-method-override: POST',
            ]),
          );
          assertNothing(answer, [405]);
        }
      });

      test('that have made the name of the relay theirs have no identity', async () => {
        // Rebinding: the name is the page's own, so that it is the same origin; but it has none of the visitor's cookies.
        const headers = ['host: evil.example', 'origin: http://evil.example', JSON_TYPE];
        assertNothing(await create('self', { headers }), [401], 'unauthorized');
      });

      test('that may call are allowed by name, and no page by a wildcard', async () => {
        const { status, text } = await create('cookie', {
          headers: ['cookie: session=ann', `origin: ${PAGE}`, JSON_TYPE],
        });
        assert.equal(status, 200);
        assert.match(text, /access-control-allow-origin: https:\/\/app\.example\r\n/i);
        assert.match(text, /vary: .*origin/i);
        assert.equal(answers.filter((answer) => /access-control-allow-\w+: \*/i.test(answer.text)).length, 0);
      });
    });

    describe('bodies', () => {
      /** A body that is too large is answered, or cut off by the runtime. */
      const CUT = [413, undefined];
      const big = ' '.repeat(MAX_BODY_BYTES + 1);

      test('that are too large are stopped: by their length, in chunks, and without an end', async () => {
        assertNothing(await create('plain', { body: big }), CUT, 'payload_too_large');
        const chunked = [ANN, JSON_TYPE, 'transfer-encoding: chunked'];
        const [head] = requestOf('POST', `/plain${CREATE}`, chunked);
        const pieces = Array.from({ length: 9 }, () => chunkOf(' '.repeat(8192)));
        assertNothing(await attack([head, ...pieces, '0\r\n\r\n']), CUT, 'payload_too_large');
        const endless = await attack([head, chunkOf(' '.repeat(4096))], { isEndless: true, everyMs: 1 });
        assertNothing(endless, CUT, 'payload_too_large');
        assert.ok(endless.sent < 8 * 1024 * 1024, `${endless.sent} bytes`);
      });

      test('that claim to be too large are not even read', async () => {
        const headers = [ANN, JSON_TYPE, 'content-length: 99999999999'];
        assertNothing(await create('plain', { headers, body: '{' }), CUT, 'payload_too_large');
      });

      test('that come slowly are given up', async () => {
        const headers = [ANN, JSON_TYPE, `content-length: ${BODY.length}`];
        const [head] = requestOf('POST', `/slow${CREATE}`, headers);
        const answer = await attack([head, ...BODY], { everyMs: 10 });
        assertNothing(answer, [400], 'invalid_request_error');
      });

      test('that never come are given up', async () => {
        const answer = await attack(
          requestOf('POST', `/slow${CREATE}`, [ANN, JSON_TYPE, 'content-length: 100']),
        );
        assertNothing(answer, [400], 'invalid_request_error');
      });

      test('that break off have nothing done', async () => {
        const socketEnds = await attack(
          requestOf('POST', `/slow${CREATE}`, [ANN, JSON_TYPE, 'content-length: 100'], '{"prompt":"x"}'),
        );
        assertNothing(socketEnds, [400], 'invalid_request_error');
      });

      test('that are no JSON, or not the JSON of an object with a prompt, are refused', async () => {
        const bytes = (...values) => Buffer.from(values);
        for (const body of [
          '',
          ' ',
          '{',
          BODY.slice(0, -1),
          `${BODY}x`,
          BODY + BODY,
          `[${BODY}]`,
          '[]',
          '5',
          'null',
          'true',
          `"${PROMPT}"`,
          '{}',
          `{'prompt':'${PROMPT}'}`,
          `{"prompt":"${PROMPT}",}`,
          `{"prompt":"${PROMPT}","n":NaN}`,
          `{"prompt":"${PROMPT}"/**/}`,
          `prompt=${PROMPT}`,
          '{"prompt":5}',
          '{"prompt":["x"]}',
          '{"prompt":{"length":1}}',
          `{"prompt":"${PROMPT}","prompt":5}`,
          `{"prompt":"${PROMPT}","n":1,"n":99}`,
          '['.repeat(60_000),
          '{"a":'.repeat(13_000),
          // Invalid UTF-8: a lonely byte, one that is cut off, a surrogate, an overlong slash; another encoding.
          Buffer.concat([Buffer.from('{"prompt":"'), bytes(0xff), Buffer.from('"}')]),
          Buffer.concat([Buffer.from('{"prompt":"'), bytes(0xe2, 0x82), Buffer.from('"}')]),
          Buffer.concat([Buffer.from('{"prompt":"'), bytes(0xed, 0xa0, 0x80), Buffer.from('"}')]),
          Buffer.concat([Buffer.from('{"prompt":"'), bytes(0xc0, 0xaf), Buffer.from('"}')]),
          Buffer.from(BODY, 'utf16le'),
          bytes(0x00),
        ]) {
          assertNothing(await create('plain', { body }), [400], 'invalid_request_error');
        }
      });

      test('with a byte order mark, with escapes and with surrogates are what they are', async () => {
        for (const [body, prompt] of [
          [Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), Buffer.from('{"prompt":"bom"}')]), 'bom'],
          ['{"pro\\u006dpt":"escaped"}', 'escaped'],
          ['{"prompt":"lone \\ud800"}', 'lone \ud800'],
          ['{"prompt":"a","prompt":"the last one"}', 'the last one'],
        ]) {
          const answer = await create('plain', { body });
          assert.equal(answer.status, 200, answer.text);
          assert.equal(server.counts.requests.at(-1).body.prompt, prompt);
        }
      });

      test('that nest deeply in a field that may pass are refused, and disturb no other request', async () => {
        const others = create('plain', { body: JSON.stringify({ prompt: PROMPT, model: 'test-slow:50' }) });
        while (server.counts.creates === 0) await new Promise((resolve) => setTimeout(resolve, 2));
        for (const depth of [40, 2000, 30_000]) {
          for (const [open, close] of [
            ['[', ']'],
            ['{"":', '}'],
          ]) {
            const nested = `${open.repeat(depth)}1${close.repeat(depth)}`.slice(0, MAX_BODY_BYTES);
            for (const key of [[], [`idempotency-key: deep-${depth}`]]) {
              const body = `{"prompt":"${PROMPT}","seed":${nested}}`.slice(0, MAX_BODY_BYTES);
              const answer = await create('fields', { headers: [ANN, JSON_TYPE, ...key], body });
              assert.equal(answer.status, 400, answer.text);
            }
          }
        }
        assert.equal((await others).status, 200);
        assert.equal(server.counts.creates, 1);
      });

      test('that are compressed are refused', async () => {
        const bomb = gzipSync(Buffer.alloc(10_000_000, ' '));
        for (const encoding of ['gzip', 'deflate', 'br', 'identity', 'gzip, gzip', 'x']) {
          for (const body of [gzipSync(BODY), bomb, BODY]) {
            const headers = [ANN, JSON_TYPE, `content-encoding: ${encoding}`];
            assertNothing(await create('plain', { headers, body }), [415], 'unsupported_media_type');
          }
        }
      });
    });

    describe('headers', () => {
      test('of the client reach the upstream in no case', async () => {
        const headers = [
          ...['authorization: Bearer sk-of-the-attacker', 'proxy-authorization: Basic eDp5', 'api-key: x'],
          ...['cookie: a=b', 'x-api-key: x', 'x-lemon-scenario: error-500', 'x-stainless-lang: js'],
          ...['x-forwarded-for: 1.2.3.4', 'x-forwarded-proto: https', 'forwarded: for=1.2.3.4', 'via: 1.1 x'],
          ...['x-real-ip: 1.2.3.4', 'true-client-ip: 1.2.3.4', 'referer: https://evil.example/'],
          ...['user-agent: evil', 'accept: text/html', 'accept-language: evil', 'accept-encoding: evil'],
          ...[
            'te: trailers',
            'range: bytes=0-1',
            'if-none-match: *',
            'prefer: wait',
            'openai-organization: x',
          ],
          ...['__proto__: x', 'constructor: x', 'connection: close, authorization, x-user'],
        ];
        const { status, text } = await create('keyed', {
          headers: [ANN, JSON_TYPE, 'idempotency-key: the-key-of-the-attacker', ...headers],
        });
        assert.equal(status, 200, text);
        const [, reference] = /"task_id":"([^"]+)"/.exec(text);
        assert.equal((await poll('keyed', reference, [ANN, ...headers])).status, 200);
        assert.equal(server.counts.requests.length, 2);
        for (const request of server.counts.requests) {
          assert.doesNotMatch(JSON.stringify(request.headers), /attacker|evil|1\.2\.3\.4/);
        }
      });

      test('that tell two lengths smuggle no second request', async () => {
        // Another text than elsewhere: what is no HTTP, workerd itself may print.
        const framed = '{"prompt":"framed"}';
        const smuggled = requestOf('POST', `/plain${CREATE}`, [ANN, JSON_TYPE], '{"prompt":"smuggled"}').join(
          '',
        );
        const piece = chunkOf(framed);
        for (const [headers, body] of [
          [[`content-length: ${framed.length}`, 'transfer-encoding: chunked'], `0\r\n\r\n${smuggled}`],
          [['transfer-encoding: chunked', 'content-length: 5'], `${piece}0\r\n\r\n${smuggled}`],
          [['transfer-encoding: xchunked', `content-length: ${framed.length}`], framed + smuggled],
          [['transfer-encoding: chunked', 'transfer-encoding: identity'], `${piece}0\r\n\r\n${smuggled}`],
          [['transfer-encoding : chunked', `content-length: ${framed.length}`], framed + smuggled],
          [['transfer-encoding:\x0bchunked'], `${piece}0\r\n\r\n${smuggled}`],
          [[`content-length: ${framed.length}`, 'content-length: 5'], framed + smuggled],
          [[`content-length: ${framed.length}, 5`], framed + smuggled],
          [[`content-length: +${framed.length}`], framed + smuggled],
          [['content-length: -1'], framed + smuggled],
          [['content-length: 0x10'], framed + smuggled],
        ]) {
          const request = requestOf(
            'POST',
            `/plain${CREATE}`,
            [ANN, JSON_TYPE, ...headers, 'connection: keep-alive'],
            body,
          );
          assertHarmless(await attack(request, { lingerMs: 20 }));
        }
        const prompts = server.counts.requests.map(({ body }) => body.prompt);
        // Where there are chunks, workerd goes by them, as RFC 9112 allows: what follows is another request of the
        // same sender. Node refuses both.
        const others = name === 'node' ? [] : ['smuggled'];
        assert.ok(
          prompts.every((prompt) => ['framed', ...others].includes(prompt)),
          prompts.join(),
        );
      });

      test('cannot be broken in two by a line break in a value', async () => {
        for (const key of [
          'a\rx-lemon-scenario: task',
          'a\nx-lemon-scenario: task',
          'a\r\n x: folded',
          'a\0b',
          'ü',
        ]) {
          const headers = [ANN, JSON_TYPE, `idempotency-key: ${key}`];
          const answer = await create('keyed', { headers });
          assertHarmless(answer);
        }
        // What is encoded is text like any other, and stays here.
        await create('keyed', { headers: [ANN, JSON_TYPE, 'idempotency-key: a%0d%0ax-evil:1'] });
        for (const user of ['a%0d%0ax-evil: 1', '"},"prompt":"x']) {
          await create('plain', { headers: [`x-user: ${user}`, JSON_TYPE] });
          assert.equal(server.counts.requests.at(-1).body.user, user);
        }
      });

      test('of any size and number do no harm', async () => {
        for (const headers of [
          [`x-user: ${'a'.repeat(100_000)}`],
          Array.from({ length: 3000 }, (_, index) => `x-${index}: ${index}`),
          [ANN, `origin: ${'a'.repeat(10_000)}`],
          [ANN, `idempotency-key: ${'a'.repeat(10_000)}`],
          [ANN, `content-type: application/json${' '.repeat(10_000)};`],
        ]) {
          assertHarmless(await create('strict', { headers: [JSON_TYPE, ...headers] }));
        }
      });
    });

    describe('references', () => {
      test('of another user are as if they did not exist', async () => {
        const reference = await startTask();
        server.reset();
        for (const user of ['bob', 'Ann', 'ann,', 'ann, bob', '%61nn', 'annx', 'an']) {
          assertNothing(await poll('plain', reference, [`x-user: ${user}`]), [404], 'async_task_not_found');
        }
        assertNothing(await poll('plain', reference, []), [401], 'unauthorized');
        assertNothing(
          await poll('cookie', reference, ['cookie: session=bob']),
          [404],
          'async_task_not_found',
        );
      });

      test('that are replayed ask again, and can do no more', async () => {
        const reference = await startTask();
        for (let again = 0; again < 3; again += 1) {
          assert.equal((await poll('plain', reference)).status, 200);
        }
        assert.equal(server.counts.creates, 1);
        for (const method of ['POST', 'PUT', 'DELETE', 'PATCH']) {
          const answer = await attack(
            requestOf(method, `/plain/v1/tasks/${reference}`, [ANN, JSON_TYPE], BODY),
          );
          assert.equal(answer.status, 405);
        }
        assert.equal(server.counts.cancels, 0);
      });

      test('that have expired, or were signed by another secret, are as if they did not exist', async () => {
        for (const relay of ['past', 'stranger']) {
          const reference = await startTask(relay);
          server.reset();
          assertNothing(await poll('plain', reference), [404], 'async_task_not_found');
        }
      });

      test('that are forged are as if they did not exist', async () => {
        const reference = await startTask();
        server.reset();
        const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
        const sign = (secret, text) => createHmac('sha256', secret).update(text).digest('base64url');
        const fields = ['img_1', `${foreign.url}/v1/tasks/img_1`, 9_999_999_999];
        const payload = encode(fields);
        const covered = (version, identity) => JSON.stringify([version, identity, payload]);
        const [head, signature] = reference.split('.');
        for (const forged of [
          `t_${payload}.${signature}`,
          ...['', KEY, 'secret', SECRET.slice(0, -1)].flatMap((secret) => [
            `t_${payload}.${sign(secret, covered('lemondata-relay-1', 'ann'))}`,
            `t_${payload}.${sign(secret, payload)}`,
          ]),
          `t_${payload}.${sign(SECRET, covered('lemondata-relay-0', 'ann'))}`,
          `t_${payload}.${sign(SECRET, payload)}`,
          `t_${payload}.${'A'.repeat(43)}`,
          `t_${payload}.`,
          `t_${payload}`,
          `t_${payload}.${signature}.${signature}`,
          `${head}.${signature.slice(0, 42)}`,
          `${head}.${signature}%3d`,
          `${head}.%00${signature}`,
          `${head}%2e${signature}`,
          `t_${Buffer.from('[').toString('base64url')}.${signature}`,
          `t_${'A'.repeat(3000)}.${signature}`,
          `${head.replace('t_', 'T_')}.${signature}`,
          payload,
        ]) {
          assertNothing(await poll('plain', forged), [404], 'async_task_not_found');
        }
      });
    });

    describe('prototypes', () => {
      test('cannot be polluted by fields, and no field passes in their name', async () => {
        const poison = '{"isAdmin":true,"n":99,"model":"poisoned","seed":"poisoned","user":"poisoned"}';
        for (const body of [
          `{"prompt":"${PROMPT}","__proto__":${poison}}`,
          `{"__proto__":{"prompt":"${PROMPT}"}}`,
          `{"prompt":"${PROMPT}","constructor":{"prototype":${poison}}}`,
          `{"prompt":"${PROMPT}","seed":{"__proto__":${poison}},"toString":{"__proto__":${poison}}}`,
          `{"prompt":"${PROMPT}","hasOwnProperty":1,"valueOf":1,"toJSON":1,"then":1}`,
        ]) {
          for (const relay of ['plain', 'fields', 'strict']) {
            const answer = await create(relay, { body });
            assert.ok([200, 400].includes(answer.status), answer.text);
          }
        }
        for (const { body } of server.counts.requests) {
          assert.equal(body.n, 1);
          assert.equal(body.user, 'ann');
          assert.notEqual(body.model, 'poisoned');
        }
        assert.deepEqual((await place.inside()).inherited, []);
      });

      test('are no model, no user, no key and no relay', async () => {
        for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'length']) {
          const body = JSON.stringify({ prompt: PROMPT, model: name });
          assertNothing(await create('strict', { body }), [400], 'model_not_found');
          assertNothing(await poll('plain', name), [404]);
        }
        for (const name of ['__proto__', 'constructor']) {
          const headers = [`x-user: ${name}`, `idempotency-key: ${name}`, JSON_TYPE];
          const first = await create('keyed', { headers });
          assert.equal(first.status, 200);
          assert.equal(server.counts.requests.at(-1).body.user, name);
        }
        assert.equal(server.counts.creates, 2);
      });
    });

    describe('floods', () => {
      test('pass up to the limit, and what an attacker makes up does not raise it', async () => {
        const flood = await Promise.all(
          Array.from({ length: 40 }, (_, index) =>
            create('limited', {
              headers: [ANN, JSON_TYPE, `x-forwarded-for: 192.0.2.${index}`, `cookie: session=${index}`],
            }),
          ),
        );
        assert.equal(flood.filter(({ status }) => status === 200).length, LIMIT);
        for (const { status, text } of flood) {
          if (status === 200) continue;
          assert.equal(status, 429);
          assert.match(text, /^retry-after: \d+\r$/im);
        }
        assert.equal(server.counts.creates, LIMIT);
        assert.equal((await create('limited', { headers: ['x-user: bob', JSON_TYPE] })).status, 200);
      });

      test('of guessed references are limited, too', async () => {
        const flood = await Promise.all(
          Array.from({ length: 10 }, (_, index) => poll('limited', `t_a.${index}`)),
        );
        assert.equal(flood.filter(({ status }) => status === 404).length, LIMIT);
        assert.equal(flood.filter(({ status }) => status === 429).length, 10 - LIMIT);
        assert.equal(server.counts.polls, 0);
      });

      test('of one address are limited, whatever other address the headers tell', async () => {
        // The one header that counts is Cloudflare's, and there only Cloudflare can set it.
        const flood = await Promise.all(
          Array.from({ length: 10 }, (_, index) =>
            create('anonymous', {
              headers: [JSON_TYPE, `x-forwarded-for: 192.0.2.${index}`, `x-real-ip: 192.0.2.${index}`],
            }),
          ),
        );
        assert.equal(flood.filter(({ status }) => status === 200).length, LIMIT, flood[0].text);
        assert.equal(server.counts.creates, LIMIT);
      });

      test('of one key are one create', async () => {
        const headers = [ANN, JSON_TYPE, 'idempotency-key: flood'];
        const flood = await Promise.all(Array.from({ length: 30 }, () => create('keyed', { headers })));
        const references = new Set(flood.map(({ text }) => /"task_id":"([^"]+)"/.exec(text)?.[1]));
        assert.equal(references.size, 1);
        assert.equal(server.counts.creates, 1);
      });
    });

    describe('what is kept secret', () => {
      test('when the upstream repeats the key', async () => {
        for (const model of ['test-error-401-echo', 'test-poll:error-401-echo']) {
          const body = JSON.stringify({ prompt: PROMPT, model });
          const { status, text } = await create('plain', { body });
          if (status !== 200) continue;
          await poll('plain', /"task_id":"([^"]+)"/.exec(text)[1]);
        }
        const error = { message: `${KEY} is no good`, hint: KEY, param: KEY };
        server.next({
          on: 'create',
          reply: { status: 422, headers: { 'x-request-id': KEY }, body: { error } },
        });
        assert.equal((await create('plain')).status, 422);
      });

      test('when the relay itself fails', async () => {
        const answer = await create('broken');
        assertNothing(answer, [503], 'relay_unavailable');
        assert.doesNotMatch(answer.text, /10\.0\.0\.1|session store/);
      });

      // Stands last: it looks at the whole run.
      test('in every answer and every log line of the run, there is no key, and in no line a prompt', async () => {
        const { lines } = await place.inside();
        assert.ok(answers.length > 300, `${answers.length} answers`);
        assert.ok(lines.length > 300, `${lines.length} lines`);
        for (const { text } of answers) {
          for (const secret of [KEY, SECRET]) assert.ok(!text.includes(secret), text);
          assert.doesNotMatch(text, /\n\s+at |node_modules|wasm-function/);
          if (!/^HTTP\/1.1 200/.test(text)) assert.ok(!text.includes(PROMPT), text);
        }
        for (const line of lines) {
          for (const secret of [KEY, SECRET, PROMPT]) assert.ok(!line.includes(secret), line);
        }
      });
    });
  });
}

test('the memory of the limiter is bounded: of too many identities, the idlest are forgotten', () => {
  const limiter = memoryLimiter({ creates: 1, now: () => 0 });
  assert.equal(limiter.take('first', 'create'), 0);
  assert.ok(limiter.take('first', 'create') > 0);
  for (let index = 0; index < 99_999; index += 1) limiter.take(`user ${index}`, 'create');
  assert.ok(limiter.take('first', 'create') > 0, 'it has just asked, and is remembered');
  for (let index = 0; index < 100_000; index += 1) limiter.take(`other ${index}`, 'create');
  assert.equal(limiter.take('first', 'create'), 0, 'it was forgotten');
});
