/** The relay in the shape that a framework wants. */

import { isForeignHost, isHost } from './hosts.js';
import { isOrigin } from './origins.js';
import { REFUSAL, Refusal } from './refusal.js';
import { readSettings, setting } from './settings.js';

/** How long the rest of a body that was refused is taken, so that its sender comes to read the answer. */
const LINGER_MS = 1000;
const HTTP2_INTERNAL_ERROR = 2;
/** The methods that a relay may be asked with; it answers the wrong ones itself. */
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

const ORIGIN_RULES = {
  origin: setting(
    undefined,
    (value) => isOrigin(value) && /^https?:/.test(value),
    "where pages see this server, an origin such as 'https://app.example'",
  ),
};

const BAD_REQUEST = new Refusal(400, 'invalid_request_error', 'That is no valid request.');

const misdirected = (origin) =>
  new Refusal(421, 'misdirected_request', `This server is ${origin}; the request names another host.`);

/** @throws {TypeError} if it is no relay, before a request could hang on it */
function assertRelay(adapter, relay) {
  if (typeof relay === 'function') return;
  throw new TypeError(`${adapter} takes the relay that createRelay returns, but got ${typeof relay}.`);
}

/**
 * For a Cloudflare worker: `export default toCloudflare((env) => createRelay({ … }))`. The relay is made at the first
 * request, and again only where the environment is another.
 */
export function toCloudflare(make) {
  if (typeof make !== 'function') {
    throw new TypeError('toCloudflare takes a function: toCloudflare((env) => createRelay({ … })).');
  }
  let relay;
  let madeFor;
  return {
    fetch(request, env, context) {
      if (!relay || madeFor !== env) {
        relay = make(env);
        madeFor = env;
      }
      return relay(request, context);
    },
  };
}

/** For Hono: `app.all('/api/lemondata/*', toHono(relay))`. */
export function toHono(relay) {
  assertRelay('toHono', relay);
  return async (c) => {
    let context;
    try {
      // Outside of workers, asking for it throws.
      context = c.executionCtx;
    } catch {
      // Hono's adapter for Node keeps its request here.
      context = { ip: c.env?.incoming?.socket?.remoteAddress };
    }
    const { raw } = c.req;
    if (!raw.bodyUsed) return relay(raw, context);
    // A middleware has read the body; Hono has kept it.
    const { method, headers, signal } = raw;
    return relay(new Request(raw.url, { method, headers, signal, body: await c.req.text() }), context);
  };
}

/**
 * For a route of Next.js: `export const { GET, POST, OPTIONS } = toNextRoute(relay)`.
 *
 * @param {(request: Request, context?: object) => Promise<Response>} relay
 * @param {{ origin?: string }} [options] `origin`: where pages see this server, which `next start` does not tell. A
 *   request that names another host is refused
 */
export function toNextRoute(relay, options) {
  assertRelay('toNextRoute', relay);
  const { origin } = readSettings('toNextRoute', ORIGIN_RULES, options);
  const handle = (request) => {
    if (!origin) return relay(request);
    const host = request.headers.get('host');
    if (host !== null && isForeignHost(host, origin))
      return relay(request, { [REFUSAL]: misdirected(origin) });
    const { pathname, search } = new URL(request.url);
    return relay(new Request(origin + pathname + search, request));
  };
  return Object.fromEntries(METHODS.map((method) => [method, handle]));
}

/**
 * For Node's `http`, `https` and `http2`, and for Express: `createServer(toNodeHandler(relay))`,
 * `app.use('/api/lemondata', toNodeHandler(relay))`.
 *
 * @param {(request: Request, context?: object) => Promise<Response>} relay
 * @param {{ origin?: string }} [options] `origin`: where pages see this server, if a proxy in front of it speaks
 *   another protocol or has another name. A request that names another host is refused
 */
export function toNodeHandler(relay, options) {
  assertRelay('toNodeHandler', relay);
  const { origin } = readSettings('toNodeHandler', ORIGIN_RULES, options);
  return async (incoming, outgoing) => {
    const gone = new AbortController();
    outgoing.on('close', () => gone.abort());
    try {
      const context = { ip: incoming.socket?.remoteAddress };
      let request;
      try {
        request = toRequest(incoming, origin, gone.signal);
      } catch (error) {
        // The relay answers it and logs it, since nobody else would.
        context[REFUSAL] = error;
        request = new Request(origin ?? 'http://localhost');
      }
      await respond(await relay(request, context), incoming, outgoing, gone.signal);
    } catch {
      // A body that breaks off: the client has to see that it did, and in HTTP/2 an end without a code is a good one.
      if (outgoing.stream) outgoing.stream.close(HTTP2_INTERNAL_ERROR);
      else outgoing.destroy?.();
    }
  };
}

