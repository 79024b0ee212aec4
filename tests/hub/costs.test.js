/** What a picture has cost: the logs of hub and relay have it, and clients see it only where the operator shows it. */

import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { startServer } from '../server/index.js';
import { idOf, startHub, until } from './place.js';

const GUARD = { timeout: 300_000 };
const USAGE = { total_tokens: 5 };
const BILL = 'txn_1';
const costs = { billing_transaction_id: BILL, usage: USAGE };
const header = { 'x-billing-transaction-id': BILL };
const DATA = [{ b64_json: 'aGk=' }];

describe('what a picture of the hub has cost', GUARD, () => {
  let server;
  const hubs = {};

  before(async () => {
    server = await startServer({ taskMs: 60 });
    hubs.closed = await startHub(server);
    hubs.open = await startHub(server, { RELAY: { showCosts: true } });
  });
  after(async () => {
    for (const hub of Object.values(hubs)) await hub.close();
    await server.close();
  });
  beforeEach(() => server.reset());

  const bills = (hub, model) =>
    hub.events().filter((event) => event.event === 'billed' && event.model === model);

  /** The ways in which the service names its bill, each with the model that the log then names. */
  const WAYS = {
    'in the header of an inline answer': (model) => {
      server.next({ on: 'create', reply: { headers: header, body: { data: DATA, usage: USAGE, model } } });
    },
    'in an inline answer': () => {
      server.next({ on: 'create', reply: { body: { data: DATA, ...costs } } });
    },
    'in a poll': () => {
      server.next({ on: 'create', reply: { body: { task_id: 'img_1', status: 'pending' } } });
      server.next({ on: 'poll', reply: { body: { status: 'completed', data: DATA, ...costs } } });
    },
    'with the task, and not in its polls': () => {
      const body = { task_id: 'img_1', status: 'pending', usage: USAGE };
      server.next({ on: 'create', reply: { headers: header, body } });
      server.next({ on: 'poll', reply: { body: { status: 'processing' } } });
      server.next({ on: 'poll', reply: { body: { status: 'completed', data: DATA } } });
    },
  };

  for (const [how, script] of Object.entries(WAYS)) {
    test(`is logged once, and shown where the operator says so: ${how}`, async () => {
      for (const [name, hub] of Object.entries(hubs)) {
        const model = `model ${how}`;
        script(model);
        const done = await hub.client('ann').generateAndWait({ prompt: 'A lemon', model });
        const shown = { billing_transaction_id: done.billing_transaction_id, usage: done.usage };
        const nothing = { billing_transaction_id: undefined, usage: undefined };
        assert.deepEqual(shown, name === 'open' ? costs : nothing);
        const [event, ...more] = await until(() => {
          const found = bills(hub, model);
          return found.length > 0 && found;
        });
        assert.deepEqual([event.billingTransactionId, event.usage], [BILL, USAGE]);
        assert.deepEqual(more, []);
        assert.deepEqual([event.identity, typeof event.task], ['ann', 'string']);
        // A socket and a poll say the same as the stream.
        const polled = await (await hub.fetch('ann', `/v1/tasks/${done.task_id}`)).json();
        assert.equal(polled.billing_transaction_id, shown.billing_transaction_id);
      }
    });
  }

  test('is that of a failed task as well', async () => {
    for (const [name, hub] of Object.entries(hubs)) {
      server.next({
        on: 'create',
        reply: { headers: header, body: { task_id: 'img_1', status: 'pending' } },
      });
      server.next({ on: 'poll', reply: { body: { status: 'failed', error: 'No lemons', usage: USAGE } } });
      const request = { prompt: 'A lemon', model: 'flux-pro' };
      const { task_id } = await hub.client('ann').generate(request);
      await assert.rejects(hub.client('ann').waitForTask(task_id), ({ body }) => {
        const { billing_transaction_id, usage } = body;
        assert.deepEqual(
          { billing_transaction_id, usage },
          name === 'open' ? costs : { billing_transaction_id: undefined, usage: undefined },
        );
        return true;
      });
      assert.deepEqual(
        bills(hub, 'flux-pro').map(({ billingTransactionId, usage }) => [billingTransactionId, usage]),
        [
          [BILL, undefined],
          [undefined, USAGE],
        ],
      );
      assert.ok((await hub.inside(idOf(task_id), 'stored')).entries.job);
    }
  });

  test('is nothing where it is no bill, and the key never stands in it', async () => {
    const hub = hubs.closed;
    for (const [model, body, expected] of [
      ['no bill', { billing_transaction_id: 'a\r\nb' }, []],
      ['long', { usage: { words: 'x'.repeat(10_000) } }, []],
      ['echo', { usage: { key: server.apiKey } }, [{ key: '[key]' }]],
    ]) {
      server.next({ on: 'create', reply: { body: { data: DATA, ...body } } });
      await hub.client('ann').generate({ prompt: 'A lemon', model });
      assert.deepEqual(
        bills(hub, model).map(({ usage }) => usage),
        expected,
      );
    }
  });
});
