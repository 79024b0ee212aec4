/**
 * A store of generations that outlive a reload, for any front-end.
 *
 * @module generations
 */

import type {
  AnyLemonDataError,
  EditRequest,
  Image,
  ImageRequest,
  LemonData,
  PendingGeneration,
  Task,
} from '../entries/index.js';

/**
 * The state of a generation:
 *
 * - `held`: the browser is offline; the create leaves when it is online again
 * - `sending`: the create is about to leave, or waits for its answer
 * - `waiting`: its task is known, and polled in this tab or another one
 * - `done`: the images are there
 * - `stopped`: {@link Generations.stop} has ended it
 * - `failed`: `error` says why
 */
export type GenerationPhase = 'held' | 'sending' | 'waiting' | 'done' | 'stopped' | 'failed';

/** A generation as it stands. The object never changes: each change makes a new one. */
export interface GenerationSnapshot {
  /** The generation's own id, as {@link Generations.start} returns it. */
  readonly id: string;
  /** The request. Files in it, and pictures as `data:` URLs, do not outlive the page. */
  readonly request: ImageRequest | EditRequest;
  /** Whether the request is an edit. */
  readonly isEdit?: boolean | undefined;
  /** The state of the generation. */
  readonly phase: GenerationPhase;
  /** The status of the task, from its first poll on. */
  readonly status?: PendingGeneration['status'] | undefined;
  /** 0 to 100, where the server says it. */
  readonly progress?: number | undefined;
  /** The place of the create in the queue of a relay's hub. */
  readonly queue?: PendingGeneration['queue'];
  /** When the next poll is due, in milliseconds since 1970. */
  readonly nextPollAt?: number | undefined;
  /** The task, once it is known. */
  readonly task?: Task | undefined;
  /** The images; empty until the generation is done. */
  readonly images: readonly Image[];
  /** Why the generation failed. Its `outcome` says whether the create may have been billed. */
  readonly error?: AnyLemonDataError | Error | undefined;
  /**
   * Whether {@link Generations.resume} can bring the images without a second create: the task is known, it was stopped
   * before the create left, or a relay knows the create by its key. What has failed before it was sent needs a `retry`.
   */
  readonly isResumable: boolean;
  /** When the generation was started, in milliseconds since 1970. */
  readonly startedAt: number;
  /** When the create left, in milliseconds since 1970. Missing: nothing was sent. */
  readonly sentAt?: number | undefined;
  /** When the generation ended, in milliseconds since 1970. */
  readonly endedAt?: number | undefined;
  /** The `Idempotency-Key` of the create. */
  readonly idempotencyKey: string;
  /** The relay that the create left for: {@link GenerationsClient.relay}. */
  readonly relay?: boolean | string | undefined;
  /** Whether files of the request were lost with an earlier page, so that it cannot be sent again. */
  readonly isPartial?: boolean | undefined;
}

/** The place of the journal: `localStorage`, `sessionStorage`, or any object with these methods, which may be asynchronous. */
export interface GenerationsStorage {
  /** Reads an item; `null` where there is none. */
  getItem(key: string): string | null | undefined | PromiseLike<string | null | undefined>;
  /** Writes an item. Where it fails, it is called again without those that have ended; then generations go on in memory. */
  setItem(key: string, value: string): unknown;
  /** Removes an item. */
  removeItem(key: string): unknown;
}

/** The part of a client that the store needs: a {@link LemonData}, or a stand-in for it. */
export interface GenerationsClient
  extends Pick<LemonData, 'generateAndWait' | 'editAndWait' | 'waitForTask'> {
  /**
   * Whether the client calls a relay, which carries out a create once, however often its key arrives. A text names the
   * relay: a create is repeated only through the one that it left for.
   */
  readonly relay?: boolean | string | undefined;
}

/** The part of the platform's `LockManager` that the store needs. */
export interface GenerationsLocks {
  /** Runs `work` once no other tab holds the lock, and holds it until the promise settles. */
  request<Result>(
    name: string,
    options: { signal?: AbortSignal },
    work: () => Promise<Result>,
  ): Promise<Result>;
}

/** The options of {@link createGenerations}. */
export interface GenerationsOptions {
  /** Sends the requests, with its own options. */
  client: GenerationsClient;
  /**
   * The place of the journal; `null` for none. It holds prompts, tasks and the URLs of images as plain text.
   *
   * @defaultValue `localStorage`, where there is one
   */
  storage?: GenerationsStorage | null | undefined;
  /**
   * The name of the journal in its storage, and of its locks. Stores with different names know nothing of each other.
   *
   * @defaultValue `'lemondata generations'`
   */
  key?: string | undefined;
  /**
   * The locks by which one tab at a time works on a generation; `null` for none.
   *
   * @defaultValue `navigator.locks`, where there is one: in secure contexts
   */
  locks?: GenerationsLocks | null | undefined;
  /**
   * Keeps the lists of open tabs in step: {@link syncTabs}. Without it, a tab shows what others have started once it is
   * reloaded.
   */
  sync?: typeof syncTabs | undefined;
}

