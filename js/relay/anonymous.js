/** Anonymous use: the identity of a caller is its address. */

import { isCloudflare } from './platform.js';
import { callback, count, readSettings } from './settings.js';

const GROUPS = 8;
const GROUP_BITS = 16;
/** The longest text that is examined. An address with its zone and port is shorter. */
const MAX_LENGTH = 100;
/** What stands before an IPv4 address in the notation of IPv6, and behind a translator (RFC 6052). */
const IPV4_PREFIXES = ['0:0:0:0:0:ffff', '64:ff9b:0:0:0:0'];

const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/;
const GROUP = /^[\da-f]{1,4}$/;
const ZONE = /%[\w.-]+$/;

const RULES = {
  from: callback(platformAddress),
  // Providers give a household 56 bits, which are 256 networks of 64 bits.
  ipv6Prefix: count(56, { min: 32, max: 128 }),
};

/** The groups of a part of an IPv6 address. An IPv4 address at its end makes two groups. */
function partsOf(text) {
  if (text === '') return [];
  const groups = text.split(':');
  const last = groups.at(-1);
  if (IPV4.test(last)) {
    const [a, b, c, d] = last.split('.').map(Number);
    groups.splice(-1, 1, (a * 256 + b).toString(16), (c * 256 + d).toString(16));
  }
  return groups.map((group) => group.toLowerCase().replace(/^0+(?=.)/, ''));
}

/** The eight groups of an IPv6 address, or `undefined`. */
function groupsOf(address) {
  const [left, right, ...more] = address.replace(ZONE, '').split('::').map(partsOf);
  const missing = GROUPS - left.length - (right?.length ?? 0);
  if (more.length > 0 || (right ? missing < 1 : missing !== 0)) return undefined;
  const groups = right ? [...left, ...Array(missing).fill('0'), ...right] : left;
  return groups.every((group) => GROUP.test(group)) ? groups : undefined;
}

/** The network of an IPv6 address. An IPv4 address in the notation of IPv6 is an IPv4 address, and so is a translated one. */
function networkOf(groups, prefix) {
  const numbers = groups.map((group) => Number.parseInt(group, 16));
  if (IPV4_PREFIXES.includes(groups.slice(0, -2).join(':'))) {
    const [high, low] = numbers.slice(-2);
    return [high >> 8, high & 255, low >> 8, low & 255].join('.');
  }
  const kept = numbers.slice(0, Math.ceil(prefix / GROUP_BITS)).map((number, index) => {
    const others = Math.max(0, (index + 1) * GROUP_BITS - prefix);
    return ((number >> others) << others).toString(16);
  });
  return `${kept.join(':')}${kept.length < GROUPS ? '::' : ''}/${prefix}`;
}

/**
 * The identity of the address in a proxy's text. The text may hold a port, which differs for each connection of a client.
 *
 * @throws {TypeError} if the text is not an address, such as a list that a client can extend
 */
function identityOf(text, prefix) {
  const address = String(text).trim();
  if (address.length <= MAX_LENGTH) {
    const bare = address.replace(/^\[(.+)\](:\d+)?$/, '$1').replace(/^(\d+\.\d+\.\d+\.\d+):\d+$/, '$1');
    if (IPV4.test(bare)) return `ip:${bare}`;
    const groups = groupsOf(bare);
    if (groups) return `ip:${networkOf(groups, prefix)}`;
  }
  throw new TypeError(
    `anonymousByIp: the address must be one IP address, but is ${JSON.stringify(address.slice(0, 60))}. Let ` +
      '`from` return the one that your proxy vouches for.',
  );
}

/**
 * What the operator has to know of a request, since a setting of `anonymousByIp` may be wrong. The relay logs it. A
 * misspelt header turns every caller away, and a proxy that is not known makes all of them one: only they would notice.
 *
 * @type {WeakMap<Request, string>}
 */
export const addressNotices = new WeakMap();

/**
 * The identities that `anonymousByIp` has found. An address limits a caller, but does not name it: a phone leaves its
 * Wi-Fi, and a browser connects by IPv6 or by IPv4.
 *
 * @type {WeakMap<Request, string>}
 */
