/** The relay, which holds the key. Its tasks live in Durable Objects: they go on when the page closes. */

import { durableHub } from 'lemondata-wasm/cloudflare';
import { anonymousByIp, cloudflareLimiter, createRelay, toCloudflare } from 'lemondata-wasm/relay';

export { RequestLimiter, TaskHub } from 'lemondata-wasm/cloudflare';

export default toCloudflare((env) =>
  createRelay({
    apiKey: env.LEMONDATA_API_KEY,
    secret: env.RELAY_SECRET,
    baseUrl: env.LEMONDATA_BASE_URL, // undefined: the real service
    // Everybody may call, within the limits of their address, and all of them spend your balance. If you know your
    // users, return the id of the signed-in one.
    authorize: anonymousByIp(),
    models: ['gpt-image-2'],
    limiter: cloudflareLimiter({ creates: env.CREATES, polls: env.POLLS }),
    hub: durableHub({ tasks: env.TASKS }),
  }),
);
