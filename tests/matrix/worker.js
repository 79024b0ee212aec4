/** Runs a worker that a tool has bundled. */

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Miniflare } from 'miniflare';

const TYPES = { js: 'ESModule', wasm: 'CompiledWasm' };

/**
 * @param {string} folder where the bundle is
 * @param {string} main its first file
 * @param {import('../server/index.js').Server} server
 * @returns {Promise<Buffer>} what the worker answers
 */
export async function askWorker(folder, main, server) {
  const files = readdirSync(folder, { recursive: true }).filter((file) => TYPES[file.split('.').at(-1)]);
  // The first module is the one that is run.
  const modules = [main, ...files.filter((file) => file !== main)].map((file) => ({
    type: TYPES[file.split('.').at(-1)],
    path: join(folder, file),
  }));
  const worker = new Miniflare({
    modules,
    modulesRoot: folder,
    compatibilityDate: '2026-07-01',
    bindings: { LEMONDATA_API_KEY: server.apiKey, LEMONDATA_BASE_URL: server.url },
  });
  try {
    const response = await worker.dispatchFetch('http://worker/');
    if (!response.ok) throw new Error(await response.text());
    return Buffer.from(await response.arrayBuffer());
  } finally {
    await worker.dispose();
  }
}

/** The same, for a worker that answers with JSON. */
export async function runWorker(folder, main, server) {
  return JSON.parse((await askWorker(folder, main, server)).toString());
}
