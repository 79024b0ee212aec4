/**
 * The routes of models: `GET /v1/models` and `GET /v1/models/{id}`.
 */
import { PROMPT_MAX_CHARACTERS, parametersOf } from './catalogue.js';
import { invalidRequest, modelNotFound, Refusal } from './errors.js';

/** @typedef {import('./catalogue.js').Model} Model */
/** @typedef {import('./errors.js').Reply} Reply */

const CATEGORIES = ['image', 'video'];
const VALUES = { category: CATEGORIES, recommended_for: CATEGORIES, view: ['compact', 'full'] };

/**
 * @param {Record<string, string>} query
 * @param {ReadonlyMap<string, Model>} catalogue
 * @returns {Reply}
 * @throws {Refusal}
 */
export function listModels(query, catalogue) {
  for (const [field, values] of Object.entries(VALUES)) {
    if (query[field] !== undefined && !values.includes(query[field])) {
      const message = `Must be one of ${values.join(', ')}`;
      throw new Refusal(invalidRequest([{ field, message, code: 'invalid_enum_value' }]));
    }
  }
  const { category, recommended_for, view = 'full' } = query;
  const rankOf = (/** @type {Model} */ { rank = catalogue.size }) => (recommended_for ? rank : 0);
  const models = [...catalogue.values()]
    .filter((model) => model.category === (category ?? recommended_for ?? model.category))
    .sort((one, other) => rankOf(one) - rankOf(other));
  if (view === 'full') {
    return { body: { object: 'list', data: models.map((model) => fullView(model, recommended_for)) } };
  }
  const data = models.map((model) => compactView(model, recommended_for));
  return { body: { object: 'list', view, count: data.length, data } };
}

/**
 * @param {string} id
 * @param {ReadonlyMap<string, Model>} catalogue
 * @returns {Reply}
 */
export function showModel(id, catalogue) {
  const model = catalogue.get(id);
  return model ? { body: fullView(model) } : { ...modelNotFound(id), status: 404 };
}

/** When the catalogue was made, in seconds since 1970. */
const CREATED = 1_767_225_600;

/** @param {Model} model */
function endpointsOf({ operations, category }) {
  const route = category === 'image' ? '/v1/images/generations' : '/v1/videos/generations';
  return Object.fromEntries(
    operations.map((operation) => [operation, operation === 'image-edit' ? '/v1/images/edits' : route]),
  );
}

/** What the success of the last day says for a model. @param {Model} model */
const recommendationOf = ({ rank }) => ({
  preferred_rank: rank ?? null,
  success_rate_24h: rank ? 1 - rank / 100 : null,
  sample_count_24h: rank ? 100 : 0,
  status: rank ? 'ready' : 'insufficient_samples',
});

/**
 * A model as `view=full` and the route of one model show it.
 *
 * @param {Model} model
 * @param {string} [recommendedFor]
 */
function fullView(model, recommendedFor) {
  const { id, owner, category, operations, aspectRatios, resolutions, price } = model;
  return {
    id,
    object: 'model',
    created: CREATED,
    owned_by: owner,
    tokenlab: {
      category,
      capabilities: operations,
      pricing: { per_request: price },
      pricing_unit: 'per_request',
      ...(recommendedFor && { agent_preferences: { [recommendedFor]: recommendationOf(model) } }),
      public_contract_summary: {
        public_operations: operations,
        supported_parameters: parametersOf(model),
        aspect_ratios: aspectRatios,
        resolutions,
        request_endpoint: Object.values(endpointsOf(model))[0],
        request_endpoint_by_operation: endpointsOf(model),
        service_limits: { prompt_max_characters: PROMPT_MAX_CHARACTERS },
      },
    },
  };
}

/**
 * A model as `view=compact` shows it.
 *
 * @param {Model} model
 * @param {string} [recommendedFor]
 */
function compactView(model, recommendedFor) {
  const { id, owner, category, operations, price } = model;
  return {
    id,
    provider: owner,
    category,
    capabilities: operations,
    max_input_tokens: null,
    max_output_tokens: null,
    pricing: { unit: 'per_request', currency: 'USD', per_request: price, has_complex_pricing: false },
    status: 'active',
    latest: model.rank !== undefined,
    supported_operations: operations,
    request_endpoint: Object.values(endpointsOf(model))[0],
    ...(recommendedFor && { recommendation: recommendationOf(model) }),
  };
}
