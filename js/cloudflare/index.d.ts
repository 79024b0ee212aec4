/**
 * The relay's second half on Cloudflare: tasks that outlive pages, workers and deploys. Each task has a Durable Object
 * of its own, which creates it, polls it by alarm, keeps its result and reports to its watchers.
 *
 * @module cloudflare
 */

import { DurableObject } from 'cloudflare:workers';
import type { Options, Usage } from '../entries/index.js';
import type { Hub, HubAnswer, HubOrder, IdempotencyStore, View } from '../relay/index.js';

/** A number, or the same as text: environment variables are text. Anything else stops the hub with an error. */
export type NumberSetting = number | `${number}`;

/** A failure or a bill that a {@link TaskHub} logs, as plain JSON. Unknown fields are left out. */
export interface HubEvent {
  /**
   * - `upstream_failed`: a create or a poll was refused, lost, or answered with a failed task
   * - `billed`: the service has named its bill, or the consumption
   * - `gave_up`: a task has ended without an answer of the service, for example because the limiter did not admit it
   *   in time
   * - `picture_failed`: a picture could not be copied
   * - `limiter_failed`: the limiter did not answer
   * - `watchers_failed`: the watchers of an identity could not be counted, so a client has to poll
   * - `alarm_failed`: the object could not go on, and tries again in a minute
   * - `state_unreadable`: a later version has stored the task
   */
  event:
    | 'upstream_failed'
    | 'billed'
    | 'gave_up'
    | 'picture_failed'
    | 'limiter_failed'
    | 'watchers_failed'
    | 'alarm_failed'
    | 'state_unreadable';
  /** The id of the task's object. */
  task: string;
  /** The identity that created the task, from `authorize`. */
  identity?: string | undefined;
  /** The trace that the client named, where the relay has the option `tracing`. */
  traceparent?: string | undefined;
  /** The model of the create. */
  model?: string | undefined;
  /** Which request has failed. */
  upstream?: 'create' | 'edit' | 'poll' | undefined;
  /** The kind of the error, as the client's errors have it. */
  kind?: string | undefined;
  /** The HTTP status of the service's answer. */
  status?: number | undefined;
  /** The service's code. */
  code?: string | undefined;
  /** The effect of the request, as the client's errors have it. */
  outcome?: string | undefined;
  /** The service's id of the request. */
  requestId?: string | undefined;
  /** How long the service or the limiter asks to wait. */
  retryAfterMs?: number | undefined;
  /** The error's message. It may be the service's own and name the account; clients never see it. */
  message?: string | undefined;
  /** The error's cause, such as the transport's error. */
  cause?: string | undefined;
  /** The service's bill of the picture. */
  billingTransactionId?: string | undefined;
  /** What the picture has consumed, as the service says it. */
  usage?: Usage | undefined;
  /** The picture's index. */
  index?: number | undefined;
}

