/**
 * The provider's error bodies: `{"error": {message, type, code?, param?, ...hints}}`.
 */

/** @typedef {import('./index.js').MockReply} Reply */

/**
 * A field that is wrong.
 *
 * @typedef {object} Problem
 * @property {string} field
 * @property {string} message
 * @property {string} code
 */

/** Thrown to refuse a request; carries the reply. */
export class Refusal extends Error {
  /** @param {Reply} reply */
  constructor(reply) {
    super('request refused');
    this.reply = reply;
  }
}

/**
 * An error reply. The order of the fields is the provider's.
 *
 * @param {number} status
 * @param {string} code also the type, unless `hints.type` says otherwise; empty for an error without a code
 * @param {string} message
 * @param {Record<string, unknown>} [hints] further fields of the error
 * @param {Record<string, string>} [headers]
 * @returns {Reply}
 */
export function errorReply(status, code, message, hints = {}, headers = undefined) {
  const { type = code, ...rest } = hints;
  return { status, headers, body: { error: { message, type, ...(code && { code }), ...rest } } };
}

/**
 * A 400 that names what is wrong with the request, field by field.
 *
 * @param {Problem[]} problems at least one
 * @param {Record<string, unknown>} [hints] further fields of the error
 * @returns {Reply}
 */
export function invalidRequest(problems, hints = {}) {
  const [{ field, message }] = problems;
  const reply = errorReply(400, 'invalid_request_error', `${field}: ${message}`, { param: field, ...hints });
  return { ...reply, body: { .../** @type {object} */ (reply.body), validation_errors: problems } };
}

/**
 * A 400 for a field that the model does not take.
 *
 * @param {string} model
 * @param {string} param
 * @param {Record<string, unknown>} hints what the model takes
 * @returns {Reply}
 */
export function unsupportedParameter(model, param, hints) {
  const message = `Model '${model}' does not support '${param}'`;
  return errorReply(400, 'unsupported_parameter', message, {
    type: 'invalid_request_error',
    param,
    ...hints,
  });
}

/**
 * The same error as a service says it that sends no code: its type says what the code would.
 *
 * @param {Reply} reply
 * @returns {Reply}
 */
export function withoutCode(reply) {
  const body = /** @type {{ error?: { code?: string } }} */ (Object(reply.body));
  if (!body.error?.code) {
    return reply;
  }
  const { code, ...error } = body.error;
  return { ...reply, body: { ...body, error: { ...error, type: code } } };
}

/** @returns {Reply} */
export function invalidKey() {
  return errorReply(401, 'invalid_api_key', 'Invalid API key provided');
}

/** @returns {Reply} */
export function taskNotFound() {
  const message = 'Task not found or no longer available.';
  return errorReply(404, 'async_task_not_found', message, { type: 'invalid_request_error' });
}

/** @returns {Reply} */
export function taskNotOwned() {
  return errorReply(403, 'task_not_owned', 'This task belongs to another API key', {
    type: 'permission_error',
  });
}

/**
 * @param {string} message
 * @returns {Reply}
 */
export function tooLarge(message) {
  return errorReply(413, 'payload_too_large', message);
}

/**
 * @param {string} model
 * @param {string[]} [suggestions] known models, nearest first
 * @returns {Reply}
 */
export function modelNotFound(model, suggestions = []) {
  const [nearest] = suggestions;
  return errorReply(400, 'model_not_found', `Model '${model}' not found`, {
    type: 'invalid_request_error',
    param: 'model',
    ...(nearest && {
      did_you_mean: nearest,
      suggestions: suggestions.map((id) => ({ id })),
      hint: `Did you mean '${nearest}'? Use GET /v1/models to list all available models.`,
    }),
  });
}
