/** What stands in a `Host` header. */

const HOST = /^(\[[\da-f:.]+\]|[\w.-]+)(:\d{1,5})?$/i;

/** Whether this is a host, and maybe a port, and nothing that would become another part of a URL. */
export const isHost = (text) => HOST.test(text);

/**
 * Whether a host is a name that somebody else may own. By DNS rebinding, a foreign page has its own name lead to this
 * server, which is then of the page's origin. Addresses and names without a dot, by which proxies and health checks
 * reach a server, cannot be owned so.
 *
 * @param {string} host
 * @param {string} origin where pages see this server
 */
export function isForeignHost(host, origin) {
  const name = host.replace(/:\d+$/, '').replace(/\.$/, '').toLowerCase();
  const isAddress = name.startsWith('[') || /^[\d.]+$/.test(name);
  return name.includes('.') && !isAddress && name !== new URL(origin).hostname;
}
