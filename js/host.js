/**
 * The JavaScript half of the shell: what would cost more bytes to say in WebAssembly. It decides nothing.
 * `src/shell/js.rs` declares these functions. This file imports none: wasm-bindgen copies it for its tests.
 */

/** What is read of values, by the numbers of the core's `Name`; the options are the first of it. */
export const NAMES = /* @__PURE__ */ (
  'apiKey baseUrl relay fetch headers dangerouslyAllowBrowser signal requestTimeout maxRetries pollInterval ' +
  'maxWait maxPolls idempotencyKey onTask onUpdate onResponse options min max aborted reason request prompt ' +
  'n model size quality response_format style user task task_id id poll_url status data url b64_json ' +
  'video_url audio_url model_url video videos cancelled error code type message msg detail errors ' +
  'validation_errors field loc hint did_you_mean retryable retry_after isSent isLate isJson isRefused ' +
  'seconds date location body value given defaults'
).split(' ');

/** How many of the names are options. */
const OPTIONS = 16;

/** In place of the number of a name; what is larger is an element. `src/shell/value.rs` knows the numbers. */
const WAYS = [
  (value) => Object.entries(Object(value)),
  (value) => (Array.isArray(value) ? value.length : 0),
  encodeURIComponent,
  (value) => value,
];
const WAY = 96;
const ITSELF = 99;

/** The last types, as `src/shell/value.rs` numbers them; whatever is none of them comes before. */
const TYPES = ['number', 'array', 'object', 'function'];
const NUMBER = 6;
const OBJECT = 8;

/** A field, or `undefined` where there is none or its getter throws. */
export function read(value, name) {
  try {
    return value?.[name];
  } catch {}
}

export function field(value, key) {
  if (key < WAY) return read(value, NAMES[key]);
  return key > ITSELF ? read(value, key - ITSELF - 1) : WAYS[key - WAY](value);
}

export function kindOf(value, key) {
  value = field(value, key);
  if (value == null) return 0;
  const type = Array.isArray(value) ? 'array' : typeof value;
  if (type === 'boolean') return value ? 2 : 1;
  if (type === 'string') return value ? 4 : 3;
  return TYPES.indexOf(type) + NUMBER;
}

export function numberOf(value, key) {
  value = field(value, key);
  return typeof value === 'number' ? value : Number.NaN;
}

const encoder = /* @__PURE__ */ new TextEncoder();
let encoded;

/** Encodes a text, and says how many bytes that takes. */
export function textOf(value, key) {
  value = field(value, key);
  if (!value || typeof value !== 'string') return 0;
  encoded = encoder.encode(value);
  return encoded.length;
}

/** Writes what has been encoded. */
export const fill = (bytes) => bytes.set(encoded);

/** The options of a call over those of its client, each read once: what has been checked is what is used. */
export const given = (options, defaults) =>
  Object.fromEntries(
    NAMES.slice(0, OPTIONS).map((name) => [name, read(options, name) ?? read(defaults, name)]),
  );

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

/** What a relay answers a poll with that it goes on to answer. */
const STREAM = 'text/event-stream';

/** The data of server-sent events, as a relay of ours sends them: one line each. */
async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const lines = (text + value).split('\n');
    text = lines.pop();
    for (const line of lines) if (line.startsWith('data:')) yield line.slice(5);
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
  isRefused: undefined,
  status: undefined,
  headers: undefined,
  seconds: undefined,
  date: undefined,
  requestId: undefined,
  body: undefined,
  request: undefined,
  told: undefined,
  rest: undefined,
});

/** What an option says, which may be a function. */
export const current = async (option, argument) => (typeof option === 'function' ? option(argument) : option);

/** A promise of the `value` of an option that may be a function, or of an attempt that its failure is the cause of. */
export function ask(host, key, argument) {
  host.live();
  const asked = current(host.given[NAMES[key]], argument);
  return host.follow(
    asked.then(
      (value) => ({ value }),
      (cause) => attempt(cause),
    ),
  );
}

