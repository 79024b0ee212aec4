/**
 * How much one identity may ask for.
 *
 * @typedef {'create' | 'poll'} Kind
 * @typedef {{ take(identity: string, kind: Kind): Promise<number> | number }} Limiter `take` tells how many
 *   milliseconds to wait before the next attempt, 0 where the request may pass
 */

const MINUTE_MS = 60_000;
/** So many identities are remembered; beyond that, those that have asked for nothing the longest are forgotten. */
const MAX_IDENTITIES = 100_000;

/**
 * Token buckets in the memory of this process, or of this isolate: others count for themselves.
 *
 * @param {{ creates?: number, polls?: number, now?: () => number }} [options] how many a minute, and at once
 * @returns {Limiter}
 */
export function memoryLimiter({ creates = 20, polls = 240, now = Date.now } = {}) {
  const sizes = { create: creates, poll: polls };
  for (const size of [creates, polls]) {
    if (!(Number.isInteger(size) && size > 0)) throw new TypeError('memoryLimiter takes positive integers.');
  }
  const buckets = new Map();

  return {
    take(identity, kind) {
      const size = sizes[kind];
      const name = JSON.stringify([kind, identity]);
      const at = now();
      const bucket = buckets.get(name) ?? { left: size, at };
      const refilled = Math.min(size, bucket.left + (Math.max(0, at - bucket.at) / MINUTE_MS) * size);
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
 * @param {{ creates: RateLimit, polls?: RateLimit, periodSeconds?: 10 | 60 }} bindings the period is that of the
 *   bindings' configuration, which they do not tell
 * @returns {Limiter}
 */
export function cloudflareLimiter({ creates, polls, periodSeconds = 60 }) {
  if (typeof creates?.limit !== 'function') {
    throw new TypeError('cloudflareLimiter needs a rate limiting binding as `creates`.');
  }
  const bindings = { create: creates, poll: polls };
  return {
    async take(identity, kind) {
      const { success } = (await bindings[kind]?.limit({ key: identity })) ?? { success: true };
      return success ? 0 : periodSeconds * 1000;
    },
  };
}
