/** The relay, which holds the key. */

import { anonymousByIp, createRelay, toNextRoute } from 'lemondata-wasm/relay';

const relay = createRelay({
  apiKey: () => process.env.LEMONDATA_API_KEY, // a function: `next build` loads this file without the key
  baseUrl: process.env.LEMONDATA_BASE_URL, // undefined: the real service
  secret: process.env.RELAY_SECRET,
  // Everybody may call, within the limits of their address, and all of them spend your balance. If you know your users,
  // return the id of the signed-in one. Behind a proxy, name the header that it overwrites.
  authorize: anonymousByIp({ from: (request) => request.headers.get('x-forwarded-for') }),
  models: ['gpt-image-2'],
});

// In production, pin the address of your site: toNextRoute(relay, { origin: 'https://www.example.com' }).
export const { GET, POST, OPTIONS } = toNextRoute(relay);
