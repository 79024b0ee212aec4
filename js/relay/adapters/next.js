import { isForeignHost } from '../hosts.js';
import { REFUSAL } from '../refusal.js';
import { assertRelay, misdirected, readAdapterOptions } from './shared.js';

/** The methods that Next.js hands over. The relay refuses the wrong ones itself. */
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

/**
 * For a route of Next.js: `export const { GET, POST, OPTIONS } = toNextRoute(relay)`.
 *
 * @param {(request: Request, context?: object) => Promise<Response>} relay
 * @param {{ origin?: string }} [options] `origin`: where pages see this server, which `next start` does not know. A
 *   request that names another host is refused
 */
export function toNextRoute(relay, options) {
  assertRelay('toNextRoute', relay);
  const { origin } = readAdapterOptions('toNextRoute', options);
  const handle = (request) => {
    if (!origin) return relay(request);
    const host = request.headers.get('host');
    if (host !== null && isForeignHost(host, origin)) {
      return relay(request, { [REFUSAL]: misdirected(origin, host) });
    }
    const { pathname, search } = new URL(request.url);
    return relay(new Request(origin + pathname + search, request));
  };
  return Object.fromEntries(METHODS.map((method) => [method, handle]));
}
