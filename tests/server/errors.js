/**
 * The provider's error bodies: `{"error": {message, type, code?, param?, ...hints}}`.
 */

/**
 * What the server sends back. `reply.js` turns it into an HTTP answer.
 *
 * @typedef {object} Reply
 * @property {number} [status] default 200
 * @property {Record<string, string>} [headers] these win over the usual ones
 * @property {unknown} [body] a string or bytes are sent as they are, anything else as JSON
 * @property {number} [delay] milliseconds to wait first
 * @property {boolean} [hang] never answer
 * @property {boolean} [reset] destroy the connection without an answer
 * @property {string} [partial] send the head and this part of a body, then break the connection
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
 * @param {{ param: string, message: string }[]} problems at least one
 * @returns {Reply}
 */
export function invalidRequest(problems) {
  const [{ param, message }] = problems;
  const reply = errorReply(400, 'invalid_request_error', message, { param });
  return { ...reply, body: { .../** @type {object} */ (reply.body), validation_errors: problems } };
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
export function tooLarge() {
  return errorReply(413, 'payload_too_large', 'Request body is larger than 1 MiB');
}

/**
 * @param {string} model
 * @param {string[]} suggestions known models, nearest first
 * @returns {Reply}
 */
export function modelNotFound(model, suggestions) {
  const [nearest] = suggestions;
  return errorReply(400, 'model_not_found', `Model '${model}' not found`, {
    type: 'invalid_request_error',
    param: 'model',
    did_you_mean: nearest,
    suggestions: suggestions.map((id) => ({ id })),
    hint: `Did you mean '${nearest}'? Use GET /v1/models to list all available models.`,
  });
}
