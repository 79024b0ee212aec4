/**
 * The relays that the attacks are for: each below a path of its own, in Node and in a worker the same.
 *
 * Who calls is what `x-user` says: a test needs no more.
 */

import {
  anonymousByIp,
  cloudflareLimiter,
  createRelay,
  memoryLimiter,
  memoryStore,
} from 'lemondata-wasm/relay';

/** The page that may call. */
export const PAGE = 'https://app.example';
/** How many requests the limited ones let through. */
export const LIMIT = 3;
const DAY_MS = 86_400_000;

const byHeader = (request) => request.headers.get('x-user');

/** A person who is logged in: the browser sends this along by itself, whichever page asks. */
const byCookie = (request) => /\bsession=(\w+)/.exec(request.headers.get('cookie') ?? '')?.[1];

/** The bytes of the one picture that the hub has. */
export const PICTURE = Uint8Array.from({ length: 1000 }, (_, index) => index % 251);

/** A hub whose tasks all run for ever, and have one picture. */
const makeHub = () => ({
  create: async () => ({ id: 'one', view: { generation: { status: 'pending' } } }),
  look: async () => ({ generation: { status: 'pending' } }),
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
    authorize: byHeader,
    allowedOrigins: page ? [PAGE, page] : [PAGE],
    allowedHeaders: ['x-user'],
    models: 'any',
    limiter: false,
    log,
  };
  const limits = { creates: LIMIT, polls: LIMIT };
  const relays = {
    plain: createRelay(usual),
    keyed: createRelay({ ...usual, store: memoryStore() }),
    limited: createRelay({ ...usual, limiter: memoryLimiter(limits) }),
    anonymous: createRelay({ ...usual, authorize: anonymousByIp(), limiter: memoryLimiter(limits) }),
    self: createRelay({ ...usual, allowedOrigins: ['self'] }),
    cookie: createRelay({ ...usual, authorize: byCookie, allowCredentials: true }),
    fields: createRelay({
      ...usual,
      store: memoryStore(),
      allowedFields: ['seed', 'constructor', 'toString'],
    }),
    strict: createRelay({ ...usual, models: undefined, extraFields: 'refuse' }),
    // What it has signed has expired for the others.
    past: createRelay({ ...usual, now: () => Date.now() - 2 * DAY_MS }),
    stranger: createRelay({ ...usual, secret: `${secret}, but another one` }),
    slow: createRelay({ ...usual, bodyTimeoutMs: 50 }),
    passing: createRelay({ ...usual, extraFields: 'pass' }),
    capped: createRelay({ ...usual, maxAnswerBytes: 8 * 1024 * 1024 }),
    // With the secret of the others.
    hubbed: createRelay({ ...usual, hub: makeHub() }),
    stuck: createRelay({ ...usual, authorize: () => new Promise(() => {}), callbackTimeoutMs: 20 }),
    queued: createRelay({ ...usual, limiter: { take: () => new Promise(() => {}) }, callbackTimeoutMs: 20 }),
    broken: createRelay({
      ...usual,
      authorize() {
        throw new Error('the session store at 10.0.0.1 does not answer');
      },
    }),
    ...(CREATES && {
      bound: createRelay({ ...usual, limiter: cloudflareLimiter({ creates: CREATES, polls: POLLS }) }),
    }),
  };
  return (request, context) => {
    const [, first] = new URL(request.url).pathname.split('/');
    const relay = Object.hasOwn(relays, first) ? relays[first] : relays.plain;
    return relay(request, context);
  };
}
