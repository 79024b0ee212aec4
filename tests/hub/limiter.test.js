/** The requests of all tasks together stay below the provider's limit, and each of them is sent. */

import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { startServer } from '../server/index.js';
import { limiterOf, nameOf, startHub, until } from './place.js';

const GUARD = { timeout: 300_000 };

describe('a limiter', GUARD, () => {
  let server;
  let hub;

  const start = async (perMinute, taskMs = 200, more = {}) => {
    server = await startServer({ taskMs });
    hub = await startHub(server, { LEMONDATA_PER_MINUTE: perMinute, ANSWER_WITHIN_MS: 10_000, ...more });
  };
  beforeEach(() => {
    server = undefined;
    hub = undefined;
  });
  afterEach(async () => {
    await hub?.close();
    await server?.close();
  });

  const request = (prompt, model = 'dall-e-3') => ({ prompt, model });
  const many = (count, work) => Promise.all(Array.from({ length: count }, (_, index) => work(index)));

  test('spreads requests that come at once', async () => {
    // Ten a second, and ten at once.
    await start(600);
    const tasks = await many(30, (index) => hub.create(index % 2 ? 'ann' : 'bob', request(`${index}`)));
    assert.ok(tasks.every(({ status }) => status === 200));
    await until(() => server.counts.creates === 30);
    const times = server.counts.requests.map(({ at }) => at);
    for (const from of times) {
      const within = times.filter((at) => at >= from && at < from + 1000).length;
      // Admitted requests arrive a little sooner or later; without a limiter, all come at once.
      assert.ok(within <= 25, `${within} in one second`);
    }
    assert.ok(times.at(-1) - times[0] > 1000, 'twenty have to wait');
  });

  test('serves an identity with one request before the rest of an identity with many', async () => {
    await start(60_000);
    // No request leaves the queue meanwhile.
    await pause(30_000);
    const positionOf = async (user) => {
      const { queue } = await (await hub.create(user, request(user))).json();
      return queue.position;
    };
    const positions = await many(20, () => positionOf('ann'));
    assert.deepEqual(new Set(positions), new Set(Array(20).keys()));
    assert.equal(await positionOf('bob'), 1);
    assert.equal(await positionOf('ann'), 21);
    assert.equal(server.counts.creates, 0);
  });

  test('answers creates in the queue with their place', async () => {
    await start(60_000);
    // Long enough for the create to arrive meanwhile, on a busy machine as well.
    await pause(5000);
    const updates = [];
    const done = await hub
      .client('bob')
      .generateAndWait(request('bob', 'flux-pro'), { onUpdate: (generation) => updates.push(generation) });
    assert.equal(done.status, 'completed');
    assert.equal(done.queue, undefined);
    const queues = updates.flatMap(({ queue }) => queue ?? []);
    assert.ok(queues.length > 0, JSON.stringify(updates));
    for (const { position, length, wait_ms } of queues) {
      assert.ok(position >= 0 && position < length && wait_ms > 0);
    }
    assert.ok(updates.every(({ status }) => ['pending', 'processing', 'completed'].includes(status)));
  });

  test('pauses all tasks when the provider refuses one, and loses none', async () => {
    const PAUSE_MS = 3000;
    await start(60_000, 3_600_000);
    const tasks = many(6, (index) =>
      hub.client(`user ${index % 2}`).generateAndWait(request(`${index}`, 'flux-pro'), { maxRetries: 0 }),
    );
    await until(() => server.counts.polls > 6);
    server.next({
      on: 'poll',
      reply: {
        status: 429,
        headers: { 'retry-after': `${PAUSE_MS / 1000}` },
        body: { error: { code: 'rate_limit_exceeded' } },
      },
    });
    const refused = await until(() => server.counts.requests.find(({ status }) => status === 429));
    // After the pause, requests go on. The clocks count whole milliseconds.
    const end = refused.at + PAUSE_MS - 50;
    await until(() => server.counts.requests.some(({ at }) => at >= end));
    for (const task of server.tasks.values()) task.startedAt = 0;
    for (const done of await tasks) assert.equal(done.status, 'completed');
    // Requests under way have arrived by then.
    const silent = ({ at }) => at > refused.at + PAUSE_MS / 2 && at < end;
    assert.deepEqual(server.counts.requests.filter(silent), []);
    assert.equal(server.counts.creates, 6);
  });

  const admit = (ticket, kind = 'create', model = 'flux-pro') =>
    hub.insideOf('LIMITER', limiterOf(server.apiKey), 'admit', ticket, 'ann', kind, 1e9, model);
  const pause = (ms, model) =>
    hub.insideOf('LIMITER', limiterOf(server.apiKey), 'pause', ms, ...(model ? [model] : []));
  const evict = () => hub.insideOf('LIMITER', limiterOf(server.apiKey), 'reset').catch(() => {});

  test('keeps a pause when its object ends', async () => {
    await start(60_000);
    const refusal = { error: { code: 'rate_limit_exceeded', retry_after: 40 } };
    server.next({ on: 'create', reply: { status: 429, body: refusal } });
    await hub.create('ann', request('refused'));
    const limiter = limiterOf(server.apiKey);
    await until(async () => (await hub.insideOf('LIMITER', limiter, 'stored')).entries.pauses);
    await evict();
    const { queue } = await (await hub.create('bob', request('bob'))).json();
    assert.ok(queue.wait_ms > 20_000, JSON.stringify(queue));
    assert.equal(server.counts.creates, 1);
  });

  test('keeps the longer of two pauses when its object ends', async () => {
    await start(60_000);
    await pause(30_000);
    await pause(1000);
    await evict();
    const { wait_ms } = await admit('t1');
    assert.ok(wait_ms > 20_000, `${wait_ms}`);
  });

  test('pauses for ten minutes at most after an absurd refusal', async () => {
    await start(60_000);
    await pause(1e15);
    await evict();
    const { wait_ms } = await admit('t1');
    assert.ok(wait_ms > 590_000 && wait_ms <= 600_100, `${wait_ms}`);
  });

  test('pauses one model after a refusal that names it', async () => {
    await start(60_000);
    const refusal = { error: { message: 'Rate limit reached for flux-pro.', retry_after: 40 } };
    server.next({ on: 'create', reply: { status: 429, body: refusal } });
    await hub.create('ann', request('refused', 'flux-pro'));
    const limiter = limiterOf(server.apiKey);
    await until(async () => (await hub.insideOf('LIMITER', limiter, 'stored')).entries.pauses);
    await evict();
    const other = await (await hub.create('bob', request('another model'))).json();
    assert.equal(other.status, 'completed');
    const { queue } = await (await hub.create('bob', request('the same model', 'flux-pro'))).json();
    assert.ok(queue.wait_ms > 20_000, JSON.stringify(queue));
    assert.equal(server.counts.creates, 2);
    assert.equal((await admit('a poll', 'poll')).wait_ms, 0);
  });

  test('ends a create at once if it would be admitted too late, and says when to come back', async () => {
    await start(60_000, 200, { MAX_WAIT_MS: 10_000 });
    await pause(30_000);
    const response = await hub.create('ann', request('late'), 'late');
    assert.equal(response.status, 429);
    const after = Number(response.headers.get('retry-after'));
    assert.ok(after > 20 && after <= 30, `${after}`);
    const { error } = await response.json();
    assert.deepEqual([error.code, error.retryable], ['rate_limit_exceeded', true]);
    // The same key waits, too.
    const again = await hub.create('ann', request('late'), 'late');
    assert.equal(again.status, 429);
    assert.ok(Number(again.headers.get('retry-after')) <= after);
    assert.equal(server.counts.creates, 0);
  });

  for (const wrong of ['', '1,000', 'unlimited', 0, -5, 1e12]) {
    test(`with a wrong limit admits nothing: ${JSON.stringify(wrong)}`, async () => {
      await start('1000', 200, { LIMITER_SETTINGS: { perMinute: wrong } });
      const response = await hub.create('ann', request('wrong'), 'wrong');
      assert.equal(response.status, 503);
      assert.equal(server.counts.creates, 0);
      await hub.prints(/RequestLimiter: perMinute must be a whole number from 1 to 1000000, but is/);
      // Nothing is left that would be sent later.
      assert.deepEqual((await hub.inside(nameOf('ann', 'wrong'), 'stored')).entries, {});
    });
  }

  test('bounds the creates of a day, also when its object ends', async () => {
    await start(60_000, 200, { MAX_WAIT_MS: 5000, LIMITER_SETTINGS: { createsPerDay: 2 } });
    for (const user of ['ann', 'bob']) assert.equal((await hub.create(user, request(user))).status, 200);
    await evict();
    const response = await hub.create('cid', request('cid'));
    assert.equal(response.status, 429);
    const secondsToMidnight = 86_400 - ((Date.now() / 1000) % 86_400);
    assert.ok(Math.abs(Number(response.headers.get('retry-after')) - secondsToMidnight) < 60);
    assert.equal(server.counts.creates, 2);
    assert.equal((await admit('a poll', 'poll')).wait_ms, 0);
    // Yesterday's creates do not count.
    const limiter = limiterOf(server.apiKey);
    const { day } = (await hub.insideOf('LIMITER', limiter, 'stored')).entries;
    await hub.insideOf('LIMITER', limiter, 'put', 'day', { ...day, number: day.number - 1 });
    assert.equal((await hub.create('cid', request('another'))).status, 200);
  });

  test('that ends holds no task up', async () => {
    await start(600);
    const limiter = limiterOf(server.apiKey);
    const tasks = many(20, (index) => hub.client('ann').generateAndWait(request(`${index}`)));
    await until(() => server.counts.creates >= 10);
    await hub.insideOf('LIMITER', limiter, 'reset').catch(() => {});
    for (const done of await tasks) assert.equal(done.status, 'completed');
    assert.equal(server.counts.creates, 20);
  });
});
