/** The key of a server, from its environment. Pages and edge workers do not come here. */

import { SERVICE } from './service.js';
import { parseUrl } from './values.js';

/** Each variable with a key, and the address that the key is for: it goes nowhere else. */
export const KEYS = [
  ['LEMONDATA_API_KEY', SERVICE],
  ['TOKENLAB_API_KEY', 'https://api.tokenlab.sh'],
];

function variable(name) {
  try {
    // Deno would ask the user for a permission that it lacks.
    const permission =
      typeof Deno === 'object' && Deno.permissions.querySync({ name: 'env', variable: name });
    if (!permission || permission.state === 'granted') return globalThis.process?.env?.[name];
  } catch {}
}

/** Fills in the key, and its address, where the options say nothing of a key, of headers or of a relay. */
export function fillFromEnvironment(options) {
  const { apiKey, headers, relay, baseUrl } = options;
  if (apiKey != null || headers != null || relay) return;
  for (const [name, address] of KEYS) {
    const key = (baseUrl == null || parseUrl(baseUrl)?.[0] === address) && variable(name);
    if (key) return Object.assign(options, { apiKey: key, baseUrl: baseUrl ?? address });
  }
}
