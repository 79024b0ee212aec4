/** Finished pictures are kept, and are their owner's alone. */

import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { startServer } from '../server/index.js';
import { idOf, startHub, until } from './place.js';

const GUARD = { timeout: 30_000 };

describe('a hub that keeps pictures', GUARD, () => {
  let server;
  let hub;
  let client;

  before(async () => {
    server = await startServer({ taskMs: 100 });
    hub = await startHub(server, { KEEPS: true });
    client = hub.client('ann');
  });
  after(async () => {
    await hub?.close();
    await server.close();
  });
  beforeEach(() => server.reset());

  const get = (url, user) => fetch(url, { headers: user ? { 'x-user': user } : {} });
  const bytesOf = async (response) => Buffer.from(await response.arrayBuffer());

  /** Has a task not wait for its next attempt, until it is over. */
  const hurry = (reference) =>
    until(async () => {
      const { job } = (await hub.inside(idOf(reference), 'stored')).entries;
      if (job.phase === 'completed') return true;
      if (job.phase === 'keeping' && job.due > Date.now() + 50) {
        await hub.amend(idOf(reference), 'job', { due: 0 });
        await hub.fetch('ann', `/v1/tasks/${reference}`);
      }
      return false;
    });

  for (const model of ['flux-pro', 'dall-e-3']) {
    test(`serves them to their owner alone: ${model}`, async () => {
      const done = await client.generateAndWait({ prompt: 'A lemon', model, n: 2 });
      const urls = done.data.map(({ url }) => url);
      assert.deepEqual(
        urls,
        [0, 1].map((index) => `${hub.url}/hub/v1/tasks/${done.task_id}/images/${index}`),
      );
      assert.ok(done.data.every(({ revised_prompt }) => revised_prompt));
      // Those of the provider expire.
      server.reset();
      for (const url of urls) {
        const response = await get(url, 'ann');
        assert.equal(response.status, 200);
        assert.equal(response.headers.get('content-type'), 'image/png');
        assert.match(response.headers.get('cache-control'), /^private/);
        assert.equal(response.headers.get('x-content-type-options'), 'nosniff');
        assert.match(response.headers.get('content-security-policy'), /sandbox/);
        assert.ok(response.headers.get('etag'));
        assert.equal((await bytesOf(response)).subarray(1, 4).toString(), 'PNG');
        assert.equal((await get(url, 'bob')).status, 404);
        assert.equal((await get(url)).status, 401);
      }
      assert.notDeepEqual(...(await Promise.all(urls.map(async (url) => bytesOf(await get(url, 'ann'))))));
      assert.equal((await get(urls[0].replace(/0$/, '2'), 'ann')).status, 404);
      assert.equal(server.counts.files, 0);
      assert.equal(server.counts.keyLeaks, 0);
    });
  }

  test('sends no key for them', async () => {
    await client.generateAndWait({ prompt: 'A lemon', model: 'flux-pro' });
    const asked = server.counts.requests.filter(({ path }) => path.startsWith('/files/'));
    assert.equal(asked.length, 1);
    assert.equal(asked[0].headers.authorization, undefined);
    assert.doesNotMatch(JSON.stringify(asked), /sk-test/);
  });

  test('tries again when one cannot be copied', async () => {
    server.next({ on: 'file', reply: { status: 503 } });
    const { task_id } = await (
      await hub.create('ann', { prompt: 'A lemon', model: 'flux-pro', n: 3 })
    ).json();
    await hurry(task_id);
    const done = await client.waitForTask(task_id);
    assert.ok(done.data.every(({ url }) => url.startsWith(hub.url)));
    // The others are not copied again.
    assert.equal(server.counts.files, 4);
  });

  test('has those of the provider do when one cannot be copied five times', async () => {
    const broken = [
      { status: 500 },
      { reset: true },
      { partial: 'half a picture' },
      { status: 404 },
      { status: 403 },
    ];
    for (const reply of broken) server.next({ on: 'file', reply });
    const { task_id } = await (await hub.create('ann', { prompt: 'A lemon', model: 'flux-pro' })).json();
    await hurry(task_id);
    const done = await client.waitForTask(task_id);
    assert.ok(done.data[0].url.startsWith(server.url));
    assert.equal(server.counts.files, 5);
    assert.equal((await get(`${hub.url}/hub/v1/tasks/${task_id}/images/0`, 'ann')).status, 404);
  });

  test('serves nothing as a page', async () => {
    const page = '<script>alert(document.domain)</script>';
    server.next({ on: 'file', reply: { headers: { 'content-type': 'text/html' }, body: page } });
    const done = await client.generateAndWait({ prompt: 'A lemon', model: 'flux-pro' });
    const response = await get(done.data[0].url, 'ann');
    assert.equal(response.headers.get('content-type'), 'application/octet-stream');
    assert.equal(response.headers.get('x-content-type-options'), 'nosniff');
    assert.match(response.headers.get('content-security-policy'), /default-src 'none'; sandbox/);
    assert.equal(await response.text(), page);
  });

  test('leaves pictures that are in the answer where they are', async () => {
    const done = await client.generateAndWait({
      prompt: 'A lemon',
      model: 'flux-pro',
      response_format: 'b64_json',
    });
    assert.ok(done.data[0].b64_json);
    assert.equal(done.data[0].url, undefined);
    assert.equal(server.counts.files, 0);
  });
});
