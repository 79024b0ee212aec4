/** The first sample of `docs/relay.md` runs as it is printed. */

import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { root } from '../../scripts/lib/run.js';
import { installPacked } from '../helpers/pack.js';
import { KEY, SECRET } from './maker.js';

test('it serves, and offers what it says', { timeout: 300_000 }, async (t) => {
  const [, sample] = /```js\n([\s\S]*?)```/.exec(readFileSync(join(root, 'docs', 'relay.md'), 'utf8'));
  const listen = '.listen(3000);';
  assert.ok(sample.includes(listen));
  const project = installPacked();
  t.after(() => project.remove());
  const file = join(project.folder, 'server.js');
  // The port may be taken, and the test has to know it.
  const report = '.listen(0, function () { process.send(this.address().port); });';
  writeFileSync(file, sample.replace(listen, report));
  const server = fork(file, { env: { ...process.env, LEMONDATA_API_KEY: KEY, RELAY_SECRET: SECRET } });
  t.after(() => server.kill());
  const [port] = await once(server, 'message');
  const response = await fetch(`http://127.0.0.1:${port}/v1/images/generations`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"prompt":"A lemon","model":"none"}',
  });
  assert.equal(response.status, 400);
  assert.match((await response.json()).error.message, /It offers gpt-image-2\.$/);
});
