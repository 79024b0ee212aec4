/** Edits through the hub: carried out once, and their files are gone once the create is answered. */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, beforeEach, describe, test } from 'node:test';
import { startServer } from '../server/index.js';
import { idOf, nameOf, startHub, until } from './place.js';

const GUARD = { timeout: 300_000 };
const PNG_HEAD = Buffer.from('89504e470d0a1a0a', 'hex');

/** A picture of so many bytes, none of which is like its neighbours. */
function pictureOf(size, seed) {
  const bytes = Buffer.alloc(size);
  PNG_HEAD.copy(bytes);
  for (let at = PNG_HEAD.length; at < size; at += 1) bytes[at] = (at * 31 + (at >> 8) * 7 + seed) & 255;
  return new Blob([bytes], { type: 'image/png' });
}

const digestOf = async (blob) =>
  createHash('sha256')
    .update(Buffer.from(await blob.arrayBuffer()))
    .digest('hex');

/** Takes pictures, and answers with a task. */
const MODEL = 'flux-2-pro';
const IMAGE = pictureOf(2000, 1);
const MASK = pictureOf(1000, 2);

describe('an edit through the hub', GUARD, () => {
  let server;
  let hub;

  before(async () => {
    server = await startServer({ taskMs: 50 });
    hub = await startHub(server, { ANSWER_WITHIN_MS: 200 });
  });
  after(async () => {
    await hub?.close();
    await server.close();
  });
  beforeEach(() => server.reset());

  const stored = async (id) => (await hub.inside(id, 'stored')).entries;
  /** The rows that hold the request. */
  const requestRows = (entries) => Object.keys(entries).filter((name) => /^(request|file)/.test(name));
  const lastRequest = () => server.counts.requests.findLast(({ method }) => method === 'POST');

  test('as JSON', async () => {
    const fields = { prompt: 'A lime', model: MODEL, image_url: 'https://pictures.example/1.png' };
    const done = await hub.client('ann').editAndWait(fields, { idempotencyKey: 'json' });
    assert.equal(done.status, 'completed');
    assert.match(done.task_id, /^t_/);
    assert.deepEqual([server.counts.creates, server.counts.edits], [1, 1]);
    const { path, body } = lastRequest();
    assert.deepEqual([path, body], ['/v1/images/edits', { ...fields, n: 1, user: 'ann' }]);
    assert.equal((await stored(idOf(done.task_id))).job.phase, 'completed');
  });

  test('as a form, whose files arrive as they were sent', async () => {
    const images = [IMAGE, pictureOf(3_200_000, 3)];
    const request = { prompt: 'A lime', model: MODEL, image: images, mask: MASK, seed: 7 };
    const done = await hub.client('ann').editAndWait(request);
    assert.equal(done.status, 'completed');
    const { path, body } = lastRequest();
    assert.deepEqual([path, body.prompt, body.seed], ['/v1/images/edits', 'A lime', '7']);
    const expected = await Promise.all(images.map(digestOf));
    assert.deepEqual(
      body.image.map(({ filename, type, sha256 }) => [filename, type, sha256]),
      expected.map((sha256, index) => [`image-${index}.png`, 'image/png', sha256]),
    );
    assert.deepEqual(
      body.mask.map(({ sha256 }) => sha256),
      [await digestOf(MASK)],
    );
    assert.deepEqual(requestRows(await stored(idOf(done.task_id))), []);
  });

  test('of more bytes than one call to an object can hold', async () => {
    const wide = await startHub(server, { RELAY: { maxFiles: 8, maxFileBytes: 6_000_000 } });
    try {
      const image = Array.from({ length: 7 }, (_, index) => pictureOf(5_500_000, index));
      const done = await wide.client('ann').editAndWait({ prompt: 'A lime', model: MODEL, image });
      assert.equal(done.status, 'completed');
      assert.deepEqual(
        lastRequest().body.image.map(({ sha256 }) => sha256),
        await Promise.all(image.map(digestOf)),
      );
    } finally {
      await wide.close();
    }
  });

  test('and a create with a file', async () => {
    const done = await hub.client('ann').generateAndWait({ prompt: 'A lime', model: MODEL, image: IMAGE });
    assert.equal(done.status, 'completed');
    const { path, body } = lastRequest();
    assert.deepEqual([path, body.image.length], ['/v1/images/generations', 1]);
  });

  test('is carried out once, with many duplicates at once', async () => {
    const client = hub.client('ann');
    const request = { prompt: 'A lime', model: MODEL, image: IMAGE, mask: MASK };
    const once = (more) => client.editAndWait({ ...request, ...more }, { idempotencyKey: 'once' });
    const all = await Promise.all(Array.from({ length: 8 }, () => once()));
    for (const done of all) assert.deepEqual(done, all[0]);
    assert.equal(server.counts.creates, 1);
    // The duplicates have left nothing behind.
    assert.deepEqual(requestRows(await stored(nameOf('ann', 'once'))), []);

    const reused = { status: 422, code: 'idempotency_key_reused' };
    await assert.rejects(once({ image: pictureOf(2000, 9) }), reused);
    await assert.rejects(once({ image: [IMAGE, MASK] }), reused);
    await assert.rejects(once({ image: MASK, mask: IMAGE }), reused);
    await assert.rejects(
      client.generate({ ...request, mask: undefined }, { idempotencyKey: 'once' }),
      reused,
    );
    assert.equal(server.counts.creates, 1);
    assert.deepEqual(await once(), all[0]);
  });

  test('stores its files until the create is answered, in rows that an object can hold', async () => {
    const image = pictureOf(3_200_000, 5);
    const pending = await hub
      .client('ann')
      .edit({ prompt: 'A lime', model: 'test-hang', image, mask: MASK }, { idempotencyKey: 'hangs' });
    const rows = await stored(idOf(pending.task_id));
    assert.equal(rows.job.phase, 'sending');
    assert.deepEqual(requestRows(rows).sort(), [
      'fileList',
      'files',
      'files/0',
      'files/1',
      'files/2',
      'request',
      'request/0',
    ]);
    assert.deepEqual(rows.fileList, [
      { name: 'image', type: 'image/png', size: 3_200_000 },
      { name: 'mask', type: 'image/png', size: 1000 },
    ]);
    // The object ends, and its answer with it.
    await hub.inside(idOf(pending.task_id), 'reset').catch(() => {});
    await assert.rejects(hub.client('ann').waitForTask(pending), { code: 'create_outcome_unknown' });
    assert.deepEqual(requestRows(await stored(idOf(pending.task_id))), []);
  });

  for (const [end, model, phase] of [
    ['an answer', 'dall-e-2', 'completed'],
    ['a refusal', 'test-error-400', 'refused'],
    ['a refusal for now', 'test-error-429', 'idle'],
    ['an outcome that is unknown', 'test-error-500', 'unknown'],
    ['a failed task', 'test-task-failed-object', 'failed'],
  ]) {
    test(`has no files any more after ${end}`, async () => {
      const key = phase;
      await hub
        .client('ann', { maxRetries: 0 })
        .editAndWait({ prompt: 'A lime', model, image: IMAGE }, { idempotencyKey: key })
        .catch(() => {});
      const entries = await until(async () => {
        const rows = await stored(nameOf('ann', key));
        return rows.job?.phase === phase && rows;
      });
      assert.deepEqual(requestRows(entries), []);
    });
  }

  test('may come again with its files after a refusal for now', async () => {
    const options = { idempotencyKey: 'again' };
    const client = hub.client('ann', { maxRetries: 0 });
    const request = { prompt: 'A lime', model: MODEL, image: IMAGE };
    const reply = { status: 429, body: { error: { code: 'rate_limit_exceeded', retryable: false } } };
    server.next({ on: 'create', reply });
    await assert.rejects(client.edit(request, options), { status: 429 });
    await until(async () => (await client.edit(request, options).catch(() => {}))?.task_id);
    assert.equal(server.counts.creates, 2);
    assert.equal(lastRequest().body.image[0].sha256, await digestOf(IMAGE));
  });

  test('is forgotten with its files where it was never sent', async () => {
    const slow = await startHub(server, {
      LEMONDATA_PER_MINUTE: 1,
      // The answer has to arrive before the task is forgotten.
      RETENTION_MS: 3000,
      MAX_WAIT_MS: 1500,
      ANSWER_WITHIN_MS: 100,
    });
    try {
      await slow.create('ann', { prompt: 'A lemon', model: 'dall-e-3' });
      const queued = await slow
        .client('ann', { maxRetries: 0 })
        .edit({ prompt: 'A lime', model: MODEL, image: IMAGE }, { idempotencyKey: 'never' })
        .catch((error) => error);
      assert.equal(queued.status, 429);
      const id = nameOf('ann', 'never');
      const isForgotten = async () => Object.keys((await slow.inside(id, 'stored')).entries).length === 0;
      await until(isForgotten, { withinMs: 60_000 });
      assert.equal(server.counts.edits, 0);
    } finally {
      await slow.close();
    }
  });

  test('names itself in the log', async () => {
    const client = hub.client('ann', { maxRetries: 0 });
    await assert.rejects(client.edit({ prompt: 'A lime', model: 'test-error-500', image: IMAGE }));
    const event = await hub.logged(({ outcome }) => outcome === 'unknown');
    assert.equal(event.upstream, 'edit');
    assert.match(event.message, /^POST \/v1\/images\/edits /);
  });
});
