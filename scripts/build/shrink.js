/** Makes a module smaller. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, runBeside } from '../lib/run.js';
import { FEATURES } from './compile.js';

const PASSES = [
  // Measured: control flow that is taken apart and built again is shorter, and functions beyond these sizes compress
  // less well when they are inlined.
  '--flatten',
  '--rereloop',
  '-Oz',
  '--converge',
  '--one-caller-inline-max-function-size=300',
  '--always-inline-max-function-size=5',
  // The stack begins at address 0, and nothing of it reaches down there.
  '--low-memory-unused',
  '--strip-target-features',
  '--strip-producers',
];

/**
 * @param {string} path of a module
 * @param {{ keepNames: boolean, minifyNames: boolean }} options whether functions keep their names, for those who want
 *   to know where the bytes are; whether imports and exports become letters
 * @returns {Promise<{ small: string, wasm: Uint8Array, names: Record<string, string> }>} the path of the module, its
 *   bytes, and the letters of its names
 */
export async function shrink(path, { keepNames, minifyNames }) {
  const small = path.replace(/\.wasm$/, '.small.wasm');
  /** @type {Record<string, string>} */
  const names = {};
  if (minifyNames) {
    // In a run of its own, which prints them once: `--converge` repeats its passes.
    const printed = await optimise(path, small, '--minify-imports-and-exports-and-modules', '-g');
    const { imports, exports } = JSON.parse(printed);
    for (const [module, name, letter] of imports) Object.assign(names, { [module]: 'a', [name]: letter });
    Object.assign(names, Object.fromEntries(exports));
    path = small;
  }
  await optimise(path, small, ...PASSES, ...(keepNames ? ['-g'] : []));
  return { small, wasm: readFileSync(small), names };
}

/** The options of Binaryen's tools for what the compiler may use. The compiler calls one of them by another name. */
export const enabled = FEATURES.map((name) => `--enable-${name.replace('fptoint', 'float-to-int')}`);

const optimise = (from, to, ...passes) =>
  runBeside(join(root, 'node_modules', '.bin', 'wasm-opt'), [...enabled, ...passes, from, `--output=${to}`]);
