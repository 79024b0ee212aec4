/** One HTTP exchange. */

import { redact } from './redact.js';
import { parseUrl, read } from './values.js';

/** The type of an answer that a relay goes on to answer. */
const STREAM = 'text/event-stream';

/** How Node, Bun and Deno say that no connection was made: by a code, or else by a message. A page is told nothing. */
const NOT_CONNECTED =
  /^(?:ECONNREFUSED|ENOTFOUND|EAI_AGAIN|ENETUNREACH|EHOSTUNREACH|UND_ERR_CONNECT_TIMEOUT|ConnectionRefused)$|client error \(Connect\)/;
/** Node's own `fetch` gives up by itself, after 300 s. */
const OUT_OF_TIME = /^UND_ERR_(?:HEADERS|BODY)_TIMEOUT$/;

/**
 * What is known of an exchange, for the core and for the error that it may lead to. Each field has its place from the
 * start: an object that grows is slow.
 */
export class Attempt {
  method;
  url;
  number;
  durationMs;
  cause;
  isSent = false;
  isLate = false;
  isJson = false;
  isStream = false;
  status;
  headers;
  seconds;
  date;
  now;
  location;
  requestId;
  body;
  /** What `onResponse` gets. */
  info;
  /** The `onResponse` functions that have been called with it. */
  informed = [];
  /** The attempts that a stream goes on to bring. */
  rest;
  secret;

  constructor(method, url, number) {
    this.method = method;
    this.url = url;
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

/** Whether an error, or a cause of it, matches. */
function matches(error, pattern) {
  for (let depth = 0; error && depth < 9; depth += 1) {
    if (pattern.test(read(error, 'code') ?? read(error, 'message'))) return true;
    error = read(error, 'cause');
  }
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
 * @param {Headers} [request.headers] of the caller
 * @param {string} [request.key]
 * @param {string | FormData | Blob} [request.body] of a create
 * @param {string} [request.idempotencyKey]
 * @param {boolean} [request.relay]
 * @param {boolean} [request.streams] whether the answer may be a stream
 */
export async function exchange(
  attempt,
  { fetch: custom, url, signal, headers = new Headers(), key, body, idempotencyKey, relay, streams },
) {
  const header = (name) => redact(attempt.headers?.get(name), key) ?? undefined;
  function parse(text) {
    attempt.body = text;
    attempt.body = JSON.parse(text);
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
  if (typeof body === 'string') headers.set('content-type', 'application/json');
  // A page may post a form anywhere without being asked. A relay wants proof that it was.
  else if (body && relay) headers.set('x-lemondata-client', '1');
  if (signal.aborted) return;
  try {
    // Deno's `fetch` sends a string again, and has it billed again, when a connection breaks that it had kept open.
    if (typeof body === 'string' && typeof Deno === 'object') body = new Blob([body]);
    // A redirect would carry the key to wherever it points; edge workers refuse "error".
    /** @type {RequestInit} */
    const init = { method: attempt.method, signal, headers, body, redirect: 'manual' };
    // An answer from a cache would freeze a task. Runtimes that do not know the field may refuse it.
    if (globalThis.Request && 'cache' in Request.prototype) init.cache = 'no-store';
    // Called as a function, since workers refuse another `this`.
    const responding = custom ? custom(url, init) : fetch(url, init);
    attempt.isSent = true;
    const response = await responding;
    // A transport of the caller's may have made its answer by hand.
    attempt.headers = response.headers?.get ? response.headers : new Headers(response.headers);
    attempt.status = response.status;
    const retryAfter = header('retry-after');
    if (retryAfter !== undefined) {
      attempt.seconds = Number(retryAfter);
      attempt.date = Date.parse(retryAfter);
      // A date is one of the server's clock, which may differ from ours.
      attempt.now = Date.parse(header('date')) || Date.now();
    }
    attempt.location = redirectOrigin(header('location'));
    attempt.requestId = header('x-request-id');
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
  attempt.durationMs = performance.now() - started;
}

/** What `onResponse` gets. */
export function responseInfo({ method, url, status, requestId, headers, durationMs, number: attempt, body }) {
  const billingTransactionId =
    headers.get('x-billing-transaction-id') ?? read(body, 'billing_transaction_id') ?? undefined;
  const number = (name) => {
    const value = Number(headers.get(`x-ratelimit-${name}`) ?? undefined);
    return Number.isNaN(value) ? undefined : value;
  };
  const rateLimit = { limit: number('limit'), remaining: number('remaining'), reset: number('reset') };
  const usage = read(body, 'usage');
  const path = new URL(url).pathname;
  return { method, path, status, requestId, rateLimit, durationMs, attempt, billingTransactionId, usage };
}
