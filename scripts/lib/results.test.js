import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { cargoTests, matrixCells, nodeTests, one } from './results.js';

test('failed tests of Node are named, without the groups that fail with them', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'results-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'some.test.mjs');
  const lines = [
    "import { describe, test } from 'node:test';",
    "import assert from 'node:assert/strict';",
    "describe('a group', () => {",
    "  test('holds', () => {});",
    "  test('breaks', () => assert.deepEqual({ a: 1 }, { a: 2 }));",
    "  test('hangs', { timeout: 20 }, () => new Promise((resolve) => setTimeout(resolve, 60)));",
    '});',
  ];
  writeFileSync(file, lines.join('\n'));
  // A test that is run by a test would report to it.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const argv = ['--test', '--test-reporter=tap', file];
  const { stdout } = spawnSync(process.execPath, argv, { encoding: 'utf8', env });
  const { passed, failed, failures } = nodeTests(stdout);
  assert.deepEqual([passed, failed], [1, 2]);
  assert.deepEqual(
    failures.map((failure) => [failure.name, failure.file]),
    [
      ['breaks', file],
      ['hangs', file],
    ],
  );
  assert.match(failures[0].error, /^Expected values to be strictly deep-equal:\n[\s\S]*a: 2/);
  assert.match(failures[1].error, /timed out after 20ms/);
});

test('failed tests of cargo and cells of the matrix are named', () => {
  const cargo =
    'test core::a ... ok\ntest core::b ... FAILED\ntest result: FAILED. 1 passed; 1 failed; 0 ignored\n';
  assert.deepEqual(cargoTests(cargo), { passed: 1, failed: 1, failures: [{ name: 'core::b' }] });
  const matrix = '\nfailed: vite-build, next\n\n3 passed, 2 failed\n';
  const cells = [{ name: 'vite-build' }, { name: 'next' }];
  assert.deepEqual(matrixCells(matrix), { passed: 3, failed: 2, failures: cells });
  assert.deepEqual(one('', false), { passed: 0, failed: 1, failures: [] });
});
