/** The error classes. What each of them means stands in `index.d.ts`. */

import { KINDS, NAMES, OUTCOMES } from './abi.gen.js';
import { taskOf } from './generation.js';
import { redact, redactAll } from './redact.js';

const BRAND = Symbol.for('lemondata-wasm.error');

export class LemonDataError extends Error {
  /** The kind of the class, with those of the classes derived from it. */
  static kinds = ['lemon_data'];

  /** @param {{ message: string, cause?: unknown }} details and the other fields of the error */
  constructor({ message, cause, ...fields }) {
    super(message, cause === undefined ? undefined : { cause });
    this.kind = new.target.kinds[0];
    for (const [name, value] of Object.entries(fields)) if (value !== undefined) this[name] = value;
  }

  get [BRAND]() {
    return this.kind;
  }

  /**
   * Compares what an error is, not which copy of this file made it: an application may hold the ESM and the
   * CommonJS copy at once. Classes that others derive are compared in the ordinary way.
   */
  // biome-ignore-start lint/complexity/noThisInStatic: `this` is whichever class stands right of `instanceof`.
  static [Symbol.hasInstance](value) {
    if (this !== LemonDataError && !Object.hasOwn(this, 'kinds')) {
      return Function.prototype[Symbol.hasInstance].call(this, value);
    }
    const kind = Object(value)[BRAND];
    return this === LemonDataError ? kind !== undefined : this.kinds.includes(kind);
  }
  // biome-ignore-end lint/complexity/noThisInStatic: see above

  /** What is safe to log: an error holds neither the key nor the headers of a request. */
  toJSON() {
    const { name, message } = this;
    return { name, message, ...this };
  }
}

/** Names a class and its instances, whatever a minifier calls it. */
function name(Class, value) {
  // Assigning to the prototype would fail where the prototype of all errors is frozen.
  for (const target of [Class, Class.prototype]) {
    Object.defineProperty(target, 'name', { value, writable: true });
  }
  return Class;
}

name(LemonDataError, 'LemonDataError');

const camel = (name) => name.replace(/_./g, (start) => start[1].toUpperCase());

/** The classes, by the numbers of their kinds. */
const classes = [];

/** Makes the class of the next kind, whose name is the kind in another spelling. */
function define(Base = LemonDataError) {
  const kind = KINDS[classes.length];
  const Class = class extends Base {
    static kinds = [kind];
  };
  if (Base !== LemonDataError) Base.kinds.push(kind);
  classes.push(Class);
  return name(Class, `${camel(`_${kind}`)}Error`);
}

// In the order of `KINDS`.
export const InvalidRequestError = define();
export const AuthenticationError = define();
export const PaymentRequiredError = define();
export const PermissionDeniedError = define();
export const NotFoundError = define();
export const RateLimitError = define();
export const ServerError = define();
export const TaskNotFoundError = define();
export const TaskFailedError = define();
export const TaskCancelledError = define(TaskFailedError);
export const ConnectionError = define();
export const RequestTimeoutError = define();
export const ResponseError = define();
export const WaitTimeoutError = define();
export const PollBudgetError = define();
export const UntrustedUrlError = define();
export const CallbackError = define();
export const InternalError = define();

/** The hints of the service, by their types. An error has them under names in camel case. */
const HINTS = [
  ['string', 'hint did_you_mean'],
  [
    'array',
    // The last one is a hub's.
    'suggestions alternatives supported_parameters supported_operations allowed_resolutions allowed_aspect_ratios skipped_models',
  ],
  ['number', 'balance_usd estimated_cost_usd prompt_max_characters'],
  ['object', 'recommended_request'],
];

/** What the provider says of an error in the body of its answer, beside what is known already. */
export function detailsOf(body, requestId, param) {
  const top = Object(body);
  const error = Object(top.error);
  const pick = (type, ...values) =>
    values.find((value) => value !== '' && (Array.isArray(value) ? 'array' : typeof value) === type);
  const text = (...values) => pick('string', ...values);
  const details = {
    code: text(error.code, top.code, error.type),
    type: text(error.type),
    param: param ?? text(error.param),
    requestId: text(requestId, error.request_id, top.request_id),
    body,
  };
  for (const [type, names] of HINTS) {
    for (const name of names.split(' ')) details[camel(name)] = pick(type, error[name]);
  }
  return details;
}

/**
 * Makes the error that the core describes. `param` is the index in `NAMES` of the name that begins the message, if any.
 */
export function makeError(
  kind,
  outcome,
  message,
  status,
  param,
  retryAfterMs,
  attempt,
  taskId,
  pollUrl,
  cause,
  allows,
) {
  const name = NAMES[param];
  const { requestId, body: original, cause: ownCause, secret } = Object(attempt);
  const body = redactAll(original, secret);
  const error = new classes[kind]({
    outcome: OUTCOMES[outcome],
    message: (name ?? '') + redact(message, secret),
    status: status || undefined,
    retryAfterMs: retryAfterMs || undefined,
    ...detailsOf(body, requestId, name),
    task: taskId ? taskOf(taskId, pollUrl) : undefined,
    cause: cause ?? ownCause,
  });
  if (allows) allowsFallback.add(error);
  return error;
}

/** The errors behind which the same request may go to another model: the core says so. */
export const allowsFallback = /* @__PURE__ */ new WeakSet();

/** An error that the JavaScript side finds by itself. */
export const ownError = (Class, outcome, message, more) => new Class({ outcome, message, ...more });

const STATUS_CLASSES = {
  401: AuthenticationError,
  402: PaymentRequiredError,
  403: PermissionDeniedError,
  404: NotFoundError,
  408: ServerError,
  429: RateLimitError,
};

/** The error of a request that needs no decision of the core, by its status. A page shows a redirect as status 0. */
export function errorOfStatus(status, message, more) {
  const others = status < 400 ? ResponseError : status < 500 ? InvalidRequestError : ServerError;
  return ownError(STATUS_CLASSES[status] ?? others, 'rejected', message, {
    status: status || undefined,
    ...more,
  });
}
