/**
 * The errors and oddities of the provider, each under a name that a request can ask for: as the model
 * `test-<name>`, or in the header `x-lemon-scenario: <name>`.
 *
 *     error-429        every create is refused
 *     error-429:2      the first two creates are refused, then all is normal
 *     poll:error-503   the create succeeds as a task, and every poll of it fails
 *     poll:error-503:2 the same, for the first two polls
 *     slow:300         the answer takes 300 ms more
 *     a,b              both
 */
import {
  errorReply,
  invalidKey,
  invalidRequest,
  modelNotFound,
  Refusal,
  taskNotFound,
  tooLarge,
} from './errors.js';

/** @typedef {import('./errors.js').Reply} Reply */
/** @typedef {import('./tasks.js').Traits} Traits */

/**
 * @typedef {object} Scenario
 * @property {string} spec as it was asked for
 * @property {string} name
 * @property {'create' | 'poll'} on
 * @property {number} argument the number behind the name; infinite when there is none
 */

/**
 * What a scenario may use.
 *
 * @typedef {object} Context
 * @property {string} path of the request
 * @property {string} apiKey
 * @property {number} retryAfter seconds
 * @property {string} foreignOrigin
 * @property {() => number} now
 */

const HTML =
  '<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body>Bad Gateway</body></html>';
const HTML_HEADERS = { 'content-type': 'text/html; charset=utf-8' };
const JSON_HEADERS = { 'content-type': 'application/json' };

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

