/** A chain of models in the hub: it goes on without its page, and never leaves two possible bills. */

import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { failure } from '../helpers/failure.js';
import { startServer } from '../server/index.js';
import { idOf, nameOf, startHub, until } from './place.js';

const GUARD = { timeout: 300_000 };
const GONE = 'test-error-400-model-not-found';
const FAILS = 'test-task-failed-object';
const PICTURE = new Blob([Buffer.from('89504e470d0a1a0a0000', 'hex')], { type: 'image/png' });

describe('a chain of models in the hub', GUARD, () => {
  let server;
  let hub;

  before(async () => {
    server = await startServer({ taskMs: 60 });
    hub = await startHub(server);
  });
  after(async () => {
    await hub?.close();
    await server.close();
  });
  beforeEach(() => server.reset());

  const creates = () => server.counts.requests.filter(({ method }) => method === 'POST');
  const models = () => creates().map(({ body }) => body.model);
  const stored = async (id) => (await hub.inside(id, 'stored')).entries;
  const requestRows = (entries) => Object.keys(entries).filter((name) => /^(request|file)/.test(name));
  const client = (options) => hub.client('ann', { maxRetries: 0, ...options });
  test('goes on where a model is refused, and says which one has made the picture', async () => {
    const request = { prompt: 'A lemon', model: GONE };
    const done = await client().generate(request, { fallback: ['dall-e-3', 'flux-pro'] });
    assert.deepEqual([done.status, done.model, models()], ['completed', 'dall-e-3', [GONE, 'dall-e-3']]);
    const [{ model, error }, ...others] = done.skipped_models;
    assert.deepEqual([model, others], [GONE, []]);
    assert.deepEqual(
      [error.kind, error.outcome, error.status, error.code],
      ['invalid_request', 'rejected', 400, 'model_not_found'],
    );
    assert.match(error.message, /not/);
    assert.ok(creates().every(({ body }) => !('fallback' in body)));
    await hub.logged(
      ({ event, model, code }) => event === 'upstream_failed' && model === GONE && code === 'model_not_found',
    );
  });

  test('goes on where a task fails after its page has closed', async () => {
    const request = { prompt: 'A lemon', model: FAILS };
    const task = await client().generate(request, { fallback: ['flux-pro'] });
    assert.equal(task.status, 'pending');
    // Nothing asks for the task meanwhile.
    await until(async () => (await stored(idOf(task.task_id))).job.phase === 'completed');
    const done = await client().waitForTask(task.task_id);
    assert.deepEqual([done.task_id, done.model, models()], [task.task_id, 'flux-pro', [FAILS, 'flux-pro']]);
    const [{ model, error }] = done.skipped_models;
    assert.deepEqual([model, error.kind, error.outcome], [FAILS, 'task_failed', 'failed']);
  });

  test('is one create for its client: one key, one task, one wait', async () => {
    const tasks = [];
    const updates = [];
    const options = {
      idempotencyKey: 'one',
      fallback: ['flux-pro'],
      onTask: (task) => tasks.push(task.task_id),
      onUpdate: ({ status, model }) => updates.push(`${status} ${model ?? ''}`),
    };
    const request = { prompt: 'A lemon', model: FAILS };
    const done = await client().generateAndWait(request, options);
    assert.deepEqual(tasks, [done.task_id]);
    assert.equal(updates.at(-1), 'completed flux-pro');
    const { model, skipped_models } = await client().generateAndWait(request, options);
    assert.deepEqual([model, skipped_models], ['flux-pro', done.skipped_models]);
    assert.deepEqual(models(), [FAILS, 'flux-pro']);
    // Another chain is another request.
    await assert.rejects(client().generate(request, { ...options, fallback: ['flux-schnell'] }), {
      code: 'idempotency_key_reused',
    });
  });

  for (const [second, outcome, kind] of [
    ['test-error-403-model', 'rejected', 'invalid_request'],
    // The client has a task by then, and that has failed.
    [FAILS, 'failed', 'task_failed'],
  ]) {
    test(`ends with the error of the last model, and its client tries none again: behind ${second}`, async () => {
      const request = { prompt: 'A lemon', model: GONE };
      const fallback = [second, 'test-error-400'];
      const error = await failure(client().generateAndWait(request, { fallback }));
      assert.deepEqual([error.kind, error.code], [kind, 'invalid_request_error']);
      assert.deepEqual(
        error.skippedModels.map(({ model, error }) => [model, error.outcome]),
        [
          [GONE, 'rejected'],
          [second, outcome],
        ],
      );
      assert.deepEqual(new Set(models()), new Set([GONE, second, 'test-error-400']));
    });
  }

  test('ends with the failed task of the last model, likewise', async () => {
    const request = { prompt: 'A lemon', model: GONE };
    const error = await failure(client().generateAndWait(request, { fallback: [FAILS] }));
    assert.equal(error.kind, 'task_failed');
    assert.deepEqual(
      error.skippedModels.map(({ model }) => model),
      [GONE],
    );
    assert.deepEqual(models(), [GONE, FAILS]);
  });

  for (const [outcome, model] of [
    ['unknown', 'test-error-500'],
    ['unknown', 'test-error-503-bare'],
    ['rejected', 'test-error-400'],
    ['rejected', 'test-error-402'],
    ['failed', 'test-task-cancelled'],
    ['accepted', 'test-poll:error-403-model'],
  ]) {
    test(`stops where the next model could be a second bill or no help: ${model}`, async () => {
      const request = { prompt: 'A lemon', model };
      const error = await failure(client().generateAndWait(request, { fallback: ['dall-e-3'] }));
      assert.equal(error.outcome, outcome);
      // The hub has decided. An `accepted` failure is that of a poll.
      assert.deepEqual(error.skippedModels, outcome === 'accepted' ? undefined : []);
      assert.deepEqual(models(), [model]);
    });
  }

  test('stops at a create that is lost behind its pending task, and so does its client', async () => {
    const short = await startHub(server, { ANSWER_WITHIN_MS: 0 });
    try {
      const request = { prompt: 'A lemon', model: 'test-error-500' };
      const ann = short.client('ann', { maxRetries: 0 });
      const tasks = [];
      const onTask = ({ task_id }) => tasks.push(task_id);
      const error = await failure(ann.generateAndWait(request, { fallback: ['dall-e-3'], onTask }));
      assert.deepEqual([error.kind, error.code, tasks.length], ['task_failed', 'create_outcome_unknown', 1]);
      assert.deepEqual([error.skippedModels, models()], [[], ['test-error-500']]);
    } finally {
      await short.close();
    }
  });

  test('sends the files of an edit to each model, and then deletes them', async () => {
    const request = { prompt: 'A lemon', model: FAILS, image: PICTURE };
    const task = await client().edit(request, { fallback: ['flux-2-pro'] });
    assert.ok(requestRows(await stored(idOf(task.task_id))).includes('files'));
    const done = await client().waitForTask(task);
    assert.equal(done.model, 'flux-2-pro');
    const [first, second] = creates().map(({ path, body }) => [path, body.image[0].sha256]);
    assert.deepEqual(first, second);
    assert.equal(first[0], '/v1/images/edits');
    assert.deepEqual(requestRows(await stored(idOf(task.task_id))), []);
  });

  test('goes on with a task of a model whose object ends meanwhile', async () => {
    const slow = await startServer({ taskMs: 3_600_000 });
    const place = await startHub(slow);
    try {
      const request = { prompt: 'A lemon', model: FAILS };
      const task = await place.client('ann').generate(request, { fallback: ['dall-e-3'] });
      await place.inside(idOf(task.task_id), 'reset').catch(() => {});
      for (const running of slow.tasks.values()) running.startedAt = 0;
      const done = await place.client('ann').waitForTask(task);
      assert.equal(done.model, 'dall-e-3');
      assert.equal(slow.counts.creates, 2);
    } finally {
      await place.close();
      await slow.close();
    }
  });

  test('has only models that the relay offers', async () => {
    const narrow = await startHub(server, { RELAY: { models: ['flux-pro', 'dall-e-3'] } });
    try {
      const request = { prompt: 'A lemon', model: 'flux-pro' };
      const ann = narrow.client('ann', { maxRetries: 0 });
      await assert.rejects(ann.generate(request, { fallback: ['dall-e-3', 'gpt-image-2'] }), {
        status: 400,
        param: 'fallback',
        message: /does not offer the model "gpt-image-2"/,
      });
      assert.deepEqual(models(), []);
    } finally {
      await narrow.close();
    }
  });

  test('is shorter for a client that has gone past a model itself', async () => {
    // A refusal of the relay itself, before the hub has seen anything.
    let refusals = 1;
    const fetch = (url, init) =>
      init.method === 'POST' && refusals-- > 0
        ? Promise.resolve(Response.json({ error: { code: 'rate_limit_exceeded' } }, { status: 429 }))
        : globalThis.fetch(url, init);
    const request = { prompt: 'A lemon', model: 'flux-pro' };
    const done = await client({ fetch }).generateAndWait(request, {
      fallback: [GONE, 'dall-e-3'],
      idempotencyKey: 'later',
    });
    assert.equal(done.model, 'dall-e-3');
    assert.deepEqual(
      done.skipped_models.map(({ model }) => model),
      ['flux-pro', GONE],
    );
    assert.deepEqual(models(), [GONE, 'dall-e-3']);
    assert.ok((await stored(nameOf('ann', 'later-1'))).job);
  });
});
