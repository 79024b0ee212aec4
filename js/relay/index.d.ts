/**
 * The relay: the server part that holds the key, so that a web page never does. It runs wherever there are
 * `Request` and `Response`: Cloudflare Workers, Node, Deno, Bun, and frameworks on them.
 *
 * @module relay
 */

/**
 * A relay. It mounts under any path, and answers every request, also those that it refuses. It throws a `TypeError` that
 * names the adapters if it is called with anything but a web `Request`, as Express does.
 */
export type Relay = (request: Request, context?: RelayContext) => Promise<Response>;

/** The context in which a runtime hands a request over. */
export interface RelayContext {
  /** Keeps the worker alive until a create has come to its end, even if its client has left. */
  waitUntil?(promise: Promise<unknown>): void;
  /** The client's address, for {@link anonymousByIp}. */
  ip?: string | undefined;
}

/**
 * The options of {@link createRelay}. Times are in milliseconds. Environment variables are text: numeric text counts as a
 * number, and `'true'` and `'false'` as flags.
 */
export interface RelayOptions<Context extends RelayContext = RelayContext> {
  /**
   * The service's key, or a function that returns it, called at every request. The key never reaches a client.
   * `undefined`, the value of an environment variable that is not set, stops the relay at its start.
   */
  apiKey: string | (() => string | undefined | Promise<string | undefined>) | undefined;
  /**
   * Returns the identity of the caller as a text, the same each time, or `null` to refuse with 401. Every caller that it
   * lets in spends your balance. It must not read the body. If it fails, or returns anything else, the answer is a 503 and nothing has been
   * done.
   */
  authorize(
    request: Request,
    context?: Context,
  ): string | null | undefined | Promise<string | null | undefined>;
  /**
   * Signs the references to tasks: a random text of at least 32 characters. Of a list, the first one signs, and
   * all are accepted, so that a secret can be replaced without losing tasks. `undefined` stops the relay at its start.
   */
  secret: string | readonly string[] | undefined;
  /**
   * The service's address. No client can choose another one.
   *
   * @defaultValue `'https://api.lemondata.cc'`
   */
  baseUrl?: string | undefined;
  /**
   * Another transport to the service.
   *
   * @defaultValue the global `fetch`
   */
  fetch?: typeof fetch | undefined;
  /**
   * One attempt at the service.
   *
   * @defaultValue `300_000` for a create, `60_000` for a poll
   */
  requestTimeout?: number | undefined;
  /**
   * The pages that may call: exact origins, or `'self'` for that of the relay itself. It authorises no caller, since
   * a client other than a browser can send any `Origin`.
   *
   * @defaultValue `['self']`
   */
  allowedOrigins?: readonly string[] | undefined;
  /** Further request headers that pages of other origins may send, such as the one that `authorize` looks at. */
  allowedHeaders?: readonly string[] | undefined;
  /**
   * Whether pages of other origins may send their cookies.
   *
   * @defaultValue `false`
   */
  allowCredentials?: boolean | undefined;
  /**
   * The models on offer, or `'any'`: callers choose any that your account may use, at your expense. There is no default.
   * A create without a model gets the first one on offer.
   */
  models: readonly string[] | 'any';
  /**
   * The sizes on offer.
   *
   * @defaultValue `auto`, and any `WIDTHxHEIGHT`
   */
  sizes?: readonly string[] | undefined;
  /**
   * The most images of one request.
   *
   * @defaultValue `4`
   */
  maxN?: number | undefined;
  /**
   * The longest prompt, in UTF-16 units.
   *
   * @defaultValue `4_000`
   */
  maxPromptLength?: number | undefined;
  /**
   * The largest JSON of a request, in bytes.
   *
   * @defaultValue `65_536`
   */
  maxBodyBytes?: number | undefined;
  /**
   * The most pictures that a form may bring as files, its mask included. At most 16.
   *
   * @defaultValue `4`
   */
  maxFiles?: number | undefined;
  /**
   * The largest picture that a request may bring as a file or in a `data:` URL, in bytes. At most 50 MiB.
   *
   * @defaultValue 10 MiB; on Cloudflare 5 MiB, since a worker has 128 MB for everything
   */
  maxFileBytes?: number | undefined;
  /**
   * The time that a JSON body may take to arrive.
   *
   * @defaultValue `10_000`
   */
  bodyTimeoutMs?: number | undefined;
  /**
   * The time that a form with files may take to arrive.
   *
   * @defaultValue `120_000`
   */
  uploadTimeoutMs?: number | undefined;
  /**
   * The largest answer of the service, unpacked. A larger one ends as a 502.
   *
   * @defaultValue 256 MiB, which ten 4K pictures as base64 fit into; on Cloudflare 40 MiB, since a worker has 128 MB
   * for everything
   */
  maxAnswerBytes?: number | undefined;
  /**
   * The time that `authorize`, `user`, the limiter and the store may take. A duplicate also waits for the create of
   * its key.
   *
   * @defaultValue `10_000`
   */
  callbackTimeoutMs?: number | undefined;
  /**
   * Whether to refuse, drop or pass fields that are neither documented nor in `allowedFields`. With `'pass'`, a
   * client can use any field that your account may use.
   *
   * @defaultValue `'refuse'`, which names the field: a dropped field can make a picture that is paid for and wrong
   */
  extraFields?: 'refuse' | 'drop' | 'pass' | undefined;
  /**
   * Further fields that pass with any value, or documented ones that pass unchecked.
   *
   * @defaultValue none
   */
  allowedFields?: readonly string[] | undefined;
  /**
   * The service's field `user`: a function of the identity, or `false` to leave it out. If the function fails, the
   * answer is a 503 and nothing has been done.
   *
   * @defaultValue the identity
   */
  user?: ((identity: string) => string | undefined | Promise<string | undefined>) | false | undefined;
  /**
   * How long a reference to a task is good for, counted from the create.
   *
   * @defaultValue `86_400_000`, a day
   */
  ttlMs?: number | undefined;
  /**
   * Limits the requests of each identity. `false` sets no limit.
   *
   * @defaultValue {@link memoryLimiter}`()`
   */
  limiter?: Limiter | false | undefined;
  /**
   * Carries creates with an `Idempotency-Key` out once. On Cloudflare, pass `durableStore()` of
   * `lemondata-wasm/cloudflare`, or a hub. Without a store, keyed creates are refused; `false` refuses them
   * everywhere.
   *
   * @defaultValue {@link memoryStore}`()`; on Cloudflare none, since an isolate may end at any time
   */
  store?: IdempotencyStore | false | undefined;
  /**
   * Carries tasks on after their requests have ended: `durableHub()` of `lemondata-wasm/cloudflare`. It pushes their
   * states by server-sent events and WebSockets, carries keyed creates out once, and may keep pictures.
   *
   * @defaultValue none: each client's polls go to the service
   */
  hub?: Hub | undefined;
  /**
   * Gets an event for every request and every failure. The key is never in it.
   *
   * @defaultValue failures go to `console.error`, each once for each cause and minute, with a remedy, and without
   * prompts
   */
  log?: ((event: RelayEvent) => void) | undefined;
  /**
   * Whether clients see the service's bill: `billing_transaction_id` and `usage` of answers, and the header
   * `x-billing-transaction-id`, which the tasks of a hub lack. The log has it in any case.
   *
   * @defaultValue `false`
   */
  showCosts?: boolean | undefined;
  /**
   * Whether the log holds the prompts.
   *
   * @defaultValue `false`
   */
  logPrompts?: boolean | undefined;
  /**
   * Whether requests to the service, and the tasks of a hub, belong to the trace that a client names: `traceparent`
   * and `tracestate` of W3C Trace Context pass, and the log has the former. Any caller can name a trace.
   *
   * @defaultValue `false`
   */
  tracing?: boolean | undefined;
  /**
   * The clock.
   *
   * @defaultValue `Date.now`
   */
  now?: (() => number) | undefined;
}

