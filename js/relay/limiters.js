/**
 * How much one identity may ask for.
 *
 * @typedef {'create' | 'poll'} Kind
 * @typedef {{ take(identity: string, kind: Kind): Promise<number> | number }} Limiter `take` tells how many
 *   milliseconds to wait before the next attempt, 0 where the request may pass
 */

import { callback, count, methods, readSettings, required } from './settings.js';

const MINUTE_MS = 60_000;
/** So many identities are remembered; beyond that, those that have asked for nothing the longest are forgotten. */
const MAX_IDENTITIES = 100_000;

// A clock that never goes back: an allowance that comes back with it could be spent twice.
const MEMORY_RULES = { creates: count(20), polls: count(240), now: callback(() => performance.now()) };

/** Those that Cloudflare offers. */
const PERIODS = [10, 60];
const BINDING = 'a rate limiting binding of Cloudflare, such as env.CREATES';
const BINDING_RULES = {
  creates: required(
    methods(['limit'], BINDING),
    'Declare it under "ratelimits" in wrangler.jsonc, and pass it: cloudflareLimiter({ creates: env.CREATES }).',
  ),
  polls: methods(['limit'], BINDING),
  periodSeconds: {
    ...count(60),
    read: (value) => PERIODS.find((seconds) => seconds === Number(value)),
    expected: "the bindings' own period, 10 or 60",
  },
};

/**
 * Token buckets in the memory of this process, or of this isolate: others count for themselves.
 *
 * @param {{ creates?: number, polls?: number, now?: () => number }} [options] how many a minute, and at once
 * @returns {Limiter}
 */
export function memoryLimiter(options) {
  const { creates, polls, now } = readSettings('memoryLimiter', MEMORY_RULES, options);
  const sizes = { create: creates, poll: polls };
  const buckets = new Map();

  return {
    take(identity, kind) {
      const size = sizes[kind];
      const name = JSON.stringify([kind, identity]);
      const known = buckets.get(name);
      // Time that has been counted is not counted again.
      const at = Math.max(now(), known?.at ?? Number.NEGATIVE_INFINITY);
      const bucket = known ?? { left: size, at };
      const refilled = Math.min(size, bucket.left + ((at - bucket.at) / MINUTE_MS) * size);
      const passes = refilled >= 1;
      // The order of a Map is that of insertion.
      buckets.delete(name);
      buckets.set(name, { left: passes ? refilled - 1 : refilled, at });
      if (buckets.size > MAX_IDENTITIES) buckets.delete(buckets.keys().next().value);
      return passes ? 0 : Math.ceil(((1 - refilled) / size) * MINUTE_MS);
    },
  };
}

/**
 * Cloudflare's rate limiting bindings, one for each kind of request.
 *
 * @param {{ creates: RateLimit, polls?: RateLimit, periodSeconds?: 10 | 60 }} options the period is that of the
 *   bindings' configuration, which they do not tell
 * @returns {Limiter}
 */
export function cloudflareLimiter(options) {
  const { creates, polls, periodSeconds } = readSettings('cloudflareLimiter', BINDING_RULES, options);
  const bindings = { create: creates, poll: polls };
  return {
    async take(identity, kind) {
      const { success } = (await bindings[kind]?.limit({ key: identity })) ?? { success: true };
      return success ? 0 : periodSeconds * 1000;
    },
  };
}
