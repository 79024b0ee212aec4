/**
 * A relay on Cloudflare: pages of the allowed origins generate images with a key that they never see. Its tasks live
 * in Durable Objects: they go on when a page closes, and however many watch one, the service is polled once.
 */

import { durableHub } from 'lemondata-wasm/cloudflare';
import { anonymousByIp, cloudflareLimiter, createRelay, toCloudflare } from 'lemondata-wasm/relay';

export { RequestLimiter, TaskHub } from 'lemondata-wasm/cloudflare';

export default toCloudflare((env) =>
  createRelay({
    apiKey: env.LEMONDATA_API_KEY,
    secret: env.RELAY_SECRET,
    baseUrl: env.LEMONDATA_BASE_URL, // undefined: the real service

    // Everyone may call, within the limits of their address, and each call spends your balance. If you know your
    // users, return the id of the caller: `async (request) => (await sessionOf(request))?.userId ?? null`.
    authorize: anonymousByIp(),
    // The identity is an address here, which the service need not know.
    user: false,

    // Callers may ask for these, at your expense; 'any' lets them choose whatever your account may use.
    models: ['gpt-image-2', 'nano-banana', 'ideogram-v3'],

    // Without any, those of the relay's own address alone.
    allowedOrigins: env.ALLOWED_ORIGINS?.trim().split(/\s+/),
    limiter: cloudflareLimiter({ creates: env.CREATES, polls: env.POLLS }),
    hub: durableHub({ tasks: env.TASKS, pictures: env.PICTURES }),
    log: (event) => console.log(event),
  }),
);
