/** A relay with a hub, a limiter and a bucket, as a user would write it; intervals are short. */

import {
  durableHub,
  durableStore,
  TaskHub as Hub,
  FleetLimiter as Limiter,
  OnceKey as Once,
} from 'lemondata-wasm/cloudflare';
import { createRelay, toCloudflare } from 'lemondata-wasm/relay';

export class TaskHub extends Hub {
  settings(env) {
    return {
      ...super.settings(env),
      pollInterval: { min: env.POLL_MS, max: env.POLL_MS },
      maxWait: env.MAX_WAIT_MS,
      retention: env.RETENTION_MS,
      requestTimeout: env.REQUEST_TIMEOUT_MS,
      limiter: env.LEMONDATA_PER_MINUTE && env.LIMITER,
      pictures: env.KEEPS && env.PICTURES,
    };
  }
}

export class FleetLimiter extends Limiter {}

export class OnceKey extends Once {
  settings(env) {
    return { ...super.settings(env), claim: env.CLAIM_MS ?? 600_000 };
  }
}

export default toCloudflare((env) => {
  const usual = {
    apiKey: env.LEMONDATA_API_KEY,
    baseUrl: env.LEMONDATA_BASE_URL,
    secret: 'a secret that nobody guesses, of 46 characters',
    // Who calls is what `x-user` says: a test needs no more.
    authorize: (request) => request.headers.get('x-user') ?? new URL(request.url).searchParams.get('user'),
    models: 'any',
    allowedOrigins: env.PAGE ? [env.PAGE] : ['self'],
    allowedHeaders: ['x-user'],
    limiter: false,
    maxN: 10,
    log: (event) => event.error && console.error(event.error),
  };
  const hub = createRelay({
    ...usual,
    hub: durableHub({ tasks: env.TASKS, pictures: env.PICTURES, answerWithin: env.ANSWER_WITHIN_MS }),
  });
  const store = createRelay({ ...usual, store: durableStore(env.KEYS) });
  return (request, context) => {
    const { pathname } = new URL(request.url);
    return (pathname.startsWith('/store/') ? store : hub)(request, context);
  };
});
