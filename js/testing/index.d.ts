/**
 * The service for tests and demos: a LemonData-compatible service in memory, which answers as the real one does, and fails
 * where a test wants it to. It runs wherever there are `Request` and `Response`: Node, Deno, Bun, edge workers, browsers, and
 * jsdom with both.
 *
 * @module testing
 */

/** How a model answers a create: with its pictures, or with a task. */
export type MockAnswerKind = 'inline' | 'task';

/** What a request is for. An edit is a create. */
export type MockRequestKind = 'create' | 'poll' | 'cancel' | 'models' | 'file' | 'health';

/** The options of {@link mockService}. Times are in milliseconds. */
export interface MockServiceOptions {
  /**
   * The key that it accepts; any other is refused with 401.
   *
   * @defaultValue none: every request is accepted, so that it can stand in for a relay as well
   */
  apiKey?: string | undefined;
  /**
   * The whole time of a task: `pending` for the first third, `processing` with rising `progress` after that, then
   * `completed`. With 0, the first poll finds the pictures.
   *
   * @defaultValue `6_000`
   */
  taskMs?: number | undefined;
  /**
   * The time until an inline answer.
   *
   * @defaultValue `0`
   */
  inlineMs?: number | undefined;
  /**
   * Further models, or other answers of those that it has: `{ 'my-model': 'task' }`. A model that is neither here nor in
   * its catalogue is refused with `model_not_found`.
   *
   * @defaultValue none
   */
  models?: Readonly<Record<string, MockAnswerKind>> | undefined;
  /**
   * Where tasks are polled, and what their ids look like: `images` and `none` have ids `img_…`, and the latter no
   * `poll_url`; `tasks` and `alias` have ids `ldtask_…`.
   *
   * @defaultValue `'images'`
   */
  pollPath?: 'images' | 'tasks' | 'alias' | 'none' | undefined;
  /**
   * Whether it is as strict as the service of 2026: a create needs a model, and holds nothing that its model does not
   * take; answers say what was billed.
   *
   * @defaultValue `false`
   */
  strict?: boolean | undefined;
  /**
   * Whether the `url` of a picture is a `data:` URL, which an `<img>` shows without a server.
   *
   * @defaultValue `false`
   */
  dataUrls?: boolean | undefined;
  /**
   * The time that the scenarios for 429 and 503 ask to wait, in seconds.
   *
   * @defaultValue `1`
   */
  retryAfter?: number | undefined;
  /**
   * The clock, in milliseconds since 1970. `() => 0` is a clock that {@link MockService.advance} alone moves.
   *
   * @defaultValue the global `Date.now`, as it is at that moment, so that fake timers move it
   */
  now?: (() => number) | undefined;
  /** Gets each request before it is answered. */
  onRequest?: ((request: MockRequest) => void) | undefined;
}

/** The options of {@link serve}. */
export interface ServeOptions extends MockServiceOptions {
  /**
   * The port.
   *
   * @defaultValue `0`, which is any free one
   */
  port?: number | undefined;
  /**
   * The address or name to listen on: `0.0.0.0` lets in other machines and containers. The addresses of its pictures then
   * begin with the host that a request names.
   *
   * @defaultValue `'127.0.0.1'`, this machine alone
   */
  host?: string | undefined;
  /**
   * The pages that may read its answers: `true` for those of any origin, or exact origins.
   *
   * @defaultValue `false`
   */
  cors?: boolean | readonly string[] | undefined;
  /** Gets one line for each request that has been answered. */
  log?: ((line: string) => void) | undefined;
}

/** A request that has arrived. */
export interface MockRequest {
  /** The `x-request-id` of its answer. */
  id: string;
  /** What it is for; missing for a path or a method that the service does not have. */
  kind?: MockRequestKind;
  /** Its HTTP method. */
  method: string;
  /** Its path with its query, without what a base URL puts in front of it. */
  path: string;
  /** Its headers, their names in lower case. */
  headers: Readonly<Record<string, string | undefined>>;
  /**
   * Its body, parsed if it is JSON or a form, else text; undefined without one. A name of a form that has files holds a list
   * of `{ filename, type, size, sha256 }`; `sha256` is undefined where the platform has no `crypto.subtle`.
   */
  body: unknown;
  /** When it arrived, in milliseconds since 1970. */
  at: number;
  /** The HTTP status of its answer; missing until there is one, and where the connection broke. */
  status?: number;
}

