/** A hub with a wrong setting answers no request, and logs which one is wrong. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { durableHub } from '../../js/cloudflare/durable-hub.js';
import { startServer } from '../server/index.js';
import { idOf, nameOf, startHub } from './place.js';

const GUARD = { timeout: 300_000 };
const LEMON = { prompt: 'A lemon', model: 'flux-pro' };

describe('a setting of a hub', GUARD, () => {
  let server;

  before(async () => {
    server = await startServer({ taskMs: 50 });
  });
  after(() => server.close());

  /** Starts a hub with these bindings for some work. */
  async function withHub(bindings, work) {
    server.reset();
    const hub = await startHub(server, bindings);
    try {
      await work(hub);
    } finally {
      await hub.close();
    }
  }

  for (const [name, value] of [
    ['retention', ''],
    ['retention', 'a day'],
    ['retention', 1e15],
    ['retention', 0],
    ['maxWait', 0],
    ['maxWait', '-5'],
    ['requestTimeout', 3e9],
    ['maxRetries', 1.5],
    ['apiKey', ''],
    ['apiKey', 'a key'],
    ['apiKey', '"quoted"'],
    ['baseUrl', 'api.lemondata.cc'],
    ['baseUrl', 'https://u:p@api.lemondata.cc'],
    ['baseUrl', 'https://api.lemondata.cc/v1/images/generations'],
    ['maxWatchers', 'many'],
    ['maxWatchersPerIdentity', 0],
    ['tasks', {}],
    ['shortCreates', 'maybe'],
    ['retentoin', 1000],
  ]) {
    test(`stops the hub if it is wrong: ${name} ${JSON.stringify(value)}`, async () => {
      await withHub({ SETTINGS: { [name]: value } }, async (hub) => {
        const response = await hub.create('ann', LEMON, 'wrong');
        assert.equal(response.status, 503);
        assert.equal(server.counts.creates, 0);
        await hub.prints(new RegExp(`TaskHub(: ${name} must be| knows no option ${name})`));
        assert.deepEqual((await hub.inside(nameOf('ann', 'wrong'), 'stored')).entries, {});
      });
    });
  }

  test('lets the alarms of stored tasks fail, and ring again', async () => {
    const job = JSON.parse(
      readFileSync(new URL('../core/fixtures/hub-jobs-1.json', import.meta.url), 'utf8'),
    ).waiting;
    await withHub({ SETTINGS: { retention: '' } }, async (hub) => {
      const id = nameOf('ann', 'stored');
      const rows = { job, view: { generation: { status: 'pending' } }, order: { identity: 'ann' } };
      await hub.inside(id, 'replace', rows).catch(() => {});
      await hub.inside(id, 'ring', 1);
      const { entries, alarm } = await hub.inside(id, 'stored');
      assert.deepEqual(entries.job, job);
      assert.ok(alarm > Date.now() + 30_000, `${alarm}`);
      await hub.prints(/alarm_failed/);
    });
  });

  test('may be a number as text, as environment variables are', async () => {
    const settings = { retention: '3600000', maxWait: '60000', maxRetries: '1', maxWatchers: '5' };
    await withHub({ SETTINGS: settings }, async (hub) => {
      const { task_id } = await hub.client('ann').generateAndWait(LEMON);
      const { alarm } = await hub.inside(idOf(task_id), 'stored');
      assert.ok(alarm > Date.now() + 3_500_000 && alarm <= Date.now() + 3_600_000);
    });
  });

  for (const [value, isRight] of [
    ['soon', false],
    ['', false],
    [0, false],
    ['600000', true],
  ]) {
    test(`of a key object ${isRight ? 'may be text' : 'stops it'}: claim ${JSON.stringify(value)}`, async () => {
      await withHub({ KEY_SETTINGS: { claim: value } }, async (hub) => {
        const response = await fetch(`${hub.url}/store/v1/images/generations`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', 'x-user': 'ann', 'idempotency-key': 'k' },
          body: JSON.stringify(LEMON),
        });
        assert.equal(response.status, isRight ? 200 : 503);
        assert.equal(server.counts.creates, isRight ? 1 : 0);
        if (!isRight) await hub.prints(/IdempotencyKeyObject: claim must be a number of milliseconds/);
      });
    });
  }

  test('of durableHub is checked at once', () => {
    const tasks = { idFromName() {}, idFromString() {}, newUniqueId() {}, get() {} };
    assert.throws(
      () => durableHub({}),
      /durableHub: tasks must be the binding of the class TaskHub, but is missing/,
    );
    assert.throws(() => durableHub({ tasks: {} }), TypeError);
    for (const wrong of ['soon', -1, Number.NaN, Number.POSITIVE_INFINITY, 3e9]) {
      assert.throws(() => durableHub({ tasks, answerWithin: wrong }), /durableHub: answerWithin must be/);
      assert.throws(() => durableHub({ tasks, heartbeat: wrong }), /durableHub: heartbeat must be/);
    }
    assert.deepEqual(durableHub({ tasks, heartbeat: '20' }).streams.heartbeat, 20);
  });
});
