/**
 * LemonData image generation for browsers, edge workers, Node, Deno and Bun.
 *
 * Option names are camelCase. Requests and answers keep the provider's own snake_case field names, and fields
 * that are not declared here pass through both ways: name them with the type arguments of a call.
 *
 * These declarations need TypeScript 5.4 or later, and the platform's own types of `fetch`: the `dom`
 * library, or the types of Node or of an edge runtime.
 *
 * @module index
 */

// Requests

/** A model's name: some are suggested, any other is the server's to judge. {@link listModels} lists them all. */
export type ModelName =
  | 'gpt-image-2'
  | 'nano-banana'
  | 'nano-banana-2'
  | 'nano-banana-pro'
  | 'gemini-3-pro-image-preview'
  | 'grok-imagine-image'
  | 'ideogram-v3'
  | 'dall-e-3'
  | 'dall-e-2'
  | 'flux-schnell'
  | 'flux-pro'
  | 'stable-diffusion-3'
  | 'midjourney'
  | (string & {});

/**
 * A size in pixels, `WIDTHxHEIGHT`, or `auto` where the model knows it. `gpt-image-2` takes multiples of 16, with at
 * most 3840 pixels a side and a ratio of at most 3:1.
 */
export type Size =
  | 'auto'
  | '1024x1024'
  | '1536x1024'
  | '1024x1536'
  | '1792x1024'
  | '1024x1792'
  | '512x512'
  | (string & {});

/** A quality: `standard` and `hd` are DALL·E 3's, the others are those of newer models. */
export type Quality = 'auto' | 'low' | 'medium' | 'high' | 'standard' | 'hd' | (string & {});

/**
 * The fields that a generation and an edit have in common, as LemonData documents them. Which of them a model takes,
 * {@link listModels} says.
 *
 * A model may know further ones. They are sent untouched; name them with the first type argument of a call.
 */
export interface ImageFields {
  /** What to draw. Must not be empty; LemonData's schema allows up to 4,000 characters. */
  prompt: string;
  /**
   * Which model draws it. Name one: today's service requires it. Whether it answers with the images or with a task is
   * read off the answer, never off this name.
   *
   * @defaultValue `'dall-e-3'` on older servers
   */
  model?: ModelName | undefined;
  /**
   * How many images, from 1. The most that is allowed depends on the model (10 at the most).
   *
   * @defaultValue `1`, chosen by the server
   */
  n?: number | undefined;
  /**
   * The size of each image.
   *
   * @defaultValue `'1024x1024'` or `'auto'`, chosen by the model
   */
  size?: Size | undefined;
  /** The ratio of width to height, for models that take it in place of `size`. */
  aspect_ratio?: '1:1' | '3:2' | '2:3' | '4:3' | '3:4' | '16:9' | '9:16' | '21:9' | (string & {}) | undefined;
  /** The resolution, for models that take it beside `aspect_ratio`. */
  resolution?: '1K' | '2K' | '4K' | (string & {}) | undefined;
  /**
   * How much effort goes into an image.
   *
   * @defaultValue `'auto'` or `'standard'`, chosen by the model
   */
  quality?: Quality | undefined;
  /**
   * Whether an image comes as an address or within the answer, in base64. A task may bring addresses all the same.
   *
   * @defaultValue `'url'`, chosen by the server
   */
  response_format?: 'url' | 'b64_json' | undefined;
  /**
   * DALL·E 3 and some other models.
   *
   * @defaultValue `'vivid'`, chosen by the server
   */
  style?: 'vivid' | 'natural' | undefined;
  /** Whether the background is transparent. `gpt-image-2` knows `opaque` and `auto`. */
  background?: 'auto' | 'transparent' | 'opaque' | (string & {}) | undefined;
  /** The type of the picture's file. */
  output_format?: 'png' | 'jpeg' | 'webp' | (string & {}) | undefined;
  /** How much a JPEG or WebP is compressed, from 0 to 100. */
  output_compression?: number | undefined;
  /** How strictly prompt and picture are checked. */
  moderation?: 'auto' | 'low' | (string & {}) | undefined;
  /** What the picture should not show. */
  negative_prompt?: string | undefined;
  /** Whether the model may extend the prompt. */
  expand_prompt?: boolean | undefined;
  /** A whole number: the same seed and the same request bring similar pictures. */
  seed?: number | undefined;
  /** Asks for a task at once in place of an inline answer, of a model that can. */
  async?: boolean | undefined;
  /** Reserved: the server refuses `true`. */
  stream?: false | undefined;
  /** Your own identifier of the end user. */
  user?: string | undefined;
}

/** The body of a create: the documented fields. */
export interface ImageRequest extends ImageFields {
  /** What the model is to do with the pictures of the request. */
  operation?: 'text-to-image' | 'image-to-image' | 'image-edit' | (string & {}) | undefined;
  /**
   * A reference picture as a file. The request is sent as a form then, which the platform streams; a list of URLs
   * stands between commas there.
   */
  image?: Blob | undefined;
  /** The URL of a reference picture. */
  image_url?: string | undefined;
  /** The URLs of reference pictures, 1 to 16. */
  image_urls?: readonly string[] | undefined;
  /** The same as `image_urls`, under the name that other models have for it. */
  reference_image_urls?: readonly string[] | undefined;
  /** The URL of a mask: a picture that is transparent where the model may draw. */
  mask_url?: string | undefined;
}

