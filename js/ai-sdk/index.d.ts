/**
 * A provider for the AI SDK, version 6 and later: LemonData's image models for its `generateImage`, also those that
 * answer with a task.
 *
 * @module ai-sdk
 */

import type { LemonDataError, Options } from '../entries/index.js';

/** A value of JSON. */
export type JsonValue =
  | null
  | string
  | number
  | boolean
  | JsonValue[]
  | { [name: string]: JsonValue | undefined };

/** A picture of a call: its data, or its URL. */
export type ImageFile =
  | {
      /** The data is here. */
      type: 'file';
      /** The type of the data, such as `image/png`. */
      mediaType: string;
      /** Base64 or bytes. */
      data: string | Uint8Array;
    }
  | {
      /** The data is elsewhere. */
      type: 'url';
      /** Where the service finds it. */
      url: string;
    };

/** The arguments of {@link ImageModel.doGenerate}, as the SDK makes them of those of `generateImage`. */
export interface ImageCallOptions {
  /** What to draw, or what to change. */
  prompt: string | undefined;
  /** How many images. */
  n: number;
  /** The size in pixels. */
  size: `${number}x${number}` | undefined;
  /** The ratio of width to height, for models that take it in place of a size. */
  aspectRatio: `${number}:${number}` | undefined;
  /** The same seed and the same request bring similar pictures. */
  seed: number | undefined;
  /** The pictures to edit: all as URLs, or all as data. With them, the call is an edit. */
  files: ImageFile[] | undefined;
  /** A picture that is transparent where the model may draw, a URL where `files` are URLs. */
  mask: ImageFile | undefined;
  /**
   * Under `lemondata`: fields of the request (`quality`, `background`, …), the options `fallback`, `idempotencyKey`,
   * `maxPolls`, `maxRetries`, `maxWait`, `pollInterval` and `requestTimeout`, and `taskId`, the id of a task to wait
   * for in place of a create. An `idempotencyKey` names one create, so it needs an `n` of at most `maxImagesPerCall`.
   */
  providerOptions: { [provider: string]: { [name: string]: unknown } };
  /** Ends the call. A create that was under way may still be billed. */
  abortSignal?: AbortSignal | undefined;
  /** Further headers of the requests to the service. Downloads do not get them. */
  headers?: { [name: string]: string | undefined } | undefined;
}

/** What was not done as it was asked for. */
export type ImageWarning =
  | {
      /** A model that a fallback went past, or one of several images that failed: none of the SDK's own kinds. */
      type: 'other';
      /** What happened, and why. */
      message: string;
    }
  | {
      /** An argument that was not carried out. */
      type: 'unsupported';
      /**
       * Its name: `n` where the model made fewer images; beside a `taskId` each argument of a create, such as `size` or
       * `providerOptions.lemondata.quality`.
       */
      feature: string;
      /** Why it was not carried out. */
      details: string;
    };

/** The metadata of an image, in `providerMetadata.lemondata.images`. */
export type ImageMetadata = {
  /** The prompt as the model understood it. */
  revisedPrompt?: string;
  /** Where the image can be downloaded for some time. */
  url?: string;
  /**
   * How its create ended. The `data` of an error has the other outcomes, or this one beside the `generation` where only a
   * download failed.
   */
  outcome: 'completed';
  /** The task that made it. */
  taskId?: string;
  /** The model that made it, where the service or a fallback says it. */
  model?: string;
  /** The name of the create on the provider's bill. */
  billingTransactionId?: string;
};

/** The result of {@link ImageModel.doGenerate}. */
export interface ImageResult {
  /** The images: all in base64, or all as bytes. */
  images: string[] | Uint8Array[];
  /** Never: another create would be billed as well. */
  isRetryable: false;
  /** What was not done as it was asked for. */
  warnings: ImageWarning[];
  /** What the service says of each image. */
  providerMetadata: {
    /** The part of this provider. */
    lemondata: {
      /** One for each image. */
      images: ImageMetadata[];
    };
  };
  /** Facts about the answer. */
  response: {
    /** When the call began. */
    timestamp: Date;
    /** The model that made the images. */
    modelId: string;
    /** The headers of the last answer of the service. */
    headers: Record<string, string> | undefined;
  };
  /** The tokens, where the service says them. */
  usage: {
    /** Tokens of prompt and pictures. */
    inputTokens: number | undefined;
    /** Tokens of the images. */
    outputTokens: number | undefined;
    /** Both together. */
    totalTokens: number | undefined;
  };
}

/**
 * An image model of the AI SDK. It follows version 3 of the specification, which the SDK reads from version 6 on; the
 * additions of version 4 are there as well.
 */
export interface ImageModel {
  /** The version of the specification. */
  readonly specificationVersion: 'v3';
  /** `lemondata` */
  readonly provider: string;
  /** The name of the model. */
  readonly modelId: string;
  /** How many images one create asks for; the SDK sends several for more. */
  readonly maxImagesPerCall: number;
  /** The service decides which models take pictures, so this is always `true`. */
  readonly supportsFileInputs: true;
  /** The service decides which models take masks, so this is always `true`. */
  readonly supportsMaskInputs: true;
  /**
   * Creates the images, and waits for a task where the model answers with one.
   *
   * @throws an `APICallError` of the SDK that is not retryable. Its `cause` is the {@link LemonDataError} with the
   *   outcome and the task, and its `data` has the same as JSON, with the `generation` where only a download failed
   */
  doGenerate(options: ImageCallOptions): PromiseLike<ImageResult>;
}

/** The settings of a model. */
export interface ImageModelSettings {
  /**
   * How many images one create asks for. If one of several creates fails, the SDK drops the pictures of the others, so
   * leave it as it is unless the model draws fewer.
   *
   * @defaultValue `10`, the most that a model of the service draws
   */
  maxImagesPerCall?: number | undefined;
}

/** A provider of the AI SDK. */
export interface LemonDataProvider {
  /** The version of the specification. */
  readonly specificationVersion: 'v3';
  /** An image model by its name. */
  image(modelId: string, settings?: ImageModelSettings): ImageModel;
  /** The same, under the name that registries of the SDK call. */
  imageModel(modelId: string, settings?: ImageModelSettings): ImageModel;
  /** @throws a `NoSuchModelError` of the SDK: this provider makes images */
  languageModel(modelId: string): never;
  /** @throws a `NoSuchModelError` of the SDK: this provider makes images */
  embeddingModel(modelId: string): never;
}

/**
 * Makes a provider.
 *
 * @example
 * ```ts
 * import { generateImage } from 'ai';
 * import { createLemonData } from 'lemondata-wasm/ai-sdk';
 *
 * const lemonData = createLemonData({ apiKey: process.env.LEMONDATA_API_KEY, fallback: ['nano-banana-2'] });
 * const { image } = await generateImage({
 *   model: lemonData.image('gpt-image-2'),
 *   prompt: 'A lemon on a plate',
 * });
 * ```
 *
 * @param options those of the client, for all calls
 */
export declare function createLemonData(options?: Options): LemonDataProvider;

/**
 * A provider without options. In Node, Deno and Bun, its key is that of the environment.
 *
 * @example
 * ```ts
 * const { image } = await generateImage({ model: lemonData.image('gpt-image-2'), prompt: 'A lemon on a plate' });
 * ```
 */
export declare const lemonData: LemonDataProvider;
