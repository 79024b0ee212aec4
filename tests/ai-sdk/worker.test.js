/** The provider in a real Cloudflare worker, from the packed package. */

import assert from 'node:assert/strict';
import { copyFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { installPacked } from '../helpers/pack.js';
import { startWorker } from '../helpers/worker.js';
import { startServer } from '../server/index.js';
import { tools } from './sdk.js';

const GUARD = { timeout: 20_000 };

let project;
let server;
let worker;
before(async () => {
  project = installPacked();
  server = await startServer({ taskMs: 20 });
  symlinkSync(join(tools, 'ai-7'), join(project.folder, 'node_modules', 'ai'));
  const entry = join(project.folder, 'worker.js');
  copyFileSync(join(import.meta.dirname, 'worker.js'), entry);
  worker = await startWorker(project.folder, entry, {
    compatibilityDate: '2026-07-01',
    compatibilityFlags: ['nodejs_compat'],
    bindings: { KEY: server.apiKey, BASE_URL: server.url },
  });
});
after(async () => {
  await worker?.dispose();
  await server?.close();
  project?.remove();
});

const draw = (model) => worker.dispatchFetch(`http://worker/?model=${model}`);

for (const model of ['gpt-image-2', 'flux-2-pro']) {
  test(`draws with ${model}`, GUARD, async () => {
    const response = await draw(model);
    assert.equal(response.status, 200, await response.clone().text());
    const bytes = Buffer.from(await response.arrayBuffer());
    assert.equal(bytes.toString('latin1', 1, 4), 'PNG');
  });
}

test('hears of an outcome', GUARD, async () => {
  const response = await draw('test-error-500');
  assert.deepEqual(await response.json(), { name: 'AI_APICallError', outcome: 'unknown' });
});