/** @type {Record<string, (context: Context) => Reply>} scenarios that replace an answer */
export const REPLIES = {
  'error-400': () =>
    invalidRequest([{ param: 'prompt', message: 'Your prompt cannot be used with this model' }]),
  'error-400-model-not-found': () => modelNotFound('dalle3', ['dall-e-3', 'dall-e-2']),
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
  'error-404': () => errorReply(404, 'not_found', 'Not found', { type: 'invalid_request_error' }),
  'error-404-task': () => taskNotFound(),
  'error-408': () => errorReply(408, 'timeout_error', 'The request took too long to arrive'),
  'error-413': () => tooLarge(),
  'error-422': () =>
    errorReply(422, 'invalid_request_error', 'This size is not available', { param: 'size' }),
  'error-429': (context) => ({
    ...rateLimited(context),
    headers: { 'retry-after': `${context.retryAfter}` },
  }),
  'error-429-date': ({ now, retryAfter }) => ({
    ...errorReply(429, 'rate_limit_exceeded', 'Rate limit exceeded'),
    headers: { 'retry-after': new Date(now() + retryAfter * 1000).toUTCString() },
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
  'error-504': () => errorReply(504, 'timeout_error', 'The upstream provider took too long'),
  'error-520': () => ({ status: 520, headers: HTML_HEADERS, body: HTML }),
  redirect: ({ path, foreignOrigin }) => ({ status: 307, headers: { location: `${foreignOrigin}${path}` } }),
  html: () => ({ headers: HTML_HEADERS, body: HTML }),
  hang: () => ({ hang: true }),
  reset: () => ({ reset: true }),
  'inline-empty': ({ now }) => ({ body: { created: Math.floor(now() / 1000), data: [] } }),
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

/** @type {Record<string, (context: Context) => Traits>} scenarios that make the answer a task, and bend it */
export const TASKS = {
  task: () => ({}),
  'task-failed-string': () => ({
    end: ({ created, ids }) => ({
      created,
      ...ids,
      status: 'failed',
      error: 'Content policy violation',
      data: [],
    }),
  }),
  'task-failed-object': () => ({
    // On the task path such a failure has been seen with the one id only.
    end: ({ created, ids: { id, task_id } }) => ({
      created,
      ...(id ? { id } : { task_id }),
      status: 'failed',
      error: { code: 'upstream_error', message: 'The provider rejected the prompt' },
      data: [],
    }),
  }),
  'task-cancelled': () => ({
    end: ({ ids, pollUrl }) => ({
      ...ids,
      ...pollUrl,
      status: 'failed',
      cancelled: true,
      cancellation_status: 'cancelled',
      error: 'Task cancelled before execution',
    }),
  }),
  'task-vanishes': () => ({ vanishes: true }),
  'task-no-poll-url': () => ({ noPollUrl: true }),
  'task-unknown-status': () => ({ pendingStatus: 'queued' }),
  'task-id-only': () => ({ idOnly: true }),
  'task-completed-empty': () => ({
    end: ({ created, ids }) => ({ created, ...ids, status: 'completed', data: [] }),
  }),
  'task-video': () => ({
    end: ({ created, ids }) => ({
      created,
      ...ids,
      status: 'completed',
      video_url: 'https://cdn.example.com/generated/clip.mp4',
    }),
  }),
  'foreign-poll-url': ({ foreignOrigin }) => ({ pollUrlOrigin: foreignOrigin }),
};

/** Delays the answer. Its number is a time, not a count. */
export const SLOW = 'slow';
const DEFAULT_SLOW_MS = 1000;

/**
 * Reads what a model name or a header asks for.
 *
 * @param {string} text
 * @returns {Scenario[]}
 * @throws {Refusal} when it names no scenario: a misspelt one must not pass as the normal answer
 */
export function parseScenarios(text) {
  return text.split(',').map((part) => {
    const match = /^(poll:)?([a-z0-9-]+)(?::(\d+))?$/.exec(part.trim());
    const name = match?.[2] ?? '';
    const on = match?.[1] ? 'poll' : 'create';
    const known =
      Object.hasOwn(REPLIES, name) || name === SLOW || (on === 'create' && Object.hasOwn(TASKS, name));
    if (!match || !known) {
      const message = `There is no scenario '${part.trim()}'`;
      throw new Refusal(errorReply(400, 'unknown_scenario', message, { type: 'invalid_request_error' }));
    }
    return { spec: part.trim(), name, on, argument: match[3] ? Number(match[3]) : Number.POSITIVE_INFINITY };
  });
}

/**
 * Whether the scenarios say that a create answers with a task; undefined when they leave it to the model.
 *
 * @param {Scenario[]} scenarios
 * @returns {boolean | undefined}
 */
export function wantsTask(scenarios) {
  return scenarios.some(({ name, on }) => on === 'poll' || Object.hasOwn(TASKS, name)) || undefined;
}

/**
 * How the scenarios bend a task.
 *
 * @param {Scenario[]} scenarios
 * @param {Context} context
 * @returns {Traits}
 */
export function traitsOf(scenarios, context) {
  const bent = scenarios.filter(({ name }) => Object.hasOwn(TASKS, name));
  return Object.assign({}, ...bent.map(({ name }) => TASKS[name](context)));
}

/** Counts how often each scenario was used, so that a limit can end it. */
export class Uses {
  /** @type {Map<string, number>} */
  #used = new Map();

  /**
   * The reply that replaces the normal answer, and the delay before either.
   *
   * @param {Scenario[]} scenarios those for this kind of request
   * @param {string} scope what the limits are counted for: all creates, or the polls of one task
   * @param {Context} context
   * @returns {{ delay: number, reply?: Reply }}
   */
  take(scenarios, scope, context) {
    let delay = 0;
    for (const { spec, name, argument } of scenarios) {
      if (name === SLOW) {
        delay += Number.isFinite(argument) ? argument : DEFAULT_SLOW_MS;
      } else if (Object.hasOwn(REPLIES, name)) {
        const key = `${scope} ${spec}`;
        const used = this.#used.get(key) ?? 0;
        if (used < argument) {
          this.#used.set(key, used + 1);
          return { delay, reply: REPLIES[name](context) };
        }
      }
    }
    return { delay };
  }

  clear() {
    this.#used.clear();
  }
}
