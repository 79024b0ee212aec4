/** Runs a worker that a tool has bundled. */

import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Miniflare } from 'miniflare';

const TYPES = { js: 'ESModule', mjs: 'ESModule', wasm: 'CompiledWasm' };
const typeOf = (file) => TYPES[file.split('.').at(-1)];

/**
 * @param {string} folder where the bundle is
 * @param {string} main its first file
 * @param {import('../server/index.js').Server} server
 * @param {{ compatibilityFlags?: string[], bindings?: Record<string, string> }} [options] of the worker
 */
export function openWorker(folder, main, server, { bindings, ...options } = {}) {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    // Some tools name a folder like a file of theirs.
    .filter((file) => typeOf(file) && statSync(join(folder, file)).isFile());
  // The first module is the one that is run.
  const modules = [main, ...files.filter((file) => file !== main)].map((file) => ({
    type: typeOf(file),
    path: join(folder, file),
  }));
  const worker = new Miniflare({
    modules,
    modulesRoot: folder,
    compatibilityDate: '2026-07-01',
    bindings: { LEMONDATA_API_KEY: server.apiKey, LEMONDATA_BASE_URL: server.url, ...bindings },
    ...options,
  });
  return {
    /** @returns {Promise<Buffer>} what the worker answers */
    async ask(path = '/', init = {}) {
      const response = await worker.dispatchFetch(`http://worker${path}`, init);
      if (!response.ok) throw new Error(await response.text());
      return Buffer.from(await response.arrayBuffer());
    },
    close: () => worker.dispose(),
  };
}

/** What a worker answers to a request for `/`. */
export async function askWorker(folder, main, server) {
  const worker = openWorker(folder, main, server);
  try {
    return await worker.ask();
  } finally {
    await worker.close();
  }
}

/** The same, for a worker that answers with JSON. */
export async function runWorker(folder, main, server) {
  return JSON.parse((await askWorker(folder, main, server)).toString());
}
