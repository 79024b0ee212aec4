/**
 * The relays that the attacks target: each below a path of its own, in Node and in a worker alike.
 */

import { anonymousByIp, cloudflareLimiter, memoryLimiter, memoryStore } from 'lemondata-wasm/relay';
import { makeRelay } from './maker.js';

/** The page that may call. */
export const PAGE = 'https://app.example';
/** How many requests the limited ones let through. */
export const LIMIT = 3;
const DAY_MS = 86_400_000;

/** A person who is logged in: the browser sends this along by itself, whichever page asks. */
const byCookie = (request) => /\bsession=(\w+)/.exec(request.headers.get('cookie') ?? '')?.[1];

/** The bytes of the one picture that the hub has. */
export const PICTURE = Uint8Array.from({ length: 1000 }, (_, index) => index % 251);

/** A hub whose tasks all run for ever, and have one picture. */
const makeHub = () => ({
  create: async () => ({ id: 'one', view: { generation: { status: 'pending' } } }),
  getTask: async () => ({ generation: { status: 'pending' } }),
  watch: async () => undefined,
  async picture(_id, index) {
    if (index !== 0) return undefined;
    // In parts, as storage has it.
    const parts = [PICTURE.slice(0, 300), PICTURE.slice(300, 301), PICTURE.slice(301)];
    const body = new ReadableStream({
      pull(controller) {
        const part = parts.shift();
        if (part) controller.enqueue(part);
        else controller.close();
      },
    });
    return { body, size: PICTURE.length, type: 'image/png', etag: '"the-tag"' };
  },
});

/**
 * @typedef {object} Env
 * @property {string} key
 * @property {string} upstream
 * @property {string} secret
 * @property {string} [page] another page that may call
 * @property {import('lemondata-wasm/relay').RateLimitBinding} [CREATES]
 * @property {import('lemondata-wasm/relay').RateLimitBinding} [POLLS]
 */

/**
 * @param {Env} env
 * @param {(event: object) => void} log
 * @returns {import('lemondata-wasm/relay').Relay}
 */
export function makeRelays({ key, upstream, secret, page, CREATES, POLLS }, log) {
  const usual = {
    apiKey: key,
    baseUrl: upstream,
    secret,
    allowedOrigins: page ? [PAGE, page] : [PAGE],
    allowedHeaders: ['x-user'],
    log,
  };
  const make = (options) => makeRelay({ ...usual, ...options });
  const limits = { creates: LIMIT, polls: LIMIT };
  const relays = {
    plain: make(),
    keyed: make({ store: memoryStore() }),
    limited: make({ limiter: memoryLimiter(limits) }),
    anonymous: make({ authorize: anonymousByIp(), limiter: memoryLimiter(limits) }),
    self: make({ allowedOrigins: ['self'] }),
    cookie: make({ authorize: byCookie, allowCredentials: true }),
    fields: make({
      store: memoryStore(),
      allowedFields: ['seed', 'constructor', 'toString'],
    }),
    strict: make({ models: ['dall-e-3', 'flux-pro'] }),
    // What it has signed has expired for the others.
    past: make({ now: () => Date.now() - 2 * DAY_MS }),
    stranger: make({ secret: `${secret}, but another one` }),
    slow: make({ bodyTimeoutMs: 50 }),
    passing: make({ extraFields: 'pass' }),
    // On Cloudflare, the default is smaller.
    roomy: make({ store: memoryStore(), maxFileBytes: 10 * 1024 * 1024 }),
    capped: make({ maxAnswerBytes: 8 * 1024 * 1024 }),
    // With the secret of the others.
    hubbed: make({ hub: makeHub() }),
    stuck: make({ authorize: () => new Promise(() => {}), callbackTimeoutMs: 20 }),
    queued: make({ limiter: { take: () => new Promise(() => {}) }, callbackTimeoutMs: 20 }),
    broken: make({
      authorize() {
        throw new Error('the session store at 10.0.0.1 does not answer');
      },
    }),
    ...(CREATES && {
      bound: make({ limiter: cloudflareLimiter({ creates: CREATES, polls: POLLS }) }),
    }),
  };
  return (request, context) => {
    const [, first] = new URL(request.url).pathname.split('/');
    const relay = Object.hasOwn(relays, first) ? relays[first] : relays.plain;
    return relay(request, context);
  };
}