/** A picture that a request names: by its URL, or by the id of a file that the service keeps. */
export type ImageReference =
  | {
      /** The picture's URL. */
      image_url: string;
    }
  | {
      /** The id of a file that the service keeps. */
      file_id: string;
    };

/** An edit of pictures that have a URL, sent as JSON. Needs exactly one of `image_url`, `image_urls` and `images`. */
export interface UrlEditRequest extends ImageFields {
  /** The URL of the picture. */
  image_url?: string | undefined;
  /** The URLs of the pictures, 1 to 16. */
  image_urls?: readonly string[] | undefined;
  /** The pictures, 1 to 16. */
  images?: readonly ImageReference[] | undefined;
  /** A picture that is transparent where the model may draw. */
  mask?: ImageReference | undefined;
  /** Pictures as files: see {@link BlobEditRequest}. */
  image?: undefined;
}

/**
 * An edit of pictures that are at hand, sent as a form. The platform streams them; the other fields are texts there,
 * as JSON would say them.
 */
export interface BlobEditRequest extends ImageFields {
  /** The pictures, 1 to 16, with up to 50 MiB each and 200 MiB together: PNG, JPEG or WebP. */
  image: Blob | readonly Blob[];
  /** A picture that is transparent where the model may draw. */
  mask?: Blob | undefined;
  /** A picture that has a URL: see {@link UrlEditRequest}. */
  image_url?: undefined;
  /** Pictures that have URLs: see {@link UrlEditRequest}. */
  image_urls?: undefined;
  /** Pictures that have URLs or ids: see {@link UrlEditRequest}. */
  images?: undefined;
}

/** The body of an edit: the pictures as URLs or as Blobs, and the other fields of a create. */
export type EditRequest = UrlEditRequest | BlobEditRequest;

// Answers

/** One image, with a `url` or a `b64_json` as `response_format` says. */
export interface Image {
  /** Where the image can be downloaded, without the key. {@link toBlob} does so. */
  url?: string;
  /** The image itself, in base64. {@link toBlob} decodes it. */
  b64_json?: string;
  /** The prompt as the model understood it. */
  revised_prompt?: string;
}

/** The consumption of a create, where the server says it. Further fields depend on the model. */
export interface Usage {
  /** Tokens of prompt and pictures. */
  input_tokens?: number;
  /** Tokens of the images. */
  output_tokens?: number;
  /** Both together. */
  total_tokens?: number;
  /** Whatever else the server says of it. */
  [more: string]: unknown;
}

/** A model that {@link Options.fallback} has gone past. */
export interface SkippedModel {
  /** The model's name; missing where the request named none. */
  model?: string | undefined;
  /**
   * Why it made no picture. Its `outcome` is `not_sent`, `rejected` or `failed`, so no picture of it can follow. From the
   * hub of a relay, it is plain JSON: `kind`, `outcome`, `status`, `code` and `message`.
   */
  error: AnyLemonDataError;
}

/** Model and price, which both kinds of generation may name. */
export interface GenerationDetails {
  /** The model that has the request, where {@link Options.fallback} had to choose another, or where the server says it. */
  model?: string;
  /** The models that {@link Options.fallback} has gone past, in their order. */
  skipped_models?: SkippedModel[];
  /** The name of this create on the provider's bill. */
  billing_transaction_id?: string;
  /** The consumption of this create. */
  usage?: Usage;
}

/** The images are there. It is the provider's own object, with `status` filled in where that was missing. */
export interface CompletedGeneration extends GenerationDetails {
  /** Distinguishes it from a {@link PendingGeneration}. */
  status: 'completed';
  /** The images. Empty where a task of another type has its result in a field such as `video_url`. */
  data: Image[];
  /** When it was created, in seconds since 1970. */
  created?: number;
  /** The task that made the images; missing where the create was answered with them. */
  task_id?: string;
  /** 0 to 100, where the server says it. */
  progress?: number;
}

/** A task is at work. It is plain JSON: store it, and hand it to {@link waitForTask} anywhere, any time. */
export interface PendingGeneration extends GenerationDetails {
  /** `pending` or `processing`, whatever word the server has for it: see `provider_status`. An unknown word is `processing`. */
  status: 'pending' | 'processing';
  /** The task's id, opaque. */
  task_id: string;
  /** The URL to poll, as the server gives it. */
  poll_url?: string;
  /** When it was created, in seconds since 1970. */
  created?: number;
  /** 0 to 100, where the server says it. */
  progress?: number;
  /** The server's own word where it is another, such as `queued`. */
  provider_status?: string;
  /** The place of a create in the queue of a relay's hub, which has not sent it yet. */
  queue?: {
    /** How many creates come first. */
    position: number;
    /** How many requests wait, this one included. */
    length: number;
    /** The shortest time until its place changes, in milliseconds. */
    wait_ms: number;
  };
}

/**
 * The result of a create or a poll. Its `status` distinguishes the two.
 *
 * @typeParam Fields - further fields of the answer that you know of
 */
export type Generation<Fields = unknown> = (CompletedGeneration & Fields) | (PendingGeneration & Fields);