/** The settings of a {@link TaskHub}. Times are in milliseconds. A wrong setting stops it before it answers a request. */
export interface TaskHubSettings {
  /** The service's key, or a function that returns it and is called for every request. It is never stored. */
  apiKey: string | (() => string | Promise<string>);
  /**
   * The service's address.
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
   * The binding of `TaskHub` itself. An object for each identity counts how many sockets and streams the identity has
   * over all of its tasks.
   */
  // biome-ignore lint/suspicious/noExplicitAny: a namespace of a derived class is none of its base
  tasks: DurableObjectNamespace<any>;
  /**
   * The binding of {@link RequestLimiter}.
   *
   * @defaultValue none: then only the service's own refusals slow the tasks
   */
  // biome-ignore lint/suspicious/noExplicitAny: a namespace of a derived class is none of its base
  limiter?: DurableObjectNamespace<any> | undefined;
  /**
   * The bucket that finished pictures are copied to, since the service's URLs expire.
   *
   * @defaultValue none
   */
  pictures?: R2Bucket | undefined;
  /**
   * The gap between two polls.
   *
   * @defaultValue `{ min: 3_000, max: 5_000 }`, as the service recommends
   */
  pollInterval?: Options['pollInterval'];
  /**
   * The time-out of one request to the service.
   *
   * @defaultValue `300_000` for a create, `60_000` for a poll
   */
  requestTimeout?: NumberSetting | undefined;
  /**
   * How often a create is repeated if the service refuses it and has done nothing.
   *
   * @defaultValue `2`
   */
  maxRetries?: NumberSetting | undefined;
  /**
   * Whether creates ask for a task in place of a picture (`async: true`), unless the client sets the field itself. A
   * create is then answered at once, so that hardly any crash leaves it `unknown`. A model that refuses the field is
   * asked once more without it.
   *
   * @defaultValue `false`, unless `env.LEMONDATA_SHORT_CREATES` sets it
   */
  shortCreates?: boolean | 'true' | 'false' | undefined;
  /**
   * How long a create may wait for its admission by the limiter, and how long its task is polled after that. A task
   * that runs longer is suspended: polling resumes when a client asks for it. It must be positive: with no time to
   * wait, no create could be sent.
   *
   * @defaultValue `900_000`
   */
  maxWait?: NumberSetting | undefined;
  /**
   * How long an ended task and its pictures are kept.
   *
   * @defaultValue `86_400_000`, a day
   */
  retention?: NumberSetting | undefined;
  /**
   * The longest answer of the service, in bytes, unpacked. A longer one counts as lost.
   *
   * @defaultValue 40 Mi
   */
  maxAnswerBytes?: NumberSetting | undefined;
  /**
   * The largest picture that is copied, in bytes. A larger one keeps the service's URL.
   *
   * @defaultValue 25 Mi
   */
  maxPictureBytes?: NumberSetting | undefined;
  /**
   * How many sockets and streams a task has at once. Further clients get JSON, and poll.
   *
   * @defaultValue `1_000`
   */
  maxWatchers?: NumberSetting | undefined;
  /**
   * The same for an identity, over all of its tasks.
   *
   * @defaultValue `1_000`
   */
  maxWatchersPerIdentity?: NumberSetting | undefined;
  /**
   * Called with each failure and each bill.
   *
   * @defaultValue `console.error` for failures, `console.log` for bills
   */
  log?: ((event: HubEvent) => void) | undefined;
}

/** The settings of a {@link RequestLimiter}. */
export interface RequestLimiterSettings {
  /**
   * How many requests a minute the service allows the key, creates and polls together: a whole number from 1 to
   * 1,000,000. With any other value, no request is sent.
   *
   * @defaultValue `1_000`
   */
  perMinute?: NumberSetting | undefined;
  /**
   * How many creates of all callers a day of UTC may have. The next one is answered 429 until the day is over. A
   * create that the service has refused counts, too.
   *
   * @defaultValue no bound
   */
  createsPerDay?: NumberSetting | undefined;
}

/** The answer of a {@link RequestLimiter}. */
export interface Admission {
  /** How long to wait before asking again, in milliseconds; 0 admits the request now. */
  wait_ms: number;
  /** How many requests of this kind come first. */
  position: number;
  /** How many requests wait, including this one. */
  length: number;
  /** A wrong setting, which admits no request. */
  problem?: string | undefined;
}

/** The settings of an {@link IdempotencyKeyObject}. Times are in milliseconds. */
export interface IdempotencyKeySettings {
  /**
   * How long a create may stay unsettled. After that it counts as lost, and its key is answered 502
   * `create_outcome_unknown`.
   *
   * @defaultValue `600_000`
   */
  claim?: NumberSetting | undefined;
  /**
   * How long an answer is kept.
   *
   * @defaultValue `86_400_000`, a day
   */
  retention?: NumberSetting | undefined;
}

/** The bindings and settings of {@link durableHub}. */
export interface HubBindings<Class extends TaskHub = TaskHub> {
  /** The binding of {@link TaskHub}. */
  tasks: DurableObjectNamespace<Class>;
  /** The bucket that the hub copies pictures to. */
  pictures?: R2Bucket | undefined;
  /**
   * A create that takes longer is answered as a task, in milliseconds.
   *
   * @defaultValue `10_000`
   */
  answerWithin?: NumberSetting | undefined;
  /**
   * The longest silence of a stream, in milliseconds. Clients wait for 30 000.
   *
   * @defaultValue `15_000`
   */
  heartbeat?: NumberSetting | undefined;
  /**
   * How long a stream lasts, in milliseconds, before its client opens another.
   *
   * @defaultValue `300_000`
   */
  streamLife?: NumberSetting | undefined;
}

