/** What a picture has cost: the log has it, and clients see it only where the operator shows it. */

import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { createHarness } from './harness.js';

const HEADER = 'x-billing-transaction-id';
const USAGE = { total_tokens: 5 };
const DATA = [{ url: 'https://cdn.example/1.png' }];

let relays;
let reply;
beforeEach(() => {
  relays = createHarness({ url: 'https://service.example' });
});
const make = (options) => relays.make({ fetch: async () => reply(), ...options });

/** What the log says of the last request. */
function logged() {
  const { billingTransactionId, usage } = relays.events.at(-1);
  return { billingTransactionId, usage };
}

/** Creates, and tells what the client sees of the cost. */
async function seen(relay, work = () => relays.create(relay)) {
  const { headers, body } = await work();
  return { header: headers.get(HEADER), bill: body.billing_transaction_id, usage: body.usage };
}
const NOTHING = { header: null, bill: undefined, usage: undefined };

describe('an inline answer, whose bill stands in a header', () => {
  beforeEach(() => {
    reply = () => Response.json({ data: DATA, usage: USAGE }, { headers: { [HEADER]: 'txn_1' } });
  });

  test('is logged', async () => {
    assert.deepEqual(await seen(make()), NOTHING);
    assert.deepEqual(logged(), { billingTransactionId: 'txn_1', usage: USAGE });
  });

  test('is shown where the operator says so', async () => {
    assert.deepEqual(await seen(make({ showCosts: true })), {
      header: 'txn_1',
      bill: undefined,
      usage: USAGE,
    });
  });
});

describe('a task, whose bill stands in a poll', () => {
  for (const [name, end] of [
    ['completed', { status: 'completed', data: DATA }],
    ['failed', { status: 'failed', error: 'No lemons' }],
  ]) {
    test(name, async () => {
      for (const [showCosts, expected] of [
        [false, NOTHING],
        [true, { header: 'txn_2', bill: 'txn_2', usage: USAGE }],
      ]) {
        const relay = make({ showCosts });
        reply = () => Response.json({ task_id: 'img_1', status: 'pending' });
        const { body } = await relays.create(relay);
        reply = () =>
          Response.json({
            task_id: 'img_1',
            billing_transaction_id: 'txn_2',
            usage: USAGE,
            balance_usd: 1,
            ...end,
          });
        const found = await relays.poll(relay, body.task_id);
        assert.deepEqual(await seen(relay, () => found), expected);
        assert.equal(found.body.balance_usd, undefined);
        assert.deepEqual(logged(), { billingTransactionId: 'txn_2', usage: USAGE });
      }
    });
  }
});

test('a bill that no header can hold is none', async () => {
  for (const billing_transaction_id of ['a\r\nset-cookie: x', 'x'.repeat(300), 5, {}, ['x'], '']) {
    reply = () => Response.json({ data: DATA, billing_transaction_id });
    const { header } = await seen(make({ showCosts: true }));
    assert.equal(header, null, JSON.stringify(billing_transaction_id));
    assert.equal(logged().billingTransactionId, undefined);
  }
});

test('an answer without a bill has none', async () => {
  reply = () => Response.json({ data: DATA });
  assert.deepEqual(await seen(make({ showCosts: true })), NOTHING);
  assert.deepEqual(logged(), { billingTransactionId: undefined, usage: undefined });
});

test('a repeated answer names the bill of the first', async () => {
  reply = () => Response.json({ data: DATA }, { headers: { [HEADER]: `txn_${relays.events.length}` } });
  const relay = make({ showCosts: true });
  const [first, second] = [await relays.keyed(relay, 'k'), await relays.keyed(relay, 'k')];
  assert.equal(first.headers.get(HEADER), 'txn_0');
  assert.equal(second.headers.get(HEADER), 'txn_0');
});

describe('a task of a hub', () => {
  const generation = { status: 'completed', billing_transaction_id: 'txn_3', usage: USAGE, balance_usd: 1 };
  const failure = {
    kind: 'task_failed',
    outcome: 'failed',
    body: { status: 'failed', error: 'No lemons', usage: USAGE },
  };
  const views = {
    completed: { generation, data: JSON.stringify(DATA) },
    'completed, with long data': { generation, data: 'stream' },
    failed: { generation: { ...generation, usage: undefined }, error: failure },
  };
  for (const [name, view] of Object.entries(views)) {
    test(`is logged, and shown where the operator says so: ${name}`, async () => {
      const found = () => ({
        ...view,
        data: view.data === 'stream' ? new Response(JSON.stringify(DATA)).body : view.data,
      });
      const hub = {
        create: async () => ({ id: '1', view: found() }),
        getTask: async () => found(),
        watch: async () => undefined,
        picture: async () => undefined,
      };
      for (const [showCosts, expected] of [
        [false, NOTHING],
        [true, { header: null, bill: 'txn_3', usage: USAGE }],
      ]) {
        const relay = make({ hub, showCosts });
        const created = await relays.create(relay);
        for (const ask of [() => created, () => relays.poll(relay, created.body.task_id)]) {
          const answer = await ask();
          assert.deepEqual(await seen(relay, () => answer), expected);
          assert.deepEqual(logged(), { billingTransactionId: 'txn_3', usage: USAGE });
          assert.equal(answer.body.balance_usd, undefined);
        }
      }
    });
  }
});
