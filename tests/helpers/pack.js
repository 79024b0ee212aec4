/** The package as a user gets it: packed, and installed in an empty folder. */

import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stage } from '../../scripts/build/stage.js';
import { root, run } from '../../scripts/lib/run.js';

/**
 * Packs the package as it would be published.
 *
 * @param {string} folder where the tarball goes
 * @returns {{ tarball: string, files: string[] }} its path, and what it holds
 */
export function pack(folder) {
  const staged = mkdtempSync(join(tmpdir(), 'lemondata-wasm-staged-'));
  stage(staged);
  const [packed] = JSON.parse(
    run('npm', ['pack', '--json', '--ignore-scripts', `--pack-destination=${folder}`], {
      quiet: true,
      cwd: staged,
    }),
  );
  rmSync(staged, { recursive: true });
  return {
    tarball: join(folder, packed.filename),
    files: packed.files.map(({ path }) => path).sort(),
  };
}

/** Tells two states of what is packed apart: names, sizes and times of all files. */
function stateOfPackage() {
  const { files } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const folders = files.map((/** @type {string} */ pattern) => pattern.split(/[/*]/)[0]);
  const hash = createHash('sha256');
  for (const top of readdirSync(root)) {
    // npm packs the documents at the top as well.
    if (!folders.includes(top) && !/^(?:package\.json|[A-Z].*)$/.test(top)) continue;
    const path = join(root, top);
    const isFolder = statSync(path).isDirectory();
    const names = isFolder ? readdirSync(path, { recursive: true, encoding: 'utf8' }).sort() : [''];
    for (const name of names) {
      const { size, mtimeMs } = statSync(join(path, name));
      hash.update(`${top}/${name} ${size} ${mtimeMs}\n`);
    }
  }
  return hash.digest('hex').slice(0, 16);
}

/**
 * Packs and installs the package once for all processes of a run: npm takes seconds for it, and thirty files of tests
 * want a copy.
 *
 * @returns {string} the folder, which must not be written to
 */
function sharedInstallation() {
  const parent = join(root, 'target', 'packed');
  const state = stateOfPackage();
  const home = join(parent, state);
  if (existsSync(home)) return home;
  mkdirSync(parent, { recursive: true });
  for (const name of readdirSync(parent)) {
    if (!name.startsWith(state)) rmSync(join(parent, name), { recursive: true, force: true });
  }
  // Outside of the repository, so that npm sees no project around it.
  const project = mkdtempSync(join(tmpdir(), 'lemondata-wasm-'));
  const made = mkdtempSync(`${home}-`);
  try {
    const { tarball, files } = pack(project);
    writeFileSync(join(project, 'package.json'), '{ "private": true, "type": "module" }\n');
    run('npm', ['install', '--no-audit', '--no-fund', tarball], { quiet: true, cwd: project });
    cpSync(project, join(made, 'project'), { recursive: true, verbatimSymlinks: true });
    writeFileSync(join(made, 'files.json'), JSON.stringify(files));
    renameSync(made, home);
  } catch (error) {
    // Another process may have been faster.
    if (!existsSync(home)) throw error;
  } finally {
    for (const folder of [project, made]) rmSync(folder, { recursive: true, force: true });
  }
  return home;
}

/**
 * @returns {{ folder: string, files: string[], remove(): void }} the folder of a project that has the package
 *   installed, and what the tarball holds
 */
export function installPacked() {
  const shared = sharedInstallation();
  const folder = mkdtempSync(join(tmpdir(), 'lemondata-wasm-'));
  cpSync(join(shared, 'project'), folder, { recursive: true, verbatimSymlinks: true });
  return {
    folder,
    files: JSON.parse(readFileSync(join(shared, 'files.json'), 'utf8')),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
