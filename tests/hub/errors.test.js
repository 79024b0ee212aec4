/** Failures as the clients of a hub see them. No task is lost by them. */

import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import {
  InvalidRequestError,
  PermissionDeniedError,
  ServerError,
  TaskCancelledError,
  TaskFailedError,
  TaskNotFoundError,
} from 'lemondata-wasm';
import { startServer } from '../server/index.js';
import { idOf, nameOf, startHub, startPolledServer, until } from './place.js';

const GUARD = { timeout: 150_000 };

describe('a hub whose provider fails', GUARD, () => {
  let server;
  let foreign;
  let hub;
  let client;

  before(async () => {
    foreign = await startServer();
    server = await startPolledServer(undefined, { foreignOrigin: foreign.url });
    hub = await startHub(server);
    // A client repeats safe requests: here, one attempt is enough.
    client = hub.client('ann', { maxRetries: 0 });
  });
  after(async () => {
    await hub?.close();
    await server.close();
    await foreign.close();
  });
  beforeEach(() => server.reset());

  let count = 0;
  function request(scenario) {
    count += 1;
    return { prompt: `A lemon ${count}`, model: `test-${scenario}` };
  }

  for (const [scenario, Class, expected] of [
    ['error-400', InvalidRequestError, { status: 400, code: 'invalid_request_error', outcome: 'rejected' }],
    ['error-400-model-not-found', InvalidRequestError, { status: 400, code: 'model_not_found' }],
    ['error-401-echo', PermissionDeniedError, { status: 403, code: 'upstream_refused' }],
    ['error-402', PermissionDeniedError, { status: 403, code: 'upstream_refused' }],
    ['error-500', ServerError, { status: 500, outcome: 'unknown' }],
    ['error-503-final', ServerError, { status: 503 }],
    ['reset', ServerError, { status: 502, outcome: 'unknown' }],
    ['inline-not-json', ServerError, { status: 502, outcome: 'unknown' }],
    ['inline-empty', ServerError, { status: 502, outcome: 'unknown' }],
    ['redirect', PermissionDeniedError, { status: 403, code: 'upstream_refused', outcome: 'rejected' }],
  ]) {
    test(`answers a create and its duplicate with the error of ${scenario}, and sends it once`, async () => {
      const params = request(scenario);
      const options = { idempotencyKey: `key-of-${scenario}` };
      for (let time = 0; time < 2; time += 1) {
        const error = await client.generate(params, options).then(assert.fail, (reason) => reason);
        assert.ok(error instanceof Class, `${error.stack}`);
        for (const [name, value] of Object.entries(expected)) assert.equal(error[name], value, name);
        assert.doesNotMatch(JSON.stringify(error), /sk-test/);
      }
      assert.equal(server.counts.creates, 1);
    });
  }

  test('repeats a create that was refused for now, without an error', async () => {
    server.next({
      on: 'create',
      reply: {
        status: 503,
        body: { error: { code: 'all_channels_failed', retryable: true, retry_after: 0.05 } },
      },
    });
    const done = await client.generateAndWait(request('task'));
    assert.equal(done.status, 'completed');
    assert.equal(server.counts.creates, 2);
  });

  test('lets a key try again after its create was refused several times', async () => {
    const refused = { status: 429, body: { error: { code: 'rate_limit_exceeded', retry_after: 0.05 } } };
    server.next({ on: 'create', times: 3, reply: refused });
    const params = request('task');
    const options = { idempotencyKey: 'again' };
    await assert.rejects(client.generate(params, options), { status: 429, outcome: 'rejected' });
    assert.equal(server.counts.creates, 3);
    await until(async () => (await hub.create('ann', params, 'again')).status === 200);
    assert.equal((await client.generateAndWait(params, options)).status, 'completed');
    assert.equal(server.counts.creates, 4);
  });

  for (const [scenario, Class, expected] of [
    ['task-failed-string', TaskFailedError, { outcome: 'failed' }],
    ['task-failed-object', TaskFailedError, { outcome: 'failed', code: 'upstream_error' }],
    ['task-cancelled', TaskCancelledError, { outcome: 'failed' }],
  ]) {
    test(`reports the end of a task: ${scenario}`, async () => {
      const params = request(scenario);
      const options = { idempotencyKey: `key-of-${scenario}` };
      const error = await client.generateAndWait(params, options).then(assert.fail, (reason) => reason);
      assert.ok(error instanceof Class, `${error.stack}`);
      assert.match(error.task.task_id, /^t_/);
      for (const [name, value] of Object.entries(expected)) assert.equal(error[name], value, name);
      assert.doesNotMatch(JSON.stringify(error), /img_|sk-test/);
      const again = (reason) => reason instanceof Class;
      await assert.rejects(client.getTask(error.task), again);
      await assert.rejects(client.waitForTask(error.task), again);
      await assert.rejects(client.generateAndWait(params, options), again);
      assert.equal(server.counts.creates, 1);
    });
  }

  for (const scenario of [
    'poll:error-503:2',
    'poll:error-500:2',
    'poll:reset:1',
    'poll:inline-truncated:1',
  ]) {
    test(`waits out failures of polls: ${scenario}`, { timeout: 300_000 }, async () => {
      const started = request(`task-unknown-status,${scenario}`);
      const task = await client.generate(started);
      // A test does not wait for the back-off.
      // On a busy machine, a reset may lose a socket silently: then the client asks again after its time-out.
      const soon = until(async () => {
        const { job } = (await hub.inside(idOf(task.task_id), 'stored')).entries;
        if (job.phase === 'completed') return true;
        if (job.wait.losses > 0 && job.wait.due > Date.now() + 100) {
          await hub.amend(idOf(task.task_id), 'job', { 'wait.due': 0 });
          await hub.fetch('ann', `/v1/tasks/${task.task_id}`);
        }
        return false;
      });
      const done = await client.waitForTask(task);
      await soon;
      assert.equal(done.status, 'completed');
      assert.equal(server.counts.creates, 1);
    });
  }

  test('reports a task that the provider no longer knows, and resumes it for a later request', async () => {
    const params = request('task');
    const key = { idempotencyKey: 'vanished' };
    const task = await client.generate(params, key);
    const id = idOf(task.task_id);
    // For ten seconds after a create, some of the provider's servers may not know the task.
    await until(async () => (await hub.inside(id, 'stored')).entries.job.phase === 'waiting');
    server.reset();
    await hub.amend(id, 'job', { 'wait.fresh_until': 0 });
    const error = await client.waitForTask(task).then(assert.fail, (reason) => reason);
    assert.ok(error instanceof TaskNotFoundError, `${error.stack}`);
    assert.equal(error.outcome, 'accepted');
    assert.equal(error.task.task_id, task.task_id);
    // Clients that ask again at once get the same answer, without further polls.
    await hub.amend(id, 'job', { ended_at: Date.now() + 60_000 });
    const { polls } = server.counts;
    await assert.rejects(client.getTask(task), TaskNotFoundError);
    await assert.rejects(client.waitForTask(task), TaskNotFoundError);
    assert.equal(server.counts.polls, polls);
    // A duplicate of the create gets the task.
    assert.equal(idOf((await client.generate(params, key)).task_id), id);
    assert.equal(server.counts.creates, 0);

    const { entries } = await hub.inside(id, 'stored');
    assert.equal(entries.job.phase, 'suspended');
    await hub.amend(id, 'job', { ended_at: 0 });
    const found = {
      task_id: entries.job.wait.task.task_id,
      status: 'completed',
      data: [{ url: 'https://x.test/1' }],
    };
    server.next({ on: 'poll', reply: { body: found } });
    const done = await client.waitForTask(error.task);
    assert.deepEqual(
      [done.status, done.task_id, done.data],
      ['completed', task.task_id, [{ url: 'https://x.test/1' }]],
    );
  });

  test("reports a filtered picture as the task's failure, with its reason, to all clients", async () => {
    const params = request('task');
    const task = await client.generate(params, { idempotencyKey: 'filtered' });
    const error = { code: 'content_filtered', message: 'The picture was filtered.' };
    const stream = client.waitForTask(task);
    server.next({ on: 'poll', reply: { body: { status: 'completed', data: [], error } } });
    const isFiltered = (reason) =>
      reason instanceof TaskFailedError &&
      reason.outcome === 'failed' &&
      reason.code === error.code &&
      reason.message.includes(error.message);
    await assert.rejects(stream, isFiltered);
    await assert.rejects(client.getTask(task), isFiltered);
    await assert.rejects(client.generateAndWait(params, { idempotencyKey: 'filtered' }), isFiltered);
    assert.equal(server.counts.creates, 1);
  });

  test('goes on with the task of a create whose answer is lost, where a header names it', async () => {
    const cut = { headers: { 'x-task-id': 'img_1' }, body: '{"data": [{"b64_' };
    const data = [{ url: 'https://cdn.example.com/a.png' }];
    server.next({ on: 'create', reply: cut });
    server.next({ on: 'poll', reply: { body: { task_id: 'img_1', status: 'completed', data } } });
    const done = await client.generateAndWait(request('inline'));
    assert.deepEqual(done.data, data);
    assert.equal(server.counts.creates, 1);
  });

  test('reports a create without a picture as failed', async () => {
    const body = { task_id: 'img_2', status: 'COMPLETED', data: [], error: 'Nothing was made.' };
    server.next({ on: 'create', reply: { body } });
    const isEmpty = (reason) => reason instanceof TaskFailedError && /Nothing was made/.test(reason.message);
    await assert.rejects(client.generateAndWait(request('task')), isEmpty);
    assert.equal(server.counts.polls, 0);
  });

  test('keeps the hint of a 429 that suspended a task, for every request', async () => {
    // Longer than maxWait.
    const refusal = { status: 429, body: { error: { code: 'rate_limit_exceeded', retry_after: 900 } } };
    server.next({ on: 'poll', reply: refusal });
    const task = await client.generate(request('task'));
    const id = idOf(task.task_id);
    await until(async () => (await hub.inside(id, 'stored')).entries.job.phase === 'suspended');
    const polls = server.counts.polls;
    const hints = [];
    for (let time = 0; time < 3; time += 1) {
      const response = await hub.fetch('ann', `/v1/tasks/${task.task_id}`);
      assert.ok(response.status >= 400, `${response.status}`);
      hints.push(Number(response.headers.get('retry-after')));
      if (time === 1) await hub.inside(id, 'reset').catch(() => {});
    }
    for (const hint of hints) assert.ok(hint > 800 && hint <= 900, `${hints}`);
    assert.equal((await hub.inside(id, 'stored')).entries.job.phase, 'suspended');
    assert.equal(server.counts.polls, polls);
    // After the pause, it is polled again.
    await hub.amend(id, 'job', { not_before: 0, ended_at: 0 });
    assert.equal((await client.waitForTask(task)).status, 'completed');
  });

  test('applies the pause of a refused create to its key', async () => {
    const refusal = { status: 429, body: { error: { code: 'rate_limit_exceeded', retry_after: 90 } } };
    server.next({ on: 'create', times: 50, reply: refusal });
    const params = request('task');
    const statuses = await Promise.all(
      Array.from({ length: 50 }, async (_, index) => {
        await new Promise((resolve) => setTimeout(resolve, index * 5));
        const response = await hub.create('ann', params, 'paused');
        assert.ok(Number(response.headers.get('retry-after')) > 80);
        return response.status;
      }),
    );
    assert.deepEqual(new Set(statuses), new Set([429]));
    assert.equal(server.counts.creates, 1);
  });

  test('tries a key again once the operator has paid', async () => {
    server.next({ on: 'create', reply: { status: 402, body: { error: { code: 'insufficient_balance' } } } });
    const create = async () => (await hub.create('ann', request('task'), 'unpaid')).status;
    // Duplicates that come at once get the same refusal.
    assert.deepEqual([await create(), await create()], [403, 403]);
    assert.equal(server.counts.creates, 1);
    await hub.amend(nameOf('ann', 'unpaid'), 'job', { not_before: 0 });
    assert.equal(await create(), 200);
    assert.equal(server.counts.creates, 2);
  });

  test('does not send the key to another server', async () => {
    const done = await client.generateAndWait(request('foreign-poll-url'));
    assert.equal(done.status, 'completed');
    assert.deepEqual(foreign.counts.requests, []);
  });
});

