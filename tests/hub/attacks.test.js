/** Attacks on the routes that a hub adds. */

import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { requestOf, send } from '../relay/raw.js';
import { startServer } from '../server/index.js';
import { idOf, startHub } from './place.js';

const GUARD = { timeout: 300_000 };
const UPGRADE = [
  ...['connection: Upgrade', 'upgrade: websocket', 'sec-websocket-version: 13'],
  'sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==',
];

describe('an attacker', GUARD, () => {
  let server;
  let hub;
  let reference;

  before(async () => {
    server = await startServer({ taskMs: 50 });
    hub = await startHub(server, { KEEPS: true });
    const done = await hub.client('ann').generateAndWait({ prompt: 'A lemon', model: 'flux-pro' });
    reference = done.task_id;
  });
  after(async () => {
    const printed = hub?.printed.join('');
    await hub?.close();
    await server.close();
    assert.doesNotMatch(printed, /sk-test/);
  });
  beforeEach(() => server.reset());

  /** The status of a request that is written byte by byte. */
  async function status(method, path, { user = 'ann', headers = [], body } = {}) {
    const lines = user ? [`x-user: ${user}`, ...headers] : headers;
    const answer = await send(hub.url, requestOf(method, path, lines, body));
    assert.doesNotMatch(answer.text, /sk-test|img_/);
    return answer.status;
  }

  test('cannot have the key sent to a route that is not documented', async () => {
    const task_id = 'img_elsewhere';
    const body = { task_id, status: 'pending', poll_url: '/v1/management/balance', data: [] };
    server.next({ on: 'create', reply: { status: 200, body } });
    const images = [{ b64_json: 'AAAA' }];
    server.next({ on: 'poll', reply: { status: 200, body: { ...body, status: 'processing' } } });
    server.next({ on: 'poll', reply: { status: 200, body: { task_id, status: 'completed', data: images } } });
    const generation = await hub.client('ann').generateAndWait({ prompt: 'A lime', model: 'flux-pro' });
    assert.equal(generation.status, 'completed');
    const paths = server.counts.requests.filter(({ method }) => method === 'GET').map(({ path }) => path);
    assert.ok(paths.includes(`/v1/images/generations/${task_id}`), `${paths}`);
    assert.ok(!paths.some((path) => path.includes('management')), `${paths}`);
  });

  test('gets no answer that names another task', async () => {
    const task_id = 'img_of_ann';
    server.next({ on: 'create', reply: { status: 200, body: { task_id, status: 'pending', data: [] } } });
    for (const [id, b64_json] of [
      ['img_of_bob', 'Qm9i'],
      [task_id, 'QW5u'],
    ]) {
      const body = { task_id: id, status: 'completed', data: [{ b64_json }] };
      server.next({ on: 'poll', reply: { status: 200, body } });
    }
    const generation = await hub.client('ann').generateAndWait({ prompt: 'A pear', model: 'flux-pro' });
    assert.deepEqual(generation.data, [{ b64_json: 'QW5u' }]);
  });

  test('gets only pictures of the task', async () => {
    const task = `/hub/v1/tasks/${reference}`;
    assert.equal(await status('GET', `${task}/images/0`), 200);
    for (const path of [
      `${task}/images/1`,
      `${task}/images/999`,
      `${task}/images/1000`,
      `${task}/images/99999999999999999999`,
      `${task}/images/-1`,
      `${task}/images/0x0`,
      `${task}/images/0.0`,
      `${task}/images/`,
      `${task}/images`,
      `${task}/images/0/`,
      `${task}/images/0%2f..%2f0`,
      `${task}/images/%30%00`,
      `${task}/images/../images/1`,
      `${task}/../${idOf(reference)}/images/0`,
      `/hub/v1/tasks/${idOf(reference)}/images/0`,
      `/hub/v1/tasks/hub:${idOf(reference)}/images/0`,
      `/hub/v1/tasks/..%2f${reference}/images/0`,
      `/hub/v1/images/generations/${reference}/images/0`,
    ]) {
      assert.equal(await status('GET', path), 404, path);
    }
    // A URL may have dots if it leads to the path.
    assert.equal(await status('GET', `${task}/images/../images/0`), 200);
  });

  test('cannot forge a reference', async () => {
    const [payload, signature] = reference.slice(2).split('.');
    const [id, path, expiry] = JSON.parse(Buffer.from(payload, 'base64url'));
    const encode = (...values) => Buffer.from(JSON.stringify(values)).toString('base64url');
    for (const forged of [
      `t_${encode(id, path, expiry + 1)}.${signature}`,
      `t_${encode(`${id.slice(0, -1)}${id.endsWith('0') ? 1 : 0}`, path, expiry)}.${signature}`,
      `t_${encode(id, '/v1/models', expiry)}.${signature}`,
      `t_${payload}.`,
      `t_${payload}.${'A'.repeat(43)}`,
      `t_${payload}`,
      `t_${'A'.repeat(5000)}.${signature}`,
      id,
      idOf(reference),
      encodeURIComponent(id),
    ]) {
      for (const end of ['', '/images/0']) {
        const headers = ['accept: text/event-stream'];
        assert.equal(await status('GET', `/hub/v1/tasks/${forged}${end}`, { headers }), 404, forged);
      }
    }
    assert.equal(server.counts.requests.length, 0);
  });

  test("gets another user's task neither as a stream nor as a socket nor as a picture", async () => {
    for (const [user, expected] of [
      ['bob', 404],
      ['', 401],
    ]) {
      for (const path of [`/hub/v1/tasks/${reference}`, `/hub/v1/tasks/${reference}/images/0`]) {
        for (const headers of [[], ['accept: text/event-stream'], UPGRADE]) {
          assert.equal(await status('GET', path, { user, headers }), expected, `${user} ${path}`);
        }
      }
    }
  });

  test('upgrades nothing but a task that is watched', async () => {
    const body = JSON.stringify({ prompt: 'A lemon', model: 'flux-pro' });
    const task = `/hub/v1/tasks/${reference}`;
    for (const [method, path, expected] of [
      // workerd treats every request with an upgrade as a GET without a body.
      ['POST', task, 200],
      ['DELETE', `${task}/images/0`, 200],
      ['POST', '/hub/v1/images/generations', 405],
      ['GET', '/hub/v1/images/generations', 405],
      ['GET', '/hub/health', 200],
      ['GET', `${task}/images/0`, 200],
      ['GET', '/hub/other', 404],
    ]) {
      const headers = method === 'POST' ? [...UPGRADE, 'content-type: application/json'] : UPGRADE;
      const options = { headers, ...(method === 'POST' && { body }) };
      assert.equal(await status(method, path, options), expected, `${method} ${path}`);
    }
    assert.equal(server.counts.creates, 0);
  });

  test('gets nothing from a page of another site', async () => {
    const headers = ['origin: https://evil.example'];
    for (const path of [`/hub/v1/tasks/${reference}`, `/hub/v1/tasks/${reference}/images/0`]) {
      for (const more of [[], ['accept: text/event-stream'], UPGRADE]) {
        assert.equal(await status('GET', path, { headers: [...headers, ...more] }), 403);
      }
    }
  });
});
