/** What the relay says where a setting or a callback is wrong: to the page, and on the operator's console. */

import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { anonymousByIp, createRelay, memoryLimiter } from 'lemondata-wasm/relay';
import { startServer } from '../server/index.js';
import { clientOf, KEY, PROMPT, relays, SECRET, server, useServer } from './harness.js';

useServer();
let lines;
beforeEach((t) => {
  lines = [];
  t.mock.method(console, 'error', (line) => lines.push(line));
});

/** A relay that writes to the console. */
const make = (options) => relays.make({ log: undefined, ...options });
const LOOK = { hint: "The relay's log says why." };

describe('a callback that fails', () => {
  test('is named on the console, with its error, and to the page', async () => {
    const authorize = () => sessionOf();
    const { status, body } = await relays.create(make({ authorize }));
    assert.equal(status, 503);
    assert.deepEqual(body.error, {
      message: 'The relay cannot serve you now: its authorize failed.',
      type: 'relay_error',
      code: 'relay_unavailable',
      retryable: true,
      ...LOOK,
    });
    assert.deepEqual(lines, [
      'lemondata-wasm relay: authorize failed: ReferenceError: sessionOf is not defined. Until it works, the relay ' +
        'answers every request with 503.',
    ]);
  });

  test('is written once for each cause and minute', async () => {
    let reason = 'the first cause';
    const relay = make({ authorize: () => Promise.reject(new Error(reason)) });
    for (let count = 0; count < 3; count += 1) await relays.create(relay);
    assert.equal(lines.length, 1);
    reason = 'the second cause';
    await relays.create(relay);
    assert.equal(lines.length, 2);
    relays.clock.now += 59_999;
    await relays.create(relay);
    assert.equal(lines.length, 2);
    relays.clock.now += 1;
    await relays.create(relay);
    assert.equal(lines.length, 3);
    assert.match(lines[2], /the second cause/);
  });

  test('does not fill the console, whatever it throws', async () => {
    let count = 0;
    const authorize = () => {
      count += 1;
      throw new Error(`cause ${count}`);
    };
    const relay = make({ authorize });
    while (count < 120) await relays.create(relay);
    assert.equal(lines.length, 100);
  });

  test('goes to log in place of the console', async () => {
    const relay = relays.make({ authorize: () => sessionOf() });
    await relays.create(relay);
    assert.deepEqual(lines, []);
    assert.equal(relays.events[0].event, 'authorize_failed');
  });
});

describe('a setting that only a create shows to be wrong', () => {
  for (const [name, options, line] of [
    [
      'a key in quotes',
      { apiKey: () => `"${KEY}"` },
      'apiKey must be the key alone: visible ASCII without Bearer, quotes, white space or a line break.',
    ],
    [
      'no key',
      { apiKey: () => process.env.NOT_SET },
      /apiKey is missing or empty: is LEMONDATA_API_KEY set\?/,
    ],
  ]) {
    test(`${name}: the console names it, and the page looks there`, async () => {
      const { status, body } = await relays.create(make(options));
      assert.equal(status, 503);
      assert.deepEqual(body.error, {
        message: 'The relay could not send the request.',
        type: 'relay_error',
        code: 'relay_error',
        retryable: true,
        ...LOOK,
      });
      assert.equal(lines.length, 1);
      if (typeof line === 'string') assert.equal(lines[0], `lemondata-wasm relay: ${line}`);
      else assert.match(lines[0], line);
    });
  }

  test('but a key in quotes is refused at the start', () => {
    assert.throws(
      () => make({ apiKey: `"${KEY}"` }),
      (error) => {
        assert.match(error.message, /^createRelay: apiKey must be a string without quotes and white space/);
        assert.ok(!error.message.includes(KEY));
        return true;
      },
    );
  });
});

