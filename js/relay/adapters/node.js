import { ANSWER } from '../answers.js';
import { LINGER_BYTES, LINGER_MS } from '../bodies.js';
import { bodyUsed, REFUSAL } from '../refusal.js';
import { assertRelay, BAD_REQUEST, originOf, readAdapterOptions } from './shared.js';

const HTTP2_INTERNAL_ERROR = 2;
/** A request of these has no body. That of a preflight may have been read to its end by a middleware all the same. */
const BODILESS = ['GET', 'HEAD', 'OPTIONS'];
/** An answer of these has no body, and states no length. */
const WITHOUT_BODY = [204, 304];

/**
 * For Node's `http`, `https` and `http2`, and for Express: `createServer(toNodeHandler(relay))`,
 * `app.use('/api/lemondata', toNodeHandler(relay))`.
 *
 * @param {(request: Request, context?: object) => Promise<Response>} relay
 * @param {{ origin?: string, trustProxy?: boolean }} [options] `origin`: where pages see this server, if a proxy in
 *   front of it speaks another protocol or has another name. A request that names another host is refused.
 *   `trustProxy`: that proxy sets `x-forwarded-host` and `x-forwarded-proto`
 */
export function toNodeHandler(relay, options) {
  assertRelay('toNodeHandler', relay);
  const settings = readAdapterOptions('toNodeHandler', options);
  const answer = relay[ANSWER] ?? answerOf(relay);
  return async (incoming, outgoing) => {
    // The client left while another part of the server was busy. Its connection has no address and no further event.
    if (outgoing.destroyed || outgoing.stream?.destroyed) return;
    const gone = new AbortController();
    outgoing.on('close', () => {
      if (!outgoing.writableFinished) gone.abort();
    });
    try {
      const context = { ip: addressOf(incoming) };
      let request;
      try {
        request = toRequest(incoming, settings, gone.signal);
      } catch (error) {
        // The relay answers it and logs it: no other part of the server would.
        context[REFUSAL] = error;
        request = new Request(settings.origin ?? 'http://localhost');
      }
      await respond(await answer(request, context), incoming, outgoing, gone.signal);
    } catch {
      // The client has to see that a body broke off. In HTTP/2, an end without a code is a good end.
      if (outgoing.stream) outgoing.stream.close(HTTP2_INTERNAL_ERROR);
      else outgoing.destroy?.();
    }
  };
}

/**
 * The address of the client. Express has one of its own if its setting `trust proxy` names proxies. With `true`, that is
 * what any client says.
 */
const addressOf = ({ ip, app, socket }) =>
  ip && app?.get?.('trust proxy') !== true ? ip : socket?.remoteAddress;

/** What a relay answers that the application has wrapped in a function of its own. */
const answerOf = (relay) => async (request, context) => {
  const { status, headers, body } = await relay(request, context);
  return { status, headers: Object.fromEntries(headers), body };
};

/**
 * @param {import('../answers.js').WholeAnswer} answer
 * @param {AbortSignal} signal aborts when the client leaves
 */
async function respond({ status, headers, body }, incoming, outgoing, signal) {
  if (headers['content-type'] === 'text/event-stream') {
    outgoing.writeHead(status, headers);
    await pour(body, outgoing, signal);
    return;
  }
  const content = typeof body === 'string' ? body : Buffer.from(await new Response(body).arrayBuffer());
  // With its length, a text leaves in one packet together with its headers.
  const sized = WITHOUT_BODY.includes(status)
    ? headers
    : { 'content-length': `${Buffer.byteLength(content)}`, ...headers };
  const { stream } = outgoing;
  if (incoming.complete || stream?.endAfterHeaders) {
    outgoing.writeHead(status, sized);
    outgoing.end(content);
    incoming.removeAllListeners('data').resume();
    return;
  }
  // The answer leaves at once, and the rest of the body is read: as `readOn` says. HTTP/2 ends one request without the
  // connection.
  outgoing.writeHead(status, stream ? sized : { ...sized, connection: 'close' });
  if (stream) outgoing.end(content);
  else outgoing.write(content);
  const timer = setTimeout(end, LINGER_MS).unref();
  let left = LINGER_BYTES;
  function end() {
    clearTimeout(timer);
    if (stream) stream.close();
    else outgoing.end();
  }
  incoming
    .removeAllListeners('data')
    .on('close', end)
    .on('end', end)
    .on('data', ({ length }) => {
      left -= length;
      if (left < 0) end();
    })
    .resume();
}

