/** The options of a relay, checked when it is made: a relay that is open by mistake must not start. */

import { anonymousByIp } from './anonymous.js';
import { memoryStore } from './idempotency.js';
import { memoryLimiter } from './limiters.js';
import { isOrigin } from './origins.js';
import { isCloudflare } from './platform.js';
import {
  callback,
  choice,
  count,
  DAY_MS,
  flag,
  isApiKey,
  LONGEST_TIMER_MS,
  list,
  methods,
  milliseconds,
  readSettings,
  required,
  serviceAddress,
  setting,
} from './settings.js';

const MIN_SECRET_LENGTH = 32;

/** Fields whose check no option lifts, or that the relay sets itself. */
const OWN_FIELDS = ['prompt', 'model', 'n', 'size', 'user', 'fallback', '__proto__'];

const MIB = 1024 * 1024;
/** The service takes no more. */
const SERVICE_MAX_FILES = 16;
const SERVICE_MAX_FILE_MIB = 50;

const isFunction = (value) => typeof value === 'function';
/** A list of texts with at least one of them. */
const isOffer = (value) =>
  Array.isArray(value) && value.length > 0 && value.every((item) => typeof item === 'string' && item !== '');

const RULES = {
  apiKey: required(
    setting(undefined, isApiKey, 'a string without quotes and white space, or a function that returns one'),
    "It is the service's key: set it from a secret of your platform, such as process.env.LEMONDATA_API_KEY.",
    { isSecret: true },
  ),
  authorize: required(
    callback(undefined, 'a function (request, context)'),
    'It returns the identity of the caller as a text, or null to refuse; all callers that it lets in spend your ' +
      'balance. To let everybody in, limited by address, write authorize: anonymousByIp().',
  ),
  secret: required(
    setting(
      undefined,
      (value) => {
        const secrets = [value].flat();
        const isLong = (each) => typeof each === 'string' && each.length >= MIN_SECRET_LENGTH;
        return secrets.length > 0 && secrets.every(isLong);
      },
      `a random text of at least ${MIN_SECRET_LENGTH} characters, or a list of them`,
    ),
    'It signs the references to tasks; of a list, the first signs and the others are still accepted. To make one: ' +
      'node -p "crypto.randomBytes(32).toString(\'hex\')"',
    { isSecret: true },
  ),
  baseUrl: serviceAddress,
  fetch: callback(undefined, 'a function such as fetch'),
  requestTimeout: milliseconds(undefined, { max: LONGEST_TIMER_MS }),
  allowedOrigins: {
    ...list(
      ['self'],
      "a list of exact origins such as 'https://app.example' or 'chrome-extension://…', or 'self'",
      isOrigin,
    ),
    hint:
      'Write each as its browser sends it: in lower case, without a slash at its end, without a path or the usual port, ' +
      "and with a name such as 'xn--bcher-kva.example' in place of other letters. Leave it out for the relay's own pages.",
  },
  allowedHeaders: list([], 'a list of header names', (name) => /^[\w-]+$/.test(name)),
  allowCredentials: flag(false),
  models: required(
    setting(undefined, (value) => value === 'any' || isOffer(value), "a list of models, or 'any'"),
    "Name the models that you offer, such as models: ['gpt-image-2']; or let callers choose any that your account may " +
      "use: models: 'any'.",
  ),
  sizes: setting(undefined, isOffer, 'a list of sizes'),
  maxN: count(4),
  maxPromptLength: count(4000),
  maxBodyBytes: count(64 * 1024),
  maxFiles: count(4, { max: SERVICE_MAX_FILES }),
  maxFileBytes: count((isCloudflare ? 5 : 10) * MIB, { max: SERVICE_MAX_FILE_MIB * MIB }),
  uploadTimeoutMs: milliseconds(120_000, { max: LONGEST_TIMER_MS }),
  bodyTimeoutMs: milliseconds(10_000, { max: LONGEST_TIMER_MS }),
  // Memory holds an answer as text, as objects and as text again.
  maxAnswerBytes: count(isCloudflare ? 40 * MIB : 256 * MIB),
  callbackTimeoutMs: milliseconds(10_000, { max: LONGEST_TIMER_MS }),
  extraFields: choice('refuse', ['refuse', 'drop', 'pass']),
  allowedFields: list([], 'a list of further fields that may pass', (name) => !OWN_FIELDS.includes(name)),
  user: setting(
    (identity) => identity,
    (value) => value === false || isFunction(value),
    'false, or a function of the identity',
  ),
  ttlMs: milliseconds(DAY_MS),
  limiter: setting(
    undefined,
    (value) => value === false || isFunction(value?.take),
    'a limiter such as memoryLimiter(), or false',
  ),
  store: setting(
    undefined,
    (value) => value === false || (isFunction(value?.claim) && isFunction(value?.settle)),
    'a store such as memoryStore(), or false',
  ),
  hub: methods(['create', 'getTask', 'watch', 'picture'], 'a hub such as durableHub()'),
  showCosts: flag(false),
  log: callback(undefined),
  logPrompts: flag(false),
  tracing: flag(false),
  now: callback(Date.now),
};

/**
 * @param {import('./index.js').RelayOptions} options
 * @throws {TypeError} says what is missing or wrong, and what to do
 */
export function readOptions(options) {
  if (/** @type {unknown} */ (options?.authorize) === anonymousByIp) {
    throw new TypeError(
      'createRelay: authorize is anonymousByIp itself. Call it: authorize: anonymousByIp().',
    );
  }
  const { secret, models, user, limiter, store, ...settings } = readSettings('createRelay', RULES, options);
  return {
    ...settings,
    secrets: [secret].flat(),
    models: models === 'any' ? undefined : models,
    user: user || (() => undefined),
    limiter: limiter === false ? undefined : (limiter ?? memoryLimiter()),
    // An isolate of Cloudflare may end at any time, and its memory with it: that is no promise.
    store: (store ?? (isCloudflare ? undefined : memoryStore())) || undefined,
  };
}
