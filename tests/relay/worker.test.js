/** What is Cloudflare's own: clients that disconnect from a worker, and the rate limiting binding. */

import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, before, beforeEach, test } from 'node:test';
import { startServer } from '../server/index.js';
import { come, KEY, SECRET } from './harness.js';
import { startWorkerd } from './places.js';
import { requestOf } from './raw.js';

const CREATE = '/v1/images/generations';
const HEADERS = { 'content-type': 'application/json', 'x-user': 'ann' };
/** No test needs this long: it ends one that would hang. */
const GUARD = { timeout: 20_000 };
const LIMIT = 3;

let server;
let place;

before(async () => {
  server = await startServer({ apiKey: KEY });
  const limit = (namespace_id) => ({ namespace_id, simple: { limit: LIMIT, period: 60 } });
  place = await startWorkerd(
    { key: server.apiKey, upstream: server.url, secret: SECRET },
    { ratelimits: { CREATES: limit('1'), POLLS: limit('2') } },
  );
});
after(async () => {
  await place?.close();
  await server.close();
});
beforeEach(() => server.reset());

const create = (relay, model, { headers, ...init } = {}) =>
  fetch(`${place.url}/${relay}${CREATE}`, {
    method: 'POST',
    headers: { ...HEADERS, ...headers },
    body: JSON.stringify({ prompt: 'A lemon', model }),
    ...init,
  });

/** Sends a request whose client leaves in the way that workerd notices: its connection is reset. */
function leave(method, path, headers, body) {
  const { port } = new URL(place.url);
  const socket = connect(port, '127.0.0.1');
  const lines = Object.entries({ ...HEADERS, ...headers }).map((pair) => pair.join(': '));
  for (const part of requestOf(method, path, lines, body)) socket.write(part);
  return () => socket.resetAndDestroy();
}

const leaveCreate = (relay, model, headers) =>
  leave('POST', `/${relay}${CREATE}`, headers, JSON.stringify({ prompt: 'A lemon', model }));

test('a client that disconnects ends its poll upstream', GUARD, async () => {
  const { task_id } = await (await create('plain', 'test-poll:hang')).json();
  const disconnect = leave('GET', `/plain/v1/tasks/${task_id}`);
  await come(() => server.counts.polls === 1);
  disconnect();
  await come(() => server.counts.aborted === 1);
});

test(
  'a client that disconnects does not end its create: a client that repeats its key gets the answer',
  GUARD,
  async () => {
    const headers = { 'idempotency-key': 'left' };
    const disconnect = leaveCreate('keyed', 'test-slow:200', headers);
    await come(() => server.counts.creates === 1);
    // One that waits for the same answer at that moment, and one that comes later.
    const waiting = create('keyed', 'test-slow:200', { headers });
    disconnect();
    const answers = [await waiting, await create('keyed', 'test-slow:200', { headers })];
    const [first, second] = await Promise.all(answers.map((answer) => answer.json()));
    assert.equal(first.status, 'completed');
    assert.deepEqual(second, first);
    assert.equal(server.counts.creates, 1);
    assert.equal(server.counts.aborted, 0);
  },
);

test('nor without a key', GUARD, async () => {
  const disconnect = leaveCreate('plain', 'test-slow:100');
  await come(() => server.counts.creates === 1);
  disconnect();
  await come(() => server.counts.requests[0].status !== undefined);
  assert.equal(server.counts.requests[0].status, 200);
  assert.equal(server.counts.aborted, 0);
});

test('a keyed create is refused without a store that outlives the isolate, with the remedy', async () => {
  const answer = await create('plain', 'dall-e-3', { headers: { 'idempotency-key': 'k' } });
  assert.equal(answer.status, 400);
  const { code, hint } = (await answer.json()).error;
  assert.equal(code, 'idempotency_not_supported');
  assert.equal(
    hint,
    'On Cloudflare, memory is no store: an isolate may end at any time. Pass createRelay store: ' +
      'durableStore(env.KEYS) or hub: durableHub({ tasks: env.TASKS }), both of lemondata-wasm/cloudflare. Without it, ' +
      'leave out relay: true and idempotencyKey in the page.',
  );
  assert.equal(server.counts.creates, 0);
});

test("Cloudflare's own limiter limits each identity, creates apart from polls", GUARD, async () => {
  const repeated = async (count, work) => {
    const found = [];
    for (let index = 0; index < count; index += 1) found.push((await work()).status);
    return found;
  };
  const find = async (id) => {
    server.reset();
    const [ann, bob] = ['ann', 'bob'].map((name) => ({ ...HEADERS, 'x-user': name + id }));
    return {
      creates: await repeated(LIMIT + 2, () => create('bound', 'dall-e-3', { headers: ann })),
      refused: await create('bound', 'dall-e-3', { headers: ann }),
      other: (await create('bound', 'dall-e-3', { headers: bob })).status,
      polls: await repeated(LIMIT + 1, () => fetch(`${place.url}/bound/v1/tasks/t_a.b`, { headers: ann })),
      sent: server.counts.creates,
    };
  };
  // The binding counts by the minute of the clock, which may turn meanwhile.
  const minute = () => Math.floor(Date.now() / 60_000);
  const begun = minute();
  let found = await find(1);
  if (minute() !== begun) found = await find(2);
  const { refused, ...statuses } = found;
  assert.deepEqual(statuses, {
    creates: [200, 200, 200, 429, 429],
    other: 200,
    polls: [404, 404, 404, 429],
    sent: LIMIT + 1,
  });
  assert.equal(refused.headers.get('retry-after'), '60');
  assert.equal((await refused.json()).error.code, 'rate_limit_exceeded');
});

test("a relay that has Node's hashes and one that has Web Crypto's read the references of each other", {
  timeout: 120_000,
}, async () => {
  const env = { key: server.apiKey, upstream: server.url, secret: SECRET };
  const other = await startWorkerd(env, { compatibilityFlags: ['nodejs_compat'] });
  const post = ({ url }, relay, headers) =>
    fetch(`${url}/${relay}${CREATE}`, {
      method: 'POST',
      headers: { ...HEADERS, ...headers },
      body: JSON.stringify({ prompt: 'A lemon', model: 'flux-pro' }),
    }).then((answer) => answer.json());
  try {
    for (const [signer, reader] of [
      [place, other],
      [other, place],
    ]) {
      const { task_id } = await post(signer, 'plain');
      const path = `/plain/v1/tasks/${task_id}`;
      assert.equal((await fetch(reader.url + path, { headers: HEADERS })).status, 200);
      const foreign = await fetch(reader.url + path, { headers: { ...HEADERS, 'x-user': 'bob' } });
      assert.equal(foreign.status, 404);
    }
    const once = { 'idempotency-key': 'by-node' };
    assert.deepEqual(await post(other, 'keyed', once), await post(other, 'keyed', once));
    assert.equal(server.counts.creates, 3);
  } finally {
    await other.close();
  }
});
