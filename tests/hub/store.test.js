/** A relay without a hub, with a store of Durable Objects: a keyed create is carried out once. */

import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { startServer } from '../server/index.js';
import { makeFiles, makeModules, nameOf, optionsOf, startHub, until } from './place.js';
import { startProcess } from './processes.js';

const GUARD = { timeout: 30_000 };

const createAt = (url, body, key, user = 'ann') =>
  fetch(`${url}/store/v1/images/generations`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-user': user, 'idempotency-key': key },
    body: JSON.stringify(body),
  });

describe('a store of Durable Objects', GUARD, () => {
  let server;
  let hub;

  before(async () => {
    server = await startServer({ taskMs: 100 });
    hub = await startHub(server);
  });
  after(async () => {
    await hub?.close();
    await server.close();
  });
  beforeEach(() => server.reset());

  const create = (body, key, user) => createAt(hub.url, body, key, user);
  const stored = async (key) => (await hub.insideOf('KEYS', nameOf('ann', key), 'stored')).entries;

  test('has a create carried out once, with many duplicates at once', async () => {
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => create({ prompt: 'A lemon', model: 'test-task,slow:100' }, 'twenty')),
    );
    const bodies = await Promise.all(answers.map((answer) => answer.json()));
    assert.equal(server.counts.creates, 1);
    for (const body of bodies) assert.deepEqual(body, bodies[0]);
    assert.match(bodies[0].task_id, /^t_/);
    const other = await create({ prompt: 'A lime', model: 'flux-pro' }, 'twenty');
    assert.equal(other.status, 422);
    await create({ prompt: 'A lime', model: 'flux-pro' }, 'twenty', 'bob');
    assert.equal(server.counts.creates, 2);
    // The key outlives the object's memory.
    await hub.insideOf('KEYS', nameOf('ann', 'twenty'), 'reset').catch(() => {});
    const again = await create({ prompt: 'A lemon', model: 'test-task,slow:100' }, 'twenty');
    assert.deepEqual(await again.json(), bodies[0]);
    assert.equal(server.counts.creates, 2);
  });

  test('frees a key whose create the provider has refused for now', async () => {
    const refused = { status: 429, body: { error: { code: 'rate_limit_exceeded' } } };
    server.next({ on: 'create', reply: refused });
    const body = { prompt: 'A lemon', model: 'dall-e-3' };
    assert.equal((await create(body, 'freed')).status, 429);
    assert.deepEqual(await stored('freed'), {});
    // Its pause is a second.
    await until(async () => (await create(body, 'freed')).status === 200);
    assert.equal(server.counts.creates, 2);
  });

  test('keeps an answer of 20 MB', async () => {
    const data = Array.from({ length: 4 }, () => ({ b64_json: 'é🍋abc'.repeat(550_000) }));
    server.next({ on: 'create', reply: { body: { created: 1, data } } });
    const body = { prompt: 'A lemon', model: 'dall-e-3' };
    const first = await (await create(body, 'large')).text();
    assert.ok(first.includes(JSON.stringify(data)));
    await hub.insideOf('KEYS', nameOf('ann', 'large'), 'reset').catch(() => {});
    assert.ok((await (await create(body, 'large')).text()) === first);
    assert.equal(server.counts.creates, 1);
  });

  test('does not keep an answer that no call to an object can hold, and never sends its create again', async () => {
    for (const [key, text] of [
      ['too-large', 'abcd'.repeat(9_000_000)],
      ['too-wide', 'é🍋abc'.repeat(3_000_000)],
    ]) {
      server.reset();
      server.next({ on: 'create', reply: { body: { created: 1, data: [{ b64_json: text }] } } });
      const body = { prompt: 'A lemon', model: 'dall-e-3' };
      const first = await create(body, key);
      assert.equal(first.status, 200);
      assert.equal((await first.json()).data[0].b64_json.length, text.length);
      const again = await create(body, key);
      assert.equal(again.status, 502);
      assert.equal((await again.json()).error.code, 'answer_not_kept');
      assert.equal(server.counts.creates, 1);
    }
  });

  test('counts an unsettled create as lost, and never sends it again', async () => {
    const body = { prompt: 'A lemon', model: 'test-hang' };
    const hanging = create(body, 'lost');
    hanging.catch(() => {});
    await until(() => server.counts.creates === 1);
    // The object ends meanwhile, and its alarm rings after the time of the claim.
    await hub.insideOf('KEYS', nameOf('ann', 'lost'), 'reset').catch(() => {});
    await hub.insideOf('KEYS', nameOf('ann', 'lost'), 'ring', 1);
    const answer = await create(body, 'lost');
    assert.equal(answer.status, 502);
    assert.equal((await answer.json()).error.code, 'create_outcome_unknown');
    assert.equal(server.counts.creates, 1);
  });

  test('keeps the key of a lost create when its alarm rings more than once', async () => {
    const body = { prompt: 'A lemon', model: 'test-hang' };
    create(body, 'rings').catch(() => {});
    await until(() => server.counts.creates === 1);
    await hub.insideOf('KEYS', nameOf('ann', 'rings'), 'ring', 3);
    const { entries, alarm } = await hub.insideOf('KEYS', nameOf('ann', 'rings'), 'stored');
    assert.equal(alarm, entries.entry.until);
    assert.equal((await (await create(body, 'rings')).json()).error.code, 'create_outcome_unknown');
    assert.equal(server.counts.creates, 1);
  });
});

describe('a store of Durable Objects that ends', GUARD, () => {
  let server;
  let files;
  let hub;
  const ending = [];

  beforeEach(async () => {
    server = await startServer();
    files = makeFiles();
  });
  afterEach(async () => {
    await hub?.kill();
    await server.close();
    files.remove();
    ending.length = 0;
  });

  test('with a create under way: its outcome is unknown, and it is not sent again', async () => {
    const bindings = { CLAIM_MS: 1500, RETENTION_MS: 1500 };
    const options = { ...optionsOf(server, bindings, files), modules: await makeModules() };
    hub = await startProcess(options);
    const body = { prompt: 'A lemon', model: 'test-hang' };
    createAt(hub.url, body, 'lost').catch(() => {});
    await until(() => server.counts.creates === 1);
    await hub.kill();
    hub = await startProcess(options);
    const answers = await Promise.all([createAt(hub.url, body, 'lost'), createAt(hub.url, body, 'lost')]);
    for (const answer of answers) {
      assert.equal(answer.status, 502);
      assert.equal((await answer.json()).error.code, 'create_outcome_unknown');
    }
    assert.equal(server.counts.creates, 1);
    const gone = async () => {
      const { entries, alarm } = await hub.insideOf('KEYS', nameOf('ann', 'lost'), 'stored');
      return Object.keys(entries).length === 0 && alarm === null;
    };
    await until(gone);
  });
});
