/** The trace that a client names: it reaches the service and the log where the operator says so, and nowhere else. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CREATE, relays, server, useServer } from './harness.js';

const TRACE = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const headers = { traceparent: TRACE, tracestate: 'vendor=1' };

useServer({ taskMs: 20 });

const sent = () =>
  server.counts.requests.map(({ headers: { traceparent, tracestate } }) => [traceparent, tracestate]);
const logged = () => relays.events.map(({ traceparent }) => traceparent);

describe('a trace', () => {
  test('goes with creates and polls to the service, and into the log', async () => {
    const relay = relays.make({ tracing: true });
    const { body } = await relays.create(relay, { model: 'flux-pro' }, { headers });
    await relays.ask(relay, 'GET', `/v1/tasks/${body.task_id}`, { headers });
    assert.deepEqual(sent(), [
      [TRACE, 'vendor=1'],
      [TRACE, 'vendor=1'],
    ]);
    assert.deepEqual(logged(), [TRACE, TRACE]);
  });

  test('ends at a relay without the option', async () => {
    await relays.create(relays.make(), { model: 'flux-pro' }, { headers });
    assert.deepEqual(sent(), [[undefined, undefined]]);
    assert.deepEqual(logged(), [undefined]);
  });

  for (const [name, traceparent] of [
    ['that is none', 'hello'],
    ['of zeros', `00-${'0'.repeat(32)}-b7ad6b7169203331-01`],
    ['with something behind it', `${TRACE}-\u00e9`],
  ]) {
    test(`${name} goes no further`, async () => {
      const relay = relays.make({ tracing: true });
      const { status } = await relays.create(relay, { model: 'flux-pro' }, { headers: { traceparent } });
      assert.equal(status, 200);
      assert.deepEqual(sent(), [[undefined, undefined]]);
    });
  }

  test('with a state that is too long goes without it', async () => {
    const relay = relays.make({ tracing: true });
    const long = { traceparent: TRACE, tracestate: 'x'.repeat(513) };
    await relays.create(relay, { model: 'flux-pro' }, { headers: long });
    assert.deepEqual(sent(), [[TRACE, undefined]]);
  });

  test('of a page at another origin passes its preflight', async () => {
    const origin = 'https://app.example';
    const allowed = async (options) => {
      const relay = relays.make({ allowedOrigins: [origin], ...options });
      const answer = await relays.ask(relay, 'OPTIONS', CREATE, { headers: { origin } });
      return answer.headers.get('access-control-allow-headers').split(', ').includes('traceparent');
    };
    assert.deepEqual([await allowed({ tracing: true }), await allowed()], [true, false]);
  });
});
