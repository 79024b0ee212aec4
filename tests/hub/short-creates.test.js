/** Short creates: the hub asks for a task in place of a picture. */

import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { startServer } from '../server/index.js';
import { idOf, startHub } from './place.js';

const GUARD = { timeout: 300_000 };
const LEMON = { prompt: 'A lemon', model: 'gpt-image-2' };

describe('a hub with short creates', GUARD, () => {
  let server;
  let hub;

  before(async () => {
    server = await startServer({ taskMs: 50 });
    hub = await startHub(server, { LEMONDATA_SHORT_CREATES: 'true' });
  });
  after(async () => {
    await hub?.close();
    await server.close();
  });
  beforeEach(() => server.reset());

  const creates = () => server.counts.requests.filter(({ method }) => method === 'POST');
  const flags = () => creates().map(({ body }) => body.async);

  test('gets a task of a model that would answer with its picture', async () => {
    const task = await hub.client('ann').generate(LEMON);
    assert.equal(task.status, 'pending');
    assert.equal((await hub.client('ann').waitForTask(task)).status, 'completed');
    assert.deepEqual(flags(), [true]);
    assert.ok(server.counts.polls > 0);
  });

  test('sends what the client says of it itself', async () => {
    const done = await hub.client('ann').generate({ ...LEMON, async: false });
    assert.equal(done.status, 'completed');
    assert.deepEqual(flags(), [false]);
  });

  test('asks for a task of an edit, too, with the file', async () => {
    const image = new Blob([Buffer.from('89504e470d0a1a0a00', 'hex')]);
    assert.equal((await hub.client('ann').editAndWait({ ...LEMON, image })).status, 'completed');
    assert.deepEqual(flags(), ['true']);
    assert.equal(creates()[0].body.image.length, 1);
  });

  test('asks a model that refuses it once more without it', async () => {
    const request = { prompt: 'A lemon', model: 'test-no-async' };
    const options = { idempotencyKey: 'refused' };
    const done = await hub.client('ann').generateAndWait(request, options);
    assert.equal(done.status, 'completed');
    assert.deepEqual(flags(), [true, undefined]);
    const event = await hub.logged(({ event }) => event === 'upstream_failed');
    assert.deepEqual(
      [event.event, event.status, event.code, event.outcome],
      ['upstream_failed', 400, 'unsupported_parameter', 'rejected'],
    );
    const again = await hub.client('ann').generateAndWait(request, options);
    assert.deepEqual(again, done);
    assert.equal(creates().length, 2);
    const { entries } = await hub.inside(idOf(done.task_id), 'stored');
    assert.equal(entries.request, undefined);
  });

  test('does not send again what the client has asked for itself', async () => {
    const client = hub.client('ann', { maxRetries: 0 });
    const request = { prompt: 'A lemon', model: 'test-no-async', async: true };
    await assert.rejects(client.generate(request), { status: 400, param: 'async' });
    assert.deepEqual(flags(), [true]);
  });

  test('sends no create again that may have been billed', async () => {
    const client = hub.client('ann', { maxRetries: 0 });
    const body = { error: { message: 'async is broken' } };
    server.next({ on: 'create', reply: { status: 500, body } });
    await assert.rejects(client.generate(LEMON), { outcome: 'unknown' });
    assert.deepEqual(flags(), [true]);
  });
});
