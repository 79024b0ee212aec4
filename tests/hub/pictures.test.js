/** Finished pictures are copied, and only their owner gets them. */

import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { startServer } from '../server/index.js';
import { idOf, startHub, until } from './place.js';

const GUARD = { timeout: 300_000 };
const MAX_PICTURE_BYTES = 1_000_000;

describe('a hub that copies pictures', GUARD, () => {
  let server;
  let hub;
  let client;

  before(async () => {
    server = await startServer({ taskMs: 100 });
    hub = await startHub(server, { KEEPS: true, SETTINGS: { maxPictureBytes: MAX_PICTURE_BYTES } });
    client = hub.client('ann');
  });
  after(async () => {
    await hub?.close();
    await server.close();
  });
  beforeEach(() => server.reset());

  const get = (url, user) => fetch(url, { headers: user ? { 'x-user': user } : {} });
  const bytesOf = async (response) => Buffer.from(await response.arrayBuffer());

  /** Skips the pauses between attempts to copy, until the task is over. */
  const hurry = (reference) =>
    until(async () => {
      const { job } = (await hub.inside(idOf(reference), 'stored')).entries;
      if (job.phase === 'completed') return true;
      if (job.phase === 'copying' && job.due > Date.now() + 50) {
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
      // The provider's URLs expire.
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
    const downloads = server.counts.requests.filter(({ path }) => path.startsWith('/files/'));
    assert.equal(downloads.length, 1);
    assert.equal(downloads[0].headers.authorization, undefined);
    assert.doesNotMatch(JSON.stringify(downloads), /sk-test/);
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

  test("keeps the service's URL of one that cannot be copied five times", async () => {
    const broken = [{ status: 500 }, { reset: true }, { status: 404 }, { status: 403 }, { status: 206 }];
    for (const reply of broken) server.next({ on: 'file', reply });
    const { task_id } = await (await hub.create('ann', { prompt: 'A lemon', model: 'flux-pro' })).json();
    await hurry(task_id);
    const done = await client.waitForTask(task_id);
    assert.ok(done.data[0].url.startsWith(server.url));
    assert.equal(server.counts.files, 5);
    assert.equal((await get(`${hub.url}/hub/v1/tasks/${task_id}/images/0`, 'ann')).status, 404);
  });

  const PNG = Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), Buffer.alloc(100)]);
  const image = { 'content-type': 'image/png' };
  const page = '<script>alert(document.domain)</script>';
  for (const [what, reply, downloads = 1] of [
    ['a page', { headers: { 'content-type': 'text/html' }, body: page }],
    ['a page that calls itself an image', { headers: image, body: page }],
    [
      'an SVG',
      { headers: { 'content-type': 'image/svg+xml' }, body: '<svg xmlns="http://www.w3.org/2000/svg"/>' },
    ],
    ['an image that calls itself a page', { headers: { 'content-type': 'text/html' }, body: PNG }],
    ['nothing', { headers: image, body: '' }],
    ['a redirect to elsewhere', { status: 302, headers: { location: 'http://127.0.0.1:9/x.png' } }],
    ['redirects without an end', { status: 302, headers: { location: '/files/again.png' } }, 4],
    ['more than the cap', { headers: image, body: Buffer.concat([PNG, Buffer.alloc(MAX_PICTURE_BYTES)]) }],
    [
      'what unpacks to more than the cap',
      {
        headers: { ...image, 'content-encoding': 'gzip' },
        body: gzipSync(Buffer.concat([PNG, Buffer.alloc(50 * MAX_PICTURE_BYTES)])),
      },
    ],
  ]) {
    test(`does not copy ${what}, nor try again`, async () => {
      for (let time = 0; time < downloads; time += 1) server.next({ on: 'file', reply });
      const done = await client.generateAndWait({ prompt: 'A lemon', model: 'flux-pro' });
      assert.ok(done.data[0].url.startsWith(server.url), done.data[0].url);
      assert.equal(server.counts.files, downloads);
      const event = await hub.logged(({ event }) => event === 'picture_failed');
      assert.equal(event.identity, 'ann');
      assert.ok(event.message);
    });
  }

  for (const url of [
    'http://127.0.0.1:9/x.png',
    'ftp://x.test/x.png',
    'data:image/png;base64,aGk=',
    'file:///etc/passwd',
    'x',
  ]) {
    test(`does not fetch ${url}`, async () => {
      server.next({ on: 'create', reply: { body: { created: 1, data: [{ url }] } } });
      const done = await client.generate({ prompt: 'A lemon', model: 'dall-e-3' });
      assert.equal(done.data[0].url, url);
    });
  }

  test('copies an image without a length and with a generic type', async () => {
    const headers = { 'content-type': 'application/octet-stream', 'content-encoding': 'gzip' };
    server.next({ on: 'file', reply: { headers, body: gzipSync(PNG) } });
    const done = await client.generateAndWait({ prompt: 'A lemon', model: 'flux-pro' });
    const response = await get(done.data[0].url, 'ann');
    assert.equal(response.headers.get('content-type'), 'image/png');
    assert.ok((await bytesOf(response)).equals(PNG));
  });

  test('follows a redirect within the same origin', async () => {
    server.next({ on: 'file', reply: { status: 302, headers: { location: '/files/there.png' } } });
    server.next({ on: 'file', reply: { headers: image, body: PNG } });
    const done = await client.generateAndWait({ prompt: 'A lemon', model: 'flux-pro' });
    assert.ok((await bytesOf(await get(done.data[0].url, 'ann'))).equals(PNG));
  });

  test('stores each copy as it is made, and fetches no picture twice', async () => {
    // The service serves each of them once, and the hub ends after the first one.
    const { task_id } = await (async () => {
      server.next({ on: 'file', reply: { headers: image, body: PNG } });
      server.next({ on: 'file', reply: { hang: true } });
      return (await hub.create('ann', { prompt: 'A lemon', model: 'flux-pro', n: 2 })).json();
    })();
    const id = idOf(task_id);
    await until(() => server.counts.files === 2);
    assert.deepEqual((await hub.inside(id, 'stored')).entries.view.kept, [0]);
    await hub.inside(id, 'reset').catch(() => {});
    await hub.fetch('ann', `/v1/tasks/${task_id}`);
    const done = await client.waitForTask(task_id);
    assert.ok(done.data.every(({ url }) => url.startsWith(hub.url)));
    assert.equal(server.counts.files, 3);
  });

  test('reports a task whose copies ended the process each time', async () => {
    server.next({ on: 'file', reply: { hang: true } });
    const { task_id } = await (await hub.create('ann', { prompt: 'A lemon', model: 'flux-pro' })).json();
    const id = idOf(task_id);
    await until(() => server.counts.files === 1);
    await hub.amend(id, 'job', { copy_attempts: 5 });
    const stream = await hub.fetch('ann', `/v1/tasks/${task_id}`, {
      headers: { accept: 'text/event-stream' },
    });
    assert.equal(stream.headers.get('content-type'), 'text/event-stream');
    const states = (await stream.text()).match(/"status":"\w+"/g);
    assert.deepEqual(states, ['"status":"processing"', '"status":"completed"']);
  });

  test('uses a copy that was made and not stored', async () => {
    const { task_id } = await (async () => {
      server.next({ on: 'file', reply: { hang: true } });
      return (await hub.create('ann', { prompt: 'A lemon', model: 'flux-pro' })).json();
    })();
    const id = idOf(task_id);
    await until(() => server.counts.files === 1);
    const bucket = await hub.worker.getR2Bucket('PICTURES');
    await bucket.put(`${id}/0`, PNG, { httpMetadata: { contentType: 'image/png' } });
    await hub.inside(id, 'reset').catch(() => {});
    await hub.fetch('ann', `/v1/tasks/${task_id}`);
    const done = await client.waitForTask(task_id);
    assert.ok((await bytesOf(await get(done.data[0].url, 'ann'))).equals(PNG));
    assert.equal(server.counts.files, 1);
  });

  test('does not copy pictures that are in the answer', async () => {
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

test('a hub deletes a copy that was made and not stored, too', GUARD, async () => {
  const server = await startServer({ taskMs: 100 });
  const hub = await startHub(server, { KEEPS: true });
  try {
    const done = await hub.client('ann').generateAndWait({ prompt: 'A lemon', model: 'flux-pro' });
    const id = idOf(done.task_id);
    const bucket = await hub.worker.getR2Bucket('PICTURES');
    await bucket.put(`${id}/1`, 'an orphan');
    await hub.expire(id);
    assert.deepEqual((await bucket.list()).objects, []);
  } finally {
    await hub.close();
    await server.close();
  }
});