describe('authorize', () => {
  const consequence = 'Until it works, the relay answers every request with 503.';
  for (const [value, explanation] of [
    [
      true,
      'true, a boolean, which is no identity. Return who calls: one text for each user, such as the id of the session.',
    ],
    [42, '42, a number, which is no identity. Return a text, such as `String(user.id)`, or null to refuse.'],
    [
      { id: 'ann' },
      'an object, which is no identity. Return a text, such as `String(user.id)`, or null to refuse.',
    ],
    [
      ['ann'],
      'an object, which is no identity. Return a text, such as `String(user.id)`, or null to refuse.',
    ],
    [
      anonymousByIp,
      'a function, which is no identity. Call that function: authorize: anonymousByIp(), for example.',
    ],
  ]) {
    test(`that returns ${typeof value === 'function' ? 'a function' : JSON.stringify(value)} is a mistake, and no caller passes`, async () => {
      const { status } = await relays.create(make({ authorize: async () => value }));
      assert.equal(status, 503);
      assert.deepEqual(lines, [
        `lemondata-wasm relay: authorize failed: TypeError: authorize returned ${explanation} ${consequence}`,
      ]);
      assert.deepEqual(server.counts.requests, []);
    });
  }

  test('that is anonymousByIp itself is refused when the relay is made', () => {
    assert.throws(() => make({ authorize: anonymousByIp }), {
      name: 'TypeError',
      message: 'createRelay: authorize is anonymousByIp itself. Call it: authorize: anonymousByIp().',
    });
  });

  test('that finds no address says so, and how to name one', async () => {
    const { status } = await relays.create(make({ authorize: anonymousByIp() }));
    assert.equal(status, 503);
    assert.deepEqual(lines, [
      'lemondata-wasm relay: authorize failed: TypeError: anonymousByIp() found no address: this platform sets no ' +
        'context.ip, as Next.js does not. Name the header in which your proxy puts the address: ' +
        `anonymousByIp({ from: (request) => request.headers.get('x-real-ip') }). ${consequence}`,
    ]);
  });

  test('that sees a proxy in place of its callers says so once', async () => {
    const relay = make({ authorize: anonymousByIp() });
    const from = (ip, headers) => relays.create(relay, {}, { context: { ip }, headers });
    const forwarded = { 'x-forwarded-for': '198.51.100.7' };
    // Neither a page of this machine nor a caller that sends the header itself is a proxy.
    await from('127.0.0.1', {});
    await from('192.0.2.1', forwarded);
    await from('2001:db8::1', forwarded);
    assert.deepEqual(lines, []);
    const LOCAL = [
      '127.0.0.1',
      '10.1.2.3',
      '172.17.0.1',
      '192.168.0.1',
      '100.64.0.1',
      '::1',
      '::ffff:10.0.0.1',
      'fd00::1',
    ];
    for (const ip of LOCAL) {
      lines.length = 0;
      const fresh = make({ authorize: anonymousByIp() });
      for (let count = 0; count < 2; count += 1) {
        const { status } = await relays.create(fresh, {}, { context: { ip }, headers: forwarded });
        assert.equal(status, 200);
      }
      assert.equal(lines.length, 1, ip);
      assert.match(lines[0], /anonymousByIp\(\) counts all callers as one\. Name the header/);
    }
    // Behind another check, the operator learns of it, too.
    lines.length = 0;
    const byIp = anonymousByIp();
    const behind = make({
      authorize: async (request, context) => (await undefined) ?? byIp(request, context),
    });
    await relays.create(behind, {}, { context: { ip: '10.1.2.3' }, headers: forwarded });
    assert.equal(lines.length, 1);
    const named = make({ authorize: anonymousByIp({ from: () => '10.1.2.3' }) });
    await relays.create(named, {}, { headers: forwarded });
    assert.equal(lines.length, 1);
  });

  test('that refuses is no failure: the page learns that it is not signed in', async () => {
    const { status, body } = await relays.create(make({ authorize: () => null }));
    assert.equal(status, 401);
    assert.equal(body.error.message, 'You are not signed in to this relay.');
    assert.deepEqual(lines, []);
    const error = await clientOf(make({ authorize: () => null }))
      .generate({ prompt: PROMPT })
      .catch((thrown) => thrown);
    assert.equal(error.kind, 'authentication');
    assert.equal(
      error.message,
      'POST /api/lemondata/v1/images/generations was answered with status 401 (unauthorized): You are not signed in to this relay. ' +
        'Sign in, and send what the relay looks at, such as a cookie or a header.',
    );
  });
});

