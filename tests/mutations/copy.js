/** The copy of this clone that is broken: nobody's work is touched, and a run that is cut short leaves no harm. */

import { cpSync, mkdirSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../scripts/lib/run.js';

export const copy = join(root, 'target', 'mutations');

const FOLDERS = ['src', 'js', 'scripts', 'tests', 'bench'];

/** Makes the copy, or brings it up to date: what is built there stays. */
export function makeCopy() {
  mkdirSync(copy, { recursive: true });
  for (const name of FOLDERS) rmSync(join(copy, name), { recursive: true, force: true });
  const files = readdirSync(root, { withFileTypes: true }).filter((entry) => entry.isFile());
  for (const name of [...files.map((entry) => entry.name), ...FOLDERS]) {
    cpSync(join(root, name), join(copy, name), { recursive: true });
  }
  rmSync(join(copy, 'node_modules'), { force: true });
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
}
