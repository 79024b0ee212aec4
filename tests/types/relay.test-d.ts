/** The declarations of `lemondata-wasm/relay`. */

import { expectTypeOf } from 'expect-type';
import { Hono } from 'hono';
import {
  anonymousByIp,
  cloudflareLimiter,
  createRelay,
  type IdempotencyStore,
  type Limiter,
  memoryLimiter,
  memoryStore,
  type Relay,
  type RelayContext,
  type RelayEvent,
  type RelayOptions,
  type StoredAnswer,
  toCloudflare,
  toHono,
  toNextRoute,
  toNodeHandler,
} from 'lemondata-wasm/relay';

const needed = {
  apiKey: 'sk-x',
  secret: 'x'.repeat(32),
  authorize: () => 'ann',
  models: ['gpt-image-2'],
};
const relay = createRelay(needed);
expectTypeOf(relay).toEqualTypeOf<Relay>();
declare const request: Request;
expectTypeOf(relay(request)).toEqualTypeOf<Promise<Response>>();
relay(request, { ip: '192.0.2.1' });
relay(request, { waitUntil: (promise: Promise<unknown>) => void promise });

// What every relay needs
// @ts-expect-error: no options
createRelay();
// @ts-expect-error: no function says who may call
createRelay({ apiKey: 'sk-x', secret: 'x', models: 'any' });
// @ts-expect-error: no key
createRelay({ authorize: () => 'ann', secret: 'x', models: 'any' });
// @ts-expect-error: no secret
createRelay({ authorize: () => 'ann', apiKey: 'sk-x', models: 'any' });
// @ts-expect-error: no models
createRelay({ authorize: () => 'ann', apiKey: 'sk-x', secret: 'x' });
// @ts-expect-error: an identity is a text
createRelay({ ...needed, authorize: () => ({ id: 1 }) });
// @ts-expect-error: a permission is no identity
createRelay({ ...needed, authorize: () => true });
createRelay({ ...needed, authorize: async () => null });
createRelay({ ...needed, authorize: anonymousByIp() });
createRelay({ ...needed, authorize: anonymousByIp({ from: ({ headers }) => headers.get('x-real-ip') }) });
createRelay({ ...needed, apiKey: async () => 'sk-x', secret: ['x', 'y'] as const });

// Every other option
const options: RelayOptions = {
  ...needed,
  baseUrl: 'https://api.lemondata.cc',
  fetch,
  requestTimeout: 1,
  allowedOrigins: ['https://app.example', 'self'],
  allowedHeaders: ['x-session'],
  allowCredentials: true,
  models: 'any',
  sizes: ['512x512'],
  maxN: 1,
  maxPromptLength: 1,
  maxBodyBytes: 1,
  maxFiles: 1,
  maxFileBytes: 1,
  uploadTimeoutMs: 1,
  bodyTimeoutMs: 1,
  maxAnswerBytes: 1,
  callbackTimeoutMs: 1,
  extraFields: 'refuse',
  allowedFields: ['seed'],
  user: (identity) => identity.toUpperCase(),
  ttlMs: 1,
  limiter: memoryLimiter({ creates: 1, polls: 1, now: () => 0 }),
  store: memoryStore({ ttlMs: 1, claimMs: 1, maxEntries: 1, maxLength: 1, now: () => 0 }),
  log: (event) => expectTypeOf(event).toEqualTypeOf<RelayEvent>(),
  showCosts: true,
  logPrompts: true,
  now: () => 0,
};
createRelay(options);
createRelay({ ...needed, user: async (identity) => identity });
createRelay({ ...needed, user: false, limiter: false, models: ['flux-pro'] as const, store: undefined });
// @ts-expect-error: a misspelt option
createRelay({ ...needed, allowedOrigin: [] });
// @ts-expect-error: one origin is a list of one
createRelay({ ...needed, allowedOrigins: 'https://app.example' });
// @ts-expect-error: fields are refused, dropped or passed
createRelay({ ...needed, extraFields: 'keep' });
// @ts-expect-error: no such word
createRelay({ ...needed, models: 'all' });
// @ts-expect-error: a limiter tells how long to wait
createRelay({ ...needed, limiter: { take: () => true } });

// The log
declare const event: RelayEvent;
if (event.event === 'request') expectTypeOf(event.status).toEqualTypeOf<number>();
else if (event.event === 'refused') expectTypeOf(event.message).toEqualTypeOf<string>();
else if (event.event === 'misconfigured') expectTypeOf(event.code).toEqualTypeOf<string>();
else expectTypeOf(event.error).toEqualTypeOf<unknown>();
if (event.event === 'upstream_failed') expectTypeOf(event.status).toEqualTypeOf<number>();

// What others can implement
const limiter: Limiter = { take: (identity, kind) => (kind === 'create' ? identity.length : 0) };
const store: IdempotencyStore = {
  claim: async (_key, fingerprint) => ({ fingerprint, answer: undefined }),
  async settle(_key, answer) {
    expectTypeOf(answer).toEqualTypeOf<StoredAnswer | undefined>();
  },
};
createRelay({ ...needed, limiter, store });
createRelay({ ...needed, limiter: { ...limiter, limits: { create: 5 } }, store: false });

// Adapters
interface Env {
  KEY: string;
  CREATES: { limit(options: { key: string }): Promise<{ success: boolean }> };
}
const worker = toCloudflare((env: Env) => {
  expectTypeOf(env.KEY).toEqualTypeOf<string>();
  return createRelay({ ...needed, limiter: cloudflareLimiter({ creates: env.CREATES, periodSeconds: 10 }) });
});
expectTypeOf(worker.fetch).parameters.toEqualTypeOf<[Request, Env, RelayContext]>();
// A secret may have to be fetched.
toCloudflare(async ({ secret }: { secret: { get(): Promise<string> } }) =>
  createRelay({ ...needed, secret: await secret.get() }),
);
// @ts-expect-error: Cloudflare has two periods
cloudflareLimiter({ creates: {} as Env['CREATES'], periodSeconds: 30 });
// @ts-expect-error: creates are what costs
cloudflareLimiter({ polls: {} as Env['CREATES'] });

new Hono().all('/api/lemondata/*', toHono(relay));
const { GET, POST, OPTIONS } = toNextRoute(relay, { origin: undefined });
toNodeHandler(relay, { origin: 'https://app.example' });
for (const method of [GET, POST, OPTIONS]) expectTypeOf(method(request)).toEqualTypeOf<Promise<Response>>();

/** What Node's and Express's types have of these. */
interface Incoming {
  method?: string | undefined;
  url?: string | undefined;
  originalUrl: string;
  headers: { host?: string; [name: string]: string | string[] | undefined };
  socket: { remoteAddress?: string | undefined; encrypted?: boolean };
}
interface Outgoing {
  writeHead(status: number, headers?: Record<string, string | string[] | number>): this;
  end(data?: string | Uint8Array): this;
}
const handle: (incoming: Incoming, outgoing: Outgoing) => Promise<void> = toNodeHandler(relay, {
  origin: 'https://app.example',
});
void handle;
