/** While a deploy goes on, a worker calls objects of another version: no create is carried out as another one. */

import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { startServer } from '../server/index.js';
import { nameOf, startHub } from './place.js';

const GUARD = { timeout: 300_000 };
const LEMON = { prompt: 'A lemon', model: 'flux-pro' };

describe('worker and object of different versions', GUARD, () => {
  let server;

  before(async () => {
    server = await startServer();
  });
  after(() => server.close());
  beforeEach(() => server.reset());

  async function withHub(bindings, work) {
    const hub = await startHub(server, bindings);
    try {
      await work(hub);
    } finally {
      await hub.close();
    }
  }

  test('an object refuses an order of a later version, and carries out those of its own', async () => {
    await withHub({}, async (hub) => {
      const order = { identity: 'ann', fingerprint: '', request: LEMON, files: [], fallback: [], waitMs: 0 };
      const createTask = (version) =>
        hub.inside(nameOf('ann', 'order'), 'createTask', { version, isEdit: false, ...order });
      assert.deepEqual(await createTask(2), { isOutdated: true });
      assert.equal(server.counts.creates, 0);
      assert.equal((await createTask(1)).view.generation.status, 'pending');
      assert.deepEqual(await createTask(2), { isOutdated: true });
    });
  });
});
