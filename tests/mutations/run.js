/**
 * Breaks the package on purpose, and checks that a test turns red: `npm run test:mutations`. Arguments select
 * mutations by a part of their rule or name. The work happens in a copy, so that an interrupted run breaks nothing.
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { ensureNodeModules } from '../../scripts/lib/prepare.js';
import { root } from '../../scripts/lib/run.js';
import { filesWith, PARTS } from './parts.js';

/** What the copy makes itself, or does not need. */
const OMITTED = ['.git', 'dist', 'node_modules', 'target'];
/** Ends tests that a mutation makes hang. A busy machine needs five minutes for a part. */
const TIME_LIMIT_MS = 900_000;
/** A failed test of cargo or of Node. A whole file of Node that fails is no test. */
const FAILED = /^test (\S+) \.\.\. FAILED$|^ *not ok \d+ - (.*(?<!\.test\.js))$/;

const copy = join(root, 'target', 'mutations');

/** Makes the copy, or updates it: its builds stay. */
function makeCopy() {
  // The copy links them. Out of date, they would be removed through the link by its own `npm ci`.
  ensureNodeModules();
  mkdirSync(copy, { recursive: true });
  for (const name of readdirSync(root).filter((entry) => !OMITTED.includes(entry))) {
    rmSync(join(copy, name), { recursive: true, force: true });
    // The times tell whether a build is up to date.
    cpSync(join(root, name), join(copy, name), { recursive: true, preserveTimestamps: true });
  }
  rmSync(join(copy, 'node_modules'), { force: true });
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
}

/**
 * Runs tests of the copy until one fails.
 *
 * @param {string[]} tests parts of `scripts/test.js`
 * @param {number} [limitMs]
 * @returns {Promise<string | undefined>} the name of the failed test
 * @throws where no test fails, but the run does: the mutation may not compile
 */
async function failedTest(tests, limitMs = TIME_LIMIT_MS) {
  const child = spawn(process.execPath, ['scripts/test.js', ...tests], {
    cwd: copy,
    // A process group of its own, because cargo and Node start further processes.
    detached: true,
    // Fewer cases find these mutations as well.
    env: { ...process.env, RUST_BACKTRACE: '0', FUZZ_SECONDS: '0', PROPTEST_CASES: '32' },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const closed = once(child, 'close');
  const stop = () => child.exitCode === null && process.kill(-child.pid, 'SIGKILL');
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    stop();
  }, limitMs);
  const lines = [];
  let failed;
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(line);
    const [, rust, js] = line.match(FAILED) ?? [];
    failed ??= rust ?? js;
    if (failed) stop();
  }
  const [code] = await closed;
  clearTimeout(timer);
  if (failed === undefined && isLate) return '(the tests did not end in time)';
  if (failed === undefined && code !== 0) throw new Error(lines.slice(-40).join('\n'));
  return failed;
}

/** Applies a mutation, and returns the failed test or a problem in capitals. */
async function resultOf({ folder, tests }, [, from, to]) {
  const found = filesWith(from, join(copy, folder));
  if (found.length !== 1) return `NOT FOUND: the text to replace occurs ${found.length} times`;
  const [file] = found;
  const source = readFileSync(file, 'utf8');
  writeFileSync(
    file,
    source.replace(from, () => to),
  );
  try {
    return (await failedTest(tests)) ?? 'SURVIVED';
  } catch (error) {
    return `BROKEN: ${error.message}`;
  } finally {
    writeFileSync(file, source);
  }
}

const selected = process.argv.slice(2);
makeCopy();
let passed = 0;
let failed = 0;
for (const part of PARTS) {
  const mutations = Object.entries(part.rules)
    .flatMap(([rule, list]) => list.map((mutation) => [rule, mutation]))
    .filter(
      ([rule, [name]]) => selected.length === 0 || selected.some((text) => `${rule} ${name}`.includes(text)),
    );
  if (mutations.length === 0) continue;
  // Without a limit, since the first run builds everything.
  const red = await failedTest(part.tests, 2 ** 31 - 1);
  if (red) throw new Error(`A test fails before any mutation: ${red}`);
  for (const [rule, mutation] of mutations) {
    const result = await resultOf(part, mutation);
    if (/^[A-Z]{2}/.test(result)) failed += 1;
    else passed += 1;
    console.log(`${rule}: ${mutation[0]}  →  ${result}`);
  }
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed > 0 || passed === 0 ? 1 : 0);
