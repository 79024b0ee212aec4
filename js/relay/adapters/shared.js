/** What the adapters have in common. */

import { isForeignHost, isHost } from '../hosts.js';
import { isOrigin } from '../origins.js';
import { Refusal } from '../refusal.js';
import { isHealth } from '../routes.js';
import { readSettings, setting } from '../settings.js';

const RULES = {
  origin: setting(
    undefined,
    (value) => isOrigin(value) && /^https?:/.test(value),
    "where pages see this server, an origin such as 'https://app.example'",
  ),
  trustProxy: setting(
    false,
    (value) => typeof value === 'boolean',
    'true if a proxy in front of this server sets x-forwarded-host and x-forwarded-proto itself',
  ),
};

export const BAD_REQUEST = new Refusal(400, 'invalid_request_error', 'That is no valid request.');

/**
 * @param {string} adapter its name, for the error
 * @param {{ origin?: string, trustProxy?: boolean } | undefined} options
 */
export const readAdapterOptions = (adapter, options) => readSettings(adapter, RULES, options);

/** @throws {TypeError} unless it is a relay: a request must not hang on a mistake */
export function assertRelay(adapter, relay) {
  if (typeof relay === 'function') return;
  throw new TypeError(`${adapter} takes the relay that createRelay returns, but got ${typeof relay}.`);
}

/**
 * Where pages see this server: the origin of its option, or the one that the request names.
 *
 * @param {ReturnType<typeof readAdapterOptions>} options
 * @param {{ protocol: string, host: string, path: string, header: (name: string) => unknown }} request `protocol` without
 *   its colon, `path` without its query
 * @throws {Refusal}
 */
export function originOf({ origin, trustProxy }, { protocol, host, path, header }) {
  const forwarded = (name) => (trustProxy ? header(name) : undefined);
  const named = String(forwarded('x-forwarded-host') ?? host);
  if (trustProxy && named.includes(',')) throw manyHosts(named);
  // Anything but a host would move the path that a guard in front of the relay has looked at.
  if (!isHost(named)) throw BAD_REQUEST;
  // Some platforms check the health by a name of their own.
  if (origin && isForeignHost(named, origin) && !isHealth(path)) throw misdirected(origin, named);
  // Of several proxies, the first has seen the client.
  const proxied = String(forwarded('x-forwarded-proto') ?? '')
    .split(',')[0]
    .trim();
  return origin ?? `${proxied === 'http' || proxied === 'https' ? proxied : protocol}://${named}`;
}

/** A proxy that appends to the header keeps what the client has sent, which may be the name of a foreign page. */
function manyHosts(hosts) {
  const message = 'The request names several hosts.';
  const notice =
    `A request was refused, since its x-forwarded-host has several values: ${JSON.stringify(hosts.slice(0, 200))}. ` +
    "Set the adapter's option origin to the origin of your pages in place of trustProxy, or have the outermost proxy " +
    'replace the header and the others leave it alone.';
  return new Refusal(400, 'invalid_request_error', message, { notice });
}

function misdirected(origin, host) {
  const message = `This server is ${origin}; the request names another host.`;
  const notice =
    `A request for the host ${JSON.stringify(host)} was refused: the adapter's option origin is ${origin}. Set it to ` +
    'the origin of your pages, or have the proxy pass the host of the client on.';
  return new Refusal(421, 'misdirected_request', message, { notice });
}