/** A task that has ended without a result, as {@link Options.onUpdate} gets it before the wait rejects. */
export interface FailedTask {
  /** The task has failed, was cancelled, or is done without a result. */
  status: 'failed';
  /** The task's id, opaque. */
  task_id: string;
  /** 0 to 100, where the server says how far it came. */
  progress?: number;
  /** The provider's reason: a string, or an object with a `message`. */
  error?: unknown;
  /** Whether the task was cancelled. */
  cancelled?: boolean;
}

/** The rest of an update for {@link Options.onUpdate}, beside the task. */
export interface UpdateInfo {
  /** When the next poll is due, in milliseconds from now. Missing: none follows. */
  nextPollMs?: number;
}

/** A task, as {@link Options.onTask} and {@link LemonDataError.task} give it. Plain JSON. */
export interface Task {
  /** The task's id, opaque. */
  task_id: string;
  /** The URL to poll, as the server gives it. Without it, the task is polled by its id. */
  poll_url?: string;
}

/**
 * Everything that names a task: its id, an object that holds one, or a generation, fresh or out of a store. A field that a
 * store holds without a value may be there as `null` or `undefined`.
 */
export type TaskRef =
  | string
  | {
      /** The task's id, opaque. */
      task_id: string;
      /** The URL to poll, as the server gives it. Without it, the task is polled by its id. */
      poll_url?: string | null | undefined;
    }
  | {
      /** The task's id, under the name that the provider's own objects have for it. */
      id: string;
      /** The URL to poll, as the server gives it. Without it, the task is polled by its id. */
      poll_url?: string | null | undefined;
    }
  | {
      /** There is nothing to wait for. */
      status: 'completed';
      /** The images. */
      data: readonly ImageSource[];
    }
  | Generation;

/** What {@link toBlob} takes: an image, fresh or out of a store. */
export interface ImageSource {
  /** Where the image can be downloaded, without the key. */
  url?: string | null | undefined;
  /** The image itself, in base64. */
  b64_json?: string | null | undefined;
}

// Options

/** Extra request headers: an object, pairs of name and value, or a `Headers` object. */
export type HeadersSource = Headers | Record<string, string> | readonly (readonly [string, string])[];

/** An HTTP answer, as {@link Options.onResponse} gets it. It never holds the key. */
export interface ResponseInfo {
  /** `POST` for a create, `GET` for a poll. */
  method: string;
  /** The path that was called, without its query. */
  path: string;
  /** The HTTP status; 0 where a browser hides a redirect. */
  status: number;
  /** The `x-request-id` of the answer, which the provider's support asks for. */
  requestId?: string | undefined;
  /** The name of the create on the provider's bill: the `x-billing-transaction-id` of the answer, or that of its body. */
  billingTransactionId?: string | undefined;
  /** The consumption of the create, where the body of the answer says it. */
  usage?: Usage | undefined;
  /** The account's limit: the `X-RateLimit-…` headers, which a browser sees only where they are exposed. */
  rateLimit: {
    /** Requests per minute. */
    limit?: number | undefined;
    /** How many of them are left. */
    remaining?: number | undefined;
    /** When the count starts again, as the server says it. */
    reset?: number | undefined;
  };
  /** From sending the request to the last byte of the answer, in milliseconds. The time for the key is not part of it. */
  durationMs: number;
  /** Counts the attempts of a create, or the polls of a wait, from 1. Each model of {@link Options.fallback} has its own count. */
  attempt: number;
}

/**
 * The options, the same for a client and for a call. Those of a call win over those of its client.
 *
 * They are checked at the call, which rejects with an {@link InvalidRequestError} that names the option in
 * `param`; nothing has been sent then.
 */
