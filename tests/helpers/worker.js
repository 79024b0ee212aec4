/** A real Cloudflare worker: workerd, run by miniflare. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { Miniflare } from 'miniflare';

/**
 * Starts a worker that imports the package.
 *
 * @param {string} folder a project that has the package installed
 * @param {string} entry the worker's file, in that folder
 * @param {{ compatibilityDate: string, bindings?: Record<string, string> }} options
 */
export async function startWorker(folder, entry, options) {
  // As wrangler bundles: the conditions of workerd, and a `.wasm` is a module of its own.
  const bundle = await build({
    entryPoints: [entry],
    bundle: true,
    format: 'esm',
    conditions: ['workerd', 'worker', 'browser'],
    write: false,
    plugins: [
      {
        name: 'wasm',
        setup: ({ onResolve }) =>
          onResolve({ filter: /\.wasm$/ }, () => ({ path: './lemondata.wasm', external: true })),
      },
    ],
  });
  const wasm = readFileSync(join(folder, 'node_modules/lemondata-wasm/dist/lemondata.wasm'));
  const worker = new Miniflare({
    ...options,
    modules: [
      { type: 'ESModule', path: 'worker.mjs', contents: bundle.outputFiles[0].text },
      { type: 'CompiledWasm', path: 'lemondata.wasm', contents: wasm },
    ],
  });
  await worker.ready;
  return worker;
}
