/** The relay in the shape that a framework wants: each a few lines, none with a decision of its own. */

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

/** For a route of Next.js: `export const { GET, POST, OPTIONS } = toNextRoute(relay)`. */
export const toNextRoute = (relay) =>
  Object.fromEntries(METHODS.map((method) => [method, (request) => relay(request)]));

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
    if (!incoming.complete) {
      // The rest of a body that was refused is thrown away, for as long as it takes to read the answer.
      headers.connection = 'close';
      incoming.resume();
      setTimeout(() => incoming.destroy(), LINGER_MS).unref();
    }
    outgoing.writeHead(response.status, headers);
    outgoing.end(Buffer.from(await response.arrayBuffer()));
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

/** A body as a web stream, which takes no more than it is asked for. */
function bodyOf(incoming) {
  const chunks = incoming[Symbol.asyncIterator]();
  return new ReadableStream({
    async pull(controller) {
      try {
        const { done, value } = await chunks.next();
        if (done) controller.close();
        else controller.enqueue(new Uint8Array(value));
      } catch (error) {
        controller.error(error);
      }
    },
  });
}