describe('a page of another origin', () => {
  const origin = 'http://localhost:5173';
  const message = `Pages of ${origin} may not call this relay, whose own origin is https://relay.example.`;
  const hint =
    'If a proxy stands between them, such as that of a development server, have it keep the host of the page (in ' +
    `Vite, changeOrigin: false). Otherwise list the origin in the relay: allowedOrigins: ['self', '${origin}'].`;

  test('is refused with both origins and both remedies, on the console as well', async () => {
    const relay = make();
    const { status, body } = await relays.create(relay, {}, { headers: { origin } });
    assert.equal(status, 403);
    assert.deepEqual(body.error, { message, type: 'relay_error', code: 'origin_not_allowed', hint });
    assert.deepEqual(lines, [`lemondata-wasm relay: ${message} ${hint}`]);
    // One cause, whichever page it is.
    await relays.create(relay, {}, { headers: { origin: 'https://another.example' } });
    assert.equal(lines.length, 1);
  });

  test('gets no advice on keys', async () => {
    const relay = make();
    const fetch = (url, init) => {
      const request = new Request(url, init);
      request.headers.set('origin', origin);
      return relay(request);
    };
    const error = await clientOf(relay, { fetch })
      .generate({ prompt: PROMPT })
      .catch((thrown) => thrown);
    assert.equal(
      error.message,
      `POST /api/lemondata/v1/images/generations was answered with status 403 (origin_not_allowed): ${message} ${hint}`,
    );
  });

  const preflight = (relay, names) =>
    relays.ask(relay, 'OPTIONS', '/v1/images/generations', {
      headers: {
        origin: 'https://app.example',
        'access-control-request-method': 'POST',
        'access-control-request-headers': names,
      },
    });

  test('that wants to send another header is told by its browser alone, so the log says what to list', async () => {
    const relay = make({ allowedOrigins: ['https://app.example'], allowedHeaders: ['X-Session'] });
    await preflight(relay, 'content-type,idempotency-key,x-lemondata-client,x-session');
    assert.deepEqual(lines, []);
    const { status, headers } = await preflight(relay, 'authorization, baggage,content-type,"\u00ff');
    assert.equal(status, 204);
    assert.doesNotMatch(headers.get('access-control-allow-headers'), /authorization|baggage/);
    assert.equal(lines.length, 1);
    assert.match(
      lines[0],
      /A page of https:\/\/app\.example wants to send authorization, baggage, .* allowedHeaders: \['authorization', 'baggage'\]\./,
    );
  });

  test('that no list can hold gets another remedy', async () => {
    const { body } = await relays.create(make(), {}, { headers: { origin: 'null' } });
    assert.equal(body.error.hint, 'No relay can list that origin: serve the page by http or https.');
  });
});

test('a route that does not exist is named, with what to check', async () => {
  const { status, body } = await relays.ask(make(), 'GET', '/v1/image/generations');
  assert.equal(status, 404);
  assert.equal(body.error.message, 'This relay has no route GET /api/lemondata/v1/image/generations.');
  assert.equal(body.error.hint, "Check baseUrl, and the path that a development server's proxy passes on.");
});

describe('the limit of the relay', () => {
  test('says that it is its own, its number, and the option', async () => {
    const relay = make({ limiter: memoryLimiter({ creates: 2, polls: 1 }) });
    for (let count = 0; count < 2; count += 1) await relays.create(relay);
    const { status, body } = await relays.create(relay);
    assert.equal(status, 429);
    assert.equal(body.error.message, 'This relay allows each caller 2 creates a minute.');
    assert.equal(
      body.error.hint,
      "The limit is the relay's own: its option limiter sets it, as in memoryLimiter({ creates: 2 }).",
    );
    await relays.poll(relay, 't_a.b');
    const polled = await relays.poll(relay, 't_a.b');
    assert.equal(polled.body.error.message, 'This relay allows each caller 1 polls a minute.');
  });

  test('of a day bounds what all callers spend, and the log says so', async () => {
    let at = 0;
    const limiter = memoryLimiter({ totalCreatesPerDay: 2, creates: 1, now: () => at });
    const relay = relays.make({ limiter });
    const statusOf = async (user) => (await relays.create(relay, {}, { user })).status;
    // What a caller's own limit refuses does not count.
    assert.deepEqual([await statusOf('ann'), await statusOf('ann'), await statusOf('bob')], [200, 429, 200]);
    at += 3_600_000;
    const { status, body } = await relays.create(relay, {}, { user: 'cid' });
    assert.equal(status, 429);
    assert.equal(body.error.message, 'This relay allows no more creates for now.');
    assert.equal(body.error.retry_after, 23 * 3600);
    const { message } = relays.events.find(({ event }) => event === 'refused');
    assert.match(message, /no more creates, at least of one caller, for 1380 minutes.*totalCreatesPerDay/);
    assert.equal((await relays.poll(relay, 't_a.b')).status, 404);
    at += 23 * 3_600_000;
    assert.equal(await statusOf('cid'), 200);
  });

  test('without a number where the limiter shows none', async () => {
    const { body } = await relays.create(make({ limiter: { take: () => 5000 } }));
    assert.equal(body.error.message, 'This relay limits the creates of each caller.');
    assert.equal(body.error.retry_after, 5);
  });
});

