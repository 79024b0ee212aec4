/** Where requests go, and with which key. */

import { UsageError } from './arguments.js';
import { servicesOf } from './services.js';

/**
 * The options of a call that may be billed.
 *
 * @param {Record<string, string | undefined>} env
 */
export function connectionOf(env) {
  const [service] = servicesOf(env);
  if (service) return { apiKey: service.key, baseUrl: service.url };
  // What is there may be a relay, which holds the key.
  if (env.LEMONDATA_BASE_URL?.trim()) return addressOf(env);
  throw new UsageError(
    'There is no key. Set LEMONDATA_API_KEY for https://api.lemondata.cc, or TOKENLAB_API_KEY for ' +
      'https://api.tokenlab.sh. To try it without one, run "npx lemondata-wasm mock" in another terminal.',
  );
}

/**
 * The options of a call that needs no key.
 *
 * @param {Record<string, string | undefined>} env
 * @returns {{ baseUrl?: string }}
 */
export function addressOf(env) {
  const baseUrl = env.LEMONDATA_BASE_URL?.trim() || servicesOf(env)[0]?.url;
  return baseUrl ? { baseUrl } : {};
}
