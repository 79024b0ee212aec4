/** The server of a page: a relay to the embedded server, below `/api/lemondata`. */

import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/**
 * @param {string} folder a project that has the package installed
 * @param {import('../server/index.js').Server} server
 * @param {string} [scenario] what creates ask the server for, whatever their model does
 * @param {object} [options] more of the relay's
 * @returns {Promise<{ handle: import('hono').Handler, creates: number }>} `creates` counts those that pages have
 *   sent, of which the server gets only one of each key
 */
export async function startRelay(folder, server, scenario, options) {
  const file = join(folder, 'node_modules', 'lemondata-wasm', 'dist', 'relay.js');
  const { createRelay, memoryStore, toHono } = await import(pathToFileURL(file).href);
  const seen = { creates: 0 };
  const relay = createRelay({
    apiKey: server.apiKey,
    baseUrl: server.url,
    secret: 'a secret of the tests, of 32 characters',
    authorize: () => 'reader',
    models: 'any',
    store: memoryStore(),
    ...options,
    fetch(url, { headers, ...init }) {
      const all = new Headers(headers);
      if (scenario && init.method === 'POST') all.set('x-lemon-scenario', scenario);
      return fetch(url, { ...init, headers: all });
    },
    log({ route }) {
      if (route === 'create') seen.creates += 1;
    },
  });
  return Object.assign(seen, { handle: toHono(relay) });
}
