/** The server that a person runs by hand. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { TEST_KEY } from './index.js';

test('the command accepts the key that it prints, and no request without one', async (t) => {
  const server = spawn(process.execPath, [fileURLToPath(new URL('cli.js', import.meta.url)), '--port', '0']);
  t.after(() => server.kill());
  const lines = createInterface(server.stdout)[Symbol.asyncIterator]();
  const url = (await lines.next()).value.replace(/^.*: (?=http)/, '');
  assert.equal((await lines.next()).value, `API key: ${TEST_KEY}`);
  const statusWith = async (headers) => (await fetch(`${url}/v1/tasks/img_1`, { headers })).status;
  assert.equal(await statusWith({}), 401);
  assert.equal(await statusWith({ authorization: `Bearer ${TEST_KEY}` }), 404);
  server.kill('SIGTERM');
  await once(server, 'exit');
});
