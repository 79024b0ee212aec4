/** Anonymous use: the identity of a caller is its address. */

import { isCloudflare } from './platform.js';

const GROUPS = 8;
const NETWORK_GROUPS = 4;
/** The prefix of an IPv4 address in the notation of IPv6. */
const MAPPED = '0:0:0:0:0:ffff';

/** The groups of a part of an IPv6 address. An IPv4 address at its end makes two groups. */
const groupsOf = (part) =>
  part
    .replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, a, b, c, d) =>
      [a * 256 + +b, c * 256 + +d].map((group) => group.toString(16)).join(':'),
    )
    .split(':')
    .filter(Boolean)
    .map((group) => group.toLowerCase().replace(/^0+(?=.)/, ''));

const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?!$)|$)){4}$/;
const IPV6 = /^[\da-f]*:[\da-f]*:[\da-f:]*(?:\d+\.\d+\.\d+\.\d+)?(?:%[\w.-]+)?$/i;

/**
 * The address in a proxy's text. The text may hold a port, which differs for each connection of a client.
 *
 * @throws {TypeError} if the text is not an address, such as a list that a client can extend
 */
function addressIn(text) {
  const address = String(text)
    .trim()
    .replace(/^\[(.+)\](:\d+)?$/, '$1')
    .replace(/^(\d+\.\d+\.\d+\.\d+):\d+$/, '$1');
  if (IPV4.test(address) || IPV6.test(address)) return address;
  throw new TypeError(
    `anonymousByIp: the address must be one IP address, but is ${JSON.stringify(address.slice(0, 60))}. Let ` +
      '`from` return the one that your proxy vouches for.',
  );
}

/** The network of an address. An IPv6 customer has a whole network of 64 bits. */
function networkOf(address) {
  if (!address.includes(':')) return address;
  const [left, right] = address.split('%')[0].split('::').map(groupsOf);
  const zeros = right ? GROUPS - left.length - right.length : 0;
  const groups = [...left, ...Array(Math.max(0, zeros)).fill('0'), ...(right ?? [])];
  if (groups.slice(0, -2).join(':') === MAPPED) {
    const [high, low] = groups.slice(-2).map((group) => Number.parseInt(group, 16));
    return [high >> 8, high & 255, low >> 8, low & 255].join('.');
  }
  return `${groups.slice(0, NETWORK_GROUPS).join(':')}::/64`;
}

/**
 * Lets all callers in, as `ip:<address>`. The address comes from the platform: `context.ip`, which the adapter for
 * Node sets, or Cloudflare's header on Cloudflare. A header that any client can send, such as `x-forwarded-for`,
 * counts only if `from` reads it.
 *
 * @param {{ from?: (request: Request, context?: { ip?: string }) => string | null | undefined }} [options]
 */
export function anonymousByIp({ from = platformAddress } = {}) {
  return (request, context) => {
    const address = from(request, context);
    return address ? `ip:${networkOf(addressIn(address))}` : null;
  };
}

function platformAddress(request, context) {
  const address = context?.ip ?? (isCloudflare && request.headers.get('cf-connecting-ip'));
  if (address) return address;
  throw new TypeError(
    'anonymousByIp() found no address: this platform sets no context.ip, as Next.js does not. Name the header in which ' +
      "your proxy puts the address: anonymousByIp({ from: (request) => request.headers.get('x-real-ip') })",
  );
}
