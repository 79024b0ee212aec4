/** The tests that see a broken shell or broken JavaScript: those of the built package. */

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { copy } from './copy.js';

/** A test that hangs has a time-out of its own, and only that counts. */
const TIME_LIMIT_MS = 180_000;

/** A test that begins, or one that has failed. */
const TEST = /^( *)(?:# (Subtest:)|not ok \d+ -) (.*)$/;
/** A mutation may weigh more than the budget allows: that is no answer to what it breaks. */
const WEIGHT = 'stays within the size budget';

/** The test files of a folder whose name matches. */
const tests = (folder, pattern) =>
  readdirSync(join(copy, folder))
    .filter((name) => name.endsWith('.test.js') && pattern.test(name))
    .map((name) => join(folder, name));

/** The tests in the order in which they run, the fastest first, and the build that they need, if it is another one. */
function* stages() {
  yield { features: '', files: [...tests('js', /./), ...tests('tests/e2e', /^(?!traps|reentrance)/)] };
  yield { features: 'traps', files: tests('tests/e2e', /^(traps|reentrance)/) };
  yield { files: [...tests('tests/package', /^(package|module-text)\./), ...tests('tests/workers', /./)] };
}

/** Builds the package of the copy, whole or its JavaScript alone. */
function build(features, mode) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['tests/mutations/build.js', features, mode],
    { cwd: copy, encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(stdout + stderr);
}

/**
 * The name of the first test that is red, if there is one.
 *
 * @param {'keep' | 'crate' | 'js'} mode what is built: all, to be kept for the mutations of the JavaScript; the
 *   crate, or the JavaScript alone around the module that has been kept
 */
export async function redTest(mode) {
  for (const { features, files } of stages()) {
    if (features !== undefined) build(features, mode);
    const red = await firstRed(files);
    if (red) return red;
  }
  return undefined;
}

/** Runs test files until one of their tests is red, and names it with the suites around it. */
async function firstRed(files) {
  // In a group of its own, since the runner has a process for each file.
  const child = spawn(process.execPath, ['--test', '--test-reporter=tap', '--test-force-exit', ...files], {
    cwd: copy,
    detached: true,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const closed = once(child, 'close');
  const stop = () => child.exitCode === null && process.kill(-child.pid, 'SIGKILL');
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    stop();
  }, TIME_LIMIT_MS);
  const said = [];
  const names = [];
  let red;
  let isHeavy = false;
  for await (const line of createInterface({ input: child.stdout })) {
    said.push(line);
    const [, indent, state, name] = line.match(TEST) ?? [];
    if (name === undefined) continue;
    names.length = indent.length / 4;
    names.push(name);
    // A file that falls over is no test that is red.
    if (state === 'Subtest:' || name.endsWith('.test.js')) continue;
    if (name === WEIGHT) isHeavy = true;
    else if (!red) {
      red = names.join(' › ');
      stop();
    }
  }
  const [code] = await closed;
  clearTimeout(timer);
  if (red) return red;
  if (isLate) throw new Error('it hangs, and no test has noticed in time');
  if (code !== 0 && !isHeavy) throw new Error(said.join('\n'));
  return undefined;
}
