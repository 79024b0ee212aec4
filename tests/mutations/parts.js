/** Which code each list of mutations is for. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CLIENT, CORE } from './list.js';

/** Each part: its folder, its mutations, and the parts of `scripts/test.js` that have to notice them. */
export const PARTS = [
  { folder: 'src/core', rules: CORE, tests: ['core'] },
  { folder: 'js/client', rules: CLIENT, tests: ['js', 'e2e'] },
];

/** The files of a folder that hold a text, each as often as it does. */
export function filesWith(text, folder) {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(rs|js)$/.test(name) && !/\.(test|gen)\.js$/.test(name))
    .map((name) => join(folder, name))
    .flatMap((file) => Array(readFileSync(file, 'utf8').split(text).length - 1).fill(file));
}
