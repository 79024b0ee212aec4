/** A web site on 127.0.0.1, for the pages that a test opens in a browser. */

import { once } from 'node:events';
import { createServer } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import { serveStatic } from '@hono/node-server/serve-static';
import { Hono } from 'hono';

/**
 * Serves files and folders, and one page.
 *
 * @param {Record<string, string>} files what is at which path: a file, or below a path that ends with a slash
 *   a folder
 * @param {string} [page] the HTML at `/`
 * @param {object} [more]
 * @param {import('hono').Handler} [more.api] answers below `/api/lemondata/`
 * @param {Record<string, string>} [more.headers] added to every answer
 * @returns {Promise<{ url: string, close(): Promise<void> }>} `url` has no slash at its end
 */
export async function serveSite(files, page, { api, headers = {} } = {}) {
  const app = new Hono();
  app.use(async (c, next) => {
    for (const [name, value] of Object.entries(headers)) c.header(name, value);
    await next();
  });
  if (api) app.all('/api/lemondata/*', api);
  if (page !== undefined) app.get('/', (c) => c.html(page));
  for (const [path, place] of Object.entries(files)) {
    if (path.endsWith('/')) {
      const rewriteRequestPath = (requested) => requested.slice(path.length - 1);
      app.get(`${path}*`, serveStatic({ root: place, rewriteRequestPath }));
    } else {
      app.get(path, serveStatic({ path: place }));
    }
  }
  // The adapter would otherwise replace the global Request and Response.
  const server = createServer(getRequestListener(app.fetch, { overrideGlobalObjects: false }));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
