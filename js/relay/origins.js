/** Which pages may read the answers: CORS. It authorises nobody, since outside a browser an `Origin` can be forged. */

import { Refusal } from './refusal.js';

/** What the client reads of an answer, beside the body. */
const EXPOSED = 'retry-after, x-request-id, x-ratelimit-limit, x-ratelimit-remaining, x-ratelimit-reset';
const PREFLIGHT_SECONDS = '600';
/** The request's own origin. */
const SELF = 'self';

/** @param {string[]} listed */
export function createOrigins(listed, { allowCredentials, allowedHeaders }) {
  const origins = new Set(listed);
  const headers = ['content-type', 'idempotency-key', ...allowedHeaders].join(', ');

  return {
    /**
     * The headers that let the page read the answer. It throws where the page is none of ours.
     *
     * @param {Request} request
     */
    check(request) {
      const origin = request.headers.get('origin');
      if (origin === null) return {};
      const isOwn = origins.has(SELF) && origin === new URL(request.url).origin;
      if (!isOwn && (origin === SELF || !origins.has(origin))) {
        throw new Refusal(403, 'origin_not_allowed', 'Pages of this origin may not call this relay.');
      }
      return {
        'access-control-allow-origin': origin,
        'access-control-expose-headers': EXPOSED,
        ...(allowCredentials && { 'access-control-allow-credentials': 'true' }),
      };
    },

    /** What a preflight is answered beside that. */
    preflight: (methods) => ({
      'access-control-allow-methods': methods,
      'access-control-allow-headers': headers,
      'access-control-max-age': PREFLIGHT_SECONDS,
    }),
  };
}

/** Whether this is an origin as a browser sends it, which a pattern or an address with a path is not. */
export function isOrigin(text) {
  if (text === SELF) return true;
  try {
    return new URL(text).origin === text && !text.includes('*');
  } catch {
    return false;
  }
}
