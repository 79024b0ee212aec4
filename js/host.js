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

/** Origin, path and whether there is nothing else, of a URL that may be relative to a page. */
export function locate(text, page) {
  try {
    const { origin, pathname, href } = new URL(text, page);
    return [origin, pathname, origin + pathname === href];
  } catch {}
}

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

/** A server may echo the key; nobody who logs its answer is to find it there. */
export const redact = (text, key) => (key && text ? text.replaceAll(key, '[key]') : text);

export const header = (response, name, key) => redact(response.headers.get(name) ?? undefined, key);

export const parse = (text) => JSON.parse(text);

export const stringify = (value) => JSON.stringify(value);

export const invoke = (target, method) => target[method]();

/** What `onResponse` is told. */
export function responseInfo(method, path, response, key, durationMs, attempt) {
  const number = (name) => {
    const text = header(response, `x-ratelimit-${name}`);
    return text && Number(text);
  };
  return {
    method,
    path,
    status: response.status,
    requestId: header(response, 'x-request-id', key),
    rateLimit: { limit: number('limit'), remaining: number('remaining'), reset: number('reset') },
    durationMs,
    attempt,
  };
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
