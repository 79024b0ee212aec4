/** A request that the relay refuses, in the shape of the provider's own errors. */
export class Refusal extends Error {
  /**
   * @param {number} status
   * @param {string} code
   * @param {string} message for the client: it shows nothing of the inside
   * @param {{ param?: string, retryAfterMs?: number, retryable?: boolean, headers?: Record<string, string> }} [more]
   */
  constructor(status, code, message, { param, retryAfterMs, retryable, headers } = {}) {
    super(message);
    this.status = status;
    this.headers = { ...headers };
    this.error = { message, type: 'relay_error', code, param, retryable };
    if (retryAfterMs) {
      const seconds = Math.ceil(retryAfterMs / 1000);
      this.headers['retry-after'] = String(seconds);
      this.error.retry_after = seconds;
    }
  }

  /** @returns {import('./answers.js').Answer} */
  toAnswer() {
    return { status: this.status, headers: this.headers, body: JSON.stringify({ error: this.error }) };
  }
}

/** A reference that is forged, expired or another identity's is answered as if there were no such task. */
export const notFound = () =>
  new Refusal(404, 'async_task_not_found', 'Task not found or no longer available.');

export const keyReused = () =>
  new Refusal(422, 'idempotency_key_reused', 'This Idempotency-Key belongs to another request.', {
    param: 'idempotencyKey',
  });

/**
 * The field of a request's context in which an adapter hands over a refusal, since it could make no valid `Request`.
 * The relay answers and logs it like its own.
 */
export const REFUSAL = Symbol('lemondata-wasm.refusal');
