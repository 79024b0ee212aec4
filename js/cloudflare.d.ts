/**
 * The relay's second half on Cloudflare: tasks that outlive pages, workers and deploys, each in a Durable Object of
 * its own that creates it, polls it by alarm, keeps its result and tells all that watch it.
 *
 * @packageDocumentation
 */

import { DurableObject } from 'cloudflare:workers';
import type { Options } from './index.js';
import type { Hub, HubAnswer, HubOrder, OnceStore, View } from './relay.js';

/** What a {@link TaskHub} works with. Times are in milliseconds. */
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
  requestTimeout?: number | undefined;
  /** How often a create is sent again that the service has refused without doing anything. Default 2. */
  maxRetries?: number | undefined;
  /**
   * How long a create may queue for its turn, and how long its task is polled after that. Default 900 000. A task
   * that runs longer is left: it is polled again when somebody asks for it.
   */
  maxWait?: number | undefined;
  /** How long an ended task and its pictures are kept. Default 86 400 000, a day. */
  retention?: number | undefined;
}

/** What a {@link FleetLimiter} works with. */
export interface FleetSettings {
  /** The requests that the service allows the key in a minute, creates and polls together. */
  perMinute: number;
}

/** What a {@link FleetLimiter} answers. */
export interface Turn {
  /** How long to wait before asking again, in milliseconds; 0 is the turn itself. */
  wait_ms: number;
  /** How many requests of this kind come first. */
  position: number;
  /** How many requests wait, this one included. */
  length: number;
}

/** What an {@link OnceKey} works with. Times are in milliseconds. */
export interface OnceSettings {
  /**
   * After so long, a create that nobody has settled counts as lost, and is answered 502 `create_outcome_unknown`
   * from then on. Default 600 000.
   */
  claim: number;
  /** How long an answer is kept. Default 86 400 000, a day. */
  retention: number;
}

/** What {@link durableHub} works with. */
export interface HubBindings<Class extends TaskHub = TaskHub> {
  /** The binding of {@link TaskHub}. */
  tasks: DurableObjectNamespace<Class>;
  /** The bucket that it copies pictures to, where it does. */
  pictures?: R2Bucket | undefined;
  /** After so many milliseconds, a create that is not answered yet is told as a task. Default 10 000. */
  answerWithin?: number | undefined;
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
  look(): View | undefined;
}

/**
 * The turns of all tasks that share a key, one object for each key: creates and polls together stay below the
 * service's limit, they take turns where both wait, and so do the identities within each. After a 429, nobody sends
 * anything for as long as the service asks, and everybody less for a minute after that.
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
  take(ticket: string, identity: string, need: 'create' | 'poll', patience?: number): Turn;
  /** The service has refused a request: nobody sends any for so many milliseconds. {@link TaskHub} calls it. */
  slow(ms: number): void;
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
  /** {@link OnceStore.claim} for this key. */
  claim(fingerprint: string): ReturnType<OnceStore['claim']>;
  /** {@link OnceStore.settle} for this key. */
  settle(answer: Parameters<OnceStore['settle']>[1]): Promise<void>;
}

/**
 * A store for a relay, in Durable Objects: the key names the object, so that duplicates meet there.
 *
 * @param keys the binding of {@link OnceKey}
 */
export declare function durableStore<Class extends OnceKey>(keys: DurableObjectNamespace<Class>): OnceStore;