export interface Options {
  /**
   * The key, or a function that returns it (or a promise of it). The function is called for every request, so that a key
   * can be rotated or fetched from a vault. Waiting for it ends with the signal and with `requestTimeout`.
   *
   * Required without `baseUrl` and `headers`.
   *
   * A function that fails rejects with an {@link AuthenticationError}, an unusable key with an
   * {@link InvalidRequestError}.
   */
  apiKey?: string | (() => string | PromiseLike<string>) | undefined;
  /**
   * Where requests go: an `http` or `https` URL, such as `https://api.tokenlab.sh`, or in a web page a path on its own
   * server, such as `/api/lemondata`. Its path is a prefix of all that is called. A trailing slash or `/v1` is accepted;
   * credentials, query and fragment are not.
   *
   * @defaultValue `'https://api.lemondata.cc'`
   */
  baseUrl?: string | undefined;
  /**
   * Whether `baseUrl` is a relay that carries out a keyed create once, however often it arrives. Then every
   * create gets an `Idempotency-Key`, and one whose outcome is unknown is repeated, too. A relay with a hub may answer
   * a poll with a stream of all that follows: each of its states counts as a poll that was answered. The wait polls
   * where the stream ends, is silent for 30 s or cannot be had, as in edge workers.
   *
   * Do not set it for any other server: a repeated create would be billed twice.
   *
   * @defaultValue `false`
   */
  relay?: boolean | undefined;
  /**
   * The transport. It is called with a URL and with `method`, `headers`, `body`, `signal`, `redirect: 'manual'` and, where
   * the runtime knows it, `cache: 'no-store'`; for a create, with `keepalive: false` as well. Pass all of them on. A body of
   * files is a form of the global `FormData`: undici's own `fetch` takes only its own. One that throws before it returns a
   * promise has sent nothing.
   *
   * @defaultValue the global `fetch`, looked up at each request
   */
  fetch?: ((url: string, init: RequestInit) => PromiseLike<Response>) | undefined;
  /** Extra request headers, or a function that returns them (or a promise), called for every request. */
  headers?: HeadersSource | (() => HeadersSource | PromiseLike<HeadersSource>) | undefined;
  /**
   * Allows `apiKey`, and `headers` for the default address, in a web page or a worker of one. Every visitor of the
   * page can read the key there and spend your balance: keep it in a relay instead.
   *
   * @defaultValue `false`
   */
  dangerouslyAllowBrowser?: boolean | undefined;
  /**
   * Ends the call at once, wherever it is, and rejects with the signal's own reason.
   *
   * A task goes on at the server, and so may a create that was under way: it may still be billed.
   */
  signal?: AbortSignal | undefined;
  /**
   * The time for one attempt with its body, in milliseconds. LemonData asks for at least 120 s for a create,
   * since an answer with images in it can take a minute or more.
   *
   * @defaultValue `300_000` for a create and a download, `60_000` for a poll
   */
  requestTimeout?: number | undefined;
  /**
   * How often a create is repeated where that is safe: after a 429 that is not marked as final (`retryable: false`), after a
   * 503 that is marked as retryable, and where no connection was made. Together the pauses take at most 60 s. Polls are not
   * counted: they are free to repeat.
   *
   * @defaultValue `2`
   */
  maxRetries?: number | undefined;
  /**
   * The bounds of the gap after an answer that says "still running", in milliseconds. Each gap is a new random one
   * between the two, so that many clients never poll in step: from the longer half after each of the first six polls,
   * when few tasks are done, and from the shorter four fifths after that. LemonData asks for one poll every 3–5 s.
   *
   * @defaultValue `{ min: 3_000, max: 5_000 }`
   */
  pollInterval?:
    | {
        /** The shortest gap, in milliseconds. */
        min?: number | undefined;
        /** The longest gap, in milliseconds. */
        max?: number | undefined;
      }
    | undefined;
  /**
   * The time for a task from the moment that it is known, in milliseconds; `Infinity` for no limit. LemonData
   * says that most tasks finish within 30–120 s, and its own sample gives up after 300 s.
   *
   * @defaultValue `300_000`
   */
  maxWait?: number | undefined;
  /**
   * How many polls a wait may send, from 1: for runtimes that count subrequests.
   *
   * @defaultValue no limit
   */
  maxPolls?: number | undefined;
  /**
   * Sent with a create as `Idempotency-Key`, in visible ASCII characters. LemonData documents no such key, so
   * it allows repeats only together with `relay: true`.
   */
  idempotencyKey?: string | undefined;
  /**
   * The models that get the request of a create in turn, after the one that it names. The next one follows where it is
   * certain that the last one makes no picture: where no connection was made, where the server refused for the model's
   * sake (it is unknown or not available, or its limit outlasts `maxRetries`), or where the task has failed. It never
   * follows a cancelled task, or an outcome of `unknown` or `accepted`. Each model gets an `idempotencyKey` of its
   * own: yours, with `-1`, `-2` and so on behind it. The generation names the model in `model`, and the others with their
   * errors in `skipped_models`. The hub of a relay goes through the models itself, even if the page closes: they share one
   * task and one `idempotencyKey`.
   *
   * @example
   * ```ts
   * const { model, data } = await generateAndWait(
   *   { prompt: 'a lemon', model: 'gpt-image-2' },
   *   { apiKey, fallback: ['nano-banana-2', 'flux-2-pro'] },
   * );
   * ```
   *
   * @defaultValue none
   */
  fallback?: readonly ModelName[] | undefined;
  /**
   * Called with the task of a create once there is one, and awaited before the first poll: the place to store
   * it. Where it fails, or is not done within `maxWait` (at least 5 s), the call rejects with a {@link CallbackError}
   * that holds the task. Of a chain of {@link Options.fallback}, it gets the task of each model.
   */
  onTask?: ((task: Task) => unknown) | undefined;
  /**
   * Called after each poll of a wait that says how the task stands, not after one that was lost. The last poll is one: the
   * task is completed then, or it has failed and the wait rejects. `info` tells when the next poll is due. The callback is
   * not awaited; what it throws goes to `reportError` (or the console), and the wait goes on.
   */
  onUpdate?: ((task: Generation | FailedTask, info: UpdateInfo) => void) | undefined;
  /**
   * Called after every HTTP answer, whatever its status: for logs and metrics. What it throws goes to
   * `reportError` (or the console), and the call goes on.
   */
  onResponse?: ((info: ResponseInfo) => void) | undefined;
}

// Functions

/**
 * Sends one create request. An answer with images is a completed generation, an answer with a task a pending
 * one: hand that to {@link waitForTask}.
 *
 * It is repeated only after an answer which says that nothing was done. Every error says in `outcome` whether
 * the create may have been billed.
 *
 * @example
 * ```ts
 * const request = { prompt: 'a lemon', model: 'gpt-image-2', size: '1536x1024' };
 * const generation = await generate(request, { apiKey });
 * if (generation.status === 'completed') show(generation.data);
 * ```
 *
 * @typeParam Extra - request fields beyond the documented ones
 * @typeParam Fields - answer fields beyond the documented ones
 * @throws {@link LemonDataError}, one of {@link AnyLemonDataError}; or the reason of the signal
 */
