/** The relay, which holds the key. */

import { anonymousByIp, createRelay } from 'lemondata-wasm/relay';
import { env } from '$env/dynamic/private';

let relay;

export function fallback({ request, getClientAddress }) {
  // Made at the first request: `vite build` loads this file without the secrets.
  relay ??= createRelay({
    apiKey: env.LEMONDATA_API_KEY,
    baseUrl: env.LEMONDATA_BASE_URL, // undefined: the real service
    secret: env.RELAY_SECRET,
    // Everybody may call, within the limits of their address, and all of them spend your balance. If you know your
    // users, return the id of the signed-in one.
    authorize: anonymousByIp(),
    models: ['gpt-image-2'],
  });
  return relay(request, { ip: getClientAddress() });
}
