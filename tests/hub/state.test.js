/** The stored state of an object: it is written as a whole, and later versions read it. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, beforeEach, describe, test } from 'node:test';
import { startServer } from '../server/index.js';
import { idOf, startHub, until } from './place.js';

const GUARD = { timeout: 300_000 };
const fixtures = (version) =>
  JSON.parse(readFileSync(new URL(`../core/fixtures/hub-jobs-${version}.json`, import.meta.url), 'utf8'));
/** The time at which the fixtures were stored. */
const THEN = 1_800_000_000_000;

describe('the stored state of a hub', GUARD, () => {
  let server;
  let hub;
  let client;

  before(async () => {
    server = await startServer({ taskMs: 3_600_000 });
    hub = await startHub(server);
    client = hub.client('ann', { maxRetries: 0 });
  });
  after(async () => {
    await hub?.close();
    await server.close();
  });
  beforeEach(() => server.reset());

  const stored = (id) => hub.inside(id, 'stored');
  const reset = (id) => hub.inside(id, 'reset').catch(() => {});

  /** A running task: its reference, its object, and the service's task. */
  async function createTask() {
    const request = { prompt: `A lemon ${Math.random()}`, model: 'flux-pro' };
    const { task_id } = await (await hub.create('ann', request)).json();
    const task = [...server.tasks.values()].find(({ prompt }) => prompt === request.prompt);
    await until(async () => (await stored(idOf(task_id))).entries.job.phase === 'waiting');
    return { reference: task_id, id: idOf(task_id), task };
  }

  /** A fixture of a version, as if it had been stored now, for this task. */
  function jobOf(version, name, task) {
    const shift = Date.now() - THEN;
    const text = JSON.stringify(fixtures(version)[name]).replaceAll('img_x', task.id);
    return JSON.parse(text, (_, value) => (value > THEN / 2 ? value + shift : value));
  }

  /** Replaces rows of an object, which ends. */
  const replace = (id, rows) => hub.inside(id, 'replace', rows).catch(() => {});

  for (const name of ['waiting', 'waiting_with_a_poll_url', 'poll_queued', 'polling', 'poll_lost']) {
    test(`of version 1 is read and goes on: ${name}`, async () => {
      const { reference, id, task } = await createTask();
      const job = jobOf('1', name, task);
      // A test does not wait for the next poll of a stored job.
      const hurried = { ...job, due: 0, is_polling: false, wait: { ...job.wait, due: 0 } };
      task.startedAt = 0;
      await replace(id, { ...(await stored(id)).entries, job: hurried });
      const done = await client.waitForTask(reference);
      assert.equal(done.status, 'completed');
      const after = (await stored(id)).entries.job;
      assert.deepEqual([after.version, after.phase], [1, 'completed']);
      assert.equal(server.counts.creates, 1);
    });
  }

  test('of a later version is left alone, and deleted in the end', async () => {
    const { reference, id, task } = await createTask();
    const before = (await stored(id)).entries;
    await replace(id, { job: { ...before.job, version: 99 } });
    const polls = server.counts.polls;
    for (const ask of [
      () => hub.fetch('ann', `/v1/tasks/${reference}`),
      () => hub.fetch('ann', `/v1/tasks/${reference}`, { headers: { accept: 'text/event-stream' } }),
    ]) {
      const response = await ask();
      assert.equal(response.status, 503);
      assert.equal((await response.json()).error.retryable, true);
    }
    await hub.inside(id, 'ring', 1);
    await hub.logged(({ event }) => event === 'state_unreadable');
    const { entries, alarm } = await stored(id);
    assert.deepEqual(entries.job, { ...before.job, version: 99 });
    assert.deepEqual(entries.view, before.view);
    assert.ok(alarm > Date.now() + 30_000);
    assert.equal(server.counts.polls, polls);

    // A deploy of the later version.
    task.startedAt = 0;
    await replace(id, { job: before.job });
    assert.equal((await client.waitForTask(reference)).status, 'completed');
    assert.equal((await stored(id)).entries.unreadable, undefined);

    await hub.amend(id, 'job', { version: 99 });
    await hub.inside(id, 'ring', 1);
    await hub.inside(id, 'put', 'unreadable', Date.now() - 3_600_001);
    await hub.inside(id, 'ring', 1);
    const left = await stored(id);
    assert.deepEqual([left.entries, left.alarm], [{}, null]);
    assert.equal((await hub.fetch('ann', `/v1/tasks/${reference}`)).status, 404);
  });

  for (const [what, broken] of [
    ['an unknown phase', (job) => ({ ...job, phase: 'dreaming' })],
    ['a missing field', ({ create: _, ...job }) => job],
    ['no field', () => ({})],
  ]) {
    test(`is deleted in the end if it has ${what}`, async () => {
      const { reference, id } = await createTask();
      await replace(id, { job: broken((await stored(id)).entries.job) });
      assert.equal((await hub.fetch('ann', `/v1/tasks/${reference}`)).status, 503);
      await hub.inside(id, 'ring', 1);
      await hub.inside(id, 'put', 'unreadable', Date.now() - 3_600_001);
      await hub.inside(id, 'ring', 1);
      assert.deepEqual((await stored(id)).entries, {});
    });
  }

  const LONG = 'An é🍋 that is long. '.repeat(150_000);

  test('is whole if a result is long beside its data', async () => {
    const { reference, id, task } = await createTask();
    const waiting = client.waitForTask(reference);
    server.next({
      on: 'poll',
      reply: { body: { task_id: task.id, status: 'completed', data: [], output: LONG } },
    });
    const done = await waiting;
    assert.ok(done.output === LONG);
    await reset(id);
    const again = await client.waitForTask(reference);
    assert.equal(again.status, 'completed');
    assert.ok(again.output === LONG);
  });

  test('is whole, and bounded, if an error is long', async () => {
    const { reference, id, task } = await createTask();
    const waiting = client.waitForTask(reference);
    const error = { code: 'upstream_error', message: LONG };
    server.next({ on: 'poll', reply: { body: { task_id: task.id, status: 'failed', data: [], error } } });
    const isShort = (reason) => reason.code === 'upstream_error' && reason.message.length < 3000;
    await assert.rejects(waiting, isShort);
    await reset(id);
    await assert.rejects(client.waitForTask(reference), isShort);
    assert.ok(JSON.stringify((await stored(id)).entries).length < 20_000);
  });

  test('is whole, and bounded, if the error of a create is long', async () => {
    const error = {
      code: 'invalid_request_error',
      message: LONG,
      suggestions: Array(1000).fill(LONG.slice(0, 1000)),
    };
    server.next({ on: 'create', reply: { status: 400, body: { error, output: LONG } } });
    const request = { prompt: 'A lemon', model: 'flux-pro' };
    const key = { idempotencyKey: 'long-error' };
    const isShort = (reason) => reason.status === 400 && reason.message.length < 3000;
    await assert.rejects(client.generate(request, key), isShort);
    await assert.rejects(client.generate(request, key), isShort);
    assert.equal(server.counts.creates, 1);
  });

  test('is written as a whole or not at all', async () => {
    const { id } = await createTask();
    const before = (await stored(id)).entries;
    const [after, error] = await hub.inside(id, 'breakOff');
    assert.match(error, /too large|exceed|SQLITE|bytes|limit/i);
    assert.deepEqual(after, [before.order.identity, null]);
  });
});

describe('a hub with a short retention', GUARD, () => {
  test('answers 404 as soon as a task is forgotten', async () => {
    const server = await startServer({ taskMs: 50 });
    const hub = await startHub(server, { RETENTION_MS: 250, KEEPS: true });
    try {
      const statuses = new Set();
      for (let round = 0; round < 3; round += 1) {
        const request = { prompt: `A lemon ${round}`, model: 'flux-pro' };
        const { task_id } = await (await hub.create('ann', request)).json();
        await until(
          async () => {
            const all = await Promise.all([
              hub.fetch('ann', `/v1/tasks/${task_id}`),
              hub.fetch('ann', `/v1/tasks/${task_id}`, { headers: { accept: 'text/event-stream' } }),
            ]);
            for (const { status, body } of all) {
              statuses.add(status);
              await body?.cancel();
            }
            return all[0].status === 404;
          },
          { everyMs: 1 },
        );
      }
      assert.deepEqual(statuses, new Set([200, 404]));
    } finally {
      await hub.close();
      await server.close();
    }
  });
});