export declare function generate<Extra = unknown, Fields = unknown>(
  request: ImageRequest & NoInfer<Extra>,
  options?: Options,
): Promise<Generation<Fields>>;

/**
 * Polls a task until it has ended. The first poll is sent at once; a completed generation comes back without
 * any.
 *
 * A lost connection, a time-out, a 304, 408, 421, 425, 429, 499 or 5xx does not end the wait, unless the server marks it as
 * not retryable.
 * Whatever does end it, the error holds the task, and `waitForTask(error.task)` goes on from there.
 *
 * @example
 * ```ts
 * const { data } = await waitForTask('img_abc123def456', { apiKey, onUpdate: ({ status }) => console.log(status) });
 * ```
 *
 * @typeParam Fields - answer fields beyond the documented ones
 * @throws {@link TaskFailedError} where the task failed, {@link TaskCancelledError} where it was cancelled
 * @throws {@link TaskNotFoundError} where the server has no such task any more
 * @throws {@link WaitTimeoutError} where it is still running after `maxWait`, {@link PollBudgetError} after
 * `maxPolls` polls
 * @throws {@link LemonDataError}, another of {@link AnyLemonDataError}; or the reason of the signal
 */
export declare function waitForTask<Fields = unknown>(
  task: TaskRef,
  options?: Options,
): Promise<CompletedGeneration & Fields>;

/**
 * Sends one create request and, where it is answered with a task, polls that until it has ended: first after
 * one gap of `pollInterval`.
 *
 * @example
 * ```ts
 * const { data } = await generateAndWait({ prompt: 'a lemon', model: 'gpt-image-2' }, { apiKey });
 * ```
 *
 * @typeParam Extra - request fields beyond the documented ones
 * @typeParam Fields - answer fields beyond the documented ones
 * @throws what {@link generate} and {@link waitForTask} throw
 */
export declare function generateAndWait<Extra = unknown, Fields = unknown>(
  request: ImageRequest & NoInfer<Extra>,
  options?: Options,
): Promise<CompletedGeneration & Fields>;

/**
 * Sends one edit: pictures and a prompt that says what to change. Answers, tasks, repeats, outcomes and errors are those
 * of {@link generate}.
 *
 * @example
 * ```ts
 * const request = { model: 'gpt-image-2', prompt: 'Make the lemon blue', image: file };
 * const generation = await edit(request, { apiKey });
 * ```
 *
 * @typeParam Extra - request fields beyond the documented ones
 * @typeParam Fields - answer fields beyond the documented ones
 * @throws {@link LemonDataError}, one of {@link AnyLemonDataError}; or the reason of the signal
 */
export declare function edit<Extra = unknown, Fields = unknown>(
  request: EditRequest & NoInfer<Extra>,
  options?: Options,
): Promise<Generation<Fields>>;

/**
 * Sends one edit and, where it is answered with a task, polls that until it has ended: {@link generateAndWait} for
 * pictures.
 *
 * @example
 * ```ts
 * const { data } = await editAndWait({ model: 'gpt-image-2', prompt: 'Make the lemon blue', image: file }, { apiKey });
 * ```
 *
 * @typeParam Extra - request fields beyond the documented ones
 * @typeParam Fields - answer fields beyond the documented ones
 * @throws what {@link edit} and {@link waitForTask} throw
 */
export declare function editAndWait<Extra = unknown, Fields = unknown>(
  request: EditRequest & NoInfer<Extra>,
  options?: Options,
): Promise<CompletedGeneration & Fields>;

/**
 * Polls a task once and returns it as it stands. It rejects like {@link waitForTask} where the task has failed, with the
 * error of the poll where that got no answer, and with an {@link InvalidRequestError} for a generation that came inline,
 * which has no task.
 *
 * @example
 * ```ts
 * const generation = await getTask(stored, { apiKey });
 * if (generation.status === 'completed') show(generation.data);
 * ```
 *
 * @typeParam Fields - answer fields beyond the documented ones
 * @throws {@link TaskFailedError}, {@link TaskNotFoundError} or another {@link LemonDataError}; or the reason
 * of the signal
 */
export declare function getTask<Fields = unknown>(
  task: TaskRef,
  options?: Options,
): Promise<Generation<Fields>>;

/**
 * Makes a Blob of an image: decodes its `b64_json`, or downloads its `url`. Either may be a data URL.
 *
 * A download is sent without the key and without `headers`. It uses `fetch`, `signal` and `requestTimeout`, 300 000 by
 * default. Where it fails, the picture is paid for all the same: call `toBlob` again, not the create.
 *
 * @example
 * ```ts
 * const picture = await toBlob(data[0]);
 * await writeFile('lemon.png', Buffer.from(await picture.arrayBuffer()));
 * ```
 *
 * @throws {@link InvalidRequestError} where the image has neither, is not base64, or is `undefined`, as an index into
 * `data` may be
 * @throws {@link TaskFailedError} where it holds an `error` instead, as one of several images may
 * @throws {@link ResponseError} where the download is no picture, such as a page with status 200
 * @throws {@link LemonDataError}, another of {@link AnyLemonDataError}, where the download fails; or the
 * reason of the signal
 */
