/** A keyed create is billed once, also where the store is full, slow or attacked. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { memoryStore } from 'lemondata-wasm/relay';
import { come, PROMPT, relays, server, useServer } from './harness.js';

/** No test needs this long: it ends one that would hang. */
const GUARD = { timeout: 20_000 };

useServer({ retryAfter: 7 });

const answer = (status, body = '{}') => ({ status, headers: {}, body });

describe('the store in memory', () => {
  let at = 0;
  const now = () => at;
  const carryOut = async (store, key, status) => {
    assert.equal(await store.claim(key, 'f'), undefined);
    await store.settle(key, answer(status));
  };

  test('a store that is full refuses, and drops neither settled keys nor those under way', async () => {
    const store = memoryStore({ maxEntries: 3, now });
    await carryOut(store, 'a', 200);
    await carryOut(store, 'b', 502);
    await store.claim('under way', 'f');
    await assert.rejects(
      store.claim('one more', 'f'),
      /memoryStore is full.*Raise maxEntries or lower ttlMs/,
    );
    assert.equal((await store.claim('a', 'f')).answer.status, 200);
    assert.equal((await store.claim('b', 'f')).answer.status, 502);
    const waiting = store.claim('under way', 'f');
    await store.settle('under way', answer(200));
    assert.equal((await waiting).answer.status, 200);
    at += 86_400_000;
    assert.equal(
      await store.claim('one more', 'f'),
      undefined,
      'there is room when the old ones are forgotten',
    );
  });

  test('a key is kept for ttlMs after its create was settled, however long that took', async () => {
    const store = memoryStore({ ttlMs: 1000, now });
    await store.claim('k', 'f');
    at += 5000;
    const waiting = store.claim('k', 'f');
    await store.settle('k', answer(200));
    assert.equal((await waiting).answer.status, 200);
    at += 999;
    assert.equal((await store.claim('k', 'f')).answer.status, 200);
    at += 1;
    assert.equal(await store.claim('k', 'f'), undefined);
  });

  test('a create that was never settled counts as unknown, and is not carried out again', GUARD, async () => {
    const store = memoryStore({ claimMs: 1000, ttlMs: 5000, now });
    await store.claim('k', 'f');
    const waiting = store.claim('k', 'f');
    at += 1000;
    assert.match((await store.claim('k', 'f')).answer.body, /create_outcome_unknown/);
    assert.match((await waiting).answer.body, /create_outcome_unknown/);
    // It comes to its end after all.
    await store.settle('k', answer(200));
    assert.equal((await store.claim('k', 'f')).answer.status, 200);
    at += 5000;
    assert.equal(await store.claim('k', 'f'), undefined);
  });

  test('its clock does not jump with the clock of the machine', async (t) => {
    const store = memoryStore();
    await carryOut(store, 'k', 200);
    t.mock.method(Date, 'now', () => 8e15);
    assert.equal((await store.claim('k', 'f')).answer.status, 200);
  });
});

test('a full store is a 503 that may be tried again, and nothing goes on', async () => {
  const { make, keyed, events } = relays;
  const relay = make({ store: memoryStore({ maxEntries: 1 }) });
  assert.equal((await keyed(relay, 'a')).status, 200);
  const { status, body } = await keyed(relay, 'b');
  assert.equal(status, 503);
  assert.equal(body.error.retryable, true);
  assert.match(String(events.find(({ event }) => event === 'store_failed').error), /memoryStore is full/);
  assert.equal(server.counts.creates, 1);
});

test('a flood of refused creates pushes no settled key out', async () => {
  const { make, keyed } = relays;
  const relay = make({ store: memoryStore({ maxEntries: 3 }) });
  const victim = await keyed(relay, 'victim', { model: 'flux-pro' });
  for (let index = 0; index < 20; index += 1) {
    assert.equal((await keyed(relay, `refused-${index}`, { model: 'test-error-400' })).status, 400);
  }
  assert.equal((await keyed(relay, 'victim', { model: 'flux-pro' })).text, victim.text);
  assert.equal(server.counts.creates, 21);
});

test('the order of fields makes no other request', async () => {
  const { make, keyed } = relays;
  for (const options of [{ allowedFields: ['seed', 'style_options'] }, { extraFields: 'pass' }]) {
    server.reset();
    const relay = make({ store: memoryStore(), ...options });
    const bodies = [
      `{"prompt":"${PROMPT}","n":1,"seed":5,"style_options":{"a":[{"x":1,"y":2}],"b":2}}`,
      `{"style_options":{"b":2,"a":[{"y":2,"x":1}]},"seed":5,"n":1,"prompt":"${PROMPT}"}`,
    ];
    const [first, second] = [await keyed(relay, 'k', bodies[0]), await keyed(relay, 'k', bodies[1])];
    assert.equal(second.status, 200);
    assert.equal(second.text, first.text);
    assert.equal(server.counts.creates, 1);
    const other = await keyed(relay, 'k', bodies[0].replace('"y":2', '"y":3'));
    assert.equal(other.body.error.code, 'idempotency_key_reused');
  }
});

