/** The package as a user gets it: packed, and installed in an empty folder. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stage } from '../../scripts/build/stage.js';
import { run } from '../../scripts/lib/run.js';

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

/**
 * @returns {{ folder: string, files: string[], remove(): void }} the folder of a project that has the package
 *   installed, and what the tarball holds
 */
export function installPacked() {
  const folder = mkdtempSync(join(tmpdir(), 'lemondata-wasm-'));
  const { tarball, files } = pack(folder);
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }\n');
  run('npm', ['install', '--no-audit', '--no-fund', tarball], { quiet: true, cwd: folder });
  return {
    folder,
    files,
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
