/** The server of a page: a relay to the embedded server, below `/api/lemondata`. */

import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/**
 * @param {string} folder a project that has the package installed
 * @param {import('../server/index.js').Server} server
 * @returns {Promise<{ handle: import('hono').Handler, creates: number }>} `creates` counts those that pages have
 *   sent, of which the server gets only one of each key
 */
export async function startRelay(folder, server) {
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
    log({ route }) {
      if (route === 'create') seen.creates += 1;
    },
  });
  return Object.assign(seen, { handle: toHono(relay) });
}
