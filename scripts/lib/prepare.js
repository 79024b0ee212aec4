/** Brings a clone to where it can be used: dependencies and `dist/`, each made only when it is out of date. */

import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { root, run, step } from './run.js';

/** What `dist/` is made from. */
const SOURCES = [
  'src',
  'js',
  'Cargo.toml',
  'Cargo.lock',
  'rust-toolchain.toml',
  'package-lock.json',
  'scripts/build.js',
  'scripts/lib/module-text.js',
];

/** Installs the packages that the lock file names, unless that has been done since it last changed. */
export function ensureNodeModules() {
  // npm writes this file at the end of an installation: one that was broken off leaves none.
  const installed = modified('node_modules/.package-lock.json');
  if (installed >= modified('package-lock.json')) return;
  step(installed ? 'update the npm packages: the lock file has changed' : 'install the npm packages');
  run('npm', ['ci', '--no-audit', '--no-fund']);
}

/** Builds `dist/`, unless it is complete and nothing that it is made from has changed. */
export function ensureBuild() {
  const built = Math.min(...outputs().map(modified));
  if (built >= Math.max(...SOURCES.map(newest))) return;
  step(built ? 'build the package again: its sources have changed' : 'build the package');
  run(process.execPath, ['scripts/build.js']);
}

/** Builds the package with a module that traps on demand, for the tests of that. */
export function ensureTraps() {
  if (modified('target/traps/index.js') >= Math.max(...SOURCES.map(newest))) return;
  step('build the package with traps, for tests');
  run(process.execPath, ['scripts/build.js', '--traps']);
}

/** Every file that `package.json` promises, so that half a build does not pass for one. */
function outputs() {
  const { main, module, types, exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const paths = (entry) => (typeof entry === 'string' ? [entry] : Object.values(entry).flatMap(paths));
  return [main, module, types, ...paths(exports)].filter((path) => path.startsWith('./dist/'));
}

/** When a file was last written; 0 for one that is missing. */
function modified(path) {
  return statSync(join(root, path), { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

/** When anything in a folder last changed; a folder's own time tells of files that have gone. */
function newest(path) {
  const times = [modified(path)];
  if (statSync(join(root, path)).isDirectory()) {
    for (const name of readdirSync(join(root, path), { encoding: 'utf8', recursive: true }))
      times.push(modified(join(path, name)));
  }
  return Math.max(...times);
}
