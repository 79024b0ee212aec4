/** Where the relays run: behind Node's `http`, and in a real Cloudflare worker. */

import { once } from 'node:events';
import { copyFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { toNodeHandler } from 'lemondata-wasm/relay';
import { installPacked } from '../helpers/pack.js';
import { startWorker } from '../helpers/worker.js';
import { lineOf } from './lines.js';
import { makeRelays } from './relays.js';

/**
 * @typedef {object} Place
 * @property {string} url without a slash at its end
 * @property {() => Promise<{ lines: string[], inherited: string[] }>} inside all that has been logged and printed;
 *   fields that objects have inherited there
 * @property {() => Promise<void>} close
 */

/** @type {Record<string, (env: import('./relays.js').Env) => Promise<Place>>} */
export const PLACES = { node: startNode, workerd: startWorkerd };

async function startNode(env) {
  const lines = [];
  const handler = toNodeHandler(makeRelays(env, (event) => lines.push(lineOf(event))));
  const server = createServer(handler);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    async inside() {
      const inherited = [];
      for (const name in {}) inherited.push(name);
      return { lines, inherited };
    },
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

/**
 * @param {import('./relays.js').Env} env
 * @param {import('miniflare').MiniflareOptions} [options]
 */
export async function startWorkerd(env, options) {
  const project = installPacked();
  for (const name of ['worker.js', 'relays.js', 'maker.js', 'lines.js']) {
    copyFileSync(fileURLToPath(new URL(name, import.meta.url)), join(project.folder, name));
  }
  const printed = [];
  const worker = await startWorker(project.folder, join(project.folder, 'worker.js'), {
    compatibilityDate: '2026-07-01',
    bindings: env,
    host: '127.0.0.1',
    handleRuntimeStdio(...streams) {
      for (const stream of streams) stream.on('data', (text) => printed.push(`${text}`));
    },
    ...options,
  });
  const url = `${await worker.ready}`.replace(/\/$/, '');
  return {
    url,
    async inside() {
      const { lines, inherited } = await (await fetch(`${url}/inside`)).json();
      return { lines: [...printed, ...lines], inherited };
    },
    async close() {
      await worker.dispose();
      project.remove();
    },
  };
}
