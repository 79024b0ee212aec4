/** The relay in the shape that a framework wants: each a few lines, none with a decision of its own. */

/** How long the rest of a body that was refused is taken, so that its sender comes to read the answer. */
const LINGER_MS = 1000;
/** The methods that a relay may be asked with; it answers the wrong ones itself. */
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

/**
 * For a Cloudflare worker: `export default toCloudflare((env) => createRelay({ … }))`. The relay is made at the first
 * request, and again only where the environment is another.
 */
export function toCloudflare(make) {
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
export const toHono = (relay) => (c) => {
  let context;
  try {
    // Outside of workers, asking for it throws.
    context = c.executionCtx;
  } catch {}
  return relay(c.req.raw, context);
};

/**
 * For a route of Next.js: `export const { GET, POST, OPTIONS } = toNextRoute(relay)`.
 *
 * @param {(request: Request, context?: object) => Promise<Response>} relay
 * @param {{ origin?: string }} [options] `origin`: where pages see this server, which `next start` does not tell
 */
export function toNextRoute(relay, { origin } = {}) {
  const handle = (request) => {
    if (!origin) return relay(request);
    const { pathname, search } = new URL(request.url);
    return relay(new Request(origin + pathname + search, request));
  };
  return Object.fromEntries(METHODS.map((method) => [method, handle]));
}

/**
 * For Node's `http` and for Express: `createServer(toNodeHandler(relay))`, `app.use('/api/lemondata', toNodeHandler(relay))`.
 *
 * @param {(request: Request, context?: object) => Promise<Response>} relay
 * @param {{ origin?: string }} [options] `origin`: where pages see this server, if a proxy in front of it speaks
 *   another protocol or has another name
 */
export function toNodeHandler(relay, { origin } = {}) {
  return async (incoming, outgoing) => {
    const gone = new AbortController();
    outgoing.on('close', () => gone.abort());
    let response;
    try {
      response = await relay(toRequest(incoming, origin, gone.signal), { ip: incoming.socket.remoteAddress });
    } catch {
      // A request that is no valid `Request`.
      response = new Response('{"error":{"message":"Bad request.","code":"invalid_request_error"}}', {
        status: 400,
        headers: { 'content-type': 'application/json' },
      });
    }
    const headers = Object.fromEntries(response.headers);
    if (headers['content-type'] === 'text/event-stream') {
      outgoing.writeHead(response.status, headers);
      const reader = response.body.getReader();
      outgoing.on('close', () => reader.cancel());
      for (let part = await reader.read(); !part.done; part = await reader.read()) outgoing.write(part.value);
      outgoing.end();
      return;
    }
    const body = Buffer.from(await response.arrayBuffer());
    if (incoming.complete) {
      outgoing.writeHead(response.status, headers);
      outgoing.end(body);
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
  };
}

function toRequest(incoming, origin, signal) {
  const { method, headers, socket } = incoming;
  const protocol = socket.encrypted ? 'https' : 'http';
  const base = origin ?? `${protocol}://${headers.host ?? 'localhost'}`;
  // Express takes the part of the path off where it is mounted.
  const path = incoming.originalUrl ?? incoming.url;
  // A target that is a whole URL, or begins with two slashes, must not name another host.
  const url = base + (path.startsWith('/') ? path : `/${path}`);
  const pairs = Object.entries(headers).flatMap(([name, value]) =>
    [value].flat().map((each) => [name, each]),
  );
  const hasBody = method !== 'GET' && method !== 'HEAD';
  return new Request(url, {
    method,
    headers: pairs,
    body: hasBody ? bodyOf(incoming) : undefined,
    duplex: hasBody ? 'half' : undefined,
    signal,
  });
}

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