describe('a create that the service refused', () => {
  test('frees its key after a pause: a later repeat is sent', async () => {
    const { make, keyed, clock } = relays;
    const relay = make({ store: memoryStore() });
    const error = { message: 'Top up', code: 'insufficient_balance' };
    server.next({ on: 'create', reply: { status: 402, body: { error } } });
    assert.equal((await keyed(relay, 'k')).status, 403);
    assert.equal((await keyed(relay, 'k')).status, 403, 'a duplicate gets the same refusal');
    assert.equal(server.counts.creates, 1);
    assert.equal(
      (await keyed(relay, 'k', { n: 2 })).status,
      200,
      'another request under that key does not rest',
    );
    clock.now += 1000;
    server.reset();
    const other = make({ store: memoryStore() });
    server.next({ on: 'create', reply: { status: 402, body: { error } } });
    await keyed(other, 'k');
    clock.now += 1000;
    assert.equal((await keyed(other, 'k')).status, 200);
    assert.equal(server.counts.creates, 2);
  });

  for (const [model, status] of [
    ['test-slow:20,error-429:1', 429],
    ['test-slow:20,error-503-retryable:1', 503],
  ]) {
    test(`is not sent once for each of its duplicates: ${status}`, async () => {
      const { make, keyed, clock } = relays;
      const relay = make({ store: memoryStore() });
      const answers = await Promise.all(Array.from({ length: 50 }, () => keyed(relay, 'k', { model })));
      assert.deepEqual(new Set(answers.map((found) => found.status)), new Set([status]));
      for (const { headers } of answers) assert.equal(headers.get('retry-after'), '7');
      assert.equal(server.counts.creates, 1);

      clock.now += 4000;
      const later = await keyed(relay, 'k', { model });
      assert.equal(later.status, status);
      assert.equal(later.headers.get('retry-after'), '3', 'what is left of the pause');
      assert.equal((await keyed(relay, 'another', { model })).status, 200, 'other keys do not rest');
      clock.now += 3000;
      assert.equal((await keyed(relay, 'k', { model })).status, 200);
      assert.equal(server.counts.creates, 3);
    });
  }

  test('rests a second where the service names no pause, and ten minutes where it names an absurd one', async () => {
    const { make, keyed, clock } = relays;
    for (const [headers, pauseMs] of [
      [{}, 1000],
      [{ 'retry-after': '99999999999' }, 600_000],
    ]) {
      server.reset();
      const relay = make({ store: memoryStore() });
      server.next({ on: 'create', reply: { status: 429, headers, body: { error: { message: 'No.' } } } });
      await keyed(relay, 'k');
      clock.now += pauseMs - 1;
      assert.equal((await keyed(relay, 'k')).status, 429);
      clock.now += 1;
      assert.equal((await keyed(relay, 'k')).status, 200);
      assert.equal(server.counts.creates, 2);
    }
  });
});

describe('a store that never settles', () => {
  test('its settle does not withhold the answer', GUARD, async () => {
    const { make, keyed, events } = relays;
    const store = { claim: async () => undefined, settle: () => new Promise(() => {}) };
    const { status } = await keyed(make({ store, callbackTimeoutMs: 20 }), 'k');
    assert.equal(status, 200);
    assert.match(
      String(events.find(({ event }) => event === 'store_failed').error),
      /did not settle within 20 ms/,
    );
  });

  test('its claim ends as a 503, and a claim that comes too late is given back', GUARD, async () => {
    const { make, keyed } = relays;
    let grant;
    const settled = [];
    const store = {
      claim: () =>
        new Promise((resolve) => {
          grant = resolve;
        }),
      settle: async (_key, found) => settled.push(found),
    };
    const relay = make({ store, requestTimeout: 10, callbackTimeoutMs: 10 });
    const { status, body } = await keyed(relay, 'k');
    assert.equal(status, 503);
    assert.equal(body.error.retryable, true);
    assert.equal(server.counts.creates, 0);
    grant(undefined);
    await come(() => settled.length === 1);
    assert.deepEqual(settled, [undefined]);
  });
});
