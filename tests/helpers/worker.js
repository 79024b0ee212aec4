/** A real Cloudflare worker: workerd, run by miniflare. */

import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { build } from 'esbuild';
import { Miniflare } from 'miniflare';

/**
 * Bundles a worker that imports the package.
 *
 * @param {string} folder a project that has the package installed
 * @param {string} entry the worker's file
 * @returns the modules of the worker, for miniflare
 */
export async function bundleWorker(folder, entry) {
  // As wrangler bundles: the conditions of workerd, and a `.wasm` is a module of its own.
  const bundle = await build({
    entryPoints: [entry],
    bundle: true,
    format: 'esm',
    conditions: ['workerd', 'worker', 'browser'],
    // Wherever the entry lies, the package is the one of the folder.
    alias: Object.fromEntries(
      ['/relay', '/cloudflare', '/ai-sdk', '/testing', ''].map((path) => [
        `lemondata-wasm${path}`,
        join(folder, `node_modules/lemondata-wasm/dist/${path.slice(1) || 'workerd'}.js`),
      ]),
    ),
    write: false,
    external: ['cloudflare:*'],
    plugins: [
      {
        name: 'wasm',
        setup: ({ onResolve }) =>
          onResolve({ filter: /\.wasm$/ }, ({ path }) => ({ path: `./${basename(path)}`, external: true })),
      },
    ],
  });
  const code = bundle.outputFiles[0].text;
  const dist = join(folder, 'node_modules/lemondata-wasm/dist');
  const wasm = ['lemondata.wasm', 'hub.wasm'].filter((name) => code.includes(`"./${name}"`));
  return [
    { type: 'ESModule', path: 'worker.mjs', contents: code },
    ...wasm.map((path) => ({ type: 'CompiledWasm', path, contents: readFileSync(join(dist, path)) })),
  ];
}

/** @param {Awaited<ReturnType<typeof bundleWorker>>} modules */
export async function startModules(modules, options) {
  const worker = new Miniflare({ ...options, modules });
  await worker.ready;
  return worker;
}

/**
 * Starts a worker that imports the package.
 *
 * @param {string} folder a project that has the package installed
 * @param {string} entry the worker's file, in that folder
 * @param {{ compatibilityDate: string, bindings?: Record<string, string> }} options
 */
export const startWorker = async (folder, entry, options) =>
  startModules(await bundleWorker(folder, entry), options);
