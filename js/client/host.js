/**
 * The JavaScript half of the shell: what would cost more bytes to say in WebAssembly. It decides nothing.
 * `src/shell/js.rs` declares these functions. This file imports none: wasm-bindgen copies it for its tests.
 */

/** What is read of values, by the numbers of the core's `Name`; the options are the first of it. */
export const NAMES = /* @__PURE__ */ (
  'apiKey baseUrl relay fetch headers dangerouslyAllowBrowser signal requestTimeout maxRetries pollInterval ' +
  'maxWait maxPolls idempotencyKey onTask onUpdate onResponse options min max aborted reason request prompt ' +
  'n model size quality response_format style user task task_id id poll_url status data url b64_json ' +
  'video_url audio_url model_url video videos cancelled error code type hint ' +
  'did_you_mean retryable retry_after isSent isLate isJson isRefused ' +
  'seconds date now location body value given defaults addEventListener removeEventListener age'
).split(' ');

/** How many of the names are options. */
const OPTIONS = 16;

/** In place of the number of a name; what is larger is an element. `src/shell/value.rs` knows the numbers. */
const WAYS = [
  (value) => Object.entries(Object(value)),
  (value) => (Array.isArray(value) ? value.length : 0),
  encodeURIComponent,
  reasonOf,
  (value) => value,
];
const WAY = 96;
const ITSELF = 100;

/** The last types, as `src/shell/value.rs` numbers them; whatever is none of them comes before. */
const TYPES = ['number', 'array', 'object', 'function'];
const NUMBER = 6;
const OBJECT = 8;
/** What is none of them, such as a symbol, or an object that cannot be looked at. */
const OTHER = 5;

/** A field, or `undefined` where there is none or its getter throws. */
export function read(value, name) {
  try {
    return value?.[name];
  } catch {}
}

// Values come from callers and servers: a getter or a proxy that throws must not throw into the module.
export function field(value, key) {
  if (key < WAY) return read(value, NAMES[key]);
  if (key > ITSELF) return read(value, key - ITSELF - 1);
  try {
    return WAYS[key - WAY](value);
  } catch {}
}

export function kindOf(value, key) {
  value = field(value, key);
  if (value == null) return 0;
  try {
    const type = Array.isArray(value) ? 'array' : typeof value;
    if (type === 'boolean') return value ? 2 : 1;
    if (type === 'string') return value ? 4 : 3;
    return TYPES.indexOf(type) + NUMBER;
  } catch {
    return OTHER;
  }
}

export function numberOf(value, key) {
  value = field(value, key);
  return typeof value === 'number' ? value : Number.NaN;
}

const encoder = /* @__PURE__ */ new TextEncoder();
let encoded;

/** No text is longer in linear memory: a server may send megabytes of message. */
const LONGEST_TEXT = 65_536;

/** A string, or a whole number as one. */
const asText = (value) => (typeof value === 'string' || Number.isSafeInteger(value) ? `${value}` : '');

/** Encodes a text, and says how many bytes that takes. */
export function textOf(value, key) {
  value = field(value, key);
  // Some servers number their tasks.
  if (typeof value !== 'string' && !/id$/.test(NAMES[key])) return 0;
  encoded = encoder.encode(asText(value).slice(0, LONGEST_TEXT));
  return encoded.length;
}

/** A reason names so many of what is wrong. */
const MAX_REASONS = 5;
/** A reason stands at most so deep in a body: `detail[].message` is at the third level. An attacker may nest anything. */
const MAX_DEPTH = 3;

/** Why a body refuses: the first text that says something, with the first elements of lists behind it. */
export function reasonOf(value, depth = 0) {
  let text = asText(value);
  if (depth === MAX_DEPTH) return text;
  const join = (link, ...parts) => parts.filter((part) => part).join(link);
  const list = (items) => (Array.isArray(items) ? items.slice(0, MAX_REASONS) : []);
  const inner = (item) => reasonOf(item, depth + 1);
  for (const name of ['error', 'message', 'msg', 'detail', 'errors']) text ||= inner(value?.[name]);
  text = join('; ', text, ...list(value).map(inner), inner(value?.validation_errors));
  return join(': ', asText(list(value?.loc).at(-1) ?? value?.field), text);
}

/** Writes what has been encoded. */
export const fill = (bytes) => bytes.set(encoded);

/** An option that cannot be read is of no type that is allowed. */
const UNREADABLE = /* @__PURE__ */ Symbol('unreadable');

