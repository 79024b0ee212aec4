/** The samples of docs/service.md, as they are printed. */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { root } from '../../scripts/lib/run.js';
import { sample } from '../helpers/samples.js';
import { startServer } from '../server/index.js';

test('the list of models', { timeout: 30_000 }, async (t) => {
  const server = await startServer();
  t.after(() => server.close());
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--input-type=module', '--eval', sample('service/models')],
    { cwd: root, env: { ...process.env, LEMONDATA_BASE_URL: server.url } },
  );
  const lines = stdout.trim().split('\n');
  assert.ok(lines.includes('gpt-image-2 0.04'), stdout);
  assert.equal(
    lines.some((line) => line.startsWith('seedance')),
    false,
  );
});
