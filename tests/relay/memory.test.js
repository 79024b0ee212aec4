/** A relay that runs for long: its memory does not grow with what it is asked. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { memoryLimiter, memoryStore } from 'lemondata-wasm/relay';
import { createHarness } from './harness.js';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc');

const MEGABYTE = 2 ** 20;
const ROUNDS = 4;
const REQUESTS = 120;

test('refused, failing, keyed and endless requests leave nothing behind', { timeout: 300_000 }, async () => {
  const replies = [
    () => Response.json({ data: [{ b64_json: 'A'.repeat(10_000) }] }),
    () => Response.json({ task_id: 'img_1', status: 'pending' }),
    () => Response.json({ error: { message: 'x'.repeat(10_000) } }, { status: 400 }),
    () => Response.json({}, { status: 429, headers: { 'retry-after': '5' } }),
    () => new Response('x'.repeat(100_000)),
    () => Promise.reject(new Error('no network')),
  ];
  let next = 0;
  const fetch = async () => replies[next++ % replies.length]();
  const { make, create, keyed, poll, ask, events, clock } = createHarness({ url: 'https://service.example' });
  const relay = make({
    fetch,
    maxAnswerBytes: 50_000,
    store: memoryStore({ maxEntries: 300, maxLength: 100_000, ttlMs: 1, now: () => clock.now }),
    limiter: memoryLimiter({ creates: 1e6, polls: 1e6 }),
  });
  const { body } = await create(relay);
  const { task_id } = (await create(relay)).body ?? body;

  async function round() {
    for (let index = 0; index < REQUESTS; index += 1) {
      clock.now += 10_000;
      await Promise.all([
        create(relay),
        keyed(relay, `k${clock.now}`),
        poll(relay, task_id ?? 't_none'),
        create(relay, 'no JSON'),
        ask(relay, 'GET', '/none'),
      ]);
      events.length = 0;
    }
    collect();
    await new Promise((resolve) => setImmediate(resolve));
    collect();
    return process.memoryUsage().heapUsed;
  }

  await round();
  const before = await round();
  let after;
  for (let count = 0; count < ROUNDS; count += 1) after = await round();
  assert.ok(after - before < 2 * MEGABYTE, `${((after - before) / MEGABYTE).toFixed(1)} MB more`);
});
