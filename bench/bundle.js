/** Bundles a client as its user would: for a page, or for a worker. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { root } from '../scripts/lib/run.js';

/** The WebAssembly module of this package. */
export const readWasm = () => readFileSync(join(root, 'dist', 'lemondata.wasm'));

/** Edge workers take a module as a file of its own. */
const wasmIsExternal = {
  name: 'wasm',
  setup: ({ onResolve }) =>
    onResolve({ filter: /\.wasm$/ }, () => ({ path: './lemondata.wasm', external: true })),
};

/**
 * The options of esbuild for each kind of runtime.
 *
 * @type {Record<'page' | 'worker', import('esbuild').BuildOptions>}
 */
const TARGETS = {
  page: { platform: 'browser' },
  worker: {
    conditions: ['workerd', 'worker', 'browser'],
    mainFields: ['browser', 'module', 'main'],
    plugins: [wasmIsExternal],
    // workerd has Node's modules.
    external: ['node:*'],
  },
};

/**
 * @param {string} contents a module within this repository
 * @param {'page' | 'worker'} target
 * @returns {Promise<Uint8Array>}
 */
export async function bundle(contents, target) {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: root },
    bundle: true,
    minify: true,
    format: 'esm',
    write: false,
    define: { 'process.env.NODE_ENV': '"production"' },
    logLevel: 'error',
    ...TARGETS[target],
  });
  return outputFiles[0].contents;
}