/** Passes a stream on as it comes, and no faster than its reader reads it. */
async function pour(stream, outgoing, signal) {
  const reader = stream.getReader();
  const cancel = () => reader.cancel().catch(() => {});
  if (signal.aborted) return cancel();
  signal.addEventListener('abort', cancel, { once: true });
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    const isRoomy = outgoing.write(value);
    // A compressing middleware would hold it back.
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
function toRequest(incoming, settings, signal) {
  const { method, headers, socket } = incoming;
  // HTTP/2 calls the host `:authority`.
  const host = headers[':authority'] ?? headers.host ?? 'localhost';
  const protocol = socket?.encrypted ? 'https' : 'http';
  // Express cuts off the part of the path where it is mounted.
  const target = incoming.originalUrl ?? incoming.url;
  // A target that is a whole URL, or that begins with two slashes, must not name another host.
  const path = target.startsWith('/') ? target : `/${target}`;
  const [pathname] = path.split(/[?#]/);
  const base = originOf(settings, { protocol, host, path: pathname, header: (name) => headers[name] });
  const hasBody = !BODILESS.includes(method);
  const parsed = hasBody ? parsedBody(incoming) : undefined;
  /** @type {[string, string][]} */
  const pairs = Object.entries(headers)
    // Pseudo-headers of HTTP/2 are no headers. A body that was read is no longer packed, nor of its former length.
    .filter(([name]) => !name.startsWith(':') && !(parsed !== undefined && ENTITY_HEADERS.includes(name)))
    .flatMap(([name, value]) => [value].flat().map((each) => /** @type {[string, string]} */ ([name, each])));
  /** @type {RequestInit & { duplex?: 'half' }} */
  const init = {
    method,
    headers: pairs,
    body: hasBody ? (parsed ?? bodyOf(incoming)) : undefined,
    duplex: hasBody ? 'half' : undefined,
    signal,
  };
  let request;
  try {
    request = new Request(base + path, init);
  } catch {
    throw BAD_REQUEST;
  }
  // A guard in front of the relay has looked at the path as it came, with its dots and backslashes.
  if (new URL(request.url).pathname !== pathname) throw BAD_REQUEST;
  return request;
}

const ENTITY_HEADERS = ['content-length', 'content-encoding', 'transfer-encoding'];

/**
 * A body that a parser in front of the relay has read, such as `express.json()`, or `undefined`.
 *
 * @throws {Refusal} if a parser read it and did not keep it
 * @returns {any} a body for `fetch`
 */
function parsedBody(incoming) {
  const isOver = incoming.readableEnded || incoming.destroyed;
  if (!isOver && !incoming.readableDidRead) return undefined;
  // Cloud functions keep the bytes beside the parsed body.
  const kept = incoming.rawBody ?? incoming.body;
  if (kept === undefined && !isOver) return undefined;
  const isParsed = typeof kept !== 'string' && !(kept instanceof Uint8Array);
  // A parser of forms keeps their texts here, and the files elsewhere.
  const isForm = /^multipart\//i.test(incoming.headers['content-type'] ?? '');
  if (kept !== undefined && !(isForm && isParsed)) return isParsed ? JSON.stringify(kept) : kept;
  throw bodyUsed(
    'Mount toNodeHandler(relay) before body parsers, or have them leave the parsed body in request.body.',
  );
}

/** A body as a web stream: it reads on demand, and throws away what comes after a cancellation. */
function bodyOf(incoming) {
  let isOver = false;
  return new ReadableStream({
    start(controller) {
      const finish = (end) => () => {
        if (!isOver) end();
        isOver = true;
      };
      const breakOff = finish(() => controller.error(new Error('The request broke off.')));
      const close = finish(() => controller.close());
      incoming.on('end', close).on('error', breakOff).on('close', breakOff);
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
