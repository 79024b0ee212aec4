/**
 * The URL of a server on loopback.
 *
 * @param {import('node:http').Server} server
 */
export const urlOf = (server) =>
  `http://127.0.0.1:${/** @type {import('node:net').AddressInfo} */ (server.address()).port}`;
