/** Failures in the operator's log, and secrets that must not leave it. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { anonymousByIp, memoryLimiter } from 'lemondata-wasm/relay';
import { KEY, relays, server, useServer } from './harness.js';

useServer({ retryAfter: 7 });

const failures = () => relays.events.filter(({ event }) => event === 'upstream_failed');

describe('every failure upstream is one event of the log', () => {
  for (const [status, kind, outcome] of [
    [400, 'invalid_request', 'rejected'],
    [401, 'authentication', 'rejected'],
    [402, 'payment_required', 'rejected'],
    [403, 'permission_denied', 'rejected'],
    [404, 'not_found', 'rejected'],
    [429, 'rate_limit', 'rejected'],
    [500, 'server', 'unknown'],
    [502, 'server', 'unknown'],
    [520, 'server', 'unknown'],
  ]) {
    test(`a create that is answered ${status}`, async () => {
      const { make, create } = relays;
      const body = { error: { message: 'What is wrong', code: 'the_code', type: 'the_type' } };
      server.next({ on: 'create', reply: { status, headers: { 'x-request-id': 'req_1' }, body } });
      await create(make(), { model: 'flux-pro' });
      const [{ error, message, ...event }, ...more] = failures();
      assert.deepEqual(more, []);
      assert.deepEqual(event, {
        event: 'upstream_failed',
        upstream: 'create',
        model: 'flux-pro',
        identity: 'ann',
        kind,
        code: 'the_code',
        status,
        outcome,
        requestId: 'req_1',
      });
      assert.match(error.message, /What is wrong/);
      assert.equal(message, error.message);
      const request = relays.events.at(-1);
      assert.equal(request.event, 'request');
      assert.deepEqual(
        [request.requestId, request.outcome, request.upstreamStatus],
        ['req_1', outcome, status],
      );
    });
  }

  test('one that gets no answer, or none that can be used', async () => {
    const { make, create } = relays;
    for (const [reply, kind] of [
      [{ reset: true }, 'connection'],
      [{ status: 307, headers: { location: 'https://elsewhere.example/' } }, 'response'],
      [{ body: 'OK' }, 'response'],
    ]) {
      relays.events.length = 0;
      server.next({ on: 'create', reply });
      await create(make());
      assert.equal(failures().length, 1);
      assert.equal(failures()[0].kind, kind);
      assert.ok(failures()[0].error instanceof Error);
    }
  });

  test('one that was never sent, with its cause', async () => {
    const { make, create } = relays;
    const apiKey = () => {
      throw new Error('the vault is closed');
    };
    await create(make({ apiKey }));
    assert.equal(failures().length, 1);
    assert.equal(failures()[0].outcome, 'not_sent');
    assert.match(failures()[0].error.cause.message, /the vault is closed/);
  });

  test('a poll that fails, and a task that does', async () => {
    const { make, create, poll } = relays;
    const relay = make();
    const { body } = await create(relay, { model: 'test-poll:error-500' });
    await poll(relay, body.task_id);
    assert.equal(failures().length, 1);
    assert.deepEqual([failures()[0].upstream, failures()[0].status], ['poll', 500]);

    const error = { message: 'Insufficient balance: account ops@company.example', code: 'upstream_error' };
    server.next({ on: 'poll', reply: { body: { task_id: 'x', status: 'failed', error } } });
    server.next({ on: 'create', reply: { body: { task_id: 'x', status: 'pending' } } });
    const failing = await create(relay);
    const { text } = await poll(relay, failing.body.task_id);
    assert.doesNotMatch(text, /balance|ops@/);
    assert.equal(failures().at(-1).kind, 'task_failed');
    assert.match(failures().at(-1).error.message, /ops@company.example/, 'the operator sees it');
  });

  test('a code that has not the form of one is not logged as one', async () => {
    const { make, create } = relays;
    const error = { message: 'No.', code: 'a\n{"event":"request","status":200}', type: 'x'.repeat(1000) };
    server.next({ on: 'create', reply: { status: 400, body: { error } } });
    await create(make());
    assert.deepEqual(
      relays.events.map(({ code }) => code),
      ['invalid_request', 'invalid_request'],
    );
  });
});

describe('the key in an error of the service', () => {
  const base64 = (text) => Buffer.from(text).toString('base64');
  for (const [what, spelt] of [
    ['as it is', KEY],
    ['in capitals', KEY.toUpperCase()],
    ['in base64', base64(KEY)],
    ['in base64, behind a word', base64(`Bearer ${KEY}`)],
    ['in base64, behind another one', base64(`key: ${KEY} is wrong`)],
    ['in hexadecimal', Buffer.from(KEY).toString('hex')],
    ['its first half', KEY.slice(0, 17)],
    ['its last half', KEY.slice(-17)],
    ['cut by dots', `${KEY.slice(0, 7)}...${KEY.slice(-4)}`],
  ]) {
    test(`is taken out: ${what}`, async () => {
      const { make, create } = relays;
      const reveals = spelt.slice(0, 12);
      for (const field of ['message', 'hint', 'did_you_mean', 'param', 'code', 'type']) {
        const error = { message: 'No.', [field]: field === 'message' ? `It was ${spelt}.` : spelt };
        server.next({ on: 'create', reply: { status: 422, body: { error } } });
        const { text, status } = await create(make());
        assert.equal(status, 422);
        assert.ok(!text.includes(spelt) && !text.includes(reveals), text);
      }
    });
  }

  test('of a request that was signed with the key before', async () => {
    const { make, create } = relays;
    const keys = ['sk-another-key-of-the-relay-0123456789', KEY];
    const relay = make({ apiKey: () => keys.pop() });
    await create(relay);
    server.next({ on: 'create', reply: { status: 422, body: { error: { message: `Not ${KEY}` } } } });
    assert.ok(!(await create(relay)).text.includes(KEY));
  });

  test('a result with the key in it does not carry it', async () => {
    const { make, create } = relays;
    server.next({ on: 'create', reply: { body: { data: [{ url: `https://x.example/1.png?key=${KEY}` }] } } });
    const { status, text } = await create(make());
    assert.equal(status, 200);
    assert.ok(!text.includes(KEY));
  });

  test('a key that is a word leaves other texts alone', async () => {
    const { make, create } = relays;
    const url = 'https://cdn.test.example/test.png';
    const fetch = async () => Response.json({ data: [{ url }] });
    const { body } = await create(make({ apiKey: 'sk-x', fetch }));
    assert.equal(body.data[0].url, url);
  });
});

describe('limits', () => {
  test('a limiter’s clock that goes back lets no more pass', () => {
    let at = 1_000_000;
    const limiter = memoryLimiter({ creates: 2, now: () => at });
    const passes = () => limiter.take('ann', 'create') === 0;
    assert.deepEqual([passes(), passes(), passes()], [true, true, false]);
    for (const step of [-60_000, 60_000, -3_600_000, 3_600_000, -1, 1]) {
      at += step;
      assert.equal(passes(), false, `after a step of ${step}`);
    }
    at += 30_000;
    assert.deepEqual([passes(), passes()], [true, false]);
  });

  test('its own clock is not that of the machine', (t) => {
    const limiter = memoryLimiter({ creates: 1 });
    assert.equal(limiter.take('ann', 'create'), 0);
    t.mock.method(Date, 'now', () => 8e15);
    assert.ok(limiter.take('ann', 'create') > 0);
  });

  test('a limiter that returns no time lets no request through', async () => {
    const { make, create, events } = relays;
    for (const wait of [undefined, null, Number.NaN, 'soon', {}, -1]) {
      events.length = 0;
      const { status } = await create(make({ limiter: { take: async () => wait } }));
      assert.equal(status, 503, String(wait));
      assert.match(String(events[0].error), /limiter must return milliseconds/);
    }
  });

  test('an address is one identity, whatever port it comes from', async () => {
    const identityOf = (address) => anonymousByIp({ from: () => address })(new Request('https://x.example'));
    for (const address of ['192.0.2.1', '192.0.2.1:1234', ' 192.0.2.1:65535 ', '[::ffff:192.0.2.1]:80']) {
      assert.equal(identityOf(address), 'ip:192.0.2.1');
    }
    for (const address of ['2001:db8:1:2::1', '[2001:db8:1:2::1]', '[2001:db8:1:2::9]:443']) {
      assert.equal(identityOf(address), 'ip:2001:db8:1:0::/56');
    }
    assert.equal(identityOf(null), null);
    assert.equal(identityOf(''), null);
  });

  test('what is no address is refused, since its sender could make up any number of them', async () => {
    const { make, create, events } = relays;
    for (const address of [
      '192.0.2.1, 10.0.0.1',
      'unknown',
      '_hidden',
      '1.2.3',
      '1.2.3.256',
      '1.2.3.4.',
      '01.2.3.4',
      '1.2.3.04',
      '::x',
      'a:b',
      // Each has the form of an address, and there is no end of them.
      '1:2:3:4:5:6:7:8:9',
      '1:2:3:4:5:6:7',
      '1:2:3:4:5:6:7:8::',
      '1::2::3',
      '1:abcde::',
      ':'.repeat(40),
      `1:2:${'1'.repeat(8000)}`,
    ]) {
      events.length = 0;
      const { status } = await create(make({ authorize: anonymousByIp({ from: () => address }) }));
      assert.equal(status, 503, address);
      assert.match(String(events[0].error), /must be one IP address/);
    }
    assert.equal(server.counts.creates, 0);
  });
});