const anonymousIdentities = new WeakMap();

/**
 * The owner of what a caller creates: its identity, or `null` for all anonymous callers. Their tasks belong to those who
 * hold the references, and their keys to those who hold the keys. A create that is repeated from another address would
 * otherwise be billed again.
 *
 * @param {Request} request
 * @param {string} identity that `authorize` returned for it
 */
export const ownerOf = (request, identity) =>
  anonymousIdentities.get(request) === identity ? null : identity;

const NO_ADDRESS =
  'A request was refused, since the function from of anonymousByIp({ from }) returned no address. Check the name of the ' +
  'header that it reads, and have the proxy set that header on every request.';
const PROXY =
  'A request came from an address of a local network, with a header that proxies set. If a proxy stands in front of the ' +
  'relay, anonymousByIp() counts all callers as one. Name the header in which your proxy puts the address: ' +
  "anonymousByIp({ from: (request) => request.headers.get('x-real-ip') }). In Express, set trust proxy " +
  'to the number of your proxies.';
/** Identities of addresses on this machine or in a private network: those of a proxy, rather than of a caller. */
const LOCAL =
  /^ip:(?:(?:127|10|192\.168|169\.254|172\.(?:1[6-9]|2\d|3[01])|100\.(?:6[4-9]|[7-9]\d|1[01]\d|12[0-7]))\.|0:0:0:|f[cd]|fe80:)/;

/**
 * Lets all callers in, as `ip:<address>`. The address comes from the platform: `context.ip`, which the adapter for
 * Node sets, or Cloudflare's header on Cloudflare. A header that any client can send, such as `x-forwarded-for`,
 * counts only if `from` reads it.
 *
 * @param {{ from?: (request: Request, context?: { ip?: string }) => string | null | undefined, ipv6Prefix?: number }}
 *   [options]
 */
export function anonymousByIp(options) {
  const { from, ipv6Prefix } = readSettings('anonymousByIp', RULES, options);
  let isWarned = false;
  return (request, context) => {
    const address = from(request, context);
    if (!address) {
      addressNotices.set(request, NO_ADDRESS);
      return null;
    }
    const identity = identityOf(address, ipv6Prefix);
    if (!isWarned && from === platformAddress && LOCAL.test(identity) && isForwarded(request)) {
      isWarned = true;
      addressNotices.set(request, PROXY);
    }
    anonymousIdentities.set(request, identity);
    return identity;
  };
}

/** Some proxies set one of these alone. */
const PROXY_HEADERS = [
  'x-forwarded-for',
  'forwarded',
  'x-real-ip',
  'x-forwarded-proto',
  'x-forwarded-host',
  'via',
];
const isForwarded = ({ headers }) => PROXY_HEADERS.some((name) => headers.has(name));

/**
 * The address of the connection, where platforms put it. No client can write there.
 *
 * @param {any} platform what the platform passes beside the request
 * @param {Request} request
 * @returns {string | undefined}
 */
export function connectionAddress(platform, request) {
  const { server, remoteAddr, requestContext } = platform ?? {};
  const { incoming, requestIP } = server ?? platform ?? {};
  if (incoming) return incoming.socket?.remoteAddress; // Hono's adapter for Node
  if (requestIP) return requestIP.call(server ?? platform, request)?.address; // Bun
  if (remoteAddr) return remoteAddr.hostname; // Deno
  return requestContext?.http?.sourceIp ?? requestContext?.identity?.sourceIp; // Hono's adapter for Lambda
}

function platformAddress(request, context) {
  const address =
    context?.ip ??
    (isCloudflare ? request.headers.get('cf-connecting-ip') : connectionAddress(context, request));
  if (address) return address;
  throw new TypeError(
    'anonymousByIp() found no address: this platform sets no context.ip, as Next.js does not. Name the header in which ' +
      "your proxy puts the address: anonymousByIp({ from: (request) => request.headers.get('x-real-ip') })",
  );
}
