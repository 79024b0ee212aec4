/** What has to hold before the package may be published. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { root, run } from '../../scripts/lib/run.js';
import { thirdParty } from '../../scripts/third-party.js';
import { pack } from '../helpers/pack.js';

let folder;
let tarball;
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'lemondata-gates-'));
  ({ tarball } = pack(folder));
});
after(() => rmSync(folder, { recursive: true, force: true }));

/** Runs a tool on the tarball: what it says where it complains. */
function complaints(tool, ...args) {
  const bin = join(root, 'node_modules', '.bin', tool);
  const { status, stdout, stderr } = spawnSync(bin, args, { cwd: folder, encoding: 'utf8' });
  return status === 0 ? '' : `${stdout}${stderr}` || `ended with ${status}`;
}

test('publint has nothing to object to', () => {
  assert.equal(complaints('publint', 'run', '--strict', tarball), '');
});

test('the types are those of the JavaScript, however a project resolves modules', () => {
  // What is for Cloudflare alone is never required.
  const others = ['--exclude-entrypoints', 'lemondata.wasm', 'package.json', 'cloudflare'];
  assert.equal(complaints('attw', tarball, '--no-color', ...others), '');
  const own = ['--entrypoints', 'cloudflare', '--profile', 'esm-only'];
  assert.equal(complaints('attw', tarball, '--no-color', ...own), '');
});

test('the licences of what is compiled in are listed', () => {
  const listed = readFileSync(join(root, 'THIRD-PARTY.md'), 'utf8');
  assert.equal(listed, thirdParty(), 'run: npm run third-party');
});

test('a build in another place gives the same bytes', { timeout: 600_000 }, () => {
  const copy = mkdtempSync(join(tmpdir(), 'lemondata-again-'));
  try {
    const sources = [
      'Cargo.toml',
      'Cargo.lock',
      'rust-toolchain.toml',
      'package.json',
      'package-lock.json',
      'src',
      'js',
      'scripts',
    ];
    // Cargo wants to see the tests that it knows of.
    for (const name of [...sources, 'tests/core/main.rs', 'tests/wasm/main.rs']) {
      cpSync(join(root, name), join(copy, name), { recursive: true });
    }
    symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
    run(process.execPath, ['scripts/build/index.js'], { cwd: copy, quiet: true });
    assert.deepEqual(hashes(join(copy, 'dist')), hashes(join(root, 'dist')));
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
});

const hashes = (place) =>
  readdirSync(place)
    .sort()
    .map((name) => [
      name,
      createHash('sha256')
        .update(readFileSync(join(place, name)))
        .digest('hex'),
    ]);