/** An event of the log. */
export type RelayEvent =
  | {
      /** A request has been answered. */
      event: 'request';
      /** Its HTTP method. */
      method: string;
      /** Its route; `none` is any path that a relay does not have. */
      route: 'create' | 'edit' | 'poll' | 'models' | 'picture' | 'health' | 'none';
      /** The path of a request without a route. */
      path?: string;
      /** The HTTP status that the client got. */
      status: number;
      /** From its arrival to the answer, in milliseconds. */
      durationMs: number;
      /** The identity that `authorize` returned. */
      identity?: string;
      /** The code of the error: the client's, or the service's own. */
      code?: string;
      /** The request to the service, if there was one. */
      upstream?: 'create' | 'edit' | 'poll' | 'models';
      /** The status of the service's answer if it failed, 0 for no answer. */
      upstreamStatus?: number;
      /** The outcome of a create that failed, as the errors of the package have it. */
      outcome?: string;
      /** The service's own id of a request that failed. */
      requestId?: string;
      /** The service's id of the task, or the hub's, which its own log names as `task`. It never reaches a client. */
      task?: string;
      /** The way in which the client watches a hub's task. */
      watches?: 'stream' | 'websocket';
      /** The service's id of the bill, if it names one. */
      billingTransactionId?: string;
      /** The service's own count of the request, if it names one. */
      usage?: unknown;
      /** Whether the answer came from the store or the hub. */
      repeated?: boolean;
      /** The model that a create named. */
      model?: string;
      /** The trace that the client named, with `tracing` alone. */
      traceparent?: string;
      /** With `logPrompts` alone. */
      prompt?: string;
    }
  | {
      /** The service has refused, failed or not answered, or a task has ended without a result. */
      event: 'upstream_failed';
      /** The request to the service. */
      upstream?: 'create' | 'edit' | 'poll' | 'models';
      /** The model that a create named. */
      model?: string;
      /** The identity of the caller. */
      identity?: string;
      /** The kind of the error, such as `rate_limit`. */
      kind?: string;
      /** The service's code if it has the form of one, or else the kind. */
      code?: string;
      /** The service's HTTP status, 0 for no answer. */
      status: number;
      /** The outcome, such as `rejected` or `unknown`. */
      outcome?: string;
      /** The service's own id of the request. */
      requestId?: string;
      /** The service's own words, without the prompt of a create. They may name your account: keep them from clients. */
      message: string;
      /** The whole error. It may quote the prompt. */
      error: unknown;
    }
  | {
      /** The relay has refused a request by a setting that may be wrong. */
      event: 'refused';
      /** The code that the client gets, such as `origin_not_allowed`. */
      code: string;
      /** Names the setting, and how to change it. */
      message: string;
    }
  | {
      /** The relay counts a caller by a setting that may be wrong. */
      event: 'misconfigured';
      /** Names the problem, such as `proxy_unknown`. */
      code: string;
      /** Names the setting, and how to change it. */
      message: string;
    }
  | {
      /** `authorize`, the limiter, the store, the hub, `user`, or the relay itself has failed. */
      event: 'authorize_failed' | 'limiter_failed' | 'store_failed' | 'hub_failed' | 'user_failed' | 'failed';
      /** The thrown value. */
      error: unknown;
    };

