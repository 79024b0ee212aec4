/** One HTTP exchange. */

import { withTypes } from './body.js';
import { redact } from './redact.js';
import { parseUrl, read } from './values.js';

/** The type of an answer that a relay continues with each change of the task. */
const STREAM = 'text/event-stream';

/**
 * How Node, Bun, Deno and workerd say that no connection was made, no secure one, or none through a proxy: by a system
 * call, a code or a message. A network that breaks under a request has the same codes, with the system calls `read` and
 * `write`. A page is told nothing.
 */
const NOT_CONNECTED =
  /^ *(?:UNABLE_TO|Requires net|UND_ERR_INVALID_|bad port|getaddrinfo |ENOTFOUND|UND_ERR_CONNECT_|FailedToOpen|ECONNREFUSED|connect |Too many sub|ConnectionRefused|foreign F)|CERT[_ ]|(?:WRONG|PROTOCOL)_VERSION|\(Connect\)|HANDSHAKE|secure TLS|TUNNEL|HTTP Tunneling/;
/** The `fetch` of Node and that of Bun give up by themselves, after 300 s. 23 is the code of a `TimeoutError`. */
const OUT_OF_TIME = /^ (?:UND_ERR_(?:HEADERS|BODY)_TIMEOUT|23) /;

/**
 * What is known of an exchange, for the core and for the error that it may lead to. Each field has its place from the
 * start: an object that grows is slow.
 */
export class Attempt {
  method;
  number;
  cause;
  isSent;
  isLate;
  isJson;
  isStream;
  status;
  seconds;
  date;
  now;
  location;
  requestId;
  /** The task of a create, from a header: it is known even where the body is lost. */
  task_id;
  body;
  /** What `onResponse` gets. */
  info;
  /** The `onResponse` functions that have been called with it. */
  informed = [];
  /** The attempts that a stream goes on to bring. */
  rest;
  secret;

  constructor(method, number) {
    this.method = method;
    this.number = number;
  }
}

/** The origin of another server that a redirect leads to. A path leads to where we are already. */
export function redirectOrigin(location) {
  const nowhere = 'http://x';
  const origin = parseUrl(location, nowhere)?.[0];
  return origin === nowhere ? undefined : origin;
}

/** The data of server-sent events, as a relay of ours sends them: one line each; `undefined` for a heartbeat. */
async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const lines = (text + value).split('\n');
    text = lines.pop();
    for (const line of lines) {
      if (line.startsWith('data:')) yield line.slice(5);
      else if (line.startsWith(':')) yield;
    }
  }
}

/** Whether an error, a cause of it or the first of several errors matches: its system call, its code and its message. */
function matches(error, pattern) {
  try {
    for (let depth = 0; error && depth < 9; depth += 1) {
      const { syscall = '', code = '', message, cause = error.errors?.[0] } = error;
      if (pattern.test(`${syscall} ${code} ${message}`)) return true;
      error = cause;
    }
  } catch {}
  return false;
}

/**
 * Sends a request and reads its answer into `attempt`: its status, its `Retry-After` read both ways and its body,
 * where that is JSON. It never fails: the `cause` tells of an error. Where it may be a stream, the answer is the
 * first of it, and `attempt.rest` has what follows.
 *
 * @param {Attempt} attempt
 * @param {object} request
 * @param {typeof globalThis.fetch} [request.fetch]
 * @param {string} request.url
 * @param {AbortSignal} request.signal
 * @param {Headers} request.headers of the caller
 * @param {string} [request.key]
 * @param {any} [request.body] of a create
 * @param {string} [request.idempotencyKey]
 * @param {boolean} [request.relay]
 * @param {boolean} [request.streams] whether the answer may be a stream
 */
