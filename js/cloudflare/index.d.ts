/**
 * The relay's second half on Cloudflare: tasks that outlive pages, workers and deploys, each in a Durable Object of
 * its own that creates it, polls it by alarm, keeps its result and tells all that watch it.
 *
 * @packageDocumentation
 */

import { DurableObject } from 'cloudflare:workers';
import type { Options } from '../entries/index.js';
import type { Hub, HubAnswer, HubOrder, IdempotencyStore, View } from '../relay/index.js';

/** A number, or the same as text: environment variables are text. Anything else stops the hub, with a sentence. */
export type NumberSetting = number | `${number}`;

/** A failure that a {@link TaskHub} logs, as plain JSON. The fields that are not known are left out. */
export interface HubEvent {
  /**
   * - `upstream_failed`: a create or a poll was refused, lost, or answered with a failed task
   * - `gave_up`: a task has ended without an answer of the service, for example since its turn came too late
   * - `picture_failed`: a picture could not be copied
   * - `limiter_failed`: the limiter did not answer
   * - `alarm_failed`: the object could not go on, and tries again in a minute
   * - `state_unreadable`: a later version has stored the task
   */
  event:
    | 'upstream_failed'
    | 'gave_up'
    | 'picture_failed'
    | 'limiter_failed'
    | 'alarm_failed'
    | 'state_unreadable';
  /** The id of the task's object. */
  task: string;
  /** Who created the task, as `authorize` says. */
  identity?: string | undefined;
  /** The model of the create. */
  model?: string | undefined;
  /** What was sent. */
  upstream?: 'create' | 'poll' | undefined;
  /** The kind of the error, as the client's errors have it. */
  kind?: string | undefined;
  /** The HTTP status of the service's answer. */
  status?: number | undefined;
  /** The service's code. */
  code?: string | undefined;
  /** What is known of the request's effect, as the client's errors have it. */
  outcome?: string | undefined;
  /** The service's id of the request. */
  requestId?: string | undefined;
  /** How long the service or the limiter asks to wait. */
  retryAfterMs?: number | undefined;
  /** What happened: in the service's words, too, which may name the account. Clients never get them. */
  message?: string | undefined;
  /** What lies behind it, such as the transport's error. */
  cause?: string | undefined;
  /** The picture's index. */
  index?: number | undefined;
}

/** What a {@link TaskHub} works with. Times are in milliseconds. A wrong setting stops it before it answers anybody. */
export interface TaskHubSettings {
  /** The service's key, or a function that returns it, asked at every request. It is never stored. */
  apiKey: string | (() => string | Promise<string>);
  /** The service's address. Default `https://api.lemondata.cc`. */
  baseUrl?: string | undefined;
  /** Another transport to the service. Default: the global `fetch`. */
  fetch?: typeof fetch | undefined;
  /** The binding of {@link FleetLimiter}. Default none: nothing but the service's own refusals slows tasks. */
  // biome-ignore lint/suspicious/noExplicitAny: a namespace of a derived class is none of its base
  limiter?: DurableObjectNamespace<any> | undefined;
  /** The bucket that finished pictures are copied to, since the service's URLs expire. Default none. */
  pictures?: R2Bucket | undefined;
  /** The gap between two polls. Default `{ min: 3000, max: 5000 }`, as the service asks. */
  pollInterval?: Options['pollInterval'];
  /** One attempt at the service. Default: 300 000 for a create, 60 000 for a poll. */
  requestTimeout?: NumberSetting | undefined;
  /** How often a create is sent again that the service has refused without doing anything. Default 2. */
  maxRetries?: NumberSetting | undefined;
  /**
   * How long a create may queue for its turn, and how long its task is polled after that. Default 900 000. A task
   * that runs longer is left: it is polled again when a client asks for it. It must be positive: with no time to
   * wait, no create could be sent.
   */
  maxWait?: NumberSetting | undefined;
  /** How long an ended task and its pictures are kept. Default 86 400 000, a day. */
  retention?: NumberSetting | undefined;
  /** The longest answer of the service, in bytes, unpacked. Default 40 Mi. What is longer counts as lost. */
  maxAnswerBytes?: NumberSetting | undefined;
  /** The largest picture that is copied, in bytes. Default 25 Mi. A larger one keeps the service's URL. */
  maxPictureBytes?: NumberSetting | undefined;
  /** How many sockets and streams a task has at once. Default 1,000. Further clients get JSON, and poll. */
  maxWatchers?: NumberSetting | undefined;
  /** Called with every failure, one event each. Default: `console.error`. */
  log?: ((event: HubEvent) => void) | undefined;
}

/** What a {@link FleetLimiter} works with. */
export interface FleetSettings {
  /**
   * The requests that the service allows the key in a minute, creates and polls together: a whole number from 1 to
   * 1,000,000. Default 1,000. With anything else, nothing is sent.
   */
  perMinute?: NumberSetting | undefined;
}

/** What a {@link FleetLimiter} answers. */
export interface Turn {
  /** How long to wait before asking again, in milliseconds; 0 is the turn itself. */
  wait_ms: number;
  /** How many requests of this kind come first. */
  position: number;
  /** How many requests wait, this one included. */
  length: number;
  /** Why nobody has a turn: a wrong setting. */
  problem?: string | undefined;
}

