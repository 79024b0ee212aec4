/** The trace that a client names goes with its task: the object sends it with create and polls, and logs it. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startServer } from '../server/index.js';
import { startHub } from './place.js';

const GUARD = { timeout: 300_000 };
const TRACE = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

let server;
let hub;
before(async () => {
  server = await startServer({ taskMs: 60 });
  hub = await startHub(server, { RELAY: { tracing: true } });
});
after(async () => {
  await hub.close();
  await server.close();
});

test('a trace goes with create and polls of its task, and into the log', GUARD, async () => {
  server.next({ on: 'create', reply: { body: { task_id: 'img_1', status: 'pending' } } });
  server.next({ on: 'poll', reply: { status: 503 } });
  server.next({ on: 'poll', reply: { body: { status: 'completed', data: [{ b64_json: 'aGk=' }] } } });
  const client = hub.client('ann');
  const options = { headers: { 'x-user': 'ann', traceparent: TRACE } };
  await client.generateAndWait({ model: 'gpt-image-2', prompt: 'A lemon' }, options);
  const sent = server.counts.requests.map(({ method, headers }) => [method, headers.traceparent]);
  assert.deepEqual(sent, [
    ['POST', TRACE],
    ['GET', TRACE],
    ['GET', TRACE],
  ]);
  const failed = await hub.logged(({ event, task }) => event === 'upstream_failed' && task);
  assert.equal(failed.traceparent, TRACE);
});
