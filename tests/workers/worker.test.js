/** The packed package in a real Cloudflare worker: workerd, run by miniflare. */

import assert from 'node:assert/strict';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { installPacked } from '../helpers/pack.js';
import { startWorker } from '../helpers/worker.js';
import { startServer } from '../server/index.js';

/** No test needs this long: it ends one that would hang. */
const GUARD = { timeout: 20_000 };

let project;
let server;
let worker;
/** When the server's clock stands, which no task outlasts. */
let stopped;

before(async () => {
  project = installPacked();
  server = await startServer({ taskMs: 60, now: () => stopped ?? Date.now() });
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

const request = async (path, query, { dispatchFetch } = worker) => {
  const response = await dispatchFetch(`http://worker${path}?${new URLSearchParams(query)}`);
  return { status: response.status, body: await response.json() };
};

test('generates inline', async () => {
  const { status, body } = await request('/inline', { prompt: 'a red kite', model: 'dall-e-3' });
  assert.equal(status, 200);
  assert.equal(body.status, 'completed');
  const picture = Buffer.from(await (await fetch(body.data[0].url)).arrayBuffer());
  assert.equal(picture.toString('latin1', 1, 4), 'PNG');
});

test('waits for a task', async () => {
  server.reset();
  const { status, body } = await request('/task', { prompt: 'a blue lake', model: 'flux-pro' });
  assert.equal(status, 200, JSON.stringify(body));
  assert.equal(body.task.status, 'pending');
  assert.equal(body.done.status, 'completed');
  assert.equal(body.done.task_id, body.task.task_id);
  assert.equal(body.updates.at(-1), 'completed');
  assert.equal(server.counts.creates, 1);
  assert.equal(server.counts.polls, body.updates.length);
});

test('refuses a call from the global scope, and says where it belongs', async () => {
  const { body } = await request('/early', {});
  assert.deepEqual([body.kind, body.outcome], ['invalid_request', 'not_sent']);
  assert.match(body.message, /within a handler/);
});

test('works through the plain functions, too', async () => {
  const { body } = await request('/plain', { prompt: 'a forest', model: 'ideogram-v3' });
  assert.equal(body.status, 'completed');
});

test('reports a failed task as its own class', async () => {
  const { status, body } = await request('/task', { prompt: 'x', model: 'test-task-failed-string' });
  assert.equal(status, 502);
  assert.equal(body.name, 'TaskFailedError');
  assert.equal(body.outcome, 'failed');
  assert.ok(body.isTaskFailed);
});

test('does not follow a redirect', async () => {
  const { body } = await request('/inline', { prompt: 'x', model: 'test-redirect' });
  assert.equal(body.name, 'ResponseError');
  assert.equal(body.outcome, 'rejected');
});

test('serves many requests of one client at once', async () => {
  const answers = await Promise.all(
    Array.from({ length: 30 }, (_, index) =>
      request('/task', { prompt: `picture ${index}`, model: 'flux-pro' }),
    ),
  );
  assert.deepEqual(
    answers.map(({ body }) => body.done?.status),
    answers.map(() => 'completed'),
  );
});

/** Waits for a condition that no event announces. */
async function until(condition) {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

describe('of 50 requests over one client, half of which are disconnected, the others finish', GUARD, () => {
  const MANY = 50;

  /** Half of the requests leave while all wait, and the tasks are done after that: the answers to the others. */
  async function halfLeave(target, areWaiting) {
    const url = await worker.ready;
    const leaving = new AbortController();
    const requests = Array.from({ length: MANY }, async (_, index) => {
      const signal = index % 2 === 1 ? leaving.signal : undefined;
      const response = await fetch(new URL(target(index), url), { signal });
      return response.json();
    });
    await until(areWaiting);
    leaving.abort();
    const left = await Promise.allSettled(requests.filter((_, index) => index % 2 === 1));
    assert.ok(left.every(({ status }) => status === 'rejected'));
    // The others go on polling.
    const before = server.counts.polls;
    await until(() => server.counts.polls >= before + 2 * MANY);
    stopped = undefined;
    return Promise.all(requests.filter((_, index) => index % 2 === 0));
  }

  beforeEach(() => {
    server.reset();
    stopped = Date.now();
  });
  afterEach(() => {
    stopped = undefined;
  });

  test('each with a task of its own', async () => {
    const answers = await halfLeave(
      (index) => `/task?prompt=picture%20${index}&model=flux-pro`,
      () => server.tasks.size === MANY && [...server.tasks.values()].every(({ polls }) => polls > 0),
    );
    const done = answers.map((answer) => answer.done);
    assert.deepEqual(
      done.map(({ status }) => status),
      done.map(() => 'completed'),
    );
    assert.equal(new Set(done.map(({ task_id }) => task_id)).size, MANY / 2);
    assert.equal(server.counts.creates, MANY);
  });

  test('all for one task, where no request waits for the poll of another', async () => {
    const images = () => [{ url: `${server.url}/files/none.png` }];
    const { id } = server.tasks.start({ prompt: 'one', n: 1, traits: {}, scenarios: [], images });
    const answers = await halfLeave(
      () => `/wait?id=${id}`,
      // With one loop for all, it would take the time of as many polls.
      () => server.counts.polls >= 3 * MANY,
    );
    assert.deepEqual(
      answers.map(({ status }) => status),
      answers.map(() => 'completed'),
    );
  });
});

test('rule 4: a request that ends in any of its microtasks leaves the others alone', GUARD, async (t) => {
  // Here, `process.exit` ends a request as a limit of the platform does: what it has queued is dropped. A queue for all
  // calls, such as that of `spawn_local`, would be dropped with it, and never run again.
  const mortal = await startWorker(project.folder, join(project.folder, 'worker.js'), {
    compatibilityDate: '2026-07-01',
    compatibilityFlags: ['nodejs_compat'],
    bindings: { KEY: server.apiKey, BASE_URL: server.url },
  });
  t.after(() => mortal.dispose());
  const picture = { prompt: 'a lemon', model: 'dall-e-3' };
  let turn = 0;
  for (let status; status !== 200; turn += 1) {
    const query = new URLSearchParams({ ...picture, turn });
    ({ status } = await mortal.dispatchFetch(`http://worker/ended?${query}`));
    const { body } = await request('/inline', picture, mortal);
    assert.equal(body.status, 'completed', `behind a request that ended in turn ${turn}`);
  }
  assert.ok(turn > 5, 'the call has begun, got its key and sent its request');
});

test('does not share polls between the requests of one client', async () => {
  server.reset();
  const images = () => [{ url: `${server.url}/files/none.png` }];
  const { id } = server.tasks.start({ prompt: 'one', n: 1, traits: {}, scenarios: [], images });
  const answers = await Promise.all(Array.from({ length: 5 }, () => request(`/wait`, { id })));
  const polls = answers.map(({ body }) => body.polls);
  assert.equal(
    server.counts.polls,
    polls.reduce((sum, number) => sum + number),
  );
});