export declare function toBlob(image: ImageSource | undefined, options?: Options): Promise<Blob>;

// Models

/** Which models {@link listModels} lists. `baseUrl`, `headers`, `fetch`, `signal` and `requestTimeout` count as well. */
export interface ListModelsOptions extends Options {
  /**
   * The category of the models; an empty string for every one.
   *
   * @defaultValue `'image'`
   */
  category?: 'image' | 'video' | 'audio' | 'music' | '3d' | 'chat' | (string & {}) | undefined;
  /** Sorts the models by how well they do at something, and says why. */
  recommendedFor?: 'image' | 'video' | 'music' | '3d' | (string & {}) | undefined;
  /**
   * How much each model says of itself: `compact` is enough for a picker.
   *
   * @defaultValue `'full'`, chosen by the server
   */
  view?: 'compact' | 'full' | (string & {}) | undefined;
}

/** The requests that a model takes. A list that is empty or missing says nothing. */
export interface ModelContract {
  /** What the model does, such as `text-to-image` and `image-edit`. */
  public_operations?: string[];
  /** The fields of a request that it takes. */
  supported_parameters?: string[];
  /** The values of `aspect_ratio`. */
  aspect_ratios?: string[];
  /** The values of `resolution`. */
  resolutions?: string[];
  /** Whatever else the provider says of it. */
  [more: string]: unknown;
}

/** The details of a model in the full view. */
export interface ModelDetails {
  /** `image` for those that this package is for. */
  category?: string;
  /** What the model does. */
  capabilities?: string[];
  /** What a request may hold. */
  public_contract_summary?: ModelContract;
  /** The same, under the name that newer answers have for it. */
  request_format_summary?: ModelContract | null;
  /** Whatever else the provider says of it, such as `pricing`. */
  [more: string]: unknown;
}

/** A model as the provider lists it. The full view has its details in `tokenlab`, the compact one in the model itself. */
export interface Model {
  /** The model's name, as {@link ImageFields.model} takes it. */
  id: string;
  /** Who made the model, in the full view. */
  owned_by?: string;
  /** The details of the full view. */
  tokenlab?: ModelDetails;
  /** The same details from the service under its older name. */
  lemondata?: ModelDetails;
  /** Who made the model, in the compact view. */
  provider?: string;
  /** The category, in the compact view. */
  category?: string;
  /** What the model does, in the compact view. */
  capabilities?: string[];
  /** What the model does, as operations of a request, in the compact view. */
  supported_operations?: string[];
  /** The price, in the compact view: texts in US dollars, such as `per_request`. */
  pricing?: { [name: string]: unknown };
  /** Where the model stands in its life, such as `active` or `deprecated`, in the compact view. */
  status?: string;
}

/**
 * Lists the models that the service, or a relay, offers. The list is public: no key is sent. `headers` are,
 * wherever `baseUrl` leads. There is one request; it is not repeated.
 *
 * A bundle that does not use it does not hold it.
 *
 * @example
 * ```ts
 * for (const { id } of await listModels({ view: 'compact' })) picker.add(new Option(id));
 * ```
 *
 * @typeParam Fields - fields of a model beyond the documented ones
 * @param options the time-out is that of a poll, 60 000 ms by default
 * @throws {@link InvalidRequestError} where an option or the query is wrong
 * @throws {@link LemonDataError}, another of {@link AnyLemonDataError}; or the reason of the signal
 */
export declare function listModels<Fields = unknown>(
  options?: ListModelsOptions,
): Promise<(Model & Fields)[]>;

// Client

/**
 * The same functions, with options that you pass once. The options of a call win over them.
 *
 * Neither `JSON.stringify` nor an inspection of the client shows the options, and so the key.
 *
 * @example
 * ```ts
 * const lemon = new LemonData({ apiKey: () => vault.read('lemondata') });
 * const { data } = await lemon.generateAndWait({ prompt: 'a lemon', model: 'gpt-image-2' });
 * ```
 */
export declare class LemonData {
  /** Only stores the options: they are checked at the first call. */
  constructor(options?: Options);
  /** Whether the client calls a relay: {@link Options.relay}. */
  get relay(): boolean;
  /** See {@link generate}. */
  generate<Extra = unknown, Fields = unknown>(
    request: ImageRequest & NoInfer<Extra>,
    options?: Options,
  ): Promise<Generation<Fields>>;
  /** See {@link waitForTask}. */
  waitForTask<Fields = unknown>(task: TaskRef, options?: Options): Promise<CompletedGeneration & Fields>;
  /** See {@link generateAndWait}. */
  generateAndWait<Extra = unknown, Fields = unknown>(
    request: ImageRequest & NoInfer<Extra>,
    options?: Options,
  ): Promise<CompletedGeneration & Fields>;
  /** See {@link edit}. */
  edit<Extra = unknown, Fields = unknown>(
    request: EditRequest & NoInfer<Extra>,
    options?: Options,
  ): Promise<Generation<Fields>>;
  /** See {@link editAndWait}. */
  editAndWait<Extra = unknown, Fields = unknown>(
    request: EditRequest & NoInfer<Extra>,
    options?: Options,
  ): Promise<CompletedGeneration & Fields>;
  /** See {@link getTask}. */
  getTask<Fields = unknown>(task: TaskRef, options?: Options): Promise<Generation<Fields>>;
  /** See {@link listModels}. */
  listModels<Fields = unknown>(options?: ListModelsOptions): Promise<(Model & Fields)[]>;
}