/**
 * Makes a relay.
 *
 * It serves `POST …/v1/images/generations`, `POST …/v1/images/edits`, `GET …/v1/images/generations/{task}`,
 * `GET …/v1/tasks/{task}`, `GET …/v1/models`, `GET …/health` and, with a hub, `GET …/v1/tasks/{task}/images/{index}`,
 * below any prefix, and nothing else. Creates and edits are JSON, or forms (`multipart/form-data`) with the header
 * `x-lemondata-client: 1`. Refusals have the form of the provider's errors, so that the classes of this package work in
 * the page.
 *
 * @example
 * ```js
 * import { anonymousByIp, createRelay } from 'lemondata-wasm/relay';
 *
 * const relay = createRelay({
 *   apiKey: process.env.LEMONDATA_API_KEY,
 *   secret: process.env.RELAY_SECRET,
 *   authorize: anonymousByIp(),
 *   models: ['gpt-image-2'],
 * });
 * ```
 *
 * @throws {TypeError} if an option is missing or wrong: a relay that is open by mistake does not start
 */
export declare function createRelay<Context extends RelayContext = RelayContext>(
  options: RelayOptions<Context>,
): Relay;

/**
 * Lets all callers in, each under its address: an `authorize` for a demonstration, or behind a guard of your own. IPv6
 * addresses count by their network of `ipv6Prefix` bits, from 32 to 128. The default is 56, what a household gets: with
 * 64, it would have 256 times the allowance of an IPv4 address.
 *
 * The address is `context.ip`, which {@link toNodeHandler} and, on Node, Bun, Deno and Lambda, {@link toHono} set, or
 * Cloudflare's own header on Cloudflare. `Bun.serve` and `Deno.serve` tell it to a relay that they call. Without one, the
 * answer is a 503, and the log says so. Behind a proxy, `from` returns the address that the proxy reports; a port behind
 * it is left out. A list of addresses is refused, since a client can extend it. A request for which `from` returns none
 * is answered 401, and the log says what to check.
 *
 * An address limits a caller, but owns nothing, since it changes: a phone leaves its Wi-Fi, and a browser connects by IPv6
 * or by IPv4. The tasks and keys of anonymous callers belong to those who hold the references and the keys.
 */
