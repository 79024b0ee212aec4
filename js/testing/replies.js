/**
 * The answers that a scenario gives in place of the server's own, each under its name.
 */
import {
  errorReply,
  invalidKey,
  invalidRequest,
  modelNotFound,
  taskNotFound,
  taskNotOwned,
  tooLarge,
  unsupportedParameter,
} from './errors.js';

/** @typedef {import('./errors.js').Reply} Reply */

/**
 * What a scenario may use.
 *
 * @typedef {object} Context
 * @property {string} path of the request
 * @property {string} requestId
 * @property {string} apiKey
 * @property {number} retryAfter seconds
 * @property {string} foreignOrigin
 * @property {() => number} now
 */

const HTML =
  '<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body>Bad Gateway</body></html>';
const HTML_HEADERS = { 'content-type': 'text/html; charset=utf-8' };
const JSON_HEADERS = { 'content-type': 'application/json' };

/** Why a filtered picture is missing. */
export const FILTERED = { code: 'content_filtered', message: 'The picture was filtered' };

/**
 * @param {Context} context
 * @param {number} status
 */
function redirectTo({ path, foreignOrigin }, status) {
  return { status, headers: { location: `${foreignOrigin}${path}` } };
}

/** @param {Context} context */
function rateLimited({ retryAfter }) {
  return errorReply(429, 'rate_limit_exceeded', 'Rate limit: 60 rpm exceeded', {
    retryable: true,
    retry_after: retryAfter,
    hint: `Rate limited. Retry after ${retryAfter}s. Current limit: 60/min for user role.`,
  });
}

/** @param {Context} context */
function allChannelsFailed({ retryAfter }) {
  return errorReply(503, 'all_channels_failed', 'Model flux-pro temporarily unavailable', {
    retryable: true,
    retry_after: retryAfter,
    alternatives: [{ id: 'flux-schnell', status: 'available', tags: [] }],
    hint: `Retry in ${retryAfter}s or switch to an available model.`,
  });
}

/** What the service says of the limit that it refuses for. */
const NONE_LEFT = { 'x-ratelimit-remaining': '0' };

