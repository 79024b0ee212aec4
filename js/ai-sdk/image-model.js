import { editAndWait, generateAndWait, LemonDataError, waitForTask } from 'lemondata-wasm';
import { bytesOf } from './pictures.js';
import { pictureFields } from './request.js';
import { sdkError } from './sdk-error.js';

/** Where the options and the metadata of this provider stand among those of others. */
const PROVIDER = 'lemondata';
/** The most that any model of the service draws at a time. */
const MAX_IMAGES = 10;
/** The options of a call that are JSON. All other provider options are fields of the request. */
const CALL_OPTIONS = [
  'fallback',
  'idempotencyKey',
  'maxPolls',
  'maxRetries',
  'maxWait',
  'pollInterval',
  'requestTimeout',
];

/** Headers as the SDK takes them; none where a transport of the caller's has none. */
function plainHeaders(response) {
  try {
    return Object.fromEntries(new Headers(response.headers));
  } catch {}
}

/**
 * Wraps a transport: it adds the headers of a call, and notes the last URL and the headers of its answer.
 *
 * The client's own option `headers` would not do: it counts as a way to authorise, and the SDK always sets a header.
 */
function recordingFetch(custom, headers = {}) {
  /** @type {{ url: string, headers?: Record<string, string> }} */
  const last = { url: '' };
  const transport = (url, init) => {
    for (const [name, value] of Object.entries(headers))
      if (value !== undefined) init.headers.set(name, value);
    last.url = url;
    // Not `async`: a transport that throws at once has sent nothing, and the client has to see the throw.
    return Promise.resolve(custom ? custom(url, init) : fetch(url, init)).then((response) => {
      last.headers = plainHeaders(response);
      return response;
    });
  };
  return { transport, last };
}

/**
 * Splits the options of this provider: those of the call, those of the request, and the task to go on with.
 *
 * @param {Record<string, any>} options
 */
function splitOptions({ taskId, ...own }) {
  const entries = Object.entries(own);
  /** @param {[string, any]} entry */
  const isCallOption = ([name]) => CALL_OPTIONS.includes(name);
  return {
    taskId,
    callOptions: Object.fromEntries(entries.filter(isCallOption)),
    fields: Object.fromEntries(entries.filter((entry) => !isCallOption(entry))),
  };
}

/** The options of a call that are of its create alone. */
const CREATE_OPTIONS = ['fallback', 'idempotencyKey', 'maxRetries'];

const unsupported = (feature, details) => ({ type: 'unsupported', feature, details });

/** The options that count for nothing beside a task, which was created with others. */
function unusedBesideTask({ n, size, aspectRatio, seed, files, mask }, callOptions, fields) {
  const own = [...CREATE_OPTIONS.filter((name) => name in callOptions), ...Object.keys(fields)];
  const options = { n: n > 1, size, aspectRatio, seed: seed !== undefined, images: files?.length, mask };
  return [
    ...Object.keys(options).filter((name) => options[name]),
    ...own.map((name) => `providerOptions.${PROVIDER}.${name}`),
  ].map((name) => unsupported(name, 'A call with a taskId creates nothing: the task keeps its own options.'));
}

/**
 * What was not done as it was asked for.
 *
 * @param {string} modelId
 * @param {number} n
 * @param {any} generation
 */
function warningsOf(modelId, n, { model, skipped_models: skipped = [], data }) {
  const failed = data.filter((image) => image.error);
  const messages = [
    ...skipped.map(
      ({ model: name = modelId, error }) => `${name} made no picture, so ${model} did: ${error.message}`,
    ),
    ...failed.map(({ error }) => `One of the images failed: ${error.message ?? error}`),
  ];
  return [
    ...messages.map((message) => ({ type: 'other', message })),
    ...(data.length < n ? [unsupported('n', `The model made ${data.length} of ${n} images.`)] : []),
  ];
}

/** The SDK keeps nothing but a list of `images` of several calls, so each image has all of it. */
const metadataOf = (generation, pictures) =>
  pictures.map(({ url, revised_prompt: revisedPrompt }) => ({
    ...(revisedPrompt && { revisedPrompt }),
    ...(url && { url }),
    outcome: 'completed',
    ...(generation.task_id && { taskId: generation.task_id }),
    ...(generation.model && { model: generation.model }),
    ...(generation.billing_transaction_id && { billingTransactionId: generation.billing_transaction_id }),
  }));

/**
 * A count of the service. The SDK adds up those of several creates: it would join texts.
 *
 * @param {any} generation
 * @param {string} name
 */
function tokensOf({ usage }, name) {
  const count = usage?.[name];
  return typeof count === 'number' ? count : undefined;
}

export function createImageModel(modelId, options, { maxImagesPerCall = MAX_IMAGES } = {}) {
  return {
    specificationVersion: 'v3',
    provider: PROVIDER,
    modelId,
    maxImagesPerCall,
    // Read by version 4 of the specification. Which models take pictures, the service decides.
    supportsFileInputs: true,
    supportsMaskInputs: true,

    async doGenerate(call) {
      const { prompt, n, size, aspectRatio, seed, files, mask, providerOptions, abortSignal, headers } = call;
      const timestamp = new Date();
      const { taskId, callOptions, fields } = splitOptions(providerOptions?.[PROVIDER] ?? {});
      const { transport, last } = recordingFetch(options.fetch, headers);
      const merged = { ...options, ...callOptions, signal: abortSignal ?? options.signal };
      const request = {
        model: modelId,
        prompt,
        ...(n > 1 && { n }),
        ...(size && { size }),
        ...(aspectRatio && { aspect_ratio: aspectRatio }),
        ...(seed !== undefined && { seed }),
        ...fields,
      };
      let generation;
      try {
        const sent = { ...merged, fetch: transport };
        if (taskId !== undefined) generation = await waitForTask(taskId, sent);
        else if (!files?.length && !mask) generation = await generateAndWait(request, sent);
        else generation = await editAndWait({ ...request, ...pictureFields(files ?? [], mask) }, sent);

        // A download goes to any host: it gets none of the headers of the call.
        const pictures = generation.data.filter((/** @type {any} */ image) => !image.error);
        const images = await bytesOf(pictures, merged);
        return {
          images,
          // An empty list is the whole answer: another create would be billed.
          isRetryable: false,
          warnings:
            taskId === undefined
              ? warningsOf(modelId, n, generation)
              : [...unusedBesideTask(call, callOptions, fields), ...warningsOf(modelId, 0, generation)],
          providerMetadata: { [PROVIDER]: { images: metadataOf(generation, pictures) } },
          response: { timestamp, modelId: generation.model ?? modelId, headers: last.headers },
          usage: {
            inputTokens: tokensOf(generation, 'input_tokens'),
            outputTokens: tokensOf(generation, 'output_tokens'),
            totalTokens: tokensOf(generation, 'total_tokens'),
          },
        };
      } catch (error) {
        if (!(error instanceof LemonDataError)) throw error;
        const { message, status, body } = error;
        // The client has repeated what is safe to repeat. A second create by the SDK could be billed as well.
        throw sdkError(
          'APICallError',
          message,
          {
            url: last.url,
            requestBodyValues: request,
            statusCode: status,
            responseHeaders: last.headers,
            responseBody: typeof body === 'string' ? body : JSON.stringify(body),
            isRetryable: false,
            // Only a download failed: the picture was paid for, and another create would be paid for again.
            data: { ...error.toJSON(), ...(generation && { outcome: 'completed', generation }) },
          },
          error,
        );
      }
    },
  };
}