// Errors

/**
 * The effect of the call as far as it is known, and so its cost:
 *
 * - `not_sent`: no request has left this machine
 * - `rejected`: the server refused, and billed nothing
 * - `accepted`: a task exists and may still complete; `task` resumes the wait
 * - `failed`: the task ended as failed
 * - `unknown`: the create may have been carried out and billed
 *
 * {@link toBlob} and {@link listModels} create nothing. Their errors are `not_sent`, `rejected` or `failed`, and say nothing
 * of the create that made a picture.
 */
export type Outcome = 'not_sent' | 'rejected' | 'accepted' | 'failed' | 'unknown';

/** The name of an error class in snake case, without its ending. */
export type ErrorKind =
  | 'invalid_request'
  | 'authentication'
  | 'payment_required'
  | 'permission_denied'
  | 'not_found'
  | 'rate_limit'
  | 'server'
  | 'task_not_found'
  | 'task_failed'
  | 'task_cancelled'
  | 'connection'
  | 'request_timeout'
  | 'response'
  | 'wait_timeout'
  | 'poll_budget'
  | 'untrusted_url'
  | 'callback'
  | 'internal';

/**
 * What every error of this package is. `instanceof` works across copies of the package, ESM and CommonJS
 * alike, and makes an {@link AnyLemonDataError} of an unknown value: a `switch` over `kind` tells its class.
 *
 * An error holds neither the key nor the headers of a request.
 *
 * @example
 * ```ts
 * try {
 *   await generateAndWait(request, options);
 * } catch (error) {
 *   if (!(error instanceof LemonDataError)) throw error;
 *   switch (error.kind) {
 *     case 'wait_timeout':
 *       return waitForTask(error.task, options);
 *     case 'payment_required':
 *       return askForMoney(error.hint);
 *     default:
 *       throw error;
 *   }
 * }
 * ```
 */
export declare class LemonDataError extends Error {
  /** Public so that a test can make an error; `kind` has to be that of the class. */
  constructor(details: ErrorDetails);
  /** Which class it is. */
  readonly kind: ErrorKind;
  /** The effect of the call as far as it is known, and so its cost. */
  readonly outcome: Outcome;
  /** The HTTP status, where there was an answer. */
  readonly status?: number | undefined;
  /**
   * What the provider calls the error, such as `insufficient_balance`, or the failure of a task: its `error.code`, or
   * its `error.type` where it sends no code.
   */
  readonly code?: string | undefined;
  /** The provider's `error.type`. */
  readonly type?: string | undefined;
  /** The request field that the provider objects to, or the field or option that this package does. */
  readonly param?: string | undefined;
  /** The provider's advice on what to do. */
  readonly hint?: string | undefined;
  /** The name that the provider takes a wrong one for, such as that of a model. */
  readonly didYouMean?: string | undefined;
  /** What the provider suggests in place of what it refuses, such as models that exist or cost less. */
  readonly suggestions?: Suggestion[] | undefined;
  /** What the provider offers in place of what is not available at the moment. */
  readonly alternatives?: Suggestion[] | undefined;
  /** The fields of a request that the model takes. */
  readonly supportedParameters?: string[] | undefined;
  /** What the model does, such as `text-to-image`. */
  readonly supportedOperations?: string[] | undefined;
  /** The values that the model takes for `resolution`. */
  readonly allowedResolutions?: string[] | undefined;
  /** The values that the model takes for `aspect_ratio`. */
  readonly allowedAspectRatios?: string[] | undefined;
  /** How long a prompt may be, in characters. */
  readonly promptMaxCharacters?: number | undefined;
  /** A request that the provider would take. */
  readonly recommendedRequest?: { [name: string]: unknown } | undefined;
  /** The models that {@link Options.fallback} had gone past before this error. */
  readonly skippedModels?: SkippedModel[] | undefined;
  /** What is left of the balance, in US dollars. */
  readonly balanceUsd?: number | undefined;
  /** What the request would have cost, in US dollars. */
  readonly estimatedCostUsd?: number | undefined;
  /** The `x-request-id` of the answer, or the `request_id` in its body: the provider's support asks for it. */
  readonly requestId?: string | undefined;
  /** How long the server asks to wait, in milliseconds. */
  readonly retryAfterMs?: number | undefined;
  /** The body of the answer: parsed, or as text where it is not JSON. */
  readonly body?: unknown;
  /** The task that goes on at the server, for {@link waitForTask}. */
  readonly task?: Task | undefined;
  /** The error beneath: of the transport, of a callback, or the last failed poll of a wait. */
  readonly cause?: unknown;
  /** All fields but `cause` and `stack`: what is safe to log. */
  toJSON(): Record<string, unknown>;
  /** What `instanceof` asks: it knows an error by its mark, whichever copy of the package made it. */
  static [Symbol.hasInstance]<Type>(
    this: abstract new (
      ...args: never[]
    ) => Type,
    value: unknown,
  ): value is LemonDataError extends Type ? AnyLemonDataError : Type;
}

