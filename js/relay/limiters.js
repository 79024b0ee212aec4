/**
 * Rate limits for each identity.
 *
 * @typedef {import('./index.js').Limiter} Limiter
 */

import { callback, count, DAY_MS, MINUTE_MS, methods, readSettings, required } from './settings.js';

/** How many identities the limiter remembers. Beyond that, it forgets those that have been idle the longest. */
const MAX_IDENTITIES = 100_000;

// A clock that never goes back: otherwise the same allowance could be spent twice.
const MEMORY_RULES = {
  creates: count(20),
  polls: count(240),
  totalCreatesPerDay: count(undefined),
  now: callback(() => performance.now()),
};

/** The periods that Cloudflare offers, in seconds. */
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
 * Token buckets in the memory of this process or isolate. Others have their own.
 *
 * @param {{ creates?: number, polls?: number, totalCreatesPerDay?: number, now?: () => number }} [options] how many a
 *   minute, and at once; and how many creates of all identities a day
 * @returns {Limiter}
 */
export function memoryLimiter(options) {
  const settings = readSettings('memoryLimiter', MEMORY_RULES, options);
  const { creates, polls, totalCreatesPerDay = Number.POSITIVE_INFINITY, now } = settings;
  const limits = { create: creates, poll: polls };
  const buckets = new Map();
  const day = { end: Number.NEGATIVE_INFINITY, creates: 0 };

  /** How long until creates are allowed again, in milliseconds. */
  function untilNextDay() {
    if (now() >= day.end) Object.assign(day, { end: now() + DAY_MS, creates: 0 });
    return day.creates < totalCreatesPerDay ? 0 : Math.ceil(day.end - now());
  }

  return {
    limits,
    take(identity, kind) {
      const dayMs = kind === 'create' ? untilNextDay() : 0;
      if (dayMs > 0) return dayMs;
      const size = limits[kind];
      const name = JSON.stringify([kind, identity]);
      const known = buckets.get(name);
      // The same time never refills a bucket twice.
      const at = Math.max(now(), known?.at ?? Number.NEGATIVE_INFINITY);
      const bucket = known ?? { left: size, at };
      const refilled = Math.min(size, bucket.left + ((at - bucket.at) / MINUTE_MS) * size);
      const passes = refilled >= 1;
      // The order of a Map is that of insertion.
      buckets.delete(name);
      buckets.set(name, { left: passes ? refilled - 1 : refilled, at });
      if (buckets.size > MAX_IDENTITIES) buckets.delete(buckets.keys().next().value);
      if (passes && kind === 'create') day.creates += 1;
      return passes ? 0 : Math.ceil(((1 - refilled) / size) * MINUTE_MS);
    },
  };
}

/** @typedef {{ limit(options: { key: string }): Promise<{ success: boolean }> }} RateLimit a binding of Cloudflare */

/**
 * Cloudflare's rate limiting bindings, one for each kind of request.
 *
 * @param {{ creates: RateLimit, polls?: RateLimit, periodSeconds?: 10 | 60 }} options the bindings do not show the
 *   period of their configuration
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