export declare function anonymousByIp(options?: {
  from?: ((request: Request, context?: RelayContext) => string | null | undefined) | undefined;
  ipv6Prefix?: number | undefined;
}): (request: Request, context?: RelayContext) => string | null;

/** Limits the requests of each identity. If it fails, the answer is a 503 and nothing has been done. */
export interface Limiter {
  /**
   * Returns how many milliseconds to wait before the next request, or 0 if this one may pass. `Infinity` says that waiting
   * does not help, as where a caller has used up what it paid for: clients do not try again.
   */
  take(identity: string, kind: 'create' | 'poll'): number | Promise<number>;
  /** How many requests of each kind a minute allows: refusals name the number. */
  limits?:
    | {
        /** Creates of one identity a minute. */
        create?: number | undefined;
        /** Polls of one identity a minute. */
        poll?: number | undefined;
      }
    | undefined;
}

/**
 * Token buckets in the memory of this process or isolate: others count for themselves.
 *
 * @param options how many creates (default 20) and polls (default 240) of each identity a minute, and at once.
 * `totalCreatesPerDay` bounds the creates of all identities together in 24 hours, and so what strangers can spend; default
 * no bound. `now` is a clock in milliseconds that does not go back, default `performance.now`
 */
export declare function memoryLimiter(options?: {
  creates?: number | undefined;
  polls?: number | undefined;
  totalCreatesPerDay?: number | undefined;
  now?: (() => number) | undefined;
}): Limiter;

/** A rate limiting binding of Cloudflare, as far as it is used. */
export interface RateLimitBinding {
  /** Counts a request of a key; `success` is whether it may pass. */
  limit(options: { key: string }): Promise<{
    /** Whether the request may pass. */
    success: boolean;
  }>;
}

/**
 * Cloudflare's rate limiting bindings.
 *
 * @param bindings one for creates, and one for polls to limit these as well. `periodSeconds`, default 60, is the period
 * of their configuration
 */
export declare function cloudflareLimiter(bindings: {
  creates: RateLimitBinding;
  polls?: RateLimitBinding | undefined;
  periodSeconds?: 10 | 60 | undefined;
}): Limiter;

/** An answer as a store keeps it: plain JSON. */
export interface StoredAnswer {
  /** The HTTP status. */
  status: number;
  /** The headers, by their names in lower case. */
  headers: Record<string, string>;
  /** The body, as text. */
  body: string;
}