/** What the provider suggests in an error: a model by its `id`, with whatever it says of it. */
export interface Suggestion {
  /** The model's name, as {@link ImageFields.model} takes it. */
  readonly id: string;
  /** Whatever else the provider says of it. */
  readonly [more: string]: unknown;
}

/** What an error is made of. */
export type ErrorDetails = Pick<LemonDataError, 'kind' | 'outcome' | 'message'> &
  Partial<Omit<LemonDataError, 'kind' | 'outcome' | 'message' | 'name' | 'stack' | 'toJSON'>>;

/**
 * The request or an option is wrong. `outcome` is `not_sent` where this package found out by itself;
 * otherwise the answer was a 400, 413, 422 or another 4xx that has no class of its own. A create may have been billed
 * where `outcome` is `unknown`, as after a 499 of a proxy.
 */
export declare class InvalidRequestError extends LemonDataError {
  readonly kind: 'invalid_request';
}

/** The key is not accepted (401), or the `apiKey` function failed (`cause` tells why). */
export declare class AuthenticationError extends LemonDataError {
  readonly kind: 'authentication';
}

/** The balance or the quota of the key is used up (402). */
export declare class PaymentRequiredError extends LemonDataError {
  readonly kind: 'payment_required';
}

/** The key may not do this (403). */
export declare class PermissionDeniedError extends LemonDataError {
  readonly kind: 'permission_denied';
}

/** The path is not there (404): `baseUrl` is probably wrong. */
export declare class NotFoundError extends LemonDataError {
  readonly kind: 'not_found';
}

/** Too many requests (429). Nothing was done; `retryAfterMs` tells when to come back. */
export declare class RateLimitError extends LemonDataError {
  readonly kind: 'rate_limit';
}

/**
 * The server failed (5xx, 408), or a cache answered in its place (304). A create may have been billed where `outcome` is
 * `unknown`.
 */
export declare class ServerError extends LemonDataError {
  readonly kind: 'server';
}

/**
 * The server has no such task, or no longer (404, `async_task_not_found`). A wait asks once more before it believes
 * that: a server may hear of a new task late.
 */
export declare class TaskNotFoundError extends LemonDataError {
  readonly kind: 'task_not_found';
}

/**
 * The task ended without a result: it failed, expired or was filtered. The message says why, `code` where the provider
 * gives one.
 */
export declare class TaskFailedError extends LemonDataError {
  readonly kind: 'task_failed' | 'task_cancelled';
  readonly outcome: 'failed';
}

/** The task was cancelled. */
export declare class TaskCancelledError extends TaskFailedError {
  readonly kind: 'task_cancelled';
}

/**
 * No answer: the transport failed (`cause` tells how). A create may have been billed, unless `outcome` is `not_sent`:
 * then no connection was made, not even when it was tried again.
 */
export declare class ConnectionError extends LemonDataError {
  readonly kind: 'connection';
}

/** One attempt took longer than `requestTimeout`. A create may have been billed. */
export declare class RequestTimeoutError extends LemonDataError {
  readonly kind: 'request_timeout';
}

/**
 * An answer that cannot be understood: not JSON, neither images nor a task in it, or a redirect, which is never
 * followed: the message says where it leads.
 */
export declare class ResponseError extends LemonDataError {
  readonly kind: 'response';
}

/** The task was still running after `maxWait`. It goes on: `waitForTask(error.task)` waits again. */
export declare class WaitTimeoutError extends LemonDataError {
  readonly kind: 'wait_timeout';
  readonly outcome: 'accepted';
  readonly task: Task;
}

/** The task was still running after `maxPolls` polls. It goes on: `waitForTask(error.task)` waits again. */
export declare class PollBudgetError extends LemonDataError {
  readonly kind: 'poll_budget';
  readonly outcome: 'accepted';
  readonly task: Task;
}

/**
 * The `poll_url` of a task names another server, which must not get the key. `task` comes without that URL:
 * `waitForTask(error.task)` asks by the id.
 */
export declare class UntrustedUrlError extends LemonDataError {
  readonly kind: 'untrusted_url';
  readonly outcome: 'accepted';
  readonly task: Task;
}

/**
 * `onTask` failed, and `cause` is what it threw; or it did not finish within `maxWait` (at least 5 s). The task goes on:
 * `waitForTask(error.task)` waits for it.
 */
export declare class CallbackError extends LemonDataError {
  readonly kind: 'callback';
  readonly outcome: 'accepted';
  readonly task: Task;
}

/**
 * The WebAssembly module could not be started (`cause` tells why), or it trapped, which is a bug of this
 * package. The next call starts it again.
 */
export declare class InternalError extends LemonDataError {
  readonly kind: 'internal';
}

/** All error classes, with `kind` to distinguish them. */
export type AnyLemonDataError =
  | InvalidRequestError
  | AuthenticationError
  | PaymentRequiredError
  | PermissionDeniedError
  | NotFoundError
  | RateLimitError
  | ServerError
  | TaskNotFoundError
  | TaskFailedError
  | TaskCancelledError
  | ConnectionError
  | RequestTimeoutError
  | ResponseError
  | WaitTimeoutError
  | PollBudgetError
  | UntrustedUrlError
  | CallbackError
  | InternalError;
