/** The end of a task is the same through a relay as without one: done, failed, or not known yet. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  InvalidRequestError,
  PermissionDeniedError,
  TaskCancelledError,
  TaskFailedError,
} from 'lemondata-wasm';
import { failure } from '../helpers/failure.js';
import { clientOf, PROMPT, relays, server, useServer } from './harness.js';

/** No test needs this long: it ends one that would hang. */
const GUARD = { timeout: 20_000 };
const FILTERED = { message: 'The picture was filtered', code: 'content_policy' };
const PICTURE = [{ url: 'https://cdn.example/1.png' }];

useServer();

/** Starts a task whose polls are answered so, the last one for ever. */
async function startTask(...replies) {
  server.next({ on: 'create', reply: { body: { task_id: 'img_1', status: 'pending' } } });
  for (const body of replies) server.next({ on: 'poll', reply: { body } });
  const relay = relays.make();
  const { body } = await relays.create(relay);
  return { relay, task: body.task_id };
}

describe('a task that is done without a result has failed', GUARD, () => {
  for (const [name, end, message, code] of [
    [
      'a filtered picture',
      { status: 'completed', data: [], error: FILTERED },
      /was filtered/,
      'content_policy',
    ],
    [
      'with placeholders',
      { status: 'completed', data: [{ url: '' }], error: FILTERED },
      /was filtered/,
      'content_policy',
    ],
    ['in capitals', { status: 'COMPLETED', data: [], error: FILTERED }, /was filtered/, 'content_policy'],
    ['in another word', { status: 'succeeded', error: 'No lemons' }, /No lemons/, undefined],
    ['without a reason', { status: 'completed', data: [] }, /failed/, undefined],
  ]) {
    test(`${name}: the poll says so, and the wait ends`, async () => {
      const { relay, task } = await startTask({ task_id: 'img_1', ...end });
      const { status, body } = await relays.poll(relay, task);
      assert.equal(status, 200);
      assert.equal(body.status, 'failed');
      assert.equal(body.task_id, task);

      server.next({ on: 'poll', reply: { body: { task_id: 'img_1', ...end } } });
      const error = await failure(clientOf(relay).waitForTask(task));
      assert.ok(error instanceof TaskFailedError, error);
      assert.equal(error.outcome, 'failed');
      assert.match(error.message, message);
      assert.equal(error.code, code);
    });
  }

  test('a create that is answered so, too', async () => {
    const relay = relays.make();
    for (const body of [
      { task_id: 'img_1', status: 'completed', data: [], error: FILTERED },
      { status: 'completed', data: [], error: FILTERED },
    ]) {
      server.next({ on: 'create', reply: { body } });
      const error = await failure(clientOf(relay).generate({ prompt: PROMPT }));
      assert.ok(error instanceof TaskFailedError, error);
      assert.match(error.message, /was filtered/);
    }
  });
});

describe('ends in the words of other services', GUARD, () => {
  for (const status of ['FAILED', 'failure', 'error', 'expired', 'timeout', 'rejected']) {
    test(`${status} is failed`, async () => {
      const { relay, task } = await startTask({ task_id: 'img_1', status, error: 'No lemons' });
      const error = await failure(clientOf(relay).waitForTask(task));
      assert.ok(error instanceof TaskFailedError, error);
      assert.match(error.message, /No lemons/);
    });
  }

  for (const status of ['cancelled', 'canceled', 'ABORTED']) {
    test(`${status} is cancelled`, async () => {
      const { relay, task } = await startTask({ task_id: 'img_1', status });
      const error = await failure(clientOf(relay).waitForTask(task));
      assert.ok(error instanceof TaskCancelledError, error);
    });
  }

  for (const status of ['succeeded', 'DONE', 'finished']) {
    test(`${status} is completed`, async () => {
      const { relay, task } = await startTask({ task_id: 'img_1', status, data: PICTURE });
      const generation = await clientOf(relay).waitForTask(task);
      assert.equal(generation.status, 'completed');
      assert.deepEqual(generation.data, PICTURE);
    });
  }
});

describe('a poll that is answered with nothing is lost, and asked again', GUARD, () => {
  for (const nothing of [{}, null, [], { error: { message: 'Try later' } }, { detail: 'x' }]) {
    test(JSON.stringify(nothing), async () => {
      const { relay, task } = await startTask(nothing);
      const { status, body } = await relays.poll(relay, task);
      assert.equal(status, 502, JSON.stringify(body));
      assert.notEqual(body.error.retryable, false);
    });
  }

  test('and the wait of a page goes on', async () => {
    const { relay, task } = await startTask({}, { task_id: 'img_1', status: 'completed', data: PICTURE });
    assert.deepEqual((await clientOf(relay).waitForTask(task)).data, PICTURE);
  });
});

