/** A hub and its clients, in workerd. */

import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { startServer } from '../server/index.js';
import { idOf, makeFiles, nameOf, POLL_MS, startHub, startPolledServer, until } from './place.js';

/** Ends a test that hangs. */
const GUARD = { timeout: 300_000 };
const LEMON = { prompt: 'A lemon', model: 'flux-pro' };

describe('a hub', GUARD, () => {
  let server;
  let files;
  let hub;
  /** Called when the provider gets a request. */
  let onRequest;

  before(async () => {
    server = await startPolledServer((record) => onRequest?.(record));
    files = makeFiles();
    hub = await startHub(server, {}, files);
  });
  after(async () => {
    await hub?.close();
    await server.close();
    files.remove();
  });
  beforeEach(() => {
    onRequest = undefined;
    server.reset();
  });

  const stored = (id) => hub.inside(id, 'stored');
  const phase = async (id) => (await stored(id)).entries.job?.phase;
  /** The polls of a task, in order. */
  const pollsOf = (prompt) => {
    const { id } = [...server.tasks.values()].find((task) => task.prompt === prompt);
    return server.counts.requests.filter(({ path }) => path.endsWith(id));
  };

  test('creates a task, polls it, and reports to its client', async () => {
    const updates = [];
    const done = await hub
      .client('ann')
      .generateAndWait(LEMON, { onUpdate: (generation) => updates.push(generation.status) });
    assert.equal(done.status, 'completed');
    assert.match(done.task_id, /^t_/);
    assert.match(done.data[0].url, /\/files\//);
    // On a busy machine, the task can be over before its client hears of it.
    assert.deepEqual(new Set(['pending', ...updates]), new Set(['pending', 'completed']));
    assert.equal(updates.at(-1), 'completed');
    assert.equal(server.counts.creates, 1);
    assert.doesNotMatch(JSON.stringify(done), /img_/);
  });

  test('answers an inline create inline', async () => {
    const done = await hub.client('ann').generate({ prompt: 'A lemon', model: 'dall-e-3' });
    assert.equal(done.status, 'completed');
    assert.equal(server.counts.polls, 0);
  });

  test('makes a task of a slow create', async () => {
    const quick = await startHub(server, { ANSWER_WITHIN_MS: 50 });
    try {
      const client = quick.client('ann');
      const task = await client.generate({ prompt: 'A lemon', model: 'test-slow:500' });
      assert.equal(task.status, 'pending');
      const done = await client.waitForTask(task);
      assert.equal(done.status, 'completed');
      assert.equal(done.task_id, task.task_id);
      assert.deepEqual([server.counts.creates, server.counts.polls], [1, 0]);
    } finally {
      await quick.close();
    }
  });

  for (const [when, leaves] of [
    ['the provider has got the create', (leave) => (onRequest = leave)],
    ['the hub has stored the create', (leave, key) => until(() => phase(nameOf('ann', key))).then(leave)],
  ]) {
    test(`carries a task on when its page closes: once ${when}`, async () => {
      const key = when.replaceAll(' ', '-');
      const page = new AbortController();
      const left = fetch(`${hub.url}/hub/v1/images/generations`, {
        method: 'POST',
        headers: { 'x-user': 'ann', 'content-type': 'application/json', 'idempotency-key': key },
        body: JSON.stringify({ prompt: when, model: 'test-task,slow:1000' }),
        signal: page.signal,
      });
      const leaving = leaves(() => page.abort(), key);
      await assert.rejects(left, { name: 'AbortError' });
      await leaving;
      await until(async () => (await phase(nameOf('ann', key))) === 'completed');
      const done = await hub
        .client('ann')
        .generateAndWait({ prompt: when, model: 'test-task,slow:1000' }, { idempotencyKey: key });
      assert.equal(done.status, 'completed');
      assert.equal(server.counts.creates, 1);
    });
  }

  test('polls no earlier than the provider wants, also after its object has ended', async () => {
    const later = { headers: { 'retry-after': '30' }, body: { status: 'processing', data: [] } };
    server.next({ on: 'poll', reply: later });
    const task = await (await hub.create('ann', { ...LEMON, prompt: 'A patient lemon' })).json();
    const id = idOf(task.task_id);
    const isPatient = async () => (await stored(id)).alarm > Date.now() + 20_000;
    await until(isPatient);
    await hub.inside(id, 'reset').catch(() => {});
    assert.equal((await hub.client('ann').getTask(task)).status, 'processing');
    assert.ok(await isPatient());
    assert.equal(server.counts.polls, 1);
  });

  test('carries a keyed create out once, with many duplicates at once', async () => {
    const client = hub.client('ann');
    const all = await Promise.all(
      Array.from({ length: 20 }, () => client.generateAndWait(LEMON, { idempotencyKey: 'twenty' })),
    );
    // Also by the name of the task.
    for (const done of all) assert.deepEqual(done, all[0]);
    assert.equal(server.counts.creates, 1);
    await assert.rejects(client.generate({ ...LEMON, prompt: 'A lime' }, { idempotencyKey: 'twenty' }), {
      status: 422,
      code: 'idempotency_key_reused',
    });
    // The same key of another user is another key.
    await hub.client('bob').generate({ ...LEMON, prompt: 'A lime' }, { idempotencyKey: 'twenty' });
    assert.equal(server.counts.creates, 2);
  });

  test('names a task alike in all answers to its create, also after the object has ended', async () => {
    const create = async () => (await hub.create('ann', LEMON, 'named')).json();
    const { task_id } = await create();
    await hub.amend(idOf(task_id), 'order', { createdAt: Date.now() - 5000 });
    const again = await create();
    assert.notEqual(again.task_id, task_id, 'the name holds when the task was created');
    await hub.inside(idOf(task_id), 'reset').catch(() => {});
    assert.equal((await create()).task_id, again.task_id);
    assert.equal(server.counts.creates, 1);
  });

  test('carries out every create without a key', async () => {
    const bodies = await Promise.all(
      Array.from({ length: 3 }, async () => (await hub.create('ann', LEMON)).json()),
    );
    assert.equal(new Set(bodies.map(({ task_id }) => task_id)).size, 3);
    assert.equal(server.counts.creates, 3);
  });

  test('answers a single poll with the present state', async () => {
    const client = hub.client('ann');
    const task = await client.generate(LEMON);
    const first = await client.getTask(task);
    assert.ok(['pending', 'processing'].includes(first.status));
    assert.equal(first.task_id, task.task_id);
    await client.waitForTask(task);
    assert.equal((await client.getTask(task)).status, 'completed');
  });

  test('passes on a result other than a picture', async () => {
    const done = await hub.client('ann').generateAndWait({ prompt: 'A lemon', model: 'test-task-video' });
    assert.match(done.video_url, /clip\.mp4$/);
    assert.deepEqual(done.data, []);
  });

  describe('with an alarm that rings more than once', () => {
    test('sends a create once', async () => {
      const creating = hub.create('ann', { prompt: 'A lemon', model: 'test-task,slow:300' }, 'rings');
      const id = nameOf('ann', 'rings');
      await until(() => server.counts.creates === 1);
      await hub.inside(id, 'ring', 5);
      await creating;
      assert.equal(server.counts.creates, 1);
      assert.notEqual(await phase(id), 'unknown');
    });

    test('polls once in each interval', async () => {
      const prompt = 'A lemon that rings';
      const { task_id } = await (await hub.create('ann', { ...LEMON, prompt })).json();
      while ((await phase(idOf(task_id))) !== 'completed') await hub.inside(idOf(task_id), 'ring', 3);
      assertSpaced(pollsOf(prompt));
    });

    test('does nothing when the task is over', async () => {
      const prompt = 'A lemon that rings late';
      const done = await hub.client('ann').generateAndWait({ ...LEMON, prompt });
      const polls = pollsOf(prompt).length;
      const { entries } = await stored(idOf(done.task_id));
      await hub.inside(idOf(done.task_id), 'ring', 5);
      assert.deepEqual([pollsOf(prompt).length, server.counts.creates], [polls, 1]);
      assert.deepEqual((await stored(idOf(done.task_id))).entries, entries);
    });
  });

  test('stores neither the key nor, once it is sent, the prompt', async () => {
    const client = hub.client('ann', { maxRetries: 0 });
    const prompt = 'a-prompt-to-be-forgotten';
    await assert.rejects(client.generate({ prompt, model: 'test-error-401-echo' }, { idempotencyKey: 'k1' }));
    await client.generateAndWait({ prompt: 'A lemon', model: 'test-poll:error-401-echo:1' }).catch(() => {});
    const pending = await (await hub.create('ann', { prompt, model: 'test-poll:hang' }, 'k2')).json();
    for (const id of [nameOf('ann', 'k1'), idOf(pending.task_id)]) {
      const { entries } = await stored(id);
      assert.ok(entries.job);
      assert.doesNotMatch(JSON.stringify(entries), /sk-test|a-prompt-to-be-forgotten/);
    }
  });

  test('has neither logged nor stored the key', async () => {
    const { printed } = hub;
    await hub.close();
    hub = undefined;
    assert.doesNotMatch(printed.join(''), /sk-test/);
    const all = readdirSync(files.folder, { recursive: true }).map((name) => join(files.folder, name));
    const kept = all.filter((path) => statSync(path).isFile()).map((path) => readFileSync(path));
    assert.ok(kept.length > 5);
    for (const bytes of kept) assert.ok(!bytes.includes(server.apiKey));
  });
});

describe('a hub with pictures of 20 MB in an answer', GUARD, () => {
  const PICTURES = ['a', 'b', 'c', 'é🍋'].map((text) => ({
    // The last one has pairs of surrogates at every cut.
    b64_json: text.repeat(5_000_000 / Buffer.byteLength(text)),
    revised_prompt: 'A lemon',
  }));
  const inline = { body: { created: 1, data: PICTURES } };
  const polled = { body: { created: 1, status: 'completed', data: PICTURES } };
  let server;
  let hub;

  before(async () => {
    server = await startServer({ taskMs: 3_600_000 });
    hub = await startHub(server);
  });
  after(async () => {
    await hub?.close();
    await server.close();
  });
  beforeEach(() => server.reset());

  for (const [how, on, reply] of [
    ['to a create', 'create', inline],
    ['to a poll', 'poll', polled],
  ]) {
    test(`stores them, and answers with them: ${how}`, async () => {
      server.next({ on, reply });
      const client = hub.client('ann');
      const key = { idempotencyKey: on };
      const done = await client.generateAndWait({ ...LEMON, prompt: how }, key);
      assert.equal(done.status, 'completed');
      assertSame(done.data, PICTURES);
      const id = idOf(done.task_id);
      assertSame((await client.generate({ ...LEMON, prompt: how }, key)).data, PICTURES);
      assertSame((await client.getTask(done.task_id)).data, PICTURES);
      // The result outlives the object's memory.
      await hub.inside(id, 'reset').catch(() => {});
      assertSame((await client.waitForTask(done.task_id)).data, PICTURES);
      assert.equal(server.counts.creates, 1);
    });
  }
});

/** Compares long values without printing them. */
function assertSame(actual, expected) {
  assert.equal(actual.length, expected.length);
  assert.ok(JSON.stringify(actual) === JSON.stringify(expected), 'the pictures are not the same');
}

/** No poll comes before its interval has passed. */
function assertSpaced(records) {
  assert.ok(records.length > 1);
  records.slice(1).forEach(({ at }, index) => {
    // The clock counts whole milliseconds.
    assert.ok(at - records[index].at >= POLL_MS - 1, `${records.map((record) => record.at - records[0].at)}`);
  });
}

describe('a hub after its retention', GUARD, () => {
  test('has forgotten the task completely', async () => {
    const server = await startServer({ taskMs: 50 });
    const hub = await startHub(server, { KEEPS: true });
    try {
      const bucket = await hub.worker.getR2Bucket('PICTURES');
      const client = hub.client('ann');
      const done = await client.generateAndWait(LEMON, { idempotencyKey: 'kept' });
      const id = idOf(done.task_id);
      assert.equal((await bucket.list()).objects.length, 1);
      await hub.expire(id);
      const left = await hub.inside(id, 'stored');
      assert.deepEqual([left.entries, left.alarm], [{}, null]);
      assert.equal((await bucket.list()).objects.length, 0);
      await assert.rejects(client.waitForTask(done.task_id), { kind: 'task_not_found', status: 404 });
      assert.equal((await fetch(done.data[0].url, { headers: { 'x-user': 'ann' } })).status, 404);
      // The key may be used again.
      await client.generateAndWait({ ...LEMON, prompt: 'A lime' }, { idempotencyKey: 'kept' });
      assert.equal(server.counts.creates, 2);
    } finally {
      await hub.close();
      await server.close();
    }
  });
});
