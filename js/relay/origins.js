/** CORS: which pages may read the answers. It authorises no caller: outside of browsers, an `Origin` can be forged. */

import { Refusal } from './refusal.js';

/** The headers of an answer that the client reads. */
const EXPOSED =
  'retry-after, x-request-id, x-billing-transaction-id, x-ratelimit-limit, x-ratelimit-remaining, x-ratelimit-reset';
const PREFLIGHT_SECONDS = '600';
const MAX_SHOWN_ORIGIN = 200;
const MAX_SHOWN_HEADERS = 10;
const HEADER_NAME = /^[\w-]{1,64}$/;
/** Stands in the list for the relay's own origin. */
const SELF = 'self';

/**
 * @param {string[]} listed
 * @param {{ allowCredentials: boolean, allowedHeaders: string[] }} options
 */
export function createOrigins(listed, { allowCredentials, allowedHeaders }) {
  const origins = new Set(listed);
  const headers = ['content-type', 'idempotency-key', 'x-lemondata-client', ...allowedHeaders];
  const allowed = new Set(headers.map((name) => name.toLowerCase()));

  function isAllowed(origin, { url }) {
    if (origins.has(SELF) && origin === new URL(url).origin) return true;
    // A placeholder of the list is not an origin, even if a client sends it as one.
    return (
      origin !== SELF && !origin.includes('*') && (origins.has(origin) || origins.has(installOf(origin)))
    );
  }

  return {
    /**
     * Judges the page behind a request, once for all answers to it.
     *
     * @param {Request} request
     */
    judge(request) {
      const origin = request.headers.get('origin');
      const mayCall = origin !== null && isAllowed(origin, request);
      return {
        /** Whether it is a page of an origin that may call. */
        mayCall,
        /**
         * What lets a page of another origin read the answer: nothing if it may not.
         *
         * @type {Record<string, string>}
         */
        headers: mayCall
          ? {
              'access-control-allow-origin': origin,
              'access-control-expose-headers': EXPOSED,
              ...(allowCredentials && { 'access-control-allow-credentials': 'true' }),
            }
          : {},
        /**
         * @param {boolean} isEmbeddable whether pages of other sites may show the answer
         * @throws {Refusal} if the page may not call
         */
        check(isEmbeddable) {
          if (origin === null && !isEmbeddable && isEmbedded(request)) throw embedded();
          if (origin !== null && !mayCall) throw notAllowed(origin, request);
        },
      };
    },

    /**
     * The further headers of the answer to a preflight.
     *
     * @param {Request} request of a page that may call
     * @param {string} methods
     */
    preflight: ({ headers: asked }, methods) => ({
      'access-control-allow-methods': methods,
      'access-control-allow-headers': headers.join(', '),
      'access-control-max-age': PREFLIGHT_SECONDS,
      // Chromium asks, where a public page calls a relay on its visitor's machine or in a private network.
      ...(asked.get('access-control-request-private-network') === 'true' && {
        'access-control-allow-private-network': 'true',
      }),
    }),

    /**
     * What the operator has to know of a preflight whose request will not follow: the browser holds it back, and only its
     * console says so.
     *
     * @param {Request} request
     * @returns {string | undefined}
     */
    preflightNotice(request) {
      const names = (request.headers.get('access-control-request-headers') ?? '')
        .split(',')
        .map((name) => name.trim().toLowerCase())
        .filter((name) => HEADER_NAME.test(name) && !allowed.has(name))
        .slice(0, MAX_SHOWN_HEADERS);
      if (names.length === 0) return undefined;
      const page = request.headers.get('origin')?.slice(0, MAX_SHOWN_ORIGIN);
      const list = names.map((name) => `'${name}'`).join(', ');
      return (
        `A page of ${page} wants to send ${names.join(', ')}, which it may not, so its browser sends nothing. To allow ` +
        `it, list it in the relay: allowedHeaders: [${list}]. Tools that trace pages add such headers by themselves.`
      );
    },
  };
}

/**
 * Whether a page of another site shows the answer or leads to it. Such a request has no `Origin`, but the cookies and the
 * address of its visitor, whose allowance it would spend. Scripts send an `Origin` to another site.
 */
const isEmbedded = ({ headers }) =>
  ['cross-site', 'same-site'].includes(headers.get('sec-fetch-site')) &&
  ['no-cors', 'navigate'].includes(headers.get('sec-fetch-mode'));

const embedded = () =>
  new Refusal(403, 'origin_not_allowed', 'Pages of other sites may not show this answer or link to it.');

/** @returns {Refusal} names both origins and both remedies, for the page's developer and for the operator */
function notAllowed(origin, { url }) {
  const page = origin.slice(0, MAX_SHOWN_ORIGIN);
  const own = new URL(url).origin;
  const message = `Pages of ${page} may not call this relay, whose own origin is ${own}.`;
  const schemeless = (text) => text.replace(/^https?:/, '');
  const cause =
    schemeless(page) === schemeless(own)
      ? `The server does not know by which protocol pages see it. For SvelteKit's adapter-node, set ORIGIN=${page}; ` +
        `for toNodeHandler and toNextRoute, { origin: '${page}' }.`
      : 'If a proxy stands between them, such as that of a development server, have it keep the host of the page (in ' +
        'Vite, changeOrigin: false).';
  const hint = isOrigin(origin)
    ? `${cause} Otherwise list the origin in the relay: allowedOrigins: ['self', '${page}'].`
    : 'No relay can list that origin: serve the page by http or https.';
  return new Refusal(403, 'origin_not_allowed', message, { hint, notice: `${message} ${hint}` });
}

/** Firefox and Safari give each installation of an extension an origin of its own. */
const INSTALLS = ['moz-extension://*', 'safari-web-extension://*'];

/** The placeholder in the list for the origin of an installation. */
const installOf = (origin) => origin.replace(/:\/\/[\w-]+$/, '://*');

/** Schemes of the web and of files. `URL` knows their origins, and only HTTP has pages. */
const WEB_SCHEME = /^(?:https?|wss?|ftp|file|blob|data|javascript|about):/;

/**
 * Whether this is an origin as a browser sends it. A pattern is not, nor is an address with a path. Extensions and apps
 * have schemes of their own, such as `chrome-extension:` and `capacitor:`, and `URL` does not know their origins.
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
