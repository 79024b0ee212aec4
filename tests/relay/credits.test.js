/** The credits of the page about running a relay: each picture takes one, and what was not billed gives it back. */

import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { memoryStore } from 'lemondata-wasm/relay';
import { sample } from '../helpers/samples.js';
import { relays, server, useServer } from './harness.js';

const { withCredits } = await import(
  `data:text/javascript,${encodeURIComponent(sample('relay-operation/credits'))}`
);

useServer();

let left;
let relay;
beforeEach(() => {
  const refunds = new Set();
  left = 3;
  const credits = {
    async spend() {
      if (left === 0) return false;
      left -= 1;
      return true;
    },
    async refund(_user, id) {
      if (!refunds.has(id)) left += 1;
      refunds.add(id);
    },
  };
  relay = relays.make({ store: memoryStore(), ...withCredits(credits) });
});

const startTask = () => {
  server.next({ on: 'create', reply: { body: { task_id: 'img_1', status: 'pending' } } });
  return relays.create(relay);
};

test('a picture takes one', async () => {
  await relays.create(relay);
  assert.equal(left, 2);
});

test('without one, a create is refused, and its client knows that waiting does not help', async () => {
  left = 0;
  const { status, body } = await relays.create(relay);
  assert.equal(status, 429);
  assert.equal(body.error.retryable, false);
  assert.equal(left, 0);
  assert.equal(server.counts.creates, 0);
});

describe('it comes back', () => {
  test('where the relay refuses the request', async () => {
    assert.equal((await relays.create(relay, { nonsense: 1 })).status, 400);
    assert.equal(left, 3);
  });

  for (const status of [400, 429]) {
    test(`where the service refuses the create with ${status}`, async () => {
      server.next({ on: 'create', reply: { status, body: { error: { message: 'No' } } } });
      assert.equal((await relays.create(relay)).status, status);
      assert.equal(left, 3);
    });
  }

  test('where a create is answered again', async () => {
    await relays.keyed(relay, 'k');
    await relays.keyed(relay, 'k');
    assert.equal(server.counts.creates, 1);
    assert.equal(left, 2);
  });

  test('where the task fails, once', async () => {
    const { body } = await startTask();
    assert.equal(left, 2);
    for (let poll = 0; poll < 3; poll += 1) {
      server.next({
        on: 'poll',
        reply: { body: { task_id: 'img_1', status: 'failed', error: 'No lemons' } },
      });
      await relays.poll(relay, body.task_id);
    }
    assert.equal(left, 3);
  });
});

describe('it stays away', () => {
  test('where the create may have been billed', async () => {
    server.next({ on: 'create', reply: { status: 500, body: {} } });
    assert.ok((await relays.create(relay)).status >= 500);
    assert.equal(left, 2);
  });

  test('where a poll is refused', async () => {
    const { body } = await startTask();
    server.next({ on: 'poll', reply: { status: 400, body: { error: { message: 'No' } } } });
    await relays.poll(relay, body.task_id);
    assert.equal((await relays.poll(relay, 't_a.b')).status, 404);
    assert.equal(left, 2);
  });
});
