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
      // What stands for origins in the list is none, whoever sends it as one.
      const isListed =
        origin !== SELF && !origin.includes('*') && (origins.has(origin) || origins.has(installOf(origin)));
      if (!isOwn && !isListed) {
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

/** Firefox and Safari give an extension another origin in each browser that it is installed in. */
const INSTALLS = ['moz-extension://*', 'safari-web-extension://*'];

/** What stands in the list for the origin of one installation. */
const installOf = (origin) => origin.replace(/:\/\/[\w-]+$/, '://*');

/** Schemes of the web and of files: their origins are what `URL` says, and other protocols than HTTP have no pages. */
const WEB_SCHEME = /^(?:https?|wss?|ftp|file|blob|data|javascript|about):/;

/**
 * Whether this is an origin as a browser sends it, which a pattern or an address with a path is not. Extensions and
 * apps have schemes of their own, such as `chrome-extension:` and `capacitor:`, whose origins `URL` does not know.
 */
export function isOrigin(text) {
  if (text === SELF || INSTALLS.includes(text)) return true;
  if (typeof text !== 'string') return false;
  if (!WEB_SCHEME.test(text)) return /^[a-z][a-z\d+.-]*:\/\/[\w.-]+(:\d{1,5})?$/.test(text);
  try {
    return new URL(text).origin === text && text.startsWith('http') && !text.includes('*');
  } catch {
    return false;
  }
}
