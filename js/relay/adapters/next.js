import { bodyUsed, HAND_OVER, isRead, REFUSAL } from '../refusal.js';
import { assertRelay, originOf, readAdapterOptions } from './shared.js';

/** The methods that Next.js hands over. The relay refuses the wrong ones itself. */
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

/**
 * For a route of Next.js: `export const { GET, POST, OPTIONS } = toNextRoute(relay)`.
 *
 * @param {(request: Request, context?: object) => Promise<Response>} relay
 * @param {{ origin?: string, trustProxy?: boolean }} [options] `origin`: where pages see this server. A request that
 *   names another host is refused. `trustProxy`: a proxy sets `x-forwarded-host` and `x-forwarded-proto`
 */
export function toNextRoute(relay, options) {
  assertRelay('toNextRoute', relay);
  const settings = readAdapterOptions('toNextRoute', options);
  const handle = (request) => {
    const { protocol, host, pathname, search } = new URL(request.url);
    const header = (name) => request.headers.get(name) ?? undefined;
    let base;
    try {
      // The URL that a route gets names `localhost`, whatever the page's does.
      base = originOf(settings, {
        protocol: protocol.slice(0, -1),
        host: header('host') ?? host,
        path: pathname,
        header,
      });
    } catch (refusal) {
      return relay(request, { [REFUSAL]: refusal });
    }
    // No other request can be made of it.
    if (isRead(request)) return relay(request, { [REFUSAL]: bodyUsed(HAND_OVER) });
    return relay(new Request(base + pathname + search, request));
  };
  return Object.fromEntries(METHODS.map((method) => [method, handle]));
}
