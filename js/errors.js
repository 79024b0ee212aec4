/** The error classes. What each of them means stands in `index.d.ts`. */

const BRAND = Symbol.for('lemondata-wasm.error');

const pascal = (kind) => kind.replace(/(?:^|_)./g, (start) => start.at(-1).toUpperCase());

export class LemonDataError extends Error {
  /** @param {{ kind: string, message: string, cause?: unknown }} details and the other fields of the error */
  constructor({ message, cause, ...fields }) {
    super(message, cause === undefined ? undefined : { cause });
    for (const name in fields) {
      if (fields[name] !== undefined) this[name] = fields[name];
    }
  }

  get [BRAND]() {
    return this.kind;
  }

  /**
   * Compares what an error is, not which copy of this file made it: an application may hold the ESM and the
   * CommonJS copy at once. Classes that others derive are compared in the ordinary way.
   */
  static [Symbol.hasInstance](value) {
    if (this !== LemonDataError && !Object.hasOwn(this, 'kinds')) {
      return Function.prototype[Symbol.hasInstance].call(this, value);
    }
    const kind = Object(value)[BRAND];
    return kind !== undefined && (this === LemonDataError || this.kinds.includes(kind));
  }

  /** What is safe to log: an error holds neither the key nor the headers of a request. */
  toJSON() {
    const { name, message } = this;
    return { name, message, ...this };
  }
}

/** Makes the class of a kind. The name is spelt out of the kind, so that no minifier can change it. */
function define(kind, Base = LemonDataError) {
  const made = class extends Base {
    static kinds = [kind];
  };
  if (Base !== LemonDataError) Base.kinds.push(kind);
  const name = `${pascal(kind)}Error`;
  Object.defineProperty(made, 'name', { value: name });
  Object.defineProperty(made.prototype, 'name', { value: name, configurable: true, writable: true });
  classes[kind] = made;
  return made;
}

const classes = {};
export const InvalidRequestError = define('invalid_request');
export const AuthenticationError = define('authentication');
export const PaymentRequiredError = define('payment_required');
export const PermissionDeniedError = define('permission_denied');
export const NotFoundError = define('not_found');
export const RateLimitError = define('rate_limit');
export const ServerError = define('server');
export const TaskNotFoundError = define('task_not_found');
export const TaskFailedError = define('task_failed');
export const TaskCancelledError = define('task_cancelled', TaskFailedError);
export const ConnectionError = define('connection');
export const RequestTimeoutError = define('request_timeout');
export const ResponseError = define('response');
export const WaitTimeoutError = define('wait_timeout');
export const PollBudgetError = define('poll_budget');
export const UntrustedUrlError = define('untrusted_url');
export const CallbackError = define('callback');
export const InternalError = define('internal');

/** The instance for an error that the core describes. A cause of ours is described, too. */
export function toError(details) {
  const { cause } = details;
  const ours = cause && Object.hasOwn(classes, cause.kind) && !(cause instanceof Error);
  return new classes[details.kind](ours ? { ...details, cause: toError(cause) } : details);
}
