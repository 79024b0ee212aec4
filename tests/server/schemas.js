/** JSON schemas of what the service answers, written from the description of its API. */

const text = { type: 'string', minLength: 1 };
const texts = { type: 'array', items: text };
const time = { type: 'integer', minimum: 0 };

/** @param {Record<string, object>} properties @param {string[]} required */
const object = (properties, required) => ({
  type: 'object',
  properties,
  required,
  additionalProperties: false,
});

const failure = { anyOf: [text, object({ code: text, message: text }, ['message'])] };

const image = {
  anyOf: [
    object({ url: { type: 'string', pattern: '^https?://' }, revised_prompt: text }, ['url']),
    object({ b64_json: { type: 'string', pattern: '^[A-Za-z0-9+/]+={0,2}$' }, revised_prompt: text }, [
      'b64_json',
    ]),
  ],
};
/** One of several images may be missing, and says why. */
const imageOrFailure = { anyOf: [image, object({ error: failure }, ['error'])] };
const placeholder = object({ url: { const: '' }, revised_prompt: text }, ['url']);

const billing = {
  billing_transaction_id: text,
  usage: object({ input_tokens: time, output_tokens: time, total_tokens: time }, ['total_tokens']),
};

/** A create that is answered with the images, or a filtered one with the reason. */
const inline = {
  anyOf: [
    object(
      {
        created: time,
        data: { type: 'array', minItems: 1, maxItems: 10, items: imageOrFailure },
        ...billing,
      },
      ['created', 'data'],
    ),
    object({ created: time, data: { type: 'array', maxItems: 0 }, error: failure, ...billing }, [
      'created',
      'data',
      'error',
    ]),
  ],
};

const url = { type: 'string', pattern: '^(https://[^/]+)?/v1/(tasks|images|images/generations)/[^/]+$' };
const head = { created: time, id: text, task_id: text, poll_url: url };
const named = { anyOf: [{ required: ['id'] }, { required: ['task_id'] }] };

/** A status in any case of letters; the service may use words that no document names. */
const word = (/** @type {string} */ words) => ({ type: 'string', pattern: `^(?:${words})$` });
const RUNNING = 'pending|processing|PENDING|PROCESSING|queued|running|warming_up|upscaling';
const DONE = 'completed|COMPLETED|succeeded|polished';
const OVER = 'failed|cancelled|canceled|expired|timeout|error';

/** A task that is at work: `data` is empty or holds placeholders. */
const running = {
  ...object(
    {
      ...head,
      status: word(RUNNING),
      progress: { type: 'integer', minimum: 0, maximum: 100 },
      data: { type: 'array', items: placeholder },
    },
    ['created', 'status', 'data'],
  ),
  ...named,
};

const address = { type: 'string', pattern: '^https://' };
/** What tasks of other types bring. */
const results = {
  video_url: address,
  video: object({ url: address }, ['url']),
  videos: { type: 'array', minItems: 1, items: object({ url: address }, ['url']) },
  audio_url: address,
  model_url: address,
};
const ended = {
  ...object(
    {
      ...head,
      status: word(`${DONE}|${OVER}`),
      data: { type: 'array', items: { anyOf: [image, object({ audio_url: address }, ['audio_url'])] } },
      error: failure,
      cancelled: { const: true },
      cancellation_status: text,
      ...results,
      ...billing,
    },
    ['status'],
  ),
  ...named,
  allOf: [
    {
      if: { properties: { status: word(DONE) } },
      // A done task has a list of images, even an empty one, or the result of another type.
      // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
      then: { anyOf: ['data', ...Object.keys(results)].map((name) => ({ required: [name] })) },
    },
  ],
};

const suggestion = { type: 'object', properties: { id: text }, required: ['id'] };
const error = object(
  {
    error: object(
      {
        message: text,
        type: text,
        code: text,
        param: text,
        request_id: text,
        did_you_mean: text,
        suggestions: { type: 'array', minItems: 1, items: suggestion },
        alternatives: { type: 'array', items: suggestion },
        hint: text,
        retryable: { type: 'boolean' },
        retry_after: { type: 'number', minimum: 0 },
        balance_usd: { type: 'number' },
        estimated_cost_usd: { type: 'number' },
        supported_parameters: texts,
        supported_operations: texts,
        allowed_resolutions: texts,
        allowed_aspect_ratios: texts,
        prompt_max_characters: { type: 'integer' },
        recommended_request: { type: 'object' },
      },
      ['message', 'type'],
    ),
    validation_errors: {
      type: 'array',
      minItems: 1,
      items: object({ field: text, message: text, code: text }, ['field', 'message']),
    },
  },
  ['error'],
);

const contract = object(
  {
    public_operations: texts,
    supported_parameters: texts,
    aspect_ratios: texts,
    resolutions: texts,
    request_endpoint: text,
    request_endpoint_by_operation: { type: 'object', additionalProperties: text },
    service_limits: { type: 'object' },
  },
  ['public_operations', 'supported_parameters'],
);
const preference = object(
  {
    preferred_rank: { type: ['integer', 'null'] },
    success_rate_24h: { type: ['number', 'null'] },
    sample_count_24h: time,
    status: { enum: ['ready', 'insufficient_samples'] },
  },
  ['preferred_rank', 'status'],
);
const model = object(
  {
    id: text,
    object: { const: 'model' },
    created: time,
    owned_by: text,
    tokenlab: object(
      {
        category: text,
        capabilities: texts,
        pricing: object({ per_request: text }, ['per_request']),
        pricing_unit: text,
        agent_preferences: { type: 'object', additionalProperties: preference },
        public_contract_summary: contract,
      },
      ['category'],
    ),
  },
  ['id', 'object', 'created', 'owned_by', 'tokenlab'],
);
const models = object({ object: { const: 'list' }, data: { type: 'array', minItems: 1, items: model } }, [
  'object',
  'data',
]);
const nullableNumber = { type: ['number', 'null'] };
const compactModels = object(
  {
    object: { const: 'list' },
    view: { const: 'compact' },
    count: time,
    data: {
      type: 'array',
      minItems: 1,
      items: object(
        {
          id: text,
          provider: text,
          category: text,
          capabilities: texts,
          max_input_tokens: nullableNumber,
          max_output_tokens: nullableNumber,
          pricing: object(
            {
              unit: text,
              currency: { const: 'USD' },
              per_request: text,
              has_complex_pricing: { type: 'boolean' },
            },
            ['unit', 'currency', 'has_complex_pricing'],
          ),
          status: text,
          latest: { type: 'boolean' },
          supported_operations: texts,
          request_endpoint: text,
          recommendation: preference,
        },
        ['id', 'provider', 'category', 'pricing', 'status'],
      ),
    },
  },
  ['object', 'view', 'count', 'data'],
);

export const SCHEMAS = { inline, running, ended, error, model, models, compactModels };