/** What an {@link OnceKey} works with. Times are in milliseconds. */
export interface OnceSettings {
  /**
   * After so long, a create that nobody has settled counts as lost, and is answered 502 `create_outcome_unknown`
   * from then on. Default 600 000.
   */
  claim?: NumberSetting | undefined;
  /** How long an answer is kept. Default 86 400 000, a day. */
  retention?: NumberSetting | undefined;
}

/** What {@link durableHub} works with. */
export interface HubBindings<Class extends TaskHub = TaskHub> {
  /** The binding of {@link TaskHub}. */
  tasks: DurableObjectNamespace<Class>;
  /** The bucket that it copies pictures to, where it does. */
  pictures?: R2Bucket | undefined;
  /** After so many milliseconds, a create that is not answered yet is answered as a task. Default 10 000. */
  answerWithin?: NumberSetting | undefined;
  /** How often a stream brings a comment at least, in milliseconds. Default 15 000: clients wait for 30 000. */
  heartbeat?: NumberSetting | undefined;
  /** After so many milliseconds a stream ends, and its client asks again. Default 300 000. */
  streamLife?: NumberSetting | undefined;
}

/**
 * One task. Export it from your worker, bind it with a migration of `new_sqlite_classes`, and give the binding to
 * {@link durableHub}.
 *
 * It stores every step before and after it happens: it survives eviction, restarts and deploys, and an alarm that
 * comes twice does no harm. A create that was interrupted between its sending and the storing of its answer is an
 * error with the outcome `unknown`, and never sent again.
 *
 * @example
 * ```js
 * export { FleetLimiter, TaskHub } from 'lemondata-wasm/cloudflare';
 * ```
 */
export declare class TaskHub extends DurableObject {
  /**
   * What the object works with. By default, `env.LEMONDATA_API_KEY`, `env.LEMONDATA_BASE_URL`, and, where they are
   * bound, `env.LIMITER` and `env.PICTURES`. Override it where your bindings have other names.
   *
   * @example
   * ```js
   * export class TaskHub extends Base {
   *   settings(env) {
   *     return { ...super.settings(env), retention: 3_600_000 };
   *   }
   * }
   * ```
   */
  // biome-ignore lint/suspicious/noExplicitAny: whatever the worker's bindings are
  protected settings(env: any): TaskHubSettings;
  /** Takes a create, once: {@link durableHub} calls it. */
  create(order: Omit<HubOrder, 'key'> & { waitMs: number }): Promise<Omit<HubAnswer, 'id'>>;
  /** How the task stands: {@link durableHub} calls it. */
  look(): Promise<View | undefined>;
}

/**
 * The turns of all tasks that share a key, one object for each key: creates and polls together stay below the
 * service's limit, they take turns where both wait, and so do the identities within each. After a 429, nobody sends
 * anything for as long as the service asks, and everybody less for a minute after that. No pause is longer than ten
 * minutes; after one that was cut, a single request tries. A 429 that names a model is a pause for its creates alone.
 */
export declare class FleetLimiter extends DurableObject {
  /**
   * What the object works with. By default, `perMinute` is `env.LEMONDATA_PER_MINUTE`, or else 1,000, which is what
   * LemonData allows an account of the lowest class.
   */
  // biome-ignore lint/suspicious/noExplicitAny: whatever the worker's bindings are
  protected settings(env: any): FleetSettings;
  /**
   * Asks for a turn that is of use within so many milliseconds: a `wait_ms` of 0 is the turn itself.
   * {@link TaskHub} calls it.
   */
  take(ticket: string, identity: string, need: 'create' | 'poll', patience?: number, model?: string): Turn;
  /**
   * The service has refused a request: nobody sends any for so many milliseconds, or no create of the model.
   * {@link TaskHub} calls it.
   */
  slow(ms: number, model?: string): void;
}

/**
 * Makes {@link TaskHub} the hub of a relay.
 *
 * @example
 * ```js
 * export default toCloudflare((env) =>
 *   createRelay({ apiKey: env.LEMONDATA_API_KEY, hub: durableHub({ tasks: env.TASKS, pictures: env.PICTURES }), … }),
 * );
 * ```
 */
export declare function durableHub<Class extends TaskHub>(bindings: HubBindings<Class>): Hub;

/**
 * One `Idempotency-Key` of a relay that has no hub: its create is carried out once, wherever its duplicates arrive.
 * {@link durableStore} uses it.
 */
export declare class OnceKey extends DurableObject {
  /** What the object works with. */
  // biome-ignore lint/suspicious/noExplicitAny: whatever the worker's bindings are
  protected settings(env: any): OnceSettings;
  /** {@link IdempotencyStore.claim} for this key. */
  claim(fingerprint: string): ReturnType<IdempotencyStore['claim']>;
  /** {@link IdempotencyStore.settle} for this key. */
  settle(answer: Parameters<IdempotencyStore['settle']>[1]): Promise<void>;
}

/**
 * A store for a relay, in Durable Objects: the key names the object, so that duplicates meet there.
 *
 * @param keys the binding of {@link OnceKey}
 */
export declare function durableStore<Class extends OnceKey>(
  keys: DurableObjectNamespace<Class>,
): IdempotencyStore;