/** @type {Record<string, (context: Context) => Reply>} */
export const REPLIES = {
  'error-400': () =>
    invalidRequest([
      { field: 'prompt', message: 'Your prompt cannot be used with this model', code: 'invalid_prompt' },
    ]),
  'error-400-model': () =>
    invalidRequest([{ field: 'model', message: 'Model is required', code: 'required' }]),
  'error-400-model-not-found': () => modelNotFound('dalle3', ['dall-e-3', 'dall-e-2']),
  'error-400-parameter': ({ requestId }) =>
    unsupportedParameter('nano-banana', 'quality', {
      request_id: requestId,
      supported_parameters: ['model', 'prompt', 'aspect_ratio', 'image_urls'],
      supported_operations: ['text-to-image', 'image-to-image'],
      allowed_resolutions: ['1K', '2K', '4K'],
      allowed_aspect_ratios: ['1:1', '16:9', '9:16'],
      prompt_max_characters: 4000,
      recommended_request: { model: 'nano-banana', prompt: 'A lemon', aspect_ratio: '1:1' },
    }),
  'error-401': () => invalidKey(),
  'error-401-expired': () => errorReply(401, 'expired_api_key', 'This API key has expired'),
  'error-401-echo': ({ apiKey }) => errorReply(401, 'invalid_api_key', `Invalid API key provided: ${apiKey}`),
  'error-402': () =>
    errorReply(402, 'insufficient_balance', 'Insufficient balance: need ~$0.3500, but balance is $0.1200.', {
      balance_usd: 0.12,
      estimated_cost_usd: 0.35,
      suggestions: [{ id: 'dall-e-2' }],
      hint: 'Try a cheaper model, or top up.',
    }),
  'error-402-quota': () => errorReply(402, 'quota_exceeded', 'This API key has used up its quota'),
  'error-403': () => errorReply(403, 'access_denied', 'Access denied'),
  'error-403-model': () =>
    errorReply(403, 'model_not_allowed', 'This API key may not use this model', { param: 'model' }),
  'error-403-task': () => taskNotOwned(),
  'error-404': () => errorReply(404, 'not_found', 'Not found', { type: 'invalid_request_error' }),
  'error-404-task': () => taskNotFound(),
  'error-408': () => errorReply(408, 'timeout_error', 'The request took too long to arrive'),
  'error-413': () => tooLarge('Request body is larger than 1 MiB'),
  'error-422': () =>
    errorReply(422, 'invalid_request_error', 'This size is not available', { param: 'size' }),
  'error-429': (context) => ({
    ...rateLimited(context),
    headers: { ...NONE_LEFT, 'retry-after': `${context.retryAfter}` },
  }),
  'error-429-date': ({ now, retryAfter }) => ({
    ...errorReply(429, 'rate_limit_exceeded', 'Rate limit exceeded'),
    headers: { ...NONE_LEFT, 'retry-after': new Date(now() + retryAfter * 1000).toUTCString() },
  }),
  'error-429-body': (context) => rateLimited(context),
  'error-429-bare': () => errorReply(429, 'rate_limit_exceeded', 'Rate limit exceeded'),
  'error-500': () => errorReply(500, 'server_error', 'Internal server error'),
  'error-502': () => errorReply(502, 'upstream_error', 'The upstream provider failed'),
  'error-502-html': () => ({ status: 502, headers: HTML_HEADERS, body: HTML }),
  'error-502-empty': () => ({ status: 502 }),
  'error-503': (context) => REPLIES['error-503-retryable'](context),
  'error-503-retryable': (context) => ({
    ...allChannelsFailed(context),
    headers: { 'retry-after': `${context.retryAfter}` },
  }),
  'error-503-final': () =>
    errorReply(503, 'all_channels_failed', 'Model flux-pro is not available', { retryable: false }),
  'error-503-bare': () => errorReply(503, 'all_channels_failed', 'Model flux-pro is not available'),
  'error-503-model': ({ retryAfter }) =>
    errorReply(503, 'model_unavailable', 'Model flux-pro is being updated', {
      retryable: true,
      retry_after: retryAfter,
    }),
  'error-503-tier': () =>
    errorReply(503, 'delivery_tier_unavailable', 'This delivery tier is not available', { retryable: false }),
  'error-504': () => errorReply(504, 'timeout_error', 'The upstream provider took too long'),
  'error-520': () => ({ status: 520, headers: HTML_HEADERS, body: HTML }),
  redirect: (context) => redirectTo(context, 307),
  'redirect-301': (context) => redirectTo(context, 301),
  'redirect-302': (context) => redirectTo(context, 302),
  'redirect-303': (context) => redirectTo(context, 303),
  'redirect-308': (context) => redirectTo(context, 308),
  'redirect-here': ({ path }) => ({ status: 307, headers: { location: `/moved${path}` } }),
  html: () => ({ headers: HTML_HEADERS, body: HTML }),
  hang: () => ({ hang: true }),
  reset: () => ({ reset: true }),
  'inline-empty': ({ now }) => ({ body: { created: Math.floor(now() / 1000), data: [] } }),
  'inline-filtered': ({ now }) => ({
    body: { created: Math.floor(now() / 1000), data: [], error: FILTERED },
  }),
  'inline-partly-filtered': ({ now }) => ({
    body: {
      created: Math.floor(now() / 1000),
      data: [{ url: 'https://cdn.example.com/generated/lemon.png' }, { error: FILTERED }],
    },
  }),
  'inline-no-body': () => ({ headers: JSON_HEADERS, body: '' }),
  'inline-not-json': () => ({ headers: JSON_HEADERS, body: 'OK, your image is on its way!' }),
  'inline-cut-json': () => ({
    headers: JSON_HEADERS,
    body: '{"created":1706000000,"data":[{"url":"https://cdn',
  }),
  'inline-truncated': () => ({
    headers: JSON_HEADERS,
    partial: '{"created":1706000000,"data":[{"url":"https://cdn',
  }),
};