/**
 * One task. Export it from your worker, bind it with a migration of `new_sqlite_classes`, and pass the binding to
 * {@link durableHub}.
 *
 * It stores its state before and after each step, so it survives eviction, restarts and deploys, and a repeated alarm
 * does no harm. A create that is interrupted after it was sent and before its answer is stored ends with the outcome
 * `unknown`, and is never sent again.
 *
 * @example
 * ```js
 * export { RequestLimiter, TaskHub } from 'lemondata-wasm/cloudflare';
 * ```
 */
export declare class TaskHub extends DurableObject {
  /**
   * The settings of the object: by default `env.LEMONDATA_API_KEY`, `env.LEMONDATA_BASE_URL`,
   * `env.LEMONDATA_SHORT_CREATES`, `env.TASKS`, and, if they are bound, `env.LIMITER` and `env.PICTURES`. Override it if
   * your bindings have other names.
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
  // biome-ignore lint/suspicious/noExplicitAny: the bindings of any worker
  protected settings(env: any): TaskHubSettings;
  /**
   * Carries a create or an edit out once: {@link durableHub} calls it. `content` holds all files, one behind the other.
   * An order of a `version` that the object does not know yet is not carried out.
   */
  createTask(
    order: Omit<HubOrder, 'key' | 'files'> & {
      version: number;
      files: { name: string; type: string; size: number }[];
      content?: ReadableStream<Uint8Array> | undefined;
      waitMs: number;
    },
  ): Promise<Omit<HubAnswer, 'id'>>;
  /** The task as it stands: {@link durableHub} calls it. */
  getTask(): Promise<View | undefined>;
  /**
   * Leases sockets to one of an identity's tasks, in the object of the identity, and returns how many it may have. The
   * objects of the tasks call it. A task may still go through `models`, default 1.
   */
  leaseWatchers(task: string, count: number, models?: number): Promise<number>;
}

/**
 * Keeps the requests of all tasks of a key below the service's limit: one object for each key. While requests wait,
 * creates and polls alternate, and so do the identities within each kind. A 429 pauses all requests for as long as the
 * service asks, and slows them for a minute after that. No pause is longer than ten minutes: then a single request
 * probes the service. A 429 that names a model pauses its creates alone.
 */
export declare class RequestLimiter extends DurableObject {
  /**
   * The settings of the object: by default `perMinute` is `env.LEMONDATA_PER_MINUTE`, or else 1,000, the limit of
   * LemonData's lowest class of accounts, and `createsPerDay` is `env.LEMONDATA_CREATES_PER_DAY`.
   */
  // biome-ignore lint/suspicious/noExplicitAny: the bindings of any worker
  protected settings(env: any): RequestLimiterSettings;
  /**
   * Admits a request now, or says when to ask again. An admission after `timeoutMs` is of no use to the caller.
   * {@link TaskHub} calls it.
   */
  admit(
    ticket: string,
    identity: string,
    kind: 'create' | 'poll',
    timeoutMs?: number,
    model?: string,
  ): Admission;
  /**
   * Pauses all requests, or all creates of a model, since the service has refused one. {@link TaskHub} calls it.
   */
  pause(ms: number, model?: string): void;
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
 * One idempotency key of a relay without a hub: its create is carried out once, wherever its duplicates arrive.
 * {@link durableStore} uses it.
 */
export declare class IdempotencyKeyObject extends DurableObject {
  /** The settings of the object. */
  // biome-ignore lint/suspicious/noExplicitAny: the bindings of any worker
  protected settings(env: any): IdempotencyKeySettings;
  /** Claims the key, as {@link IdempotencyStore.claim} does. */
  claim(fingerprint: string): ReturnType<IdempotencyStore['claim']>;
  /** Settles the key, as {@link IdempotencyStore.settle} does. */
  settle(answer: Parameters<IdempotencyStore['settle']>[1]): Promise<void>;
}

/**
 * A store for a relay, in Durable Objects. The key names the object, so that duplicates meet there.
 *
 * @param keys the binding of {@link IdempotencyKeyObject}
 */
export declare function durableStore<Class extends IdempotencyKeyObject>(
  keys: DurableObjectNamespace<Class>,
): IdempotencyStore;