describe('a create that was announced', GUARD, () => {
  let server;
  let hub;
  let client;

  before(async () => {
    server = await startServer();
    hub = await startHub(server, { ANSWER_WITHIN_MS: 20, SETTINGS: { maxAnswerBytes: 100_000 } });
    client = hub.client('ann', { maxRetries: 0 });
  });
  after(async () => {
    await hub?.close();
    await server.close();
  });
  beforeEach(() => server.reset());

  /** A task whose create is answered after the client has its reference. */
  async function announced(reply, key) {
    server.next({ on: 'create', reply: { delay: 300, ...reply } });
    const task = await client.generate(
      { prompt: `A lemon ${key}`, model: 'flux-pro' },
      { idempotencyKey: key },
    );
    assert.equal(task.status, 'pending');
    return task;
  }

  const secret = 'Account ops@lemons.example: your balance of $3.12 is too low.';
  const leaks = /ops@|3\.12|balance|lemons\.example/i;

  for (const status of [408, 500, 502, 504, 520]) {
    test(`and may have been billed is reported as unknown, not as failed: ${status}`, async () => {
      const error = { code: 'server_error', message: secret };
      const task = await announced({ status, body: { error } }, `billed-${status}`);
      const reason = await client.waitForTask(task).then(assert.fail, (rejected) => rejected);
      assert.equal(reason.code, 'create_outcome_unknown');
      assert.match(reason.message, /may have been carried out and billed/);
      assert.doesNotMatch(JSON.stringify(reason) + reason.message, leaks);
      await assert.rejects(client.getTask(task), { code: 'create_outcome_unknown' });
      assert.equal(server.counts.creates, 1);
    });
  }

  for (const [status, code] of [
    [401, 'upstream_refused'],
    [402, 'upstream_refused'],
    [403, 'upstream_refused'],
    [400, 'model_not_found'],
  ]) {
    test(`and is refused reveals nothing of the account, and is one event for the operator: ${status}`, async () => {
      const error = {
        code: 'model_not_found',
        message: secret,
        balance_usd: 3.12,
        hint: 'Write to ops@lemons.example',
      };
      const headers = { 'x-request-id': `req-${status}` };
      const key = `refused-${status}`;
      const task = await announced({ status, headers, body: { error } }, key);
      const texts = [];
      const stream = await hub.fetch('ann', `/v1/tasks/${task.task_id}`, {
        headers: { accept: 'text/event-stream' },
      });
      texts.push(await stream.text());
      texts.push(await (await hub.fetch('ann', `/v1/tasks/${task.task_id}`)).text());
      texts.push(
        await (await hub.create('ann', { prompt: `A lemon ${key}`, model: 'flux-pro' }, key)).text(),
      );
      const reason = await client.waitForTask(task).then(assert.fail, (rejected) => rejected);
      assert.equal(reason.code, code);
      texts.push(reason.message);
      for (const text of texts) assert.doesNotMatch(text, leaks);

      const isOfRequest = ({ requestId }) => requestId === headers['x-request-id'];
      const { event, upstream, model, identity, outcome, message, ...rest } = await hub.logged(isOfRequest);
      assert.equal(hub.events().filter(isOfRequest).length, 1);
      assert.deepEqual(
        { event, upstream, model, identity, outcome, status: rest.status },
        {
          event: 'upstream_failed',
          upstream: 'create',
          model: 'flux-pro',
          identity: 'ann',
          outcome: 'rejected',
          status,
        },
      );
      assert.match(message, leaks);
    });
  }

  test('and fails as a task reveals nothing of the account', async () => {
    const body = {
      task_id: 'img_9',
      status: 'failed',
      balance_usd: 3.12,
      account: 'ops',
      error: { message: secret },
    };
    const task = await announced({ body }, 'failed');
    const text = await (await hub.fetch('ann', `/v1/tasks/${task.task_id}`)).text();
    const reason = await client.waitForTask(task).then(assert.fail, (rejected) => rejected);
    assert.ok(reason instanceof TaskFailedError);
    for (const shown of [text, reason.message, JSON.stringify(reason)]) assert.doesNotMatch(shown, leaks);
  });

  test('and is answered with more than the cap is reported as unknown', async () => {
    const task = await announced({ body: { data: [{ b64_json: 'a'.repeat(1_000_000) }] } }, 'large');
    await assert.rejects(client.waitForTask(task), { code: 'create_outcome_unknown' });
    await hub.logged(({ event, cause }) => event === 'upstream_failed' && /maxAnswerBytes/.test(cause));
  });
});
