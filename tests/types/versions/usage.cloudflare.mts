/** The relay and its hub in a worker. */

import {
  durableHub,
  durableStore,
  IdempotencyKeyObject,
  RequestLimiter,
  TaskHub,
} from 'lemondata-wasm/cloudflare';
import { createRelay, toCloudflare } from 'lemondata-wasm/relay';

interface Env {
  LEMONDATA_API_KEY: string;
  TASKS: DurableObjectNamespace<Pictures>;
  KEYS: DurableObjectNamespace<IdempotencyKeyObject>;
  LIMITS: DurableObjectNamespace<RequestLimiter>;
  PICTURES: R2Bucket;
}

export class Pictures extends TaskHub {
  protected override settings(env: Env): ReturnType<TaskHub['settings']> {
    return { ...super.settings(env), limiter: env.LIMITS, pictures: env.PICTURES };
  }
}
export { IdempotencyKeyObject, RequestLimiter };

export default toCloudflare(({ LEMONDATA_API_KEY, TASKS, KEYS, PICTURES }: Env) =>
  createRelay({
    apiKey: LEMONDATA_API_KEY,
    secret: 'x'.repeat(32),
    authorize: () => 'ann',
    models: ['gpt-image-2'],
    hub: durableHub({ tasks: TASKS, pictures: PICTURES }),
    store: durableStore(KEYS),
  }),
) satisfies ExportedHandler<Env>;
