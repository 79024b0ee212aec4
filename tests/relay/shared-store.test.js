/** A store in a database: several relays share it, and a restart keeps it. */

import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { sharedStore } from 'lemondata-wasm/relay';
import { come, relays, server, useServer } from './harness.js';

/** No test needs this long: it ends one that would hang. */
const GUARD = { timeout: 20_000 };

useServer({ retryAfter: 7 });
/** The rows of the database. */
let rows;
let lifetimes;
beforeEach(() => {
  rows = new Map();
  lifetimes = [];
});

/** What an operator writes for Redis or SQL. */
const database = (changes) => ({
  async add(key, value, ttlMs) {
    lifetimes.push(ttlMs);
    if (rows.has(key)) return false;
    rows.set(key, value);
    return true;
  },
  get: async (key) => rows.get(key) ?? null,
  async set(key, value, ttlMs) {
    lifetimes.push(ttlMs);
    rows.set(key, value);
  },
  async delete(key) {
    rows.delete(key);
  },
  ...changes,
});

const open = ({ changes, ...options } = {}) => sharedStore({ ...database(changes), checkMs: 1, ...options });
const answer = (status, body = '{}') => ({ status, headers: {}, body });

describe('relays that share a store', () => {
  test('carry a key out once, before a restart and after it', async () => {
    const { make, keyed } = relays;
    const first = await keyed(make({ store: open() }), 'key');
    const second = await keyed(make({ store: open() }), 'key');
    assert.equal(second.text, first.text);
    assert.equal(server.counts.creates, 1);
  });

  test('wait for one another', GUARD, async () => {
    const [one, other] = [open(), open()];
    assert.equal(await one.claim('key', 'f'), undefined);
    let found;
    const waiting = other.claim('key', 'f').then((claim) => {
      found = claim;
    });
    await new Promise((resolve) => setTimeout(resolve, 10));
    assert.equal(found, undefined);
    await one.settle('key', answer(200));
    await waiting;
    assert.deepEqual(found, { fingerprint: 'f', answer: answer(200) });
  });

  for (const [name, read] of [
    ['parses JSON by itself, as that of Upstash', JSON.parse],
    ['returns bytes', Buffer.from],
  ]) {
    test(`carry a key out once by a driver that ${name}`, GUARD, async () => {
      const { make, keyed } = relays;
      const get = async (key) => (rows.has(key) ? read(rows.get(key)) : null);
      const relay = () => make({ store: open({ changes: { get } }) });
      const answers = await Promise.all([keyed(relay(), 'key'), keyed(relay(), 'key')]);
      answers.push(await keyed(relay(), 'key'));
      for (const { status, text } of answers) {
        assert.equal(status, 200, text);
        assert.equal(text, answers[0].text);
      }
      assert.equal((await keyed(relay(), 'key', { n: 2 })).status, 422);
      assert.equal(server.counts.creates, 1);
    });
  }

  test('free a key whose create did nothing', GUARD, async () => {
    const [one, other] = [open(), open()];
    await one.claim('key', 'f');
    const waiting = other.claim('key', 'f');
    await one.settle('key', undefined);
    assert.equal(await waiting, undefined);
  });

  test('tell another request under the same key apart', async () => {
    const { make, keyed } = relays;
    await keyed(make({ store: open() }), 'key');
    const { status, body } = await keyed(make({ store: open() }), 'key', { prompt: 'Another one' });
    assert.deepEqual([status, body.error.code], [422, 'idempotency_key_reused']);
  });

  test('do not send again what a process that has crashed may have sent', GUARD, async () => {
    let at = 0;
    const [crashed, other] = [1, 2].map(() => open({ claimMs: 1000, ttlMs: 5000, now: () => at }));
    await crashed.claim('key', 'f');
    assert.deepEqual(lifetimes, [6000]);
    at = 1000;
    const { answer: lost } = await other.claim('key', 'f');
    assert.equal(lost.status, 502);
    assert.match(lost.body, /create_outcome_unknown/);
    // It was slow, and comes to its end after all.
    await crashed.settle('key', answer(200));
    assert.equal((await other.claim('key', 'f')).answer.status, 200);
    assert.ok(lifetimes.includes(5000));
  });

  test('keep names of their own in the database', async () => {
    await open({ prefix: 'pictures:' }).claim('key', 'f');
    assert.deepEqual([...rows.keys()], ['pictures:key']);
  });
});

test(
  'a claim whose answer is lost on the way is found again by a driver that repeats it',
  GUARD,
  async () => {
    const add = async (key, value) => {
      const isFirst = !rows.has(key);
      if (isFirst) rows.set(key, value);
      // The driver of Redis sends a command again when its connection breaks.
      return isFirst && rows.get(key) !== value;
    };
    assert.equal(await open({ changes: { add } }).claim('key', 'f'), undefined);
  },
);

test('an answer that is too long for the database is not kept, and its create is not repeated', async () => {
  const store = open({ maxLength: 100 });
  await store.claim('key', 'f');
  await store.settle('key', answer(200, 'x'.repeat(101)));
  const { answer: kept } = await store.claim('key', 'f');
  assert.match(kept.body, /answer_not_kept/);
});

test('a process settles no key that another one has claimed', async () => {
  await open().claim('key', 'f');
  const before = [...rows];
  await open().settle('key', answer(200));
  await open().settle('key', undefined);
  assert.deepEqual([...rows], before);
});

test('an answer is stored by a second attempt, if the first fails', async () => {
  let failures = 1;
  const set = async (key, value) => {
    if (failures-- > 0) throw new Error('READONLY You cannot write against a read only replica.');
    rows.set(key, value);
  };
  const store = open({ changes: { set } });
  await store.claim('key', 'f');
  await store.settle('key', answer(200));
  assert.equal((await store.claim('key', 'f')).answer.status, 200);
});

test('a database that fails is a 503, and nothing is sent', async () => {
  const { make, keyed, events } = relays;
  const add = async () => {
    throw new Error('connect ECONNREFUSED');
  };
  assert.equal((await keyed(make({ store: open({ changes: { add } }) }), 'key')).status, 503);
  await come(() => events.some(({ event }) => event === 'store_failed'));
  assert.equal(server.counts.creates, 0);
});

test('a database without an atomic step, such as KV of Cloudflare, is refused', async () => {
  assert.throws(() => sharedStore({ ...database(), add: undefined }), {
    name: 'TypeError',
    message: /^sharedStore: add must be a function.*but is missing\. It writes a key that the database lacks/,
  });
  const store = open({ changes: { add: async () => 'OK' } });
  await assert.rejects(
    store.claim('key', 'f'),
    /sharedStore: add must return true or false, but returned string/,
  );
});
