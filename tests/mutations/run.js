/**
 * Breaks the core on purpose, one rule after another, and sees the tests turn red: `npm run test:mutations`.
 * It works on a copy; arguments select the mutations whose name contains one of them.
 */

import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../scripts/lib/run.js';
import { MUTATIONS } from './list.js';

/** No mutation may keep the tests busy for ever. */
const TIME_LIMIT_MS = 120_000;

const copy = join(root, 'target', 'mutations');
mkdirSync(copy, { recursive: true });
for (const name of [
  'Cargo.toml',
  'Cargo.lock',
  'rust-toolchain.toml',
  'src',
  'tests/core',
  'tests/wasm',
  'tests/server/examples',
]) {
  cpSync(join(root, name), join(copy, name), { recursive: true });
}

/** The names of the tests that are red. */
function redTests() {
  const { status, stdout, stderr } = spawnSync('cargo', ['test', '--locked', '--test=core'], {
    cwd: copy,
    encoding: 'utf8',
    timeout: TIME_LIMIT_MS,
    env: { ...process.env, RUST_BACKTRACE: '0' },
  });
  const names = [...stdout.matchAll(/^test (\S+) \.\.\. FAILED/gm)].map((match) => match[1]);
  if (status === 0) return [];
  if (status === null) return ['(none ended in time)'];
  // A mutation that does not compile shows nothing of the tests.
  if (names.length === 0) throw new Error(stderr);
  return names;
}

const asked = process.argv.slice(2);
const chosen = MUTATIONS.filter(
  ([, name]) => asked.length === 0 || asked.some((part) => name.includes(part)),
);
if (redTests().length > 0) throw new Error('The tests are red before anything is broken.');

let passed = 0;
let failed = 0;
for (const [rule, name, file, from, to] of chosen) {
  const path = join(copy, 'src', 'core', file);
  const source = readFileSync(path, 'utf8');
  let verdict;
  if (source.split(from).length !== 2) {
    verdict = 'NOT FOUND: the text to replace must stand there once';
  } else {
    writeFileSync(
      path,
      source.replace(from, () => to),
    );
    try {
      verdict = redTests()[0] ?? 'SURVIVED';
    } catch (error) {
      verdict = `DOES NOT COMPILE: ${error.message}`;
    } finally {
      writeFileSync(path, source);
    }
  }
  if (/^[A-Z]/.test(verdict)) failed += 1;
  else passed += 1;
  console.log(`rule ${rule}  ${name}  →  ${verdict}`);
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed > 0 || passed === 0 ? 1 : 0);
