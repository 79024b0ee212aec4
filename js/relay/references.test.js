import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digest } from './digest.js';
import { nodeCrypto } from './platform.js';
import { createReferences } from './references.js';

const OLD = 'a secret of last year, long enough';
const NEW = 'a secret of this year, long enough';
const TASK = { task_id: 'img_ü-1', poll_url: '/v1/images/generations/img_1' };
const IDENTITY = 'ann \ud800';

/** By Node's hashes, and by Web Crypto. */
const makers = Object.entries({ node: nodeCrypto, web: null }).map(([name, node]) => ({
  name,
  make: (secrets, { now = () => 0, kind = /** @type {const} */ ('task') } = {}) =>
    createReferences(secrets, { ttlMs: 60_000, now, kind }, node),
}));

test('Node has its hashes where these tests run', () => {
  assert.ok(nodeCrypto);
});

for (const signer of makers) {
  for (const reader of makers) {
    test(`a reference that ${signer.name} signs is read by ${reader.name}, and no other`, async () => {
      const reference = await signer.make([OLD]).sign(TASK, IDENTITY);
      const { read } = reader.make([NEW, OLD]);
      assert.deepEqual(await read(reference, IDENTITY), TASK);
      assert.equal(await read(reference, 'bob'), undefined, 'another identity');
      assert.equal(await reader.make([NEW]).read(reference, IDENTITY), undefined, 'another secret');
      assert.equal(await reader.make([OLD], { kind: 'hub' }).read(reference, IDENTITY), undefined);
      assert.equal(await reader.make([OLD], { now: () => 60_000 }).read(reference, IDENTITY), undefined);
      for (let at = 2; at < reference.length; at += 1) {
        const other = reference[at] === 'A' ? 'B' : 'A';
        const forged = reference.slice(0, at) + other + reference.slice(at + 1);
        assert.equal(await read(forged, IDENTITY), undefined, forged);
      }
    });

    test(`a signature by ${signer.name} has one spelling for ${reader.name}`, async () => {
      const reference = await signer.make([OLD]).sign(TASK, IDENTITY);
      const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
      const { read } = reader.make([OLD]);
      const found = await Promise.all(
        [...letters].map((last) => read(reference.slice(0, -1) + last, IDENTITY)),
      );
      assert.equal(found.filter(Boolean).length, 1);
    });
  }
}

test('a reference is the same until it expires, and lives no longer for being signed again', async () => {
  const TTL_MS = 60_000;
  const createdAt = 10_000_400;
  let now;
  const { sign, read } = createReferences([NEW], { ttlMs: TTL_MS, now: () => now, kind: 'hub' });
  const signAt = (time, identity = IDENTITY) => {
    now = time;
    return sign(TASK, identity, createdAt);
  };
  const first = await signAt(createdAt);
  for (const later of [1, 599, 600, 30_000, TTL_MS - 1]) {
    assert.equal(await signAt(createdAt + later), first, `after ${later} ms`);
  }
  // The clock of another machine may be behind.
  assert.equal(await signAt(createdAt - 500), first);
  assert.notEqual(await signAt(createdAt, 'bob'), first);
  // A second is the precision of the expiry.
  now = createdAt + TTL_MS + 1000;
  assert.equal(await read(first, IDENTITY), undefined);

  const second = await signAt(createdAt + TTL_MS);
  assert.notEqual(second, first);
  assert.equal(await signAt(createdAt + 2 * TTL_MS - 1), second);
  now = createdAt + 2 * TTL_MS - 1;
  assert.deepEqual(await read(second, IDENTITY), TASK);
  now = createdAt + 2 * TTL_MS + 1000;
  assert.equal(await read(second, IDENTITY), undefined);
});

test('a digest is the SHA-256 of its parts as JSON', async () => {
  const text = new TextEncoder().encode(JSON.stringify(['ann', 'key']));
  const hash = Buffer.from(await crypto.subtle.digest('SHA-256', text)).toString('hex');
  assert.equal(await digest(['ann', 'key']), hash);
});
