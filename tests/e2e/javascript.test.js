/** The core in JavaScript keeps the promises of the module: the tests of the package run again, with that entry. */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';

/** Those that neither look into WebAssembly nor compare the entry with its copy for `require`. */
const FILES = ['rules', 'harm', 'messages', 'sharing', 'reentrance', 'edits', 'push', 'fallback', 'clocks'];

test('lemondata-wasm/javascript passes the tests of the default entry', { timeout: 300_000 }, async () => {
  const files = FILES.map((name) => join(import.meta.dirname, `${name}.test.js`));
  // As React Native resolves the package. Within a test, Node would take the files for tests of this one.
  const { NODE_TEST_CONTEXT, ...env } = process.env;
  const args = ['--conditions=react-native', '--test', '--test-reporter=tap', '--test-force-exit', ...files];
  const { stdout } = await promisify(execFile)(process.execPath, args, { env }).catch((error) => error);
  assert.doesNotMatch(stdout, /^ *not ok/m);
  const [, passed] = stdout.match(/^# pass (\d+)$/m);
  assert.ok(Number(passed) > 200, `${passed} passed`);
});
