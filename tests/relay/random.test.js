/** Random requests and random answers of the service: the relay answers each of them, and gives nothing away. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { memoryStore } from 'lemondata-wasm/relay';
import { createHarness, KEY, PROMPT } from './harness.js';

const REQUESTS = 3000;
const ANSWERS = 3000;

/** Numbers from 0 to below 1, the same ones for the same seed. */
function seeded(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** What makes up random JSON. */
function makerOf(random) {
  const below = (limit) => Math.floor(random() * limit);
  const pick = (list) => list[below(list.length)];
  const some = (count, make) => Array.from({ length: below(count) }, make);
  const texts = [
    '',
    'x',
    PROMPT,
    KEY,
    `your ${KEY}`,
    'a\r\nb',
    '\ud800',
    '1024x1024',
    'flux-pro',
    'x'.repeat(5000),
  ];
  const names = [
    ...[
      'prompt',
      'model',
      'n',
      'size',
      'quality',
      'style',
      'user',
      'seed',
      '__proto__',
      'constructor',
      'toString',
    ],
    ...['error', 'message', 'code', 'type', 'detail', 'errors', 'validation_errors', 'request_id', 'hint'],
    ...[
      'status',
      'task_id',
      'id',
      'poll_url',
      'data',
      'url',
      'b64_json',
      'cancelled',
      'retryable',
      'retry_after',
    ],
  ];
  const words = ['pending', 'completed', 'failed', 'COMPLETED', 'canceled', 'queued', 'strange'];
  const json = (depth = 3) => {
    const kind = below(depth > 0 ? 9 : 6);
    if (kind === 0) return pick([null, true, false]);
    if (kind === 1) return pick([0, 1, 2, -1, 1.5, 99, 1e300]);
    if (kind < 5) return pick(texts);
    if (kind === 5) return pick(words);
    if (kind === 6) return some(4, () => json(depth - 1));
    // By entries, so that `__proto__` is a field like any other.
    return Object.fromEntries(some(5, () => [pick(names), json(depth - 1)]));
  };
  return { below, pick, json, names, words };
}

function assertKeeps({ status, headers, text }, what) {
  assert.ok(status === 200 || (status >= 400 && status < 600), `${status} ${what}`);
  const all = `${text}${JSON.stringify([...headers])}`;
  assert.ok(!all.includes(KEY), `the key is in ${all} for ${what}`);
  assert.doesNotMatch(all, /\n\s+at |node_modules/);
}

test('any request is answered, and what goes on is made of what is allowed', async () => {
  const { pick, json, below } = makerOf(seeded(1));
  const sent = [];
  const fetch = async (_url, { body }) => {
    sent.push(JSON.parse(await new Response(body).text()));
    return Response.json({ data: [{ url: 'https://cdn.example/1.png' }] });
  };
  const relays = createHarness({ url: 'https://service.example' });
  const made = [
    relays.make({ fetch, store: memoryStore() }),
    relays.make({ fetch, extraFields: 'drop', models: ['dall-e-3', 'flux-pro'] }),
    relays.make({ fetch, extraFields: 'pass' }),
    relays.make({ fetch, sizes: ['1024x1024'], allowedFields: ['seed', 'toString'] }),
  ];
  const seen = new Set();
  for (let index = 0; index < REQUESTS; index += 1) {
    const fields = json();
    const body = JSON.stringify(below(3) ? { prompt: PROMPT, ...Object(fields) } : fields);
    const relay = pick(made);
    const headers = relay === made[0] && below(2) ? { 'idempotency-key': `k${below(50)}` } : {};
    const answer = await relays.create(relay, body.slice(0, below(20) ? undefined : -1), { headers });
    // The client package refuses nothing that the relay has let through.
    assert.ok([200, 400, 413, 422].includes(answer.status), `${answer.status} ${answer.text} ${body}`);
    seen.add(answer.status);
    if (!body.includes(KEY)) assertKeeps(answer, body);
  }
  assert.deepEqual([...seen].sort(), [200, 400, 422]);
  for (const { prompt, model, n, size, user } of sent) {
    assert.equal(typeof prompt, 'string');
    assert.ok(['string', 'undefined'].includes(typeof model), `model is ${JSON.stringify(model)}`);
    assert.ok(n >= 1 && n <= 4, `n is ${n}`);
    assert.ok(size === undefined || size === '1024x1024', `size is ${JSON.stringify(size)?.slice(0, 80)}`);
    assert.equal(user, 'ann');
  }
  assert.ok(sent.length > 100, `${sent.length} went on`);
});

test('any answer of the service is passed on without the key, or is an error', async () => {
  const { pick, json, words, below } = makerOf(seeded(2));
  let reply;
  const fetch = async () => reply();
  const relays = createHarness({ url: 'https://service.example' });
  const relay = relays.make({ fetch });
  reply = () => Response.json({ task_id: 'img_1', status: 'pending' });
  const { body } = await relays.create(relay);
  const seen = new Set();
  for (let index = 0; index < ANSWERS; index += 1) {
    const status = pick([200, 200, 200, 200, 204, 302, 400, 401, 403, 404, 408, 422, 429, 500, 503, 599]);
    const fields = json(4);
    const shaped = below(2) ? fields : { task_id: 'img_1', status: pick(words), ...Object(fields) };
    const headers = { 'content-type': 'application/json', 'x-request-id': pick(['req_1', `of ${KEY}`, '']) };
    if (below(4) === 0) headers['retry-after'] = pick(['0', '99999999999', 'soon', '-1', KEY]);
    reply = () => new Response(status === 204 ? null : JSON.stringify(shaped), { status, headers });
    const what = `${status} ${JSON.stringify(shaped)}`;
    for (const ask of [() => relays.poll(relay, body.task_id), () => relays.create(relay)]) {
      const answer = await ask();
      assertKeeps(answer, what);
      assert.notEqual(answer.body, undefined, what);
      assert.ok(relays.events.at(-1).code !== 'server_error', what);
      assert.ok(
        !relays.events.some(({ event }) => event === 'failed'),
        `${what} ${relays.events[0]?.error?.stack}`,
      );
      relays.events.length = 0;
      seen.add(answer.status);
    }
  }
  assert.ok(seen.size > 6, [...seen].join());
});