/**
 * Keeps the lists of open tabs in step: each tab shows at once what another one starts, how that goes on and how it ends,
 * and a `stop` or `remove` in one tab holds in all. It needs locks and `BroadcastChannel`, and does nothing without them.
 *
 * It is a function of its own, so that a page without it does not download it. The store alone calls it.
 *
 * @example
 * ```ts
 * const generations = createGenerations({ client, sync: syncTabs });
 * ```
 *
 * @param key - the name of the store
 * @param store - the parts of the store
 * @returns a function that informs the other tabs of a generation
 */
export declare function syncTabs(key: string, store: never): ((id: string) => void) | undefined;

/**
 * Throws the error of a lost answer, unless a relay can be asked again for the answer to a create: it is the relay that
 * the create left for, and it has kept the key, for which an hour is counted. The store does so by itself. This is for
 * a client of your own that sends further creates for one generation.
 *
 * @example
 * ```ts
 * checkRepeatable({ sentAt, relay: 'https://relay.example' }, client.relay);
 * await client.generateAndWait(request, { idempotencyKey });
 * ```
 *
 * @param create - when it left, in milliseconds since 1970, and for which relay
 * @param relay - the one that answers now: {@link GenerationsClient.relay}
 */
export declare function checkRepeatable(
  create: Pick<GenerationSnapshot, 'sentAt' | 'relay'>,
  relay: GenerationsClient['relay'],
): void;

/** How {@link Generations.start} begins a generation. */
export interface StartOptions {
  /**
   * The generation's id. If the store or its journal knows it, nothing is sent, and that generation goes on.
   *
   * @defaultValue a random one
   */
  id?: string | undefined;
  /**
   * Whether the request is an edit.
   *
   * @defaultValue `false`
   */
  edit?: boolean | undefined;
}

/**
 * A store of generations. Its methods need no `this`. None of them throws or rejects because a request fails: the error is
 * in the snapshot of its generation.
 */
export interface Generations {
  /**
   * Starts a generation and returns its id at once. The create leaves when the journal has its key.
   *
   * @typeParam Extra - request fields beyond the documented ones
   */
  start<Extra = unknown>(
    request: ImageRequest & NoInfer<Extra>,
    options?: StartOptions & { edit?: false | undefined },
  ): string;
  /** Starts an edit and returns its id at once. Files in its request do not outlive the page, but its task does. */
  start<Extra = unknown>(
    request: EditRequest & NoInfer<Extra>,
    options: StartOptions & { edit: true },
  ): string;
  /**
   * Ends a generation for the user: it is `stopped`, in every tab and after a reload. Its task goes on at the server,
   * and so may a create that was under way: either may still be billed.
   */
  stop(id: string): void;
  /**
   * Ends the polls of this tab. The generation is `waiting` still: {@link Generations.resume}, a reload or another open
   * tab goes on. A create that is under way is not ended, since it may be billed.
   */
  pause(id: string): void;
  /**
   * Goes on with a generation that was paused or stopped or has failed, if it {@link GenerationSnapshot.isResumable}. It
   * never creates twice.
   */
  resume(id: string): void;
  /**
   * Sends the request of an ended generation again, as another create, which is billed, too. The id stays. A request whose
   * files were lost ({@link GenerationSnapshot.isPartial}) is not sent.
   */
  retry(id: string): void;
  /** Stops a generation and forgets it, in the journal, too. */
  remove(id: string): void;
  /**
   * Lists a removed generation again, to undo {@link Generations.remove}: in the journal, too. One that was running goes
   * on. Nothing happens where its id is listed.
   */
  restore(snapshot: GenerationSnapshot): void;
  /**
   * Reads the journal and goes on with what an earlier page has left. The first `subscribe` or `start` does so, too.
   *
   * @returns a promise that resolves when those generations are listed. It never rejects
   */
  load(): Promise<void>;
  /** A generation as it stands: the same object until something changes. */
  get(id: string): GenerationSnapshot | undefined;
  /** All generations, the newest first: the same array until something changes. */
  list(): readonly GenerationSnapshot[];
  /**
   * Calls the listener with {@link Generations.list}, at once and after every change.
   *
   * It fits the contract of Svelte's stores and of React's `useSyncExternalStore`.
   *
   * @returns a function that ends the subscription
   */
  subscribe(listener: (generations: readonly GenerationSnapshot[]) => void): () => void;
}

/**
 * Makes a store of generations. It reads nothing and sends nothing by itself, so that a server may import the module that
 * makes it.
 *
 * Its journal is written before a create leaves and when the task is known. After a reload, or when another tab closes,
 * the generations go on, in one tab at a time and without a second create: an answer that was lost with its page is looked
 * for again only through a relay, within an hour. Otherwise the generation fails with the outcome `unknown`.
 *
 * Tabs that are open at the same time show what the others do where {@link syncTabs} is passed.
 *
 * The journal keeps the newest 100 generations that have ended, and drops those last that can be resumed. It holds no
 * pictures: one that came as `b64_json` or as a `data:` URL is asked for again by its task after a reload, and forgotten
 * where it has none.
 *
 * @example
 * ```ts
 * const client = new LemonData({ baseUrl: '/api/lemondata', relay: true });
 * const generations = createGenerations({ client });
 * generations.subscribe((list) => render(list));
 * generations.start({ prompt: 'a lemon', model: 'gpt-image-2' });
 * ```
 */
export declare function createGenerations(options: GenerationsOptions): Generations;
