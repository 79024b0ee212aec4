/** The options of a relay, checked when it is made: a relay that is open by mistake must not start. */

import { memoryLimiter } from './limiters.js';
import { isOrigin } from './origins.js';

const MIN_SECRET_LENGTH = 32;
const DAY_MS = 86_400_000;

/** The models that LemonData documents. */
const MODELS = [
  'dall-e-3',
  'dall-e-2',
  'flux-schnell',
  'stable-diffusion-3',
  'flux-pro',
  'midjourney',
  'ideogram-v3',
];

const DEFAULTS = {
  baseUrl: undefined,
  fetch: undefined,
  requestTimeout: undefined,
  allowedOrigins: ['self'],
  allowedHeaders: [],
  allowCredentials: false,
  models: MODELS,
  sizes: undefined,
  maxN: 4,
  maxPromptLength: 4000,
  maxBodyBytes: 64 * 1024,
  bodyTimeoutMs: 10_000,
  extraFields: 'drop',
  allowedFields: [],
  user: (identity) => identity,
  ttlMs: DAY_MS,
  limiter: undefined,
  store: undefined,
  hub: undefined,
  log() {},
  logPrompts: false,
  now: Date.now,
};

const isCount = (value) => Number.isInteger(value) && value > 0;
const isTime = (value) => typeof value === 'number' && value > 0;
const isFunction = (value) => typeof value === 'function';
const isFlag = (value) => typeof value === 'boolean';
const isWords = (value) =>
  Array.isArray(value) && value.every((item) => typeof item === 'string' && item !== '');

/** Whether this is where a service can be, without a part that would be lost or sent to nobody. */
function isAddress(text) {
  try {
    const { protocol, search, hash, username, password } = new URL(text);
    return /^https?:$/.test(protocol) && !(search || hash || username || password);
  } catch {
    return false;
  }
}

/** What each option has to be, in words for the error. */
const RULES = {
  baseUrl: [
    (value) => value === undefined || isAddress(value),
    'an absolute URL of http or https, without a query',
  ],
  fetch: [(value) => value === undefined || isFunction(value), 'a function such as fetch'],
  requestTimeout: [(value) => value === undefined || isTime(value), 'positive milliseconds'],
  allowedOrigins: [
    (value) => isWords(value) && value.every(isOrigin),
    "a list of exact origins such as 'https://app.example', or 'self'",
  ],
  allowedHeaders: [
    (value) => isWords(value) && value.every((name) => /^[\w-]+$/.test(name)),
    'a list of header names',
  ],
  allowCredentials: [isFlag, 'a boolean'],
  models: [(value) => value === 'any' || (isWords(value) && value.length > 0), "a list of models, or 'any'"],
  sizes: [(value) => value === undefined || (isWords(value) && value.length > 0), 'a list of sizes'],
  maxN: [isCount, 'a positive integer'],
  maxPromptLength: [isCount, 'a positive integer'],
  maxBodyBytes: [isCount, 'a positive integer'],
  bodyTimeoutMs: [isTime, 'positive milliseconds'],
  extraFields: [(value) => ['drop', 'refuse', 'pass'].includes(value), "'drop', 'refuse' or 'pass'"],
  allowedFields: [
    (value) =>
      isWords(value) &&
      !value.some((name) => ['prompt', 'model', 'n', 'size', 'user', '__proto__'].includes(name)),
    'a list of further fields that may pass',
  ],
  user: [(value) => value === false || isFunction(value), 'false, or a function of the identity'],
  ttlMs: [isTime, 'positive milliseconds'],
  limiter: [
    (value) => value === undefined || value === false || isFunction(value?.take),
    'a limiter such as memoryLimiter(), or false',
  ],
  store: [
    (value) => value === undefined || (isFunction(value?.claim) && isFunction(value?.settle)),
    'a store such as memoryStore()',
  ],
  hub: [
    (value) =>
      value === undefined ||
      ['create', 'look', 'watch', 'picture'].every((name) => isFunction(value?.[name])),
    'a hub such as durableHub()',
  ],
  log: [isFunction, 'a function'],
  logPrompts: [isFlag, 'a boolean'],
  now: [isFunction, 'a function'],
};

const REQUIRED = ['apiKey', 'authorize', 'secret'];

/**
 * @param {import('./index.js').RelayOptions} options
 * @throws {TypeError} tells what is missing or wrong, and what to do
 */
export function readSettings(options) {
  if (typeof options !== 'object' || options === null)
    throw new TypeError('createRelay takes an object of options.');
  const unknown = Object.keys(options).find(
    (name) => !REQUIRED.includes(name) && !Object.hasOwn(DEFAULTS, name),
  );
  if (unknown !== undefined) throw new TypeError(`createRelay knows no option ${unknown}.`);

  const { apiKey, authorize, secret } = options;
  if (!(isFunction(apiKey) || (typeof apiKey === 'string' && /^[!-~]+$/.test(apiKey)))) {
    throw new TypeError(
      "createRelay needs apiKey, the service's key: a string without white space, or a function that returns it.",
    );
  }
  if (!isFunction(authorize)) {
    throw new TypeError(
      'createRelay needs authorize(request, context): whoever it lets in spends your balance. It returns who that is, ' +
        'as a text, or null to refuse. To let everybody in, within the limits of their address, name it: ' +
        'authorize: anonymousByIp().',
    );
  }
  const secrets = [secret].flat();
  if (
    !(
      secrets.length > 0 &&
      secrets.every((each) => typeof each === 'string' && each.length >= MIN_SECRET_LENGTH)
    )
  ) {
    throw new TypeError(
      `createRelay needs secret, which signs the references to tasks: a random text of at least ${MIN_SECRET_LENGTH} ` +
        'characters, or a list of them, of which the first signs and the others are accepted still. To make one: ' +
        'node -p "crypto.randomBytes(32).toString(\'hex\')"',
    );
  }

  const settings = { ...DEFAULTS };
  for (const name of Object.keys(DEFAULTS)) if (options[name] !== undefined) settings[name] = options[name];
  for (const [name, [holds, expected]] of Object.entries(RULES)) {
    if (!holds(settings[name])) throw new TypeError(`createRelay: ${name} must be ${expected}.`);
  }
  return {
    ...settings,
    apiKey,
    authorize,
    secrets,
    models: settings.models === 'any' ? undefined : settings.models,
    user: settings.user || (() => undefined),
    limiter: settings.limiter === false ? undefined : (settings.limiter ?? memoryLimiter()),
  };
}