describe('the least that a relay needs', () => {
  const least = () => ({
    apiKey: KEY,
    secret: SECRET,
    authorize: () => 'ann',
    models: ['dall-e-3'],
    baseUrl: server.url,
  });

  test('carries a keyed create out once: a store in memory is the default', async () => {
    const relay = createRelay(least());
    const [first, second] = [await relays.keyed(relay, 'k'), await relays.keyed(relay, 'k')];
    assert.equal(first.status, 200);
    assert.equal(second.text, first.text);
    assert.equal(server.counts.creates, 1);
    assert.deepEqual(lines, []);
  });

  test('without a store, says how to have one', async () => {
    const { status, body } = await relays.keyed(createRelay({ ...least(), store: false }), 'k');
    assert.equal(status, 400);
    const message = 'This relay has no store, so it cannot carry out a create with an Idempotency-Key once.';
    const remedy = 'Pass createRelay a store, such as store: memoryStore().';
    assert.equal(body.error.message, message);
    assert.equal(
      body.error.hint,
      `${remedy} Without it, leave out relay: true and idempotencyKey in the page.`,
    );
    assert.deepEqual(lines, [`lemondata-wasm relay: ${message} ${remedy}`]);
  });
});

describe('a failure of the service on the console', () => {
  test('stands there in its own words where they concern the account', async () => {
    const error = { message: 'Balance of ops@lemons.example used up', code: 'insufficient_balance' };
    server.next({
      on: 'create',
      reply: { status: 402, headers: { 'x-request-id': 'req_7' }, body: { error } },
    });
    const { body } = await relays.create(make());
    assert.deepEqual(body.error, {
      message: 'The service refused the account of this relay.',
      type: 'relay_error',
      code: 'upstream_refused',
      ...LOOK,
    });
    assert.deepEqual(lines, [
      'lemondata-wasm relay: POST /v1/images/generations was answered with status 402 (insufficient_balance): Balance ' +
        'of ops@lemons.example used up. Top up, or choose a cheaper model. Request id: req_7.',
    ]);
  });

  test('holds neither prompt nor key', async () => {
    for (const [status, text] of [
      [400, `The prompt ${PROMPT} is too short`],
      [403, `The key ${KEY.toUpperCase()} may not draw ${PROMPT}`],
      [500, `The prompt ${PROMPT} broke ${Buffer.from(KEY).toString('base64')}`],
    ]) {
      server.next({ on: 'create', reply: { status, body: { error: { message: text } } } });
      await relays.create(make());
    }
    assert.equal(lines.length, 3);
    for (const line of lines) assert.doesNotMatch(line, new RegExp(`${PROMPT}|${KEY}`, 'i'));
    assert.match(lines[0], /A create failed: invalid_request\. Its client has the reason\./);
    assert.match(lines[1], /The key \[key\] may not draw \[prompt\]/);
    assert.match(lines[2], /The prompt \[prompt\] broke \[key\]/);
  });

  test('is one line, and commands no terminal', async () => {
    const message = 'down\r\nlemondata-wasm relay: all is well\u001b[2J\u2028\u202edetrevni';
    server.next({ on: 'create', reply: { status: 503, body: { error: { message } } } });
    await relays.create(make());
    assert.equal(lines.length, 1);
    assert.match(lines[0], /: down lemondata-wasm relay: all is well \[2J detrevni\./);
    assert.doesNotMatch(lines[0], /\p{Cc}|\u2028|\u202e/u);
  });

  test('keeps its words when the prompt is a short one', async () => {
    const error = { message: 'The prompt "a" and all channels failed for a', code: 'all_channels_failed' };
    for (const prompt of ['a', '1', '猫', 'lemons']) {
      const body = { error: { ...error, message: `${error.message}, ${prompt}x, 猫` } };
      server.next({ on: 'create', reply: { status: 503, body } });
      await relays.create(make(), { prompt });
    }
    assert.equal(lines.length, 4);
    const reasons = lines.map((line) => /\): (.*?)\. Request id/.exec(line)[1]);
    assert.deepEqual(reasons, [
      'The prompt "[prompt]" and all channels failed for a, ax, 猫',
      'The prompt "a" and all channels failed for a, 1x, 猫',
      'The prompt "a" and all channels failed for a, [prompt]x, [prompt]',
      'The prompt "a" and all channels failed for a, [prompt]x, 猫',
    ]);
  });

  test('names the cause of a lost connection', async () => {
    const closed = await startServer();
    await closed.close();
    await relays.create(make({ baseUrl: closed.url }));
    assert.equal(lines.length, 1);
    assert.match(
      lines[0],
      /ECONNREFUSED 127\.0\.0\.1:\d+\. Check baseUrl, and the network of this server\.$/,
    );
  });

  test('is a bug where it is none of the service', async () => {
    const answer = await relays.create(make(), {}, { context: { waitUntil: () => sessionOf() } });
    assert.equal(answer.status, 500);
    assert.match(lines[0], /^lemondata-wasm relay: a bug: ReferenceError: .* Please report it\.$/);
  });
});
