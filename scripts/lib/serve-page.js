/**
 * The server behind the page: `www/`, the built package, and its relay to LemonData, which adds the key, so that
 * the page never holds it.
 */

import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { getRequestListener } from '@hono/node-server';
import { serveStatic } from '@hono/node-server/serve-static';
import { Hono } from 'hono';
// As whoever installs the package imports it.
import { createRelay, memoryStore, toHono } from 'lemondata-wasm/relay';
import { root } from './run.js';

const HOST = '127.0.0.1';
const PREFIX = '/api/lemondata';

const ACCOUNT_STATUSES = [401, 402, 403];

/**
 * @typedef {object} Upstream
 * @property {string} url where `/v1/…` begins
 * @property {string} key
 */

/**
 * Serves the page on 127.0.0.1.
 *
 * @param {{ upstream: Upstream, port?: number }} options `port` 0, the default, is any free one
 * @returns {Promise<{ url: string, port: number, close(): Promise<void> }>} rejects with `EADDRINUSE` when
 *   the port is taken
 */
export async function servePage({ upstream, port = 0 }) {
  const { origin, hostname } = new URL(upstream.url);
  // The real service is never on this machine.
  const embedded = hostname === HOST || hostname === 'localhost';
  const redact = (text) => text.replaceAll(upstream.key, '[key]');
  const hosts = new Set();

  const app = new Hono();

  app.use(async (c, next) => {
    await next();
    // On the relay's answers, too, which are made without this application.
    c.header('content-security-policy', policy(embedded ? origin : undefined));
    c.header('x-content-type-options', 'nosniff');
    c.header('referrer-policy', 'no-referrer');
    c.header('cross-origin-resource-policy', 'same-origin');
  });

  // Whoever reaches this server can spend the key. A foreign name that was made to resolve to this machine
  // shows in Host; a page of another origin shows in Origin.
  app.use(async (c, next) => {
    const host = c.req.header('host');
    if (!hosts.has(host)) return refuse(c, 403, 'host_not_allowed', 'This host name is not served here');
    const from = c.req.header('origin');
    if (from !== undefined && from !== `http://${host}`) {
      return refuse(c, 403, 'origin_not_allowed', 'Pages of other origins may not call this server');
    }
    await next();
  });

  const relay = createRelay({
    apiKey: upstream.key,
    baseUrl: upstream.url,
    // Tasks need not outlive this process.
    secret: randomBytes(32).toString('hex'),
    // Whoever has come this far is the one person at this machine.
    authorize: () => 'page',
    user: false,
    limiter: false,
    models: 'any',
    store: memoryStore(),
    log({ event, error, upstreamStatus, code }) {
      if (event !== 'request') console.error(redact(String(error?.stack ?? error)));
      // The page is not told what is wrong with the account, and the person at this machine has to be.
      if (ACCOUNT_STATUSES.includes(upstreamStatus)) {
        console.error(redact(`LemonData refused the account: ${upstreamStatus} ${code}`));
      }
    },
  });
  app.all(`${PREFIX}/*`, toHono(relay));

  app.on(['GET', 'HEAD'], ['/', '/index.html'], (c) => {
    c.header('cache-control', 'no-cache');
    // The page says where requests go, and whether they cost money.
    const html = readFileSync(join(root, 'www', 'index.html'), 'utf8');
    return c.html(html.replace('<html', `<html data-upstream="${embedded ? 'embedded' : 'service'}"`));
  });
  const noCache = async (c, next) => {
    await next();
    if (c.res.ok) c.header('cache-control', 'no-cache');
  };
  app.use(
    '/pkg/*',
    noCache,
    serveStatic({ root: join(root, 'dist'), rewriteRequestPath: (path) => path.slice('/pkg'.length) }),
  );
  app.use('/*', noCache, serveStatic({ root: join(root, 'www') }));

  app.notFound(notFound);
  app.onError((error, c) => {
    // A page that left while it was sending is nobody's fault.
    if (!c.req.raw.signal.aborted) console.error(redact(String(error?.stack ?? error)));
    return refuse(c, 500, 'server_error', 'The page server itself failed');
  });

  const http = createServer(
    // The adapter would otherwise replace the global Request and Response.
    getRequestListener(app.fetch, { overrideGlobalObjects: false }),
  );
  http.listen(port, HOST);
  await once(http, 'listening');
  const { port: taken } = http.address();
  // Taken from a URL, which leaves port 80 out as browsers do.
  for (const name of [HOST, 'localhost']) hosts.add(new URL(`http://${name}:${taken}`).host);

  return {
    url: `http://${HOST}:${taken}`,
    port: taken,
    async close() {
      const closed = once(http, 'close');
      http.close();
      http.closeAllConnections();
      await closed;
    },
  };
}

/** @param {string} [pictures] an origin whose pictures are shown although it has no TLS */
function policy(pictures) {
  return [
    "default-src 'none'",
    "script-src 'self' 'wasm-unsafe-eval'",
    "style-src 'self'",
    "connect-src 'self'",
    `img-src ${["'self'", 'blob:', 'data:', 'https:', pictures].filter(Boolean).join(' ')}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}

/** An error of this server's own, in the provider's shape. */
function refuse(c, status, code, message) {
  const type = status < 500 ? 'invalid_request_error' : code;
  return c.json({ error: { message, type, code } }, status);
}

function notFound(c) {
  return refuse(c, 404, 'not_found', `There is no ${c.req.method} ${c.req.path}`);
}