/**
 * Keeps keyed creates and their answers, so that each is carried out once. If `claim` fails, the answer is a 503 and
 * nothing has been done; if `settle` fails, the client still gets its answer.
 */
export interface IdempotencyStore {
  /**
   * Resolves with nothing for the first of all claims of a key, which carries the create out. The others wait for its
   * answer. The relay ignores `answer` if the fingerprint is not that of the first claim.
   */
  claim(
    key: string,
    fingerprint: string,
  ): Promise<
    | {
        /** The fingerprint of the first claim. */
        fingerprint: string;
        /** The answer that it was settled with. */
        answer: StoredAnswer | undefined;
      }
    | undefined
  >;
  /** Stores the answer. Without one, it frees the key for the next claim: the create did nothing. */
  settle(key: string, answer: StoredAnswer | undefined): Promise<void>;
}

/** The platform's `ReadableStream`, of bytes. Older types of Node name it only as the body of a response. */
export type ByteStream =
  typeof globalThis extends Record<'ReadableStream', Record<'prototype', infer Stream>>
    ? Stream
    : NonNullable<Response['body']>;

/** A task as a hub sees it: plain data, but for a long result. */
export interface View {
  /** The present state of the generation, without its `data`. */
  generation: Record<string, unknown>;
  /** The `data` of a completed one, as JSON; a stream if that is long. */
  data?: string | ByteStream | undefined;
  /** The indices of the images that the hub has copied, and serves. */
  kept?: number[] | undefined;
  /** The fields of the error that has ended it. */
  error?: Record<string, unknown> | undefined;
}

/** A picture that comes with a create or an edit. */
export interface HubFile {
  /** The field of the form: `image` or `mask`. */
  name: string;
  /** The picture, with the type that its first bytes show. */
  blob: Blob;
}

/** A create or an edit for a hub. */
export interface HubOrder {
  /** Names the create, so that it can be repeated safely. */
  key?: string | undefined;
  /** Tells two requests under one key apart. */
  fingerprint: string;
  /** The identity that it belongs to. */
  identity: string;
  /** The fields of the request for the service. */
  request: object;
  /** Whether it is an edit. */
  isEdit: boolean;
  /** The pictures that come with it. With any, the request for the service is a form. */
  files: HubFile[];
  /** The models that may get the request next, one after the other, each once the last one certainly bills nothing. */
  fallback: string[];
  /** The trace that the client named, as headers for the service. */
  trace?: Trace | undefined;
}

/** The headers of W3C Trace Context that name a trace. */
export interface Trace {
  /** The trace, and the span in it. */
  traceparent: string;
  /** Whatever a vendor adds. */
  tracestate?: string;
}

/** The answer of a hub to a create. */
export interface HubAnswer {
  /** The id of its task: with a key, always the same. It never reaches a client. */
  id: string;
  /** The state of the task. */
  view?: View | undefined;
  /** Whether the key was known. */
  isRepeated?: boolean | undefined;
  /** Whether the key was known, with another fingerprint: then there is no view. */
  isReused?: boolean | undefined;
  /**
   * When the task was created, in milliseconds. With it, all answers to creates of one key name the task alike, until
   * its reference expires.
   *
   * @defaultValue now
   */
  createdAt?: number | undefined;
  /** Whether the task runs an earlier version and cannot read the order: then nothing was done, and there is no view. */
  isOutdated?: boolean | undefined;
}

/** The names by which a client knows a task and the relay, and what it may see. */
export interface HubNames {
  /** The signed reference to the task. */
  reference: string;
  /** The URL where the relay is mounted, without a slash at its end. */
  base: string;
  /** Whether the client may see what a picture has cost. */
  showCosts: boolean;
}

/** A picture that a hub keeps. */
export interface HubPicture {
  /** Its bytes. */
  body: ByteStream;
  /** How many bytes these are. Without it, the relay serves no ranges. */
  size?: number | undefined;
  /** Its content type. */
  type?: string | undefined;
  /** Its tag, quoted. */
  etag: string;
}

