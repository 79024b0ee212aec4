/** `GET /v1/models` through the relay: the service's list, cut down to what the relay offers. */

import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { come, createHarness } from './harness.js';

const MODELS = [
  { id: 'gpt-image-2', object: 'model', pricing: { per_image: 0.04 } },
  { id: 'nano-banana', object: 'model' },
  { id: 'flux-2-pro', object: 'model' },
];

let relays;
let requests;
let reply;
beforeEach(() => {
  relays = createHarness({ url: 'https://service.example/v1/' });
  requests = [];
  reply = () => Response.json({ object: 'list', data: MODELS });
});

const fetch = async (url, init) => {
  requests.push({ url, ...init });
  return reply();
};
const make = (options) => relays.make({ fetch, ...options });
const list = (relay, query = '', more) => relays.ask(relay, 'GET', `/v1/models${query}`, more);

test('all of them where any may be used, as the service describes them', async () => {
  const { status, body } = await list(make());
  assert.equal(status, 200);
  assert.deepEqual(body, { object: 'list', data: MODELS });
  assert.equal(requests.length, 1);
  assert.equal(requests[0].url, 'https://service.example/v1/models?category=image');
  assert.equal(requests[0].headers.get('authorization'), null, 'the list is public');
  assert.equal(requests[0].redirect, 'manual');
});

test('those on offer alone', async () => {
  const { body } = await list(make({ models: ['flux-2-pro', 'midjourney'] }));
  assert.deepEqual(body.data, [MODELS[2]]);
});

test('the list is kept for five minutes, for each of the documented queries', async () => {
  const relay = make();
  await list(relay);
  await list(relay, '?category=video&anything=else');
  assert.equal(requests.length, 1);
  for (const query of ['?view=full', '?view=compact', '?view=full&recommended_for=image'])
    await list(relay, query);
  assert.deepEqual(
    requests.slice(1).map(({ url }) => new URL(url).search),
    [
      '?category=image&view=full',
      '?category=image&view=compact',
      '?category=image&recommended_for=image&view=full',
    ],
  );
  relays.clock.now += 299_999;
  await list(relay);
  assert.equal(requests.length, 4);
  relays.clock.now += 1;
  await list(relay);
  assert.equal(requests.length, 5);
});

test('clients that come at once share a request, also one that fails', async () => {
  const relay = make();
  const answers = [];
  reply = () => new Promise((resolve) => answers.push(resolve));
  const statuses = async (lists) => (await Promise.all(lists)).map(({ status }) => status);
  const failing = statuses([list(relay), list(relay), list(relay)]);
  await come(() => answers.length > 0);
  answers[0](new Response('', { status: 503 }));
  assert.deepEqual(await failing, [503, 503, 503]);
  // The next ones ask again.
  const found = statuses([list(relay), list(relay), list(relay, '?view=full')]);
  await come(() => answers.length === 3);
  for (const answer of answers) answer(Response.json({ object: 'list', data: MODELS }));
  assert.deepEqual(await found, [200, 200, 200]);
  assert.equal(requests.length, 3);
});

test('it is for callers that authorize names, within their limit', async () => {
  assert.equal((await list(make(), '', { user: '' })).status, 401);
  const kinds = [];
  const limiter = { take: (_identity, kind) => kinds.push(kind) && 0 };
  await list(make({ limiter }));
  assert.deepEqual(kinds, ['poll']);
  assert.equal((await relays.ask(make(), 'POST', '/v1/models')).status, 405);
});

test('a service that fails is a failure like any other, and nothing of it is kept', async () => {
  const relay = make();
  for (const [answer, status, code] of [
    [
      () => Response.json({ error: { message: 'Slow down', code: 'rate_limit_exceeded' } }, { status: 429 }),
      429,
      'rate_limit_exceeded',
    ],
    [() => Response.json({ error: { message: 'at 10.0.0.1' } }, { status: 500 }), 500, undefined],
    [() => Response.json({ error: { message: 'no key' } }, { status: 401 }), 403, 'upstream_refused'],
    [() => new Response('<html>'), 502, 'upstream_error'],
    [() => Response.json({ data: 'none' }), 502, 'upstream_error'],
    [
      () => new Response(null, { status: 307, headers: { location: 'https://evil.example' } }),
      403,
      'upstream_refused',
    ],
    [() => Promise.reject(new Error('no network')), 502, 'upstream_error'],
  ]) {
    relays.events.length = 0;
    reply = answer;
    const found = await list(relay);
    assert.equal(found.status, status, found.text);
    assert.equal(found.body.error.code, code);
    assert.doesNotMatch(found.text, /10\.0\.0\.1|evil/);
    const failure = relays.events.find(({ event }) => event === 'upstream_failed');
    assert.equal(failure.upstream, 'models');
    assert.match(failure.message, /^GET \/v1\/models /);
  }
  reply = () => Response.json({ data: MODELS });
  assert.equal((await list(relay)).status, 200);
});

test('a refusal says when to ask again', async () => {
  reply = () => Response.json({ error: { message: 'Slow down', retry_after: 7 } }, { status: 429 });
  const { headers } = await list(make());
  assert.equal(headers.get('retry-after'), '7');
});

test('a service that never answers ends by the time-out, and its request is aborted', {
  timeout: 5000,
}, async () => {
  reply = () => new Promise(() => {});
  assert.equal((await list(make({ requestTimeout: 20 }))).status, 502);
  assert.ok(requests[0].signal.aborted);
});

test('entries without an id are left out', async () => {
  reply = () => Response.json({ data: [null, 5, {}, { id: 7 }, MODELS[1]] });
  assert.deepEqual((await list(make())).body.data, [MODELS[1]]);
});
