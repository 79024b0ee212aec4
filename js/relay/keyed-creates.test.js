/** A create with a key is carried out once. What the relay remembers for that is bounded. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { memoryStore } from './idempotency.js';
import { createKeyedCreates } from './keyed-creates.js';

/** As many refusals as the relay remembers. */
const MAX_PAUSES = 10_000;

test('the refusals of the newest keys are remembered, and those before them forgotten', async () => {
  const carryOut = createKeyedCreates({
    store: memoryStore(),
    now: () => 0,
    createTimeoutMs: 1000,
    callOrRefuse: async (_name, work) => work(),
    failed: (error) => {
      throw error;
    },
  });
  const send = async () => ({ status: 400, headers: {}, body: '{}', outcome: 'rejected' });
  const refuse = (number) => carryOut(`key ${number}`, 'fingerprint', send);
  for (let number = 0; number <= MAX_PAUSES; number += 1) {
    assert.equal((await refuse(number)).isRepeated, false, `key ${number}`);
  }
  assert.equal((await refuse(MAX_PAUSES)).isRepeated, true);
  assert.equal((await refuse(1)).isRepeated, true);
  assert.equal((await refuse(0)).isRepeated, false, 'the oldest one is sent again');
});
