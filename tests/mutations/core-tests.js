/** The tests that see a broken core: native ones. */

import { spawnSync } from 'node:child_process';
import { copy } from './copy.js';

/** No mutation may keep the tests busy for ever. */
const TIME_LIMIT_MS = 120_000;

/** The name of a test that is red, if there is one. */
export function redTest() {
  const { status, stdout, stderr } = spawnSync('cargo', ['test', '--locked', '--test=core'], {
    cwd: copy,
    encoding: 'utf8',
    timeout: TIME_LIMIT_MS,
    env: { ...process.env, RUST_BACKTRACE: '0', FUZZ_SECONDS: '0' },
  });
  if (status === 0) return undefined;
  if (status === null) return '(none ended in time)';
  const name = stdout.match(/^test (\S+) \.\.\. FAILED/m)?.[1];
  // A mutation that does not compile shows nothing of the tests.
  if (!name) throw new Error(stderr);
  return name;
}