/** @param {AbortSignal} signal of the client's leaving */
async function respond(response, incoming, outgoing, signal) {
  const headers = Object.fromEntries(response.headers);
  if (headers['content-type'] === 'text/event-stream') {
    outgoing.writeHead(response.status, headers);
    await pour(response.body, outgoing, signal);
    return;
  }
  const body = Buffer.from(await response.arrayBuffer());
  // HTTP/2 ends one request without the connection.
  if (incoming.complete || incoming.httpVersionMajor > 1) {
    outgoing.writeHead(response.status, headers);
    outgoing.end(body);
    incoming.removeAllListeners('data').resume();
    return;
  }
  // Closed with a part of it unread, the connection would be reset, and the answer might be lost.
  outgoing.writeHead(response.status, {
    ...headers,
    connection: 'close',
    'content-length': `${body.length}`,
  });
  outgoing.write(body);
  const end = () => outgoing.end();
  incoming.removeAllListeners('data').on('close', end).on('end', end).resume();
  setTimeout(end, LINGER_MS).unref();
}

/** Passes a stream on as it comes, and no faster than its reader takes it. */
async function pour(stream, outgoing, signal) {
  const reader = stream.getReader();
  const cancel = () => reader.cancel().catch(() => {});
  if (signal.aborted) return cancel();
  signal.addEventListener('abort', cancel, { once: true });
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    const isRoomy = outgoing.write(value);
    // A compressing middleware would keep it.
    outgoing.flush?.();
    if (!isRoomy) await drained(outgoing, signal);
  }
  outgoing.end();
}

/** Resolves when there is room, or the client has left. */
const drained = (outgoing, signal) =>
  new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const settle = () => {
      outgoing.removeListener('drain', settle);
      signal.removeEventListener('abort', settle);
      resolve();
    };
    outgoing.on('drain', settle);
    signal.addEventListener('abort', settle);
  });

/** @throws {Error} a refusal of what is no valid request */
function toRequest(incoming, origin, signal) {
  const { method, headers, socket } = incoming;
  // HTTP/2 has its own name for it.
  const host = headers[':authority'] ?? headers.host ?? 'localhost';
  // Anything but a host would move the path that a guard in front of the relay has looked at.
  if (!isHost(host)) throw BAD_REQUEST;
  if (origin && isForeignHost(host, origin)) throw misdirected(origin);
  const base = origin ?? `${socket?.encrypted ? 'https' : 'http'}://${host}`;
  // Express takes the part of the path off where it is mounted.
  const path = incoming.originalUrl ?? incoming.url;
  // A target that is a whole URL, or begins with two slashes, must not name another host.
  const url = base + (path.startsWith('/') ? path : `/${path}`);
  const hasBody = method !== 'GET' && method !== 'HEAD';
  const parsed = hasBody ? parsedBody(incoming) : undefined;
  const pairs = Object.entries(headers)
    // Pseudo-headers of HTTP/2 are none; and what has been read is not as long or as packed as it was.
    .filter(([name]) => !name.startsWith(':') && !(parsed !== undefined && ENTITY_HEADERS.includes(name)))
    .flatMap(([name, value]) => [value].flat().map((each) => [name, each]));
  try {
    return new Request(url, {
      method,
      headers: pairs,
      body: hasBody ? (parsed ?? bodyOf(incoming)) : undefined,
      duplex: hasBody ? 'half' : undefined,
      signal,
    });
  } catch {
    throw BAD_REQUEST;
  }
}

const ENTITY_HEADERS = ['content-length', 'content-encoding', 'transfer-encoding'];

/**
 * A body that a parser in front of the relay has read, such as `express.json()`, or `undefined` if nobody has.
 *
 * @throws {Error} if it was read, and not kept
 */
function parsedBody(incoming) {
  const isOver = incoming.readableEnded || incoming.destroyed;
  if (!isOver && !incoming.readableDidRead) return undefined;
  // Cloud functions keep the bytes beside what they have parsed.
  const kept = incoming.rawBody ?? incoming.body;
  if (kept !== undefined) return textOf(kept);
  if (!isOver) return undefined;
  throw new Error(
    'The body of a request was read before the relay got it. Mount toNodeHandler(relay) before body parsers, or ' +
      'leave what they have read in request.body.',
  );
}

const textOf = (body) =>
  typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body);

/** A body as a web stream, which takes no more than it is asked for, and throws away what nobody wants. */
function bodyOf(incoming) {
  let isOver = false;
  return new ReadableStream({
    start(controller) {
      const finish = (how) => () => {
        if (!isOver) how();
        isOver = true;
      };
      const breakOff = finish(() => controller.error(new Error('The request broke off.')));
      incoming
        .on(
          'end',
          finish(() => controller.close()),
        )
        .on('error', breakOff)
        .on('close', breakOff);
      incoming.on('data', (chunk) => {
        if (isOver) return;
        controller.enqueue(new Uint8Array(chunk));
        incoming.pause();
      });
    },
    pull() {
      incoming.resume();
    },
    cancel() {
      isOver = true;
    },
  });
}
