/**
 * The key in real runtimes: neither a client nor any of its errors shows it, however one looks, not even where the
 * server repeats it.
 */

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { installPacked } from '../helpers/pack.js';
import { startServer } from '../server/index.js';
import { openRuntime, RUNTIMES } from './runtimes.js';
import { cut, echoes, json, refusal } from './script.js';

const KEY = 'sk-secret-51e8d24b067f3a9c';
const DECOY = 'sk-decoy-c9a3f760b42d8e15';

const WAYS = ['String', 'stack', 'JSON.stringify', 'for in', 'own properties', 'structuredClone'];
const NODE = ['util.inspect', 'util.inspect, raw'];

/** The further ways to look that a runtime has, where its console is a text. A page's console holds objects. */
const CONSOLES = {
  node: NODE,
  workerd: NODE,
  'workerd 2024': NODE,
  deno: [...NODE, 'Deno.inspect'],
  bun: [...NODE, 'Bun.inspect'],
};

/** How the creates fail, and the kinds of error that come of it. */
const CREATES = [
  [refusal(500), 'server'],
  [refusal(429), 'rate_limit'],
  [cut(), 'response'],
  [echoes['in the message'], 'authentication'],
  [echoes['in code, type, param and hint'], 'invalid_request'],
  [echoes['as a name'], 'invalid_request'],
  [echoes['in a page'], 'invalid_request'],
  [echoes['in the request id'], 'invalid_request'],
  [echoes['in broken JSON'], 'invalid_request'],
  [json(({ apiKey }) => ({ status: 'failed', task_id: 't', error: apiKey })), 'task_failed'],
  [
    json(({ apiKey }) => ({ status: 'pending', task_id: 't', poll_url: `https://127.0.0.2/${apiKey}` })),
    'untrusted_url',
  ],
];
/** The errors that need no answer. */
const OTHERS = ['connection', 'invalid_request', 'invalid_request', 'invalid_request', 'invalid_request'];

let project;
before(() => {
  project = installPacked();
});
after(() => project?.remove());

describe('the key shows nowhere', { timeout: 300_000 }, () => {
  for (const name of RUNTIMES) {
    test(`in ${name}`, async (t) => {
      const server = await startServer({ apiKey: KEY, cors: true });
      t.after(() => server.close());
      const closed = await startServer();
      await closed.close();
      const runtime = await openRuntime(name, project.folder, { compatibilityFlags: ['nodejs_compat'] });
      t.after(() => runtime.close());
      for (const [reply] of CREATES) {
        server.next({ on: 'create', reply: reply({ apiKey: KEY, url: server.url }) });
      }

      const { ways, found, kinds } = await runtime.run('reveal', {
        apiKey: KEY,
        decoy: DECOY,
        baseUrl: server.url,
        creates: CREATES.length,
        nowhere: closed.url,
      });

      assert.deepEqual(kinds, [...CREATES.map(([, kind]) => kind), ...OTHERS]);
      assert.deepEqual(ways, [...WAYS, ...(CONSOLES[name] ?? [])], 'a way shows nothing at all');
      assert.deepEqual(found, []);
      if (!CONSOLES[name]) return;
      while (!runtime.printed().includes(DECOY)) {
        assert.ok(!t.signal.aborted, 'the console shows nothing at all');
        await sleep(10);
      }
      const lines = runtime.printed().split('\n');
      assert.deepEqual(
        lines.filter((line) => line.includes(KEY)),
        [],
        'the console shows the key',
      );
    });
  }
});