export async function exchange(
  attempt,
  { fetch: custom, url, signal, headers, key, body, idempotencyKey, relay, streams },
) {
  /** The headers of the answer. An attempt must not hold them: they keep the whole response of the platform in memory. */
  let received;
  const header = (name) => redact(received.get(name), key) ?? undefined;
  const limit = (name) => {
    const value = Number(header(`x-ratelimit-${name}`));
    if (!Number.isNaN(value)) return value;
  };
  function parse(text) {
    attempt.body = text;
    // Not every transport leaves out a byte order mark.
    attempt.body = JSON.parse(text.replace(/^\uFEFF/, ''));
    attempt.isJson = true;
  }
  /** This attempt and those that follow, each as if it had been asked for. A heartbeat repeats the last one. */
  async function* parseAll(body) {
    let last;
    for await (const text of events(body)) {
      last = text ?? last;
      if (last === undefined) continue;
      parse(last);
      yield attempt;
      attempt = { ...attempt, rest: undefined };
    }
  }
  const started = performance.now();
  attempt.secret = key;
  headers.set('accept', `application/json${streams ? `, ${STREAM}` : ''}`);
  if (key) headers.set('authorization', `Bearer ${key}`);
  if (idempotencyKey) headers.set('idempotency-key', idempotencyKey);
  try {
    if (typeof body === 'string') {
      headers.set('content-type', 'application/json');
      // Deno's `fetch` sends a string again, and has it billed again, when a connection breaks that it had kept open.
      if (typeof Deno === 'object') body = new Blob([body]);
    } else if (body) {
      // A foreign page may post a form without a preflight. With a header of its own it may not, so a relay wants one.
      if (relay) headers.set('x-lemondata-client', '1');
      // A form of React Native cannot be read.
      if (body.set) body = await withTypes(body);
    }
    if (signal.aborted) return;
    // A redirect would carry the key to wherever it points; edge workers refuse "error".
    /** @type {RequestInit & { keepalive?: boolean }} */
    const init = { method: attempt.method, signal, headers, body, redirect: 'manual' };
    // An answer from a cache would freeze a task. Runtimes that do not know the field may refuse it.
    if (globalThis.Request && 'cache' in Request.prototype) init.cache = 'no-store';
    // Bun before 1.3.12 sends a create again, and has it billed again, when a connection breaks that it had kept open.
    if (body) init.keepalive = false;
    // Called as a function, since workers refuse another `this`.
    const responding = (custom ?? fetch)(url, init);
    attempt.isSent = true;
    const response = await responding;
    // `Response.error()` is no answer, but has the status of a redirect that a page hides.
    if (response.type === 'error') throw response;
    // A transport of the caller's may have made its answer by hand.
    received = response.headers?.get ? response.headers : new Headers(response.headers);
    attempt.status = response.status;
    const retryAfter = header('retry-after');
    if (retryAfter) {
      // A proxy that repeats the header puts its value behind a comma.
      attempt.seconds = Number(`${retryAfter}`.split(',')[0]);
      attempt.date = Date.parse(retryAfter);
      // A date is one of the server's clock, which may differ from ours.
      attempt.now = Date.parse(header('date')) || Date.now();
    }
    attempt.requestId = header('x-request-id');
    attempt.task_id = header('x-task-id');
    attempt.location = redirectOrigin(header('location'));
    attempt.info = {
      method: attempt.method,
      path: new URL(url).pathname,
      status: attempt.status,
      requestId: attempt.requestId,
      rateLimit: { limit: limit('limit'), remaining: limit('remaining'), reset: limit('reset') },
      attempt: attempt.number,
      billingTransactionId: header('x-billing-transaction-id'),
    };
    if (streams && header('content-type')?.startsWith(STREAM)) {
      attempt.isStream = true;
      attempt.rest = parseAll(response.body);
      await attempt.rest.next();
    } else parse(await response.text());
  } catch (cause) {
    attempt.cause = cause;
    if (matches(cause, NOT_CONNECTED)) attempt.isSent = false;
    attempt.isLate = matches(cause, OUT_OF_TIME);
  }
  const { info } = attempt;
  if (!info) return;
  info.durationMs = performance.now() - started;
  info.billingTransactionId ??= read(attempt.body, 'billing_transaction_id') ?? undefined;
  info.usage = read(attempt.body, 'usage');
}
