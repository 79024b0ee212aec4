/**
 * The JavaScript half of the shell: what would cost more bytes to say in WebAssembly. It decides nothing.
 * `src/shell/js.rs` declares these functions. This file imports none: wasm-bindgen copies it for its tests.
 */

/** The types in the order of the core's `Type`. */
const TYPES = ['boolean', 'number', 'string', 'array', 'object', 'function'];

export function kindOf(value) {
  if (value == null) return 0;
  const type = TYPES.indexOf(Array.isArray(value) ? 'array' : typeof value);
  return type < 0 ? 7 : type + 1;
}

/** A field, or `undefined` where there is none or its getter throws. */
export function field(value, name) {
  try {
    return value?.[name];
  } catch {}
}

export const isFilled = (value) => typeof value === 'string' && value !== '';

export const lengthOf = (value) => (Array.isArray(value) ? value.length : 0);

export const names = (value) => Object.keys(Object(value));

/**
 * Origin, path with query, and whether there is nothing else, of a URL that may be relative: to `base`, or to
 * the page. A worker made of a blob stands at its page's origin.
 */
export function parseUrl(text, base) {
  try {
    const page = globalThis.document?.baseURI ?? globalThis.location?.href;
    const { origin, pathname, search, href } = new URL(text, base || page?.replace(/^blob:/, ''));
    return [origin, pathname + search, origin + pathname === href];
  } catch {}
}

/** A promise of an option that may be a function, whose failure is the promise's. */
export const current = async (option) => (typeof option === 'function' ? option() : option);

export function requestInit(method, signal, headers, key, body, idempotencyKey) {
  headers = new Headers(headers);
  headers.set('accept', 'application/json');
  if (key) headers.set('authorization', `Bearer ${key}`);
  if (idempotencyKey) headers.set('idempotency-key', idempotencyKey);
  if (body) headers.set('content-type', 'application/json');
  // A redirect would carry the key to wherever it points. Edge workers refuse "error".
  return { method, signal, headers, body, redirect: 'manual' };
}

/** Calls the given `fetch` or the global one: as a function, since workers refuse another `this`. */
export const send = (custom, url, init) => (custom ? custom(url, init) : fetch(url, init));

export const text = (response) => response.text();

export const stringify = (value) => JSON.stringify(value);

/**
 * What is in an answer: for the core its status, its `Retry-After` read both ways and its body, where that is
 * JSON; for an error also the request id, the body as it came, and why it could not be read.
 */
export function receive(response, key, text, cause) {
  // A server may echo the key; nobody who logs its answer is to find it there.
  const redact = (value) => (key && value ? value.replaceAll(key, '[key]') : (value ?? undefined));
  const header = (name) => redact(response.headers?.get(name));
  const retryAfter = header('retry-after');
  const answer = {
    status: response.status,
    seconds: Number(retryAfter),
    date: Date.parse(retryAfter),
    requestId: header('x-request-id'),
    body: redact(text),
    isJson: false,
    cause,
  };
  try {
    if (text !== undefined) {
      answer.body = JSON.parse(answer.body);
      answer.isJson = true;
    }
  } catch (error) {
    answer.cause = error;
  }
  return answer;
}

/** What `onResponse` is told. */
export function responseInfo(method, path, response, { status, requestId }, durationMs, attempt) {
  const number = (name) => {
    const value = Number(response.headers?.get(`x-ratelimit-${name}`) ?? undefined);
    return Number.isNaN(value) ? undefined : value;
  };
  const rateLimit = { limit: number('limit'), remaining: number('remaining'), reset: number('reset') };
  return { method, path, status, requestId, rateLimit, durationMs, attempt };
}

/** Makes the provider's own object a generation. */
export function normalise(body, status, isForeign, taskId) {
  if (isForeign) body.provider_status = body.status;
  body.status = status;
  if (taskId) body.task_id = taskId;
  if (status === 'completed' && !Array.isArray(body.data)) body.data = [];
  return body;
}

/** A task reference, plain JSON: stored anywhere, it resumes the wait. */
export const task = ([task_id, poll_url]) => (poll_url ? { task_id, poll_url } : { task_id });

/** What is known of an attempt that brought no answer. */
export const cause = (cause) => ({ cause });
