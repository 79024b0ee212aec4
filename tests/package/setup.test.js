/** When `npm test` may install packages of Debian. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { root } from '../../scripts/lib/run.js';

let folder;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lemondata-setup-'));
  // They write down how they are called, in place of doing it.
  for (const [name, line] of [
    ['apt-get', 'echo "$@" >> "$(dirname "$0")/calls"'],
    ['sudo', '"$@"'],
  ]) {
    writeFileSync(join(folder, name), `#!/bin/sh\n${line}\n`);
    chmodSync(join(folder, name), 0o755);
  }
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/**
 * Runs a program that needs the package `lemon` twice, and hands `answer` to a terminal, if there is one.
 *
 * @returns {{ output: string, calls: string[] }} what it printed, and how `apt-get` was called
 */
function ensure({ args = '', env = {}, answer = undefined, file = join(folder, 'missing') }) {
  const program = join(folder, 'program.mjs');
  const setup = join(root, 'scripts', 'lib', 'setup.js');
  writeFileSync(
    program,
    `import { ensurePackages } from ${JSON.stringify(setup)};
    for (const time of ['first', 'second']) {
      try {
        ensurePackages({ lemon: ${JSON.stringify(file)} });
        console.log('installed');
      } catch (error) {
        console.log(time, error.message);
      }
    }`,
  );
  const command = `${process.execPath} ${program} ${args}`;
  const { CI, LEMONDATA_WASM_INSTALL, ...inherited } = process.env;
  const { stdout } = spawnSync(
    ...(answer === undefined ? ['sh', ['-c', command]] : ['script', ['-qec', command, '/dev/null']]),
    {
      encoding: 'utf8',
      input: answer ?? '',
      env: { ...inherited, PATH: `${folder}${delimiter}${process.env.PATH}`, ...env },
    },
  );
  const calls = join(folder, 'calls');
  return { output: stdout, calls: existsSync(calls) ? readFileSync(calls, 'utf8').trim().split('\n') : [] };
}

const UPDATE = 'update';
const INSTALL = 'install --yes --no-install-recommends lemon';

describe('a package that is missing', () => {
  test('is installed after a yes', () => {
    const { output, calls } = ensure({ answer: 'y\n' });
    assert.match(output, /apt-get install --yes --no-install-recommends lemon\r?\nRun it now\? \[y\/N\] /);
    assert.match(output, /installed/);
    assert.deepEqual(calls.slice(0, 2), [UPDATE, INSTALL]);
  });

  test('is not installed without one, and the question comes once', () => {
    const { output, calls } = ensure({ answer: '\n' });
    assert.match(
      output,
      /second Packages of Debian are missing\. Install them, or allow it with --yes: .*apt-get/,
    );
    assert.equal(output.split('[y/N]').length, 2);
    assert.deepEqual(calls, []);
  });

  for (const [how, options] of [
    ['with --yes', { args: '--yes', answer: '' }],
    ['in CI', { env: { CI: 'true' }, answer: '' }],
    ['where no terminal could answer', {}],
  ]) {
    test(`is installed without a question ${how}`, () => {
      const { output, calls } = ensure(options);
      assert.doesNotMatch(output, /\[y\/N\]/);
      assert.deepEqual(calls.slice(0, 2), [UPDATE, INSTALL]);
    });
  }

  test('is not installed by a process of a run that was refused', () => {
    const { calls } = ensure({ env: { LEMONDATA_WASM_INSTALL: 'no' } });
    assert.deepEqual(calls, []);
  });
});

test('a package that is there is left alone', () => {
  const { output, calls } = ensure({ answer: '', file: process.execPath });
  assert.match(output, /installed/);
  assert.deepEqual(calls, []);
});
