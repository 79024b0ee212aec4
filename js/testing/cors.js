/** Which pages may read an answer. */

const EXPOSED_HEADERS = [
  'Retry-After',
  'X-Request-ID',
  'X-Task-ID',
  'X-Billing-Transaction-ID',
  'X-RateLimit-Limit',
  'X-RateLimit-Remaining',
  'X-RateLimit-Reset',
];

/**
 * The headers that let pages of other origins read an answer; undefined where none may.
 *
 * @param {boolean | readonly string[]} allowed true for any origin, or the exact origins
 * @param {import('./index.js').MockRequest} request
 * @returns {Record<string, string> | undefined}
 */
export function corsHeaders(allowed, { method, headers }) {
  if (!allowed) {
    return undefined;
  }
  const { origin = '' } = headers;
  const isAny = allowed === true;
  const requested = headers['access-control-request-headers'];
  return {
    ...(isAny || allowed.includes(origin) ? { 'access-control-allow-origin': isAny ? '*' : origin } : {}),
    ...(isAny ? {} : { vary: 'Origin' }),
    'access-control-expose-headers': EXPOSED_HEADERS.join(),
    ...(method === 'OPTIONS' && { 'access-control-allow-methods': 'GET,HEAD,POST,DELETE' }),
    ...(method === 'OPTIONS' && requested && { 'access-control-allow-headers': requested }),
  };
}
