/** What the adapters have in common. */

import { isOrigin } from '../origins.js';
import { Refusal } from '../refusal.js';
import { readSettings, setting } from '../settings.js';

const RULES = {
  origin: setting(
    undefined,
    (value) => isOrigin(value) && /^https?:/.test(value),
    "where pages see this server, an origin such as 'https://app.example'",
  ),
};

/**
 * @param {string} adapter its name, for the error
 * @param {{ origin?: string } | undefined} options
 */
export const readAdapterOptions = (adapter, options) => readSettings(adapter, RULES, options);

/** @throws {TypeError} unless it is a relay: a request must not hang on a mistake */
export function assertRelay(adapter, relay) {
  if (typeof relay === 'function') return;
  throw new TypeError(`${adapter} takes the relay that createRelay returns, but got ${typeof relay}.`);
}

export function misdirected(origin, host) {
  const message = `This server is ${origin}; the request names another host.`;
  const notice =
    `A request for the host ${JSON.stringify(host)} was refused: the adapter's option origin is ${origin}. Set it to ` +
    'the origin of your pages, or have the proxy pass the host of the client on.';
  return new Refusal(421, 'misdirected_request', message, { notice });
}