describe('the reason of a refusal reaches the page', GUARD, () => {
  for (const body of [
    { detail: 'size is too large' },
    { detail: [{ loc: ['body', 'size'], msg: 'size is too large' }] },
    { message: 'size is too large' },
    { errors: [{ message: 'size is too large' }] },
    { error: 'size is too large' },
    { error: { message: 'No.' }, validation_errors: [{ field: 'size', message: 'size is too large' }] },
  ]) {
    test(JSON.stringify(body), async () => {
      server.next({ on: 'create', reply: { status: 422, body } });
      const error = await failure(clientOf(relays.make()).generate({ prompt: PROMPT }));
      assert.ok(error instanceof InvalidRequestError, error);
      assert.match(error.message, /size is too large/);
    });
  }

  test('with the request id of its body', async () => {
    const error = { message: 'No.', request_id: 'req_7' };
    // The embedded server has ids of its own.
    const fetch = async () => Response.json({ error }, { status: 422 });
    const lemon = clientOf(relays.make({ fetch }));
    assert.equal((await failure(lemon.generate({ prompt: PROMPT }))).requestId, 'req_7');
    // One that no header can hold is left out.
    error.request_id = 'a\r\nset-cookie: x';
    assert.equal((await failure(lemon.generate({ prompt: PROMPT }))).requestId, undefined);
  });

  test('a running task says when it is to be polled again, in seconds or by a date of the service', async () => {
    const date = (seconds) => new Date(Date.UTC(2020, 0, 1, 0, 0, seconds)).toUTCString();
    const running = { task_id: 'img_1', status: 'pending' };
    for (const [headers, expected] of [
      [{ 'retry-after': '7' }, '7'],
      [{ 'retry-after': date(9), date: date(2) }, '7'],
      [{ 'retry-after': date(2), date: date(9) }, null],
      [{ 'retry-after': 'soon' }, null],
      [{ 'retry-after': 'Infinity' }, '1000000000000'],
      [{ 'retry-after': '1e30' }, '1000000000000'],
      [{}, null],
    ]) {
      server.reset();
      for (const on of ['create', 'poll']) server.next({ on, reply: { headers, body: running } });
      const relay = relays.make();
      const created = await relays.create(relay);
      assert.equal(created.headers.get('retry-after'), expected, JSON.stringify(headers));
      const polled = await relays.poll(relay, created.body.task_id);
      assert.equal(polled.headers.get('retry-after'), expected, JSON.stringify(headers));
    }
  });

  test('an answer that says that asking again cannot help ends the wait', async () => {
    const { relay, task } = await startTask({ error: { message: 'Gone.', retryable: false } });
    const error = await failure(clientOf(relay).waitForTask(task));
    assert.deepEqual([error.status, error.outcome, error.task], [502, 'accepted', { task_id: task }]);
  });

  test('a redirect of the service is the operator’s affair: the page does not learn where it leads', async () => {
    const headers = { location: 'https://internal.example/v1' };
    server.next({ on: 'create', reply: { status: 308, headers } });
    const error = await failure(clientOf(relays.make()).generate({ prompt: PROMPT }));
    assert.ok(error instanceof PermissionDeniedError);
    assert.equal(error.outcome, 'rejected');
    assert.doesNotMatch(JSON.stringify(error), /internal/);
    const { error: logged } = relays.events.find(({ event }) => event === 'upstream_failed');
    assert.match(logged.message, /https:\/\/internal\.example/, 'the operator does');
  });
});

test('a create whose answer is lost is a task, where a header names it', GUARD, async () => {
  const cut = { headers: { 'x-task-id': 'img_1' }, body: '{"data": [{"b64_' };
  server.next({ on: 'create', reply: cut });
  server.next({ on: 'poll', reply: { body: { task_id: 'img_1', status: 'completed', data: PICTURE } } });
  const relay = relays.make();
  const { data } = await clientOf(relay).generateAndWait({ prompt: PROMPT, model: 'flux-pro' });
  assert.deepEqual(data, PICTURE);
  assert.equal(server.counts.creates, 1);
  assert.ok(
    relays.events.some(({ event, outcome }) => event === 'upstream_failed' && outcome === 'accepted'),
  );
});