/** The platform's `WebSocket`, which older types of Node lack. */
export type HubSocket =
  typeof globalThis extends Record<'WebSocket', Record<'prototype', infer Socket>> ? Socket : object;

/** The streams that a relay makes of a hub's sockets. */
export interface HubStreams {
  /**
   * The longest silence of a stream, in milliseconds.
   *
   * @defaultValue `15_000`
   */
  heartbeat?: number | undefined;
  /**
   * The life of a stream, in milliseconds, after which its client asks again.
   *
   * @defaultValue `300_000`
   */
  longest?: number | undefined;
  /** Whether the hub's sockets answer `ping` with `pong`. A stream then ends if its socket does not answer. */
  pings?: boolean | undefined;
}

/** Carries tasks on after their requests have ended. */
export interface Hub {
  /** Settings of the streams. */
  streams?: HubStreams | undefined;
  /** Carries a create out, once for each key, and answers within seconds. */
  create(order: HubOrder): Promise<HubAnswer>;
  /** The state of a task, or nothing if there is none. */
  getTask(id: string): Promise<View | undefined>;
  /**
   * A socket that sends the state of a task as JSON for a client, now and after every change, and closes after the last
   * one; nothing if {@link Hub.getTask} returns the last state already.
   */
  watch(id: string, names: HubNames): Promise<HubSocket | undefined>;
  /** A copy of an image, or nothing if there is none. */
  picture(id: string, index: number): Promise<HubPicture | undefined>;
}

/**
 * Keeps answers in the memory of this process or isolate. That is enough for one server; several need a store that they
 * share.
 *
 * @param options the store keeps a key for `ttlMs` after its create was settled, default one day. With `maxEntries` keys,
 * default 100,000, it refuses further ones, and their creates are answered 503. A create that was not settled after
 * `claimMs`, default 600 000, counts as lost; it must be longer than the relay's `requestTimeout`. `maxLength`, default
 * 32 Mi characters, is for all bodies together: beyond it, the oldest are dropped, and their keys are answered 502
 * `answer_not_kept`. `now` is a clock in milliseconds that does not jump, default `performance.now`
 */
export declare function memoryStore(options?: {
  ttlMs?: number | undefined;
  claimMs?: number | undefined;
  maxEntries?: number | undefined;
  maxLength?: number | undefined;
  now?: (() => number) | undefined;
}): IdempotencyStore;

/** A database for {@link sharedStore}, and the settings of the store. */
export interface SharedStoreOptions {
  /**
   * Writes a key that the database lacks, and returns whether it did, in one step: `SET` with `NX` in Redis, `INSERT … ON
   * CONFLICT DO NOTHING` in SQL. The database forgets the key after `ttlMs`.
   */
  add(key: string, value: string, ttlMs: number): boolean | Promise<boolean>;
  /** The value of a key, or nothing. It reads what was written last: no cache, and no replica that lags behind. */
  get(key: string): string | null | undefined | Promise<string | null | undefined>;
  /** Writes the value of a key, which the database forgets after `ttlMs`. */
  set(key: string, value: string, ttlMs: number): unknown;
  /** Deletes a key. */
  delete(key: string): unknown;
  /**
   * Begins each key in the database.
   *
   * @defaultValue `'lemondata:'`
   */
  prefix?: string | undefined;
  /**
   * How long a key is kept after its create was settled.
   *
   * @defaultValue `86_400_000`, a day
   */
  ttlMs?: number | undefined;
  /**
   * A create that was not settled by then counts as lost, and is not sent again. It must be longer than the relay's
   * `requestTimeout`.
   *
   * @defaultValue `600_000`
   */
  claimMs?: number | undefined;
  /**
   * How often a duplicate looks for the answer of its create.
   *
   * @defaultValue `500`
   */
  checkMs?: number | undefined;
  /**
   * The longest answer that is kept, in characters. A longer one is dropped, and its key is answered 502
   * `answer_not_kept`.
   *
   * @defaultValue 8 Mi
   */
  maxLength?: number | undefined;
  /**
   * The clock.
   *
   * @defaultValue `Date.now`
   */
  now?: (() => number) | undefined;
}

