/** Brings a clone to where it can be used: dependencies and `dist/`, each made only when it is out of date. */

import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { root, run, runBeside, step } from './run.js';

/** What `dist/` is made from. */
const SOURCES = [
  'src',
  'js',
  'Cargo.toml',
  'Cargo.lock',
  'rust-toolchain.toml',
  'package-lock.json',
  'scripts/build',
];

const INSTALL = 'install the npm packages';
const NPM_CI = ['ci', '--no-audit', '--no-fund'];

/** Whether the packages that the lock file names have been installed since it last changed. */
function isInstalled() {
  // npm writes this file at the end of an installation: one that was broken off leaves none.
  return modified('node_modules/.package-lock.json') >= modified('package-lock.json');
}

/** Installs the packages of npm that are missing. */
export function ensureNodeModules() {
  if (!isInstalled()) step(INSTALL, () => run('npm', NPM_CI));
}

/** @type {Promise<unknown> | undefined} */
let installing;

/** The same, beside other work. */
export function nodeModules() {
  installing ??= isInstalled() ? Promise.resolve() : step(INSTALL, () => runBeside('npm', NPM_CI));
  return installing;
}

/** Whether the package is complete and nothing that it is made from has changed. */
export const isBuilt = () => isNewer(...outputs());

/** Builds the package where that is out of date. */
export function ensureBuild() {
  if (!isBuilt()) run(process.execPath, ['scripts/build/index.js']);
}

/** Builds the package with a module that traps on demand, for the tests of that. */
export function ensureTraps() {
  if (!isNewer('target/traps/index.js')) run(process.execPath, ['scripts/build/index.js', '--traps']);
}

const isNewer = (...paths) => Math.min(...paths.map(modified)) >= Math.max(...SOURCES.map(newest));

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
    for (const name of readdirSync(join(root, path), { recursive: true, encoding: 'utf8' }))
      times.push(modified(join(path, name)));
  }
  return Math.max(...times);
}
