/** The declarations of `lemondata-wasm/cloudflare`, with the types that `wrangler types` makes of bindings. */

import { expectTypeOf } from 'expect-type';
import {
  durableHub,
  durableStore,
  TaskHub as Hub,
  IdempotencyKeyObject,
  RequestLimiter as Limiter,
  type TaskHubSettings,
} from 'lemondata-wasm/cloudflare';
import { createRelay, type IdempotencyStore, type Hub as RelayHub, toCloudflare } from 'lemondata-wasm/relay';

interface Env {
  KEY: string;
  TASKS: DurableObjectNamespace<TaskHub>;
  LIMITER: DurableObjectNamespace<RequestLimiter>;
  KEYS: DurableObjectNamespace<IdempotencyKeyObject>;
  PICTURES: R2Bucket;
}

export class TaskHub extends Hub {
  protected override settings(env: Env): TaskHubSettings {
    return { ...super.settings(env), apiKey: env.KEY, limiter: env.LIMITER, pollInterval: { min: 3000 } };
  }
}

export class RequestLimiter extends Limiter {
  protected override settings() {
    return { perMinute: 3000 };
  }
}

export { IdempotencyKeyObject };

declare const env: Env;
expectTypeOf(durableHub({ tasks: env.TASKS, pictures: env.PICTURES })).toEqualTypeOf<RelayHub>();
expectTypeOf(durableStore(env.KEYS)).toEqualTypeOf<IdempotencyStore>();
durableHub({ tasks: env.TASKS, answerWithin: 5000 });
// @ts-expect-error the binding is needed
durableHub({});
// @ts-expect-error a bucket is no namespace
durableHub({ tasks: env.PICTURES });
// @ts-expect-error nor is another class
durableStore(env.LIMITER);

export default toCloudflare((bindings: Env) =>
  createRelay({
    apiKey: bindings.KEY,
    secret: 'x'.repeat(32),
    authorize: (request) => request.headers.get('x-user'),
    models: 'any',
    hub: durableHub({ tasks: bindings.TASKS }),
  }),
) satisfies ExportedHandler<Env>;