/** The `value` as JSON, or an attempt with the cause why there is none. */
export function stringify(value) {
  try {
    return { value: JSON.stringify(value) };
  } catch (cause) {
    return attempt(cause);
  }
}

/** A promise of an attempt, which the host has at hand from the start: there may be no time for more. */
export function send(host, url, isCreate, controller, key, body, idempotencyKey) {
  host.live();
  const method = isCreate ? 'POST' : 'GET';
  const about = attempt(undefined, method);
  const { fetch, headers } = host.given;
  host.about = about;
  host.controller = controller;
  return host.follow(
    exchange(about, fetch, url, method, controller.signal, headers, key, body, idempotencyKey, host.streams),
  );
}

/**
 * Sends a request and reads its answer into `about`: its status, its `Retry-After` read both ways and its body,
 * where that is JSON. It never fails: what went wrong is the `cause`. Headers that cannot be used are told
 * apart, without a cause, which could show their values. Where it may be a stream, the answer is the first of it,
 * and `about.rest` has what follows.
 */
export async function exchange(
  about,
  custom,
  url,
  method,
  signal,
  headers,
  key,
  body,
  idempotencyKey,
  streams,
) {
  // A server may echo the key; nobody who logs its answer is to find it there.
  const redact = (text) => (key && text ? text.replaceAll(key, '[key]') : (text ?? undefined));
  const clean = (_, value) => {
    if (typeof value === 'string') return redact(value);
    if (kindOf(value, ITSELF) !== OBJECT) return value;
    return Object.fromEntries(Object.entries(value).map(([name, field]) => [redact(name), field]));
  };
  const header = (name) => redact(about.headers?.get(name));
  function take(text) {
    about.body = redact(text);
    // Where there are escapes, the key may have been written in another way.
    about.body = JSON.parse(about.body, key && about.body?.includes('\\') ? clean : undefined);
    about.isJson = true;
  }
  /** This attempt and those that follow, each as if it had been asked for. */
  async function* takeAll(body) {
    for await (const text of events(body)) {
      take(text);
      yield about;
      about = { ...about, rest: undefined };
    }
  }
  let init;
  try {
    init = new Headers(await current(headers));
  } catch {
    about.isRefused = true;
    return about;
  }
  init.set('accept', `application/json${streams ? `, ${STREAM}` : ''}`);
  if (key) init.set('authorization', `Bearer ${key}`);
  if (idempotencyKey) init.set('idempotency-key', idempotencyKey);
  if (body) init.set('content-type', 'application/json');
  if (signal.aborted) return about;
  about.isSent = true;
  try {
    // Called as a function, since workers refuse another `this`. A redirect would carry the key to wherever it
    // points; edge workers refuse "error".
    // Deno's sends a string again, and has it billed again, when a connection breaks that it had kept open.
    if (body && typeof Deno === 'object') body = new Blob([body]);
    init = { method, signal, headers: init, body, redirect: 'manual' };
    const response = await (custom ? custom(url, init) : fetch(url, init));
    about.headers = response.headers;
    about.status = response.status;
    const retryAfter = header('retry-after');
    about.seconds = Number(retryAfter);
    about.date = Date.parse(retryAfter);
    about.requestId = header('x-request-id');
    if (streams && header('content-type')?.startsWith(STREAM)) {
      about.rest = takeAll(response.body);
      await about.rest.next();
    } else take(await response.text());
  } catch (cause) {
    about.cause = cause;
  }
  return about;
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

/** In the order of the core's `Status`. */
const STATUSES = ['pending', 'processing', 'completed'];

/** Makes the provider's own object a generation. */
export function normalise(body, status, isForeign, taskId) {
  if (isForeign) body.provider_status = body.status;
  body.status = STATUSES[status];
  if (taskId) body.task_id = taskId;
  if (body.status === 'completed' && !Array.isArray(body.data)) body.data = [];
  return body;
}

/** A task reference, plain JSON: stored anywhere, it resumes the wait. */
export const task = (task_id, poll_url) => (poll_url ? { task_id, poll_url } : { task_id });
