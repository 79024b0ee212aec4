/** The packed package in a real Cloudflare worker: workerd, run by miniflare. */

import assert from 'node:assert/strict';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { installPacked } from '../helpers/pack.js';
import { startWorker } from '../helpers/worker.js';
import { startServer } from '../server/index.js';

let project;
let server;
let worker;

before(async () => {
  project = installPacked();
  server = await startServer({ taskMs: 60 });
  const entry = join(project.folder, 'worker.js');
  copyFileSync(fileURLToPath(new URL('worker.js', import.meta.url)), entry);
  worker = await startWorker(project.folder, entry, {
    compatibilityDate: '2026-07-01',
    bindings: { KEY: server.apiKey, BASE_URL: server.url },
  });
});
after(async () => {
  await worker.dispose();
  await server.close();
  project.remove();
});

const ask = async (path, query) => {
  const response = await worker.dispatchFetch(`http://worker${path}?${new URLSearchParams(query)}`);
  return { status: response.status, body: await response.json() };
};

test('generates inline', async () => {
  const { status, body } = await ask('/inline', { prompt: 'a red kite', model: 'dall-e-3' });
  assert.equal(status, 200);
  assert.equal(body.status, 'completed');
  const picture = Buffer.from(await (await fetch(body.data[0].url)).arrayBuffer());
  assert.equal(picture.toString('latin1', 1, 4), 'PNG');
});

test('waits for a task', async () => {
  server.reset();
  const { status, body } = await ask('/task', { prompt: 'a blue lake', model: 'flux-pro' });
  assert.equal(status, 200, JSON.stringify(body));
  assert.equal(body.task.status, 'pending');
  assert.equal(body.done.status, 'completed');
  assert.equal(body.done.task_id, body.task.task_id);
  assert.equal(body.updates.at(-1), 'completed');
  assert.equal(server.counts.creates, 1);
  assert.equal(server.counts.polls, body.updates.length);
});

test('works through the plain functions, too', async () => {
  const { body } = await ask('/plain', { prompt: 'a forest', model: 'ideogram-v3' });
  assert.equal(body.status, 'completed');
});

test('reports a failed task as its own class', async () => {
  const { status, body } = await ask('/task', { prompt: 'x', model: 'test-task-failed-string' });
  assert.equal(status, 502);
  assert.equal(body.name, 'TaskFailedError');
  assert.equal(body.outcome, 'failed');
  assert.ok(body.isTaskFailed);
});

test('does not follow a redirect', async () => {
  const { body } = await ask('/inline', { prompt: 'x', model: 'test-redirect' });
  assert.equal(body.name, 'ResponseError');
  assert.equal(body.outcome, 'rejected');
});

test('serves many requests of one client at once', async () => {
  const answers = await Promise.all(
    Array.from({ length: 30 }, (_, index) => ask('/task', { prompt: `picture ${index}`, model: 'flux-pro' })),
  );
  assert.deepEqual(
    answers.map(({ body }) => body.done?.status),
    answers.map(() => 'completed'),
  );
});
