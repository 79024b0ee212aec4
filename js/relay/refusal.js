import { isCloudflare } from './platform.js';
import { LOG_HINT } from './public-error.js';
import { MINUTE_MS } from './settings.js';

export const MAX_SHOWN_PATH = 200;

/** A request that the relay refuses, in the shape of the provider's own errors. */
export class Refusal extends Error {
  /**
   * @param {number} status
   * @param {string} code
   * @param {string} message for the client: it shows nothing of the inside
   * @param {object} [more]
   * @param {string} [more.param] the field or option that it concerns
   * @param {string} [more.hint] what to do. The client shows it instead of its own advice, which concerns keys
   * @param {object[]} [more.suggestions] values that would pass
   * @param {number} [more.retryAfterMs]
   * @param {boolean} [more.retryable]
   * @param {Record<string, string>} [more.headers]
   * @param {string} [more.notice] for the operator's log: a setting to change, and how
   */
  constructor(status, code, message, more = {}) {
    const { param, hint, suggestions, retryAfterMs, retryable, headers, notice } = more;
    super(message);
    this.status = status;
    this.headers = { ...headers };
    this.notice = notice;
    this.error = { message, type: 'relay_error', code, param, hint, suggestions, retryable };
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

export function noRoute(method, path) {
  return new Refusal(404, 'not_found', `This relay has no route ${method} ${path}.`, {
    hint: "Check baseUrl, and the path that a development server's proxy passes on.",
  });
}

/** A reference that is forged, expired or another identity's is answered as if there were no such task. */
export const notFound = () =>
  new Refusal(404, 'async_task_not_found', 'Task not found or no longer available.');

/** Whether the body of a web `Request` is no longer to be had. */
export const isRead = ({ bodyUsed, body }) => Boolean(bodyUsed || body?.locked);

/** The remedy for a request whose body the application has read. */
export const HAND_OVER = 'Hand the request to the relay before it is read, or a clone of it.';

/** @param {string} remedy for the operator */
export const bodyUsed = (remedy) =>
  new Refusal(500, 'body_used', 'The relay got the request without its body.', {
    hint: LOG_HINT,
    notice: `Another part of the server has read the body of a request before the relay. ${remedy}`,
  });

export const keyReused = () =>
  new Refusal(422, 'idempotency_key_reused', 'This Idempotency-Key belongs to another request.', {
    param: 'idempotencyKey',
  });

/** @param {number | undefined} limit how many requests of the kind a minute allows, if the limiter says so */
export function tooMany(kind, limit, waitMs) {
  if (waitMs === Number.POSITIVE_INFINITY) return noMore(kind);
  if (waitMs > MINUTE_MS) return usedUp(kind, waitMs);
  const message = limit
    ? `This relay allows each caller ${limit} ${kind}s a minute.`
    : `This relay limits the ${kind}s of each caller.`;
  return new Refusal(429, 'rate_limit_exceeded', message, {
    hint: `The limit is the relay's own: its option limiter sets it, as in memoryLimiter({ ${kind}s: ${limit ?? 20} }).`,
    retryAfterMs: waitMs,
    retryable: true,
  });
}

/** Waiting does not help, so the client must not try again by itself. */
const noMore = (kind) =>
  new Refusal(429, 'rate_limit_exceeded', `This relay allows this caller no more ${kind}s.`, {
    hint: "The limit is the relay's own: its option limiter sets it.",
    retryable: false,
  });

/** A limit of a longer time than a minute may be that of all callers: the operator has to know. */
function usedUp(kind, waitMs) {
  const message = `This relay allows no more ${kind}s for now.`;
  const minutes = Math.ceil(waitMs / MINUTE_MS);
  return new Refusal(429, 'rate_limit_exceeded', message, {
    hint: "The limit is the relay's own: its option limiter sets it.",
    retryAfterMs: waitMs,
    retryable: true,
    notice:
      `The limiter allows no more ${kind}s, at least of one caller, for ${minutes} minutes. If that is too few, raise its ` +
      'limit, such as totalCreatesPerDay of memoryLimiter.',
  });
}

export function noStore() {
  const message = 'This relay has no store, so it cannot carry out a create with an Idempotency-Key once.';
  const durable =
    'store: durableStore(env.KEYS) or hub: durableHub({ tasks: env.TASKS }), both of lemondata-wasm/cloudflare.';
  const remedy = isCloudflare
    ? `On Cloudflare, memory is no store: an isolate may end at any time. Pass createRelay ${durable}`
    : 'Pass createRelay a store, such as store: memoryStore().';
  return new Refusal(400, 'idempotency_not_supported', message, {
    param: 'idempotencyKey',
    hint: `${remedy} Without it, leave out relay: true and idempotencyKey in the page.`,
    notice: `${message} ${remedy}`,
  });
}

/**
 * The field of a request's context in which an adapter hands over a refusal, since it could make no valid `Request`.
 * The relay answers and logs it like its own.
 */
export const REFUSAL = Symbol('lemondata-wasm.refusal');