/** A reply of your own. */
export interface MockReply {
  /**
   * The HTTP status.
   *
   * @defaultValue `200`
   */
  status?: number | undefined;
  /** Headers beside the usual ones, or instead of them. */
  headers?: Readonly<Record<string, string>> | undefined;
  /** A text or bytes as they are; anything else as JSON. */
  body?: unknown;
  /** Milliseconds until the reply. {@link MockService.advance} shortens them. */
  delay?: number | undefined;
  /** Never answers: the caller can only abort. */
  hang?: boolean | undefined;
  /** Breaks the connection without an answer. */
  reset?: boolean | undefined;
  /** Sends this much of a body, and then breaks the connection. */
  partial?: string | undefined;
}

/** Which requests a reply is for. */
export interface ReplyTarget {
  /**
   * What they are for.
   *
   * @defaultValue `'create'`
   */
  on?: MockRequestKind | undefined;
  /**
   * How many of them.
   *
   * @defaultValue `1`
   */
  times?: number | undefined;
}

/** A service in memory. */
export interface MockService {
  /** The key that it accepts, for the option `apiKey` of the client. */
  readonly apiKey: string;
  /** The latest thousand requests, in the order in which they arrived. */
  readonly requests: readonly MockRequest[];
  /**
   * The transport, for the option `fetch` of the client, of a relay or of `toBlob`. It answers requests to any origin, and
   * opens no connection.
   */
  readonly fetch: typeof globalThis.fetch;
  /**
   * Queues a reply for the next requests of a kind. A reply of your own is sent before anything of the request is checked.
   *
   * @example
   * ```js
   * mock.respondWith('error-429', { times: 2 });
   * mock.respondWith({ status: 502, body: '<html>' }, { on: 'poll' });
   * ```
   *
   * @param reply a reply of your own, or the name of a scenario such as `error-429` or `task-failed-string`, which a
   * create or a poll then meets
   * @param target the next create, where it is left out
   * @throws TypeError for a scenario or a kind that does not exist
   */
  respondWith(reply: MockReply | string, target?: ReplyTarget): void;
  /**
   * Moves the clock: tasks get older, and delays that are over end.
   *
   * @param ms milliseconds
   */
  advance(ms: number): void;
  /** Forgets tasks, pictures, requests and queued replies. */
  reset(): void;
}

/** A service that listens on a port. */
export interface MockServer extends MockService {
  /** Its address on this machine without a trailing slash, for the option `baseUrl` of the client. */
  readonly url: string;
  /** The port that it listens on. */
  readonly port: number;
  /** Ends every connection at once, and resolves when the port is free. */
  close(): Promise<void>;
}

/**
 * Makes a service in memory. It needs no network, no port and no key.
 *
 * @example
 * ```js
 * import { generateAndWait } from 'lemondata-wasm';
 * import { mockService } from 'lemondata-wasm/testing';
 *
 * const { apiKey, fetch } = mockService({ taskMs: 0 });
 * await generateAndWait({ model: 'ideogram-v3', prompt: 'A lemon' }, { apiKey, fetch, pollInterval: { min: 1, max: 2 } });
 * ```
 *
 * @throws TypeError for an option, or a value of one, that does not exist
 */
export declare function mockService(options?: MockServiceOptions): MockService;

/**
 * Starts the same service on a port, in Node, Deno and Bun: for browsers under test and for other processes.
 *
 * @example
 * ```js
 * const service = await serve({ taskMs: 0 });
 * await generateAndWait({ model: 'ideogram-v3', prompt: 'A lemon' }, { apiKey: service.apiKey, baseUrl: service.url });
 * await service.close();
 * ```
 *
 * @returns a promise that rejects where the port is taken or the host is not of this machine, and with a `TypeError` where nothing can listen
 */
export declare function serve(options?: ServeOptions): Promise<MockServer>;
