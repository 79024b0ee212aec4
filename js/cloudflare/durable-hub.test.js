import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRelay } from 'lemondata-wasm/relay';
import { durableHub } from './durable-hub.js';

/** A namespace whose objects are of an earlier version than the worker. */
const tasks = {
  newUniqueId: () => 'new',
  idFromName: (key) => `of ${key.length} characters`,
  idFromString: (id) => id,
  get: () => ({ createTask: async () => ({ isOutdated: true }) }),
};

test('an object that is too old for an order names itself', async () => {
  const answer = await durableHub({ tasks }).create({ key: 'key', files: [] });
  assert.deepEqual(answer, { isOutdated: true, id: 'of 3 characters' });
});

test('its client may try again, since nothing was done', async () => {
  const logged = [];
  const relay = createRelay({
    apiKey: 'a-key-of-the-tests',
    secret: 'a secret of the tests, of 32 characters',
    models: 'any',
    authorize: () => 'ann',
    hub: durableHub({ tasks }),
    log: (event) => logged.push(event),
  });
  for (const key of ['old', undefined]) {
    const response = await relay(
      new Request('https://relay.example/v1/images/generations', {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...(key && { 'idempotency-key': key }) },
        body: '{"prompt":"A lemon"}',
      }),
    );
    assert.equal(response.status, 503);
    assert.equal(response.headers.get('retry-after'), '5');
    const { code, retryable } = (await response.json()).error;
    assert.deepEqual([code, retryable], ['relay_unavailable', true]);
    assert.match(logged.at(-2).message, /worker of a later version/);
    assert.equal(logged.at(-1).task, key ? 'of 64 characters' : 'new');
  }
});
