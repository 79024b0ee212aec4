/**
 * The server behind the page: `www/`, bundled with the package, and its relay to LemonData, which adds the key, so
 * that the page never holds it.
 */

import { AsyncLocalStorage } from 'node:async_hooks';
import { createHmac, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import { Hono } from 'hono';
// As an application imports it.
import { createRelay, memoryStore } from 'lemondata-wasm/relay';
import { SERVICE } from '../../js/client/service.js';
import { drawPicture } from '../../js/testing/picture.js';
import { SAMPLES, samplePath } from '../../www/sample-list.js';
import { bundlePage } from './bundle-page.js';

const HOST = '127.0.0.1';
const PREFIX = '/api/lemondata';

/** The statuses by which the service refuses the account. */
const ACCOUNT_STATUSES = [401, 402, 403];
/** What the service calls a problem: a word that is safe in a header. */
const CODE = /^[\w-]{1,64}$/;

/** Which relay answers: another one does not know what has been carried out. */
const RELAY_HEADER = 'x-studio-relay';
/** Why the service has refused the account: the person at the page is the one at this machine. */
const ACCOUNT_HEADER = 'x-studio-account';

/** As many pictures as any model makes at once. */
const MAX_N = 10;

/**
 * @typedef {object} Upstream
 * @property {string} url where `/v1/…` begins
 * @property {string} key
 */

/**
 * Serves the page on 127.0.0.1.
 *
 * @param {object} options
 * @param {Upstream} options.upstream
 * @param {number} [options.port] 0, the default, is any free one
 * @param {{ min: number, max: number }} [options.pollInterval] how often the page polls, in milliseconds; default
 *   what LemonData asks for
 * @param {() => number} [options.now] the relay's clock, in milliseconds; default `Date.now`
 * @returns {Promise<{ url: string, port: number, close(): Promise<void> }>} rejects with `EADDRINUSE` when
 *   the port is taken
 */
export async function servePage({ upstream, port = 0, pollInterval = { min: 3000, max: 5000 }, now }) {
  const { origin, hostname, href } = new URL(upstream.url);
  // The real service is never on this machine.
  const embedded = hostname === HOST || hostname === 'localhost';
  const redact = (text) => text.replaceAll(upstream.key, '[key]');
  const hosts = new Set();

  const relayId = randomUUID();
  const { assets, styleHash } = await bundlePage({
    // Whether requests cost money.
    upstream: embedded ? 'embedded' : 'service',
    relay: relayId,
    poll: `${pollInterval.min}-${pollInterval.max}`,
    // For the code that the page shows, which need not name the package's own service.
    service: embedded || origin === SERVICE ? '' : href.replace(/\/$/, ''),
  });
  assets['/index.html'] = assets['/'];

  const app = new Hono();

  app.use(async (c, next) => {
    await next();
    // On the relay's answers, too, which are made without this application.
    c.header('content-security-policy', policy(styleHash, embedded ? origin : undefined));
    c.header('x-content-type-options', 'nosniff');
    c.header('referrer-policy', 'no-referrer');
    c.header('cross-origin-resource-policy', 'same-origin');
  });

  // Every caller of this server can spend the key. A foreign name that was made to resolve to this machine
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

  /** The answer that the relay is making, as far as its log tells of it. */
  const answering = new AsyncLocalStorage();
  const relay = createRelay({
    apiKey: upstream.key,
    baseUrl: upstream.url,
    // A task that the page waits for is known to the next process, too.
    secret: createHmac('sha256', upstream.key).update('references of the studio').digest('hex'),
    // A caller that has come this far is the one person at this machine.
    authorize: () => 'page',
    user: false,
    limiter: false,
    models: 'any',
    maxN: MAX_N,
    // What a model knows beyond the documented fields, its own server judges.
    extraFields: 'pass',
    // The person at the page pays.
    showCosts: true,
    store: memoryStore(),
    now,
    /** @param {Record<string, any>} event */
    log({ event, error, message, outcome, upstreamStatus, code }) {
      // What the service answers, the page shows.
      const isShown = event === 'upstream_failed' && outcome !== 'not_sent';
      if (event !== 'request' && !isShown) console.error(redact(String(error?.stack ?? error ?? message)));
      // Other pages are not details what is wrong with the account. The person at this machine has to be.
      if (ACCOUNT_STATUSES.includes(upstreamStatus)) {
        const shown = redact(`${code}`);
        console.error(`LemonData refused the account: ${upstreamStatus} ${shown}`);
        answering.getStore().account = CODE.test(shown) ? `${upstreamStatus} ${shown}` : `${upstreamStatus}`;
      }
    },
  });
  app.all(`${PREFIX}/*`, async (c) => {
    const details = {};
    const answer = await answering.run(details, () => relay(c.req.raw));
    answer.headers.set(RELAY_HEADER, relayId);
    if (details.account) answer.headers.set(ACCOUNT_HEADER, details.account);
    return answer;
  });

  app.on(['GET', 'HEAD'], Object.keys(assets), (c) => {
    const { type, bodies } = assets[c.req.path];
    const accepted = c.req.header('accept-encoding') ?? '';
    const encoding = ['br', 'gzip'].find((name) => new RegExp(`\\b${name}\\b`).test(accepted));
    if (encoding) c.header('content-encoding', encoding);
    c.header('content-type', type);
    c.header('vary', 'accept-encoding');
    c.header('cache-control', 'no-cache');
    return c.body(bodies[encoding ?? 'identity']);
  });

  // No create draws them, so no person owns them.
  for (const [index, { request, width, height }] of embedded ? SAMPLES.entries() : []) {
    app.get(samplePath(index), (c) => {
      c.header('content-type', 'image/png');
      c.header('cache-control', 'max-age=3600');
      const picture = drawPicture({ ...request, index: 0, width, height });
      return c.body(/** @type {Uint8Array<ArrayBuffer>} */ (picture));
    });
  }

  app.notFound(notFound);
  app.onError((error, c) => {
    // A page may leave while it is sending.
    if (!c.req.raw.signal.aborted) console.error(redact(String(error?.stack ?? error)));
    return refuse(c, 500, 'server_error', 'The page server itself failed');
  });

  const http = createServer(
    // The adapter would otherwise replace the global Request and Response.
    getRequestListener(app.fetch, { overrideGlobalObjects: false }),
  );
  http.listen(port, HOST);
  await once(http, 'listening');
  const { port: taken } = /** @type {import('node:net').AddressInfo} */ (http.address());
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

/**
 * @param {string} styleHash of the one style in the document
 * @param {string} [pictures] an origin whose pictures are taken although it has no TLS
 */
function policy(styleHash, pictures) {
  return [
    "default-src 'none'",
    "script-src 'self' 'wasm-unsafe-eval'",
    `style-src '${styleHash}'`,
    // A finished picture is downloaded to be kept, from wherever its provider has put it.
    `connect-src ${["'self'", 'https:', pictures].filter(Boolean).join(' ')}`,
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
