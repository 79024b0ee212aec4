/** `npm start`, as a person runs it. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { root } from '../../scripts/lib/run.js';

/** Ends a test that hangs. */
const GUARD = { timeout: 120_000 };

test('npm start says that the pictures of a port that is taken are not at the next one', GUARD, async (t) => {
  const other = createServer().listen(0, '127.0.0.1');
  t.after(() => other.close());
  await once(other, 'listening');
  const { port } = /** @type {import('node:net').AddressInfo} */ (other.address());
  const { LEMONDATA_API_KEY: _, TOKENLAB_API_KEY: __, ...env } = process.env;
  const args = [join(root, 'scripts', 'start.js'), '--no-demo', '--port', `${port}`];
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  let output = '';
  for await (const chunk of child.stdout) {
    output += chunk;
    if (output.includes('Ctrl-C')) child.kill('SIGINT');
  }
  assert.match(
    output,
    new RegExp(`the page: http://127\\.0\\.0\\.1:(?!${port}\\b)\\d+\\n  Port ${port} is taken`),
  );
  assert.match(output, /Stopped\.\n$/);
});
