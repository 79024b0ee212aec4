/** What a hub does for its clients, in workerd. */

import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { startServer } from '../server/index.js';
import { startHub } from './place.js';

/** No test needs this long: it ends one that would hang. */
const GUARD = { timeout: 20_000 };

let server;
let hub;

before(async () => {
  server = await startServer({ taskMs: 100 });
  hub = await startHub(server);
});
after(async () => {
  await hub?.close();
  await server.close();
});
beforeEach(() => server.reset());

test('a task is created, polled by the hub, and told to whoever waits', GUARD, async () => {
  const updates = [];
  const done = await hub
    .client('ann')
    .generateAndWait(
      { prompt: 'A lemon', model: 'flux-pro' },
      { onUpdate: (generation) => updates.push(generation.status) },
    );
  assert.equal(done.status, 'completed');
  assert.match(done.task_id, /^t_/);
  assert.match(done.data[0].url, /\/files\//);
  assert.equal(updates.at(-1), 'completed');
  assert.ok(updates.length > 2, `${updates}`);
  assert.equal(server.counts.creates, 1);
  assert.doesNotMatch(JSON.stringify(done), /img_/);
});

test('an inline answer comes at once', GUARD, async () => {
  const done = await hub.client('ann').generate({ prompt: 'A lemon', model: 'dall-e-3' });
  assert.equal(done.status, 'completed');
  assert.equal(server.counts.polls, 0);
});
