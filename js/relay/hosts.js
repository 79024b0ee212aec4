/** The `Host` header. */

const HOST = /^(\[[\da-f:.]+\]|[\w.-]+)(:\d{1,5})?$/i;

/** Whether this is a host, with or without a port, and holds nothing that would become another part of a URL. */
export const isHost = (text) => HOST.test(text);

/**
 * Whether a host is a name that another party may own. By DNS rebinding, a foreign page points its own name at this
 * server, which then has the page's origin. Proxies and health checks reach a server by its address or by a name
 * without a dot. No foreign page owns such a name.
 *
 * @param {string} host
 * @param {string} origin where pages see this server
 */
export function isForeignHost(host, origin) {
  const name = host.replace(/:\d+$/, '').replace(/\.$/, '').toLowerCase();
  const isAddress = name.startsWith('[') || /^[\d.]+$/.test(name);
  return name.includes('.') && !isAddress && name !== new URL(origin).hostname;
}
