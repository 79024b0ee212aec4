/**
 * The server behind the page: `www/`, the built package, and a forwarder to LemonData that adds the key, so
 * that the page never holds it.
 */

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { getRequestListener } from '@hono/node-server';
import { serveStatic } from '@hono/node-server/serve-static';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import { Hono } from 'hono';
import { root } from './run.js';

const HOST = '127.0.0.1';
const PREFIX = '/api/lemondata';

/** All that is forwarded, each route with its one method. */
const ROUTES = [
  ['POST', '/v1/images/generations'],
  ['GET', '/v1/images/generations/:id'],
  ['GET', '/v1/tasks/:id'],
];

/** What goes on to the upstream. Anything else stays here: cookies, and a key that the page should not have. */
const REQUEST_HEADERS = ['accept', 'content-type', 'idempotency-key'];
/** What comes back to the page. */
const RESPONSE_HEADERS = /^(content-type|retry-after|x-request-id|x-ratelimit-.*)$/;

/** A reference picture may travel in the request. */
const MAX_REQUEST_BYTES = 32 * 1024 * 1024;
const MAX_ERROR_BYTES = 1024 * 1024;

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
  const base = upstream.url.replace(/\/+$/, '');
  const redact = (text) => text.replaceAll(upstream.key, '[key]');
  const hosts = new Set();

  const app = new Hono();

  app.use(async (c, next) => {
    c.header('content-security-policy', policy(embedded ? origin : undefined));
    c.header('x-content-type-options', 'nosniff');
    c.header('referrer-policy', 'no-referrer');
    c.header('cross-origin-resource-policy', 'same-origin');
    await next();
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

  app.use(`${PREFIX}/*`, async (c, next) => {
    c.header('cache-control', 'no-store');
    await next();
  });

  for (const [method, path] of ROUTES) {
    app.all(PREFIX + path, async (c) => {
      if (c.req.method !== method) {
        c.header('allow', method);
        return refuse(c, 405, 'method_not_allowed', `${c.req.method} is not allowed here`);
      }
      // Other types can be sent by a form of any site, without the browser asking first.
      if (method === 'POST' && !/^application\/json\s*(;|$)/i.test(c.req.header('content-type') ?? '')) {
        return refuse(c, 403, 'content_type_not_allowed', 'Content-Type must be application/json');
      }
      const id = c.req.param('id') ?? '';
      return forward(c, path.replace(':id', encodeURIComponent(id)) + new URL(c.req.url).search);
    });
  }

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

  /** Sends a request on and its answer back. */
  async function forward(c, path) {
    const { method, raw } = c.req;
    const headers = { authorization: `Bearer ${upstream.key}` };
    for (const name of embedded ? [...REQUEST_HEADERS, 'x-lemon-scenario'] : REQUEST_HEADERS) {
      const value = c.req.header(name);
      if (value !== undefined) headers[name] = value;
    }
    const body = method === 'POST' ? await readUpTo(c.env.incoming, MAX_REQUEST_BYTES + 1) : undefined;
    if (body?.length > MAX_REQUEST_BYTES) {
      return refuse(c, 413, 'payload_too_large', 'The request is larger than 32 MiB');
    }
    let answer;
    try {
      // Followed, a redirect would carry the request, and perhaps the key, to wherever it points.
      answer = await fetch(base + path, { method, headers, body, redirect: 'manual', signal: raw.signal });
    } catch (error) {
      const code = error?.cause?.code;
      const message =
        `LemonData could not be reached${code ? ` (${code})` : ''}. ` +
        'Whether the request was carried out is not known.';
      return refuse(c, 502, 'upstream_error', message);
    }
    for (const [name, value] of answer.headers) {
      if (RESPONSE_HEADERS.test(name)) c.header(name, redact(value));
    }
    if (answer.ok) return stream(c, answer);
    if (answer.status < 400) {
      // A redirect arrives at the page as one, without the place it points to.
      await answer.body?.cancel();
      return c.body(null, answer.status);
    }
    // The status of an error tells more than the loss of its body does.
    const said = await readUpTo(answer.body ?? [], MAX_ERROR_BYTES).catch(() => '');
    const text = redact(said.toString('utf8'));
    // Where a body was cut off, the beginning of the key may be what it ends with.
    return c.body(
      (said.length < MAX_ERROR_BYTES ? text : text.slice(0, -upstream.key.length)) || null,
      answer.status,
    );
  }

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

/**
 * Passes an answer on as it comes. The adapter would end a body that broke off in good order, with a text of
 * its own behind it; here the loss arrives at the page as a loss.
 */
async function stream(c, answer) {
  const { outgoing } = c.env;
  outgoing.writeHead(answer.status, Object.fromEntries(c.res.headers));
  outgoing.flushHeaders();
  await pipeline(answer.body ?? [], outgoing).catch(() => {});
  return RESPONSE_ALREADY_SENT;
}

/** Reads a body to its end, or the first so many bytes of it. */
async function readUpTo(body, limit) {
  const chunks = [];
  let length = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    length += chunk.length;
    if (length >= limit) break;
  }
  return Buffer.concat(chunks).subarray(0, limit);
}
