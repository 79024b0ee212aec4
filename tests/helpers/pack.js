/** The package as a user gets it: packed, and installed in an empty folder. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root, run } from '../../scripts/lib/run.js';

/**
 * @returns {{ folder: string, files: string[], remove(): void }} the folder of a project that has the package
 *   installed, and what the tarball holds
 */
export function installPacked() {
  const folder = mkdtempSync(join(tmpdir(), 'lemondata-wasm-'));
  const [packed] = JSON.parse(
    run('npm', ['pack', '--json', '--ignore-scripts', `--pack-destination=${folder}`], {
      quiet: true,
      cwd: root,
    }),
  );
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }\n');
  const tarball = join(folder, packed.filename);
  run('npm', ['install', '--no-audit', '--no-fund', tarball], { quiet: true, cwd: folder });
  return {
    folder,
    files: packed.files.map(({ path }) => path).sort(),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
