/** Callers whose address changes, whose identity is missing, or whose requests another site makes. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { anonymousByIp, memoryLimiter, memoryStore } from 'lemondata-wasm/relay';
import { CREATE, createHarness, relays, server, useServer } from './harness.js';

useServer({ retryAfter: 7 });

const at = (ip) => ({ user: '', context: { ip } });

describe('an anonymous caller whose address changes', () => {
  // By Happy Eyeballs, a browser connects by IPv6 or by IPv4; a phone leaves its Wi-Fi.
  const [HOME, AWAY] = ['2001:db8:1::1', '198.51.100.7'];

  test('polls the task that it has created', async () => {
    const { make, create, poll } = relays;
    const relay = make({ authorize: anonymousByIp() });
    const { body } = await create(relay, { model: 'flux-pro' }, at(HOME));
    assert.equal((await poll(relay, body.task_id, at(AWAY))).status, 200);
  });

  test('is not billed twice for one key', async () => {
    const { make, keyed } = relays;
    const relay = make({ authorize: anonymousByIp(), store: memoryStore() });
    const first = await keyed(relay, 'key', {}, at(HOME));
    const second = await keyed(relay, 'key', {}, at(AWAY));
    assert.equal(second.status, 200);
    assert.equal(second.text, first.text);
    assert.equal(server.counts.creates, 1);
  });

  test('is limited by its address', async () => {
    const { make, create } = relays;
    const relay = make({ authorize: anonymousByIp(), limiter: memoryLimiter({ creates: 1 }) });
    const statuses = [];
    for (const ip of [HOME, HOME, AWAY]) statuses.push((await create(relay, {}, at(ip))).status);
    assert.deepEqual(statuses, [200, 429, 200]);
  });

  test('has no part in the tasks and keys of users that are signed in', async () => {
    const { make, create, keyed, poll } = relays;
    const byIp = anonymousByIp();
    const relay = make({
      authorize(request, context) {
        // It may look at the address of every caller.
        const address = byIp(request, context);
        return request.headers.get('x-user') || address;
      },
      store: memoryStore(),
    });
    const ann = { ...at(HOME), user: 'ann' };
    const anns = (await create(relay, { model: 'flux-pro' }, ann)).body.task_id;
    assert.equal((await poll(relay, anns, ann)).status, 200);
    assert.equal((await poll(relay, anns, at(HOME))).status, 404);
    const theirs = (await create(relay, { model: 'flux-pro' }, at(HOME))).body.task_id;
    assert.equal((await poll(relay, theirs, ann)).status, 404);
    await keyed(relay, 'key', {}, ann);
    await keyed(relay, 'key', {}, at(HOME));
    assert.equal(server.counts.creates, 4);
  });
});

test('a key belongs to its request, whatever name its user has at the service', async () => {
  const { make, keyed } = relays;
  let day = 1;
  const relay = make({ store: memoryStore(), user: (identity) => `${identity} of day ${day}` });
  const first = await keyed(relay, 'key');
  day += 1;
  assert.equal((await keyed(relay, 'key')).text, first.text);
  assert.equal(server.counts.creates, 1);
});

test('a missing value in the words of JavaScript is no identity', async () => {
  const { make, create, events } = relays;
  const relay = make({ authorize: (request) => request.headers.get('x-user') });
  for (const user of ['undefined', 'null', 'NaN', '[object Object]', '[object Promise]']) {
    assert.equal((await create(relay, {}, { user })).status, 503, user);
    const { error } = events.find(({ event }) => event === 'authorize_failed');
    assert.match(error.message, /^authorize returned the text ".+", which is no identity\./);
    events.length = 0;
  }
  assert.equal((await create(relay, {}, { user: 'undefined behaviour' })).status, 200);
  assert.equal(server.counts.creates, 1);
});

describe('anonymous callers are told apart', () => {
  const identityOf = (ip) => anonymousByIp({ from: () => ip })(new Request('https://x.example'));

  test('behind a translator from IPv4 to IPv6', () => {
    assert.equal(identityOf('64:ff9b::192.0.2.1'), 'ip:192.0.2.1');
    assert.equal(identityOf('64:ff9b::c000:202'), 'ip:192.0.2.2');
  });

  test('or else the log names the setting, also on Cloud Run and Azure, whose proxies are link-local', async () => {
    for (const ip of ['169.254.1.1', '::ffff:169.254.130.4', '10.0.0.2']) {
      const { make, create, events } = createHarness(server);
      const headers = { 'x-forwarded-for': '203.0.113.9' };
      const relay = make({ authorize: anonymousByIp() });
      for (let count = 0; count < 2; count += 1) await create(relay, {}, { ...at(ip), headers });
      const notices = events.filter(({ event }) => event === 'misconfigured');
      assert.deepEqual(
        notices.map(({ code }) => code),
        ['proxy_unknown'],
        `${ip}, once`,
      );
    }
  });
});

test('a proxy is known by any header that proxies set', async () => {
  for (const name of ['x-real-ip', 'x-forwarded-proto', 'x-forwarded-host', 'via', 'forwarded']) {
    const { make, create, events } = createHarness(server);
    await create(
      make({ authorize: anonymousByIp() }),
      {},
      { ...at('127.0.0.1'), headers: { [name]: 'some' } },
    );
    assert.equal(events.find(({ event }) => event === 'misconfigured')?.code, 'proxy_unknown', name);
  }
});

describe('a page of another site', () => {
  const from = (site, mode) => ({ 'sec-fetch-site': site, 'sec-fetch-mode': mode });

  test('spends no allowance of its visitors by pictures, frames and links', async () => {
    const { make, ask } = relays;
    const relay = make({ limiter: memoryLimiter({ polls: 1 }) });
    for (const [site, mode] of [
      ['cross-site', 'no-cors'],
      ['same-site', 'no-cors'],
      ['cross-site', 'navigate'],
    ]) {
      const { status, body } = await ask(relay, 'GET', '/v1/models', { headers: from(site, mode) });
      assert.equal(status, 403);
      assert.equal(body.error.code, 'origin_not_allowed');
    }
    assert.equal((await ask(relay, 'GET', '/v1/models')).status, 200);
  });

  test('sees no more of the relay than its health', async () => {
    const { make, ask } = relays;
    const headers = from('cross-site', 'navigate');
    assert.equal((await ask(make(), 'GET', '/health', { headers })).status, 200);
  });

  test('does not keep the relay’s own pages and scripts away', async () => {
    const { make, ask } = relays;
    for (const headers of [
      from('same-origin', 'cors'),
      from('same-origin', 'no-cors'),
      from('none', 'navigate'),
      // An extension that may reach the relay sends no origin.
      from('none', 'cors'),
      from('cross-site', 'cors'),
    ]) {
      assert.equal((await ask(make(), 'GET', '/v1/models', { headers })).status, 200);
    }
  });
});

describe('a public page that calls a relay in a private network', () => {
  const PAGE = 'https://app.example';
  const headers = {
    'access-control-request-method': 'POST',
    'access-control-request-private-network': 'true',
  };
  const allowed = (answer) => answer.headers.get('access-control-allow-private-network');

  test('may call if the relay lists it', async () => {
    const { make, ask } = relays;
    const relay = make({ allowedOrigins: [PAGE] });
    const base = 'http://localhost:3000';
    const answer = await ask(relay, 'OPTIONS', CREATE, { base, headers: { ...headers, origin: PAGE } });
    assert.deepEqual([answer.status, allowed(answer)], [204, 'true']);
    const foreign = { ...headers, origin: 'https://other.example' };
    const refused = await ask(relay, 'OPTIONS', CREATE, { base, headers: foreign });
    assert.deepEqual([refused.status, allowed(refused)], [403, null]);
  });

  test('gets no such header where it does not ask', async () => {
    const { make, ask } = relays;
    const relay = make({ allowedOrigins: [PAGE] });
    assert.equal(allowed(await ask(relay, 'OPTIONS', CREATE, { headers: { origin: PAGE } })), null);
  });
});

describe('the log of requests', () => {
  test('names the task at the service, by which its support finds it', async () => {
    const { make, create, poll, events } = relays;
    const relay = make();
    const { body } = await create(relay, { model: 'flux-pro' });
    await poll(relay, body.task_id);
    const [created, polled] = events.filter(({ event }) => event === 'request');
    assert.match(created.task, /^\w+$/);
    assert.equal(polled.task, created.task);
    assert.ok(server.counts.requests.at(-1).path.endsWith(created.task));
  });

  test('names a path that the relay does not have, as a proxy may send it', async () => {
    const { make, ask, events } = relays;
    await ask(make(), 'POST', CREATE.replace('v1/', ''));
    const { route, path } = events.at(-1);
    assert.deepEqual([route, path], ['none', '/api/lemondata/images/generations']);
  });
});

describe('a create that a hub does not answer', () => {
  const lost = async () => {
    throw new Error('Durable Object reset because its code was updated.');
  };
  const makeHub = () => ({ create: lost, getTask: lost, watch: lost, picture: lost });

  test('may be tried again with its key', async () => {
    const { make, keyed, events } = relays;
    const { status, body } = await keyed(make({ hub: makeHub() }), 'key');
    assert.deepEqual([status, body.error.retryable], [503, true]);
    assert.equal(events.filter(({ event }) => event === 'hub_failed').length, 1);
  });

  test('is unknown without a key, and no bug of the relay', async () => {
    const { make, create, events } = relays;
    const { status, body } = await create(make({ hub: makeHub() }));
    assert.deepEqual([status, body.error.code], [502, 'create_outcome_unknown']);
    assert.equal(body.error.retryable, undefined);
    const failures = events.map(({ event }) => event);
    assert.deepEqual(failures, ['hub_failed', 'request']);
  });
});