/**
 * Keeps keys and answers in a database, so that several servers share them and a restart keeps them.
 *
 * @example
 * ```js
 * const store = sharedStore({
 *   add: async (key, value, ttlMs) => (await redis.set(key, value, { NX: true, PX: ttlMs })) === 'OK',
 *   get: (key) => redis.get(key),
 *   set: (key, value, ttlMs) => redis.set(key, value, { PX: ttlMs }),
 *   delete: (key) => redis.del(key),
 * });
 * ```
 *
 * @throws {TypeError} if a function is missing or a setting is wrong
 */
export declare function sharedStore(options: SharedStoreOptions): IdempotencyStore;

/**
 * For a Cloudflare worker.
 *
 * @example
 * ```js
 * export default toCloudflare((env) => createRelay({ apiKey: env.LEMONDATA_API_KEY, … }));
 * ```
 */
export declare function toCloudflare<Env>(make: (env: Env) => Relay | Promise<Relay>): {
  /** The handler of a worker. It makes another relay only for an `env` that holds other values. */
  fetch(request: Request, env: Env, context: RelayContext): Promise<Response>;
};

/**
 * For Hono: `app.all('/api/lemondata/*', toHono(relay))`. It finds a body that a middleware has read with `c.req`.
 */
export declare function toHono(
  relay: Relay,
): (context: {
  req: { raw: Request; text(): Promise<string>; formData(): Promise<object> };
  env?: unknown;
  executionCtx: RelayContext;
}) => Promise<Response>;

/** The address of a server. */
export interface AdapterOptions {
  /**
   * The origin where pages see this server, such as `'https://app.example'`, if a proxy in front of it speaks another
   * protocol or has another name, or the server cannot tell. `'self'` in `allowedOrigins` stands for it. A request that
   * names a foreign host is then refused with 421, so that no foreign page can make this server its own by DNS
   * rebinding; addresses and names without a dot pass.
   */
  origin?: string | undefined;
  /**
   * Whether a proxy in front of this server sets `x-forwarded-host` and `x-forwarded-proto`, whatever its client
   * sends. They then say where pages see this server, unless `origin` does.
   *
   * @defaultValue `false`, which takes the `Host` header
   */
  trustProxy?: boolean | undefined;
}

/**
 * For a route of Next.js, `app/api/lemondata/[...path]/route.js`: `export const { GET, POST, OPTIONS } = toNextRoute(relay)`.
 *
 * @param options a route takes the host from the `Host` header, because its URL names `localhost` behind `next start`
 */
export declare function toNextRoute(
  relay: Relay,
  options?: AdapterOptions,
): Record<
  'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'OPTIONS',
  (request: Request) => Promise<Response>
>;

/**
 * For Node's `http`, `https` and `http2`, Express, Fastify and Koa: `createServer(toNodeHandler(relay))`,
 * `app.use('/api/lemondata', toNodeHandler(relay))`.
 *
 * Mount it before body parsers. Behind `express.json()`, it reads `request.body`.
 */
export declare function toNodeHandler(
  relay: Relay,
  options?: AdapterOptions,
): (incoming: NodeRequest, outgoing: NodeResponse) => Promise<void>;

/** `http.IncomingMessage`, or that of `http2`. Not every member that is used is declared. */
export interface NodeRequest {
  /** The HTTP method. */
  method?: string | undefined;
  /** The target of the request: its path and query. */
  url?: string | undefined;
  /** The headers, by their names in lower case. */
  headers: Record<string, string | string[] | undefined>;
  /** The connection. */
  socket: {
    /** The address of the client, or of a proxy in front of this server. */
    remoteAddress?: string | undefined;
  };
}

/** `http.ServerResponse`, or that of `http2`. Not every member that is used is declared. */
export interface NodeResponse {
  /** Sends the status and the headers. */
  writeHead(status: number, headers: Record<string, string>): unknown;
  /** Sends the body. */
  end(data: Uint8Array): unknown;
}
