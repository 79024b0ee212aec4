/** The tests that see a broken core: native ones. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { copy } from './copy.js';

/** No mutation may keep the tests busy for ever. */
const TIME_LIMIT_MS = 120_000;

/** The name of a test that is red, if there is one. */
export async function redTest() {
  // In a group of its own, since cargo does not take its tests along when it is stopped.
  const child = spawn('cargo', ['test', '--locked', '--test=core'], {
    cwd: copy,
    detached: true,
    env: { ...process.env, RUST_BACKTRACE: '0', FUZZ_SECONDS: '0' },
  });
  const timer = setTimeout(() => process.kill(-child.pid, 'SIGKILL'), TIME_LIMIT_MS);
  const [stdout, stderr, [status]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ]);
  clearTimeout(timer);
  if (status === 0) return undefined;
  if (status === null) return '(none ended in time)';
  const name = stdout.match(/^test (\S+) \.\.\. FAILED/m)?.[1];
  // A mutation that does not compile shows nothing of the tests.
  if (!name) throw new Error(stderr);
  return name;
}
