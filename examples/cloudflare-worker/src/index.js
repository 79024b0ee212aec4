/** A relay on Cloudflare: pages of the allowed origins generate images with a key that they never see. */

import {
  anonymousByIp,
  cloudflareLimiter,
  createRelay,
  memoryStore,
  toCloudflare,
} from 'lemondata-wasm/relay';

export default toCloudflare((env) =>
  createRelay({
    apiKey: env.LEMONDATA_API_KEY,
    secret: env.RELAY_SECRET,
    baseUrl: env.LEMONDATA_BASE_URL, // undefined: the real service

    // Everybody may call, within the limits of their address, and whoever calls spends your balance. If you know
    // your users, say here who it is: `async (request) => (await sessionOf(request))?.userId ?? null`.
    authorize: anonymousByIp(),
    // An address is nobody's business but yours.
    user: false,

    allowedOrigins: env.ALLOWED_ORIGINS.split(' '),
    limiter: cloudflareLimiter({ creates: env.CREATES, polls: env.POLLS }),
    store: memoryStore(),
    log: (event) => console.log(event),
  }),
);
