/** Lays out the package as it is published. */

import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, run } from '../lib/run.js';

/**
 * The entries of the package as folders with a `package.json` of their own, for resolvers that ignore `exports`.
 *
 * @param {Record<string, any>} exports those of `package.json`
 * @returns {[string, object][]} the name and the manifest of each folder
 */
const foldersOf = (exports) =>
  Object.entries(exports)
    .filter(([name, targets]) => name !== '.' && typeof targets === 'object')
    .map(([name, targets]) => {
      // One that is never required has its targets at the top.
      const esm = targets.types ? targets : targets.default;
      const { default: main } = targets.require ?? esm;
      const [module, types] = [esm.default, esm.types];
      return [name, inParent({ main, module, types })];
    });

const inParent = (manifest) =>
  Object.fromEntries(Object.entries(manifest).map(([field, path]) => [field, path.replace('./', '../')]));

/**
 * Copies what `package.json` names into a folder, and adds the folders of the entries. They stand in the package alone,
 * since the repository has no use for them.
 *
 * @param {string} folder
 */
export function stage(folder) {
  const pack = ['pack', '--dry-run', '--json', '--ignore-scripts'];
  const [{ files }] = JSON.parse(run('npm', pack, { quiet: true, cwd: root }));
  rmSync(folder, { recursive: true, force: true });
  for (const { path } of files) cpSync(join(root, path), join(folder, path), { recursive: true });
  // All that is there is meant to be published.
  const { files: _files, ...manifest } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest, undefined, 2)}\n`);
  for (const [name, entry] of foldersOf(manifest.exports)) {
    mkdirSync(join(folder, name));
    writeFileSync(join(folder, name, 'package.json'), `${JSON.stringify(entry)}\n`);
  }
}

if (import.meta.filename === process.argv[1]) stage(join(root, 'target', 'npm'));
