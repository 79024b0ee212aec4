/** Anonymous use, by name: who calls is the address that the call comes from. */

const NETWORK_GROUPS = 4;

/** The address, of which an IPv6 customer has a whole network of 64 bits. */
function networkOf(address) {
  if (!address.includes(':')) return address;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  if (mapped) return mapped[1];
  const [head, tail] = address.toLowerCase().split('%')[0].split('::');
  const left = head.split(':').filter(Boolean);
  const right = (tail ?? '').split(':').filter(Boolean);
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - left.length - right.length);
  const groups = [...left, ...Array.from({ length: zeros }, () => '0'), ...right];
  return `${groups
    .slice(0, NETWORK_GROUPS)
    .map((group) => group.replace(/^0+(?=.)/, ''))
    .join(':')}::/64`;
}

/**
 * Lets everybody in, as `ip:<address>`. The address is the one that the platform vouches for: `context.ip`, which
 * the adapter for Node sets, or Cloudflare's header where this runs on Cloudflare. A header that anybody can send,
 * such as `x-forwarded-for`, counts only where `from` says so.
 *
 * @param {{ from?: (request: Request, context?: { ip?: string }) => string | null | undefined }} [options]
 */
export function anonymousByIp({ from = vouchedFor } = {}) {
  return (request, context) => {
    const address = from(request, context);
    return address ? `ip:${networkOf(address)}` : null;
  };
}

function vouchedFor(request, context) {
  if (context?.ip) return context.ip;
  const isCloudflare = globalThis.navigator?.userAgent === 'Cloudflare-Workers';
  return isCloudflare ? request.headers.get('cf-connecting-ip') : null;
}