function option(options, name) {
  try {
    return options?.[name];
  } catch {
    return UNREADABLE;
  }
}

/** The options of a call over those of its client, each read once: what has been checked is what is used. */
export const mergeOptions = (options, defaults) =>
  Object.fromEntries(
    NAMES.slice(0, OPTIONS).map((name) => [name, option(options, name) ?? option(defaults, name)]),
  );

/** A random UUID. Pages without a secure context lack `randomUUID`, and some test environments lack all of `crypto`. */
export function randomUuid() {
  const { crypto } = globalThis;
  if (crypto?.randomUUID) return crypto.randomUUID();
  const bytes = new Uint8Array(16).map(() => Math.random() * 256);
  crypto?.getRandomValues?.(bytes);
  bytes[6] = (bytes[6] & 15) | 64;
  bytes[8] = (bytes[8] & 63) | 128;
  const hex = Array.from(bytes, (byte) => (byte + 256).toString(16).slice(1)).join('');
  return hex.replace(/(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

/**
 * Origin, path with query, and whether there is nothing else, of a URL that may be relative: to `base`, or to
 * the page. A worker made of a blob stands at its page's origin.
 */
export function parseUrl(text, base) {
  try {
    const page = globalThis.document?.baseURI ?? globalThis.location?.href;
    const url = new URL(text, base || page?.replace(/^blob:/, ''));
    const { origin, pathname, search, hash, username, password } = url;
    return [origin, pathname + search, !(search || hash || username || password)];
  } catch {}
}

/** The origin of another server that a redirect leads to. A path leads to where we are already. */
export function redirectOrigin(location) {
  const nowhere = 'http://x';
  const origin = parseUrl(location, nowhere)?.[0];
  return origin === nowhere ? undefined : origin;
}

/** What a relay answers a poll with that it goes on to answer. */
const STREAM = 'text/event-stream';

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

/**
 * What is known of an attempt: for the core whether it was sent, and all that an error keeps of it. Each field has
 * its place from the start: an object that grows is slow.
 */
export const attempt = (cause, method) => ({
  cause,
  method,
  isSent: false,
  isLate: false,
  isJson: false,
  isStream: false,
  status: undefined,
  headers: undefined,
  seconds: undefined,
  date: undefined,
  now: undefined,
  location: undefined,
  requestId: undefined,
  body: undefined,
  request: undefined,
  told: undefined,
  rest: undefined,
  secret: undefined,
});

/** What an option says, which may be a function. */
export const current = async (option, argument) => (typeof option === 'function' ? option(argument) : option);

/**
 * The key as `value` and the headers for one request. Where the key's function fails, an attempt with the cause;
 * where the headers cannot be used, `isRefused`, without a cause, which could show their values.
 */
export async function readCredentials(apiKey, headers) {
  let value;
  try {
    value = await current(apiKey);
  } catch (cause) {
    return attempt(cause);
  }
  try {
    return { value, headers: new Headers(await current(headers)) };
  } catch {
    return { value, isRefused: true };
  }
}

/** The `value` as JSON, or an attempt with the cause why there is none. */
export function toJson(value) {
  try {
    return { value: JSON.stringify(value) };
  } catch (cause) {
    return attempt(cause);
  }
}

/** How Node, Bun and Deno say that no connection was made: by a code, or else by a message. A page is told nothing. */
const NOT_CONNECTED =
  /^(?:ECONNREFUSED|ENOTFOUND|EAI_AGAIN|ENETUNREACH|EHOSTUNREACH|UND_ERR_CONNECT_TIMEOUT|ConnectionRefused)$|client error \(Connect\)/;
/** Node's own `fetch` gives up by itself, after 300 s. */
const OUT_OF_TIME = /^UND_ERR_(?:HEADERS|BODY)_TIMEOUT$/;

/** Whether an error, or a cause of it, matches. */
function matches(error, pattern) {
  for (let depth = 0; error && depth < 9; depth += 1) {
    if (pattern.test(read(error, 'code') ?? read(error, 'message'))) return true;
    error = read(error, 'cause');
  }
  return false;
}

/**
 * A text without the secret that a server may have echoed: nobody who logs an error is to find it there. A key that
 * is as short as a word stays, since the word would go everywhere.
 */
export const redact = (text, secret) =>
  secret?.length >= SHORTEST_SECRET && typeof text === 'string' ? text.replaceAll(secret, '[key]') : text;
const SHORTEST_SECRET = 8;

/** The same of all texts within an answer. The names of its fields stay where the secret could be one of them. */
export function redactAll(value, secret) {
  if (Array.isArray(value)) return value.map((item) => redactAll(item, secret));
  if (kindOf(value, ITSELF) !== OBJECT) return redact(value, secret);
  const clean = (name) => (/^\w+$/.test(secret) ? name : redact(name, secret));
  return Object.fromEntries(
    Object.entries(value).map(([name, field]) => [clean(name), redactAll(field, secret)]),
  );
}

/**
 * Sends a request and reads its answer into `about`: its status, its `Retry-After` read both ways and its body,
 * where that is JSON. It never fails: what went wrong is the `cause`. Where it may be a stream, the answer is the
 * first of it, and `about.rest` has what follows.
 */
export async function exchange(
  about,
  { fetch: custom, url, signal, headers = new Headers(), key, body, idempotencyKey, streams },
) {
  const header = (name) => redact(about.headers?.get(name), key) ?? undefined;
  function take(text) {
    about.body = text;
    about.body = JSON.parse(text);
    about.isJson = true;
  }
  /** This attempt and those that follow, each as if it had been asked for. A heartbeat repeats the last one. */
  async function* takeAll(body) {
    let last;
    for await (const text of events(body)) {
      last = text ?? last;
      if (last === undefined) continue;
      take(last);
      yield about;
      about = { ...about, rest: undefined };
    }
  }
  about.secret = key;
  headers.set('accept', `application/json${streams ? `, ${STREAM}` : ''}`);
  if (key) headers.set('authorization', `Bearer ${key}`);
  if (idempotencyKey) headers.set('idempotency-key', idempotencyKey);
  if (body) headers.set('content-type', 'application/json');
  if (signal.aborted) return;
  try {
    // Deno's `fetch` sends a string again, and has it billed again, when a connection breaks that it had kept open.
    if (body && typeof Deno === 'object') body = new Blob([body]);
    // A redirect would carry the key to wherever it points; edge workers refuse "error".
    const init = { method: about.method, signal, headers, body, redirect: 'manual' };
    // An answer from a cache would freeze a task. Runtimes that do not know the field may refuse it.
    if (globalThis.Request && 'cache' in Request.prototype) init.cache = 'no-store';
    // Called as a function, since workers refuse another `this`.
    const responding = custom ? custom(url, init) : fetch(url, init);
    about.isSent = true;
    const response = await responding;
    about.headers = new Headers(response.headers);
    about.status = response.status;
    const retryAfter = header('retry-after');
    about.seconds = Number(retryAfter);
    about.date = Date.parse(retryAfter);
    // A date is one of the server's clock, which may differ from ours.
    about.now = Date.parse(header('date')) || Date.now();
    about.location = redirectOrigin(header('location'));
    about.requestId = header('x-request-id');
    if (streams && header('content-type')?.startsWith(STREAM)) {
      about.isStream = true;
      about.rest = takeAll(response.body);
      await about.rest.next();
    } else take(await response.text());
  } catch (cause) {
    about.cause = cause;
    if (matches(cause, NOT_CONNECTED)) about.isSent = false;
    about.isLate = matches(cause, OUT_OF_TIME);
  }
}

/** What `onResponse` is told. */
export function responseInfo({ method, request: [path, durationMs, attempt], status, requestId, headers }) {
  const number = (name) => {
    const value = Number(headers?.get(`x-ratelimit-${name}`) ?? undefined);
    return Number.isNaN(value) ? undefined : value;
  };
  const rateLimit = { limit: number('limit'), remaining: number('remaining'), reset: number('reset') };
  return { method, path, status, requestId, rateLimit, durationMs, attempt };
}

/** In the order of the core's `Status`; the last one is that of `src/shell/http.rs`. */
const STATUSES = ['pending', 'processing', 'completed', 'failed'];
const FAILED = 3;

/** Makes the provider's own object a generation. That of a failed task is a copy, which holds no placeholders. */
export function normalise({ body, secret }, status, isForeign, taskId) {
  if (status === FAILED) body = { ...redactAll(body, secret), data: undefined };
  if (isForeign) body.provider_status = body.status;
  body.status = STATUSES[status];
  if (taskId) body.task_id = taskId;
  if (body.status === 'completed' && !Array.isArray(body.data)) body.data = [];
  return body;
}

/** A task reference, plain JSON: stored anywhere, it resumes the wait. */
export const task = (task_id, poll_url) => (poll_url ? { task_id, poll_url } : { task_id });
