/** The addresses of the service, and the environment variables that choose among them. */

import { KEYS } from '../client/environment.js';

/**
 * The services that there is a key for. `LEMONDATA_BASE_URL` names another address, which gets the first key.
 *
 * @param {Record<string, string | undefined>} env
 * @returns {{ url: string, key: string, variable: string }[]}
 */
export function servicesOf(env) {
  const services = KEYS.flatMap(([variable, url]) => {
    const key = env[variable]?.trim();
    return key ? [{ url, key, variable }] : [];
  });
  const url = env.LEMONDATA_BASE_URL?.trim();
  return url ? services.slice(0, 1).map((service) => ({ ...service, url })) : services;
}
