/** What users import as `lemondata-wasm/testing`. */

import { readBody } from './body.js';
import { writeMultipart } from './multipart.js';
import { listen } from './serve.js';
import { answerOf, Service } from './service.js';

/** In front of the paths of the service: an origin, and what a base URL puts behind it. */
const BASE = /^https?:\/\/[^/?]+(?:.*?(?=\/v1\/|\/files\/|\/health$))?/;

/** @type {(keyof import('./index.js').MockServiceOptions)[]} */
const OPTIONS = [
  'apiKey',
  'taskMs',
  'inlineMs',
  'models',
  'pollPath',
  'strict',
  'dataUrls',
  'retryAfter',
  'now',
  'onRequest',
];

/**
 * Refuses a misspelt option, which would be a test of something else.
 *
 * @param {string} name of the function
 * @param {object} options
 * @param {string[]} known
 */
function checkOptions(name, options, known) {
  const unknown = Object.keys(options).find((option) => !known.includes(option));
  if (unknown !== undefined) {
    throw new TypeError(`${name}() has no option '${unknown}'. It has ${known.join(', ')}.`);
  }
}

const REPLY_FIELDS = ['status', 'headers', 'body', 'delay', 'hang', 'reset', 'partial'];

/**
 * Refuses a reply that could not be sent, or that would be another one than it looks like.
 *
 * @param {import('./index.js').MockReply} reply
 */
function checkReply(reply) {
  const unknown = Object.keys(reply).find((field) => !REPLY_FIELDS.includes(field));
  if (unknown !== undefined) {
    throw new TypeError(`A reply has no field '${unknown}'. It has ${REPLY_FIELDS.join(', ')}.`);
  }
  try {
    const { status, headers, body } = answerOf(reply, new Headers());
    new Response(body, { status, headers });
    // JSON has neither Blobs nor streams, such as that of a Response.
    const { name = 'Object' } = Object(reply.body).constructor ?? {};
    if (body === '{}' && !['Object', 'String'].includes(name)) throw new TypeError(`a ${name} is no JSON`);
  } catch (cause) {
    throw new TypeError(`This reply cannot be sent: ${cause.message}`, { cause });
  }
}

/**
 * Refuses a misspelt value for the same reason.
 *
 * @param {import('./index.js').ServeOptions} options
 */
function checkValues({ pollPath = 'images', models = {}, cors }) {
  const check = (option, value, known) => {
    if (!known.includes(value)) {
      throw new TypeError(`${option} cannot be '${value}'. It can be ${known.join(', ')}.`);
    }
  };
  check('pollPath', pollPath, ['images', 'tasks', 'alias', 'none']);
  for (const [name, kind] of Object.entries(models)) check(`models['${name}']`, kind, ['inline', 'task']);
  for (const origin of Array.isArray(cors) ? cors : []) {
    if (`${origin}`.endsWith('/')) {
      throw new TypeError(
        `cors holds '${origin}', but a browser sends an origin without a slash at its end.`,
      );
    }
  }
}

/** @param {import('./index.js').MockServiceOptions} [options] */
export function mockService(options = {}) {
  checkOptions('mockService', options, OPTIONS);
  checkValues(options);
  return mockOf(new Service(options));
}

/** @param {import('./index.js').ServeOptions} [options] */
export async function serve(options = {}) {
  checkOptions('serve', options, [...OPTIONS, 'port', 'host', 'cors', 'log']);
  checkValues(options);
  const { port, host, ...others } = options;
  const service = new Service(others);
  const server = await listen(service, port, host);
  return Object.assign(mockOf(service), server);
}

/** @param {Service} service */
const mockOf = (service) => ({
  apiKey: service.apiKey,
  get requests() {
    return service.counts.requests;
  },
  /** @type {typeof globalThis.fetch} */
  fetch: (input, init) => answer(service, input, init),
  /**
   * @param {import('./index.js').MockReply | string} reply
   * @param {import('./index.js').ReplyTarget} [target]
   */
  respondWith(reply, target = {}) {
    checkOptions('respondWith', target, ['on', 'times']);
    if (typeof reply === 'object' && reply) checkReply(reply);
    service.next({ ...target, reply });
  },
  /** @param {number} ms */
  advance: (ms) => service.advance(ms),
  reset: () => service.reset(),
});

/**
 * @param {Service} service
 * @param {RequestInfo | URL} input
 * @param {RequestInit} [init]
 * @returns {Promise<Response>}
 */
async function answer(service, input, init = {}) {
  const signal = init.signal ?? /** @type {Request} */ (input).signal;
  if (signal?.aborted) throw signal.reason;
  return new Promise((resolve, reject) => {
    const abort = () => {
      service.counts.aborted += 1;
      reject(signal?.reason);
    };
    const settle = (end) => (value) => {
      signal?.removeEventListener('abort', abort);
      end(value);
    };
    signal?.addEventListener('abort', abort, { once: true });
    respond(service, input, init, settle(resolve)).catch(settle(reject));
  });
}

/**
 * @param {Service} service
 * @param {RequestInfo | URL} input
 * @param {RequestInit} init
 * @param {(response: Response) => void} resolve is not called where there is no answer, ever
 */
async function respond(service, input, init, resolve) {
  const { method, headers, body } = init;
  // Without the signal: that of jsdom is of a class that Node's Request refuses.
  const form = isForm(body) ? await writeMultipart(body) : undefined;
  const content = form ? undefined : body;
  const request = new Request(input, {
    method,
    headers,
    .../** @type {any} */ ({ body: content, duplex: 'half' }),
  });
  if (form) request.headers.set('content-type', form.type);
  const type = request.headers.get('content-type') ?? undefined;
  const bytes = await readBody(type, [form?.bytes ?? new Uint8Array(await request.arrayBuffer())]);
  // No transport sends a fragment.
  const [address] = request.url.split('#');
  const [url] = /** @type {RegExpExecArray} */ (BASE.exec(address));
  const path = address.slice(url.length) || '/';
  const incoming = { method: request.method, path, headers: Object.fromEntries(request.headers), bytes, url };
  const { status, headers: answerHeaders, body: answer, fault } = await service.handle(incoming);
  if (fault === 'hang') return;
  // What Node's fetch says of a connection that the server has destroyed.
  const lost = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });
  if (fault === 'reset') throw new TypeError('fetch failed', { cause: lost });
  resolve(
    new Response(fault ? cut(/** @type {string} */ (answer), lost) : answer, {
      status,
      headers: answerHeaders,
    }),
  );
}

/** A form may be of another realm, and that of happy-dom does not name its class. @returns {body is FormData} */
const isForm = (/** @type {unknown} */ body) =>
  Object.prototype.toString.call(body) === '[object FormData]' ||
  (typeof FormData === 'function' && body instanceof FormData);

/**
 * A body that breaks off.
 *
 * @param {string} start what arrives of it
 * @param {Error} cause
 */
const cut = (start, cause) =>
  new ReadableStream({
    start: (controller) => controller.enqueue(new TextEncoder().encode(start)),
    pull: (controller) => controller.error(new TypeError('terminated', { cause })),
  });
