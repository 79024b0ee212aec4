/**
 * The one reader of settings, for the relay, its limiters and stores, the hub and its key objects.
 *
 * Settings often come from environment variables, so numeric text counts as a number and `undefined` as the default.
 * Anything else stops the program before it answers a request: a limit that is silently off costs money.
 */

export const MINUTE_MS = 60_000;
export const DAY_MS = 86_400_000;
/** A timer of the platform counts no further: a longer one fires at once. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1;
/** Ten years. Nothing that is longer is meant as a time; it is a mistake, or "never" in disguise. */
const LONGEST_TIME_MS = 315_360_000_000;

/**
 * What one setting has to be.
 *
 * @template T
 * @typedef {object} Rule
 * @property {(value: unknown) => T | undefined} read the value to use, or `undefined` if the value is not acceptable
 * @property {string} expected completes "must be …" in the error
 * @property {T | undefined} [fallback] in the place of `undefined`
 * @property {string} [hint] what to do about a wrong value
 * @property {boolean} [isRequired] whether `undefined` is an error
 * @property {boolean} [isSecret] whether the error must not show the value
 */

/** A key of the service, or a function that returns it. A quote at the start comes from the file of the variable. */
export const isApiKey = (value) =>
  typeof value === 'function' || (typeof value === 'string' && /^[!#-&(-~][!-~]*$/.test(value));

/** A number, or `NaN` for what is neither a number nor decimal digits. */
function toNumber(value) {
  if (typeof value === 'number') return value;
  return typeof value === 'string' && /^\s*\d+(\.\d+)?\s*$/.test(value) ? Number(value) : Number.NaN;
}

const inRange = (value, min, max) => (value >= min && value <= max ? value : undefined);

/**
 * A time in milliseconds.
 *
 * @param {number | undefined} fallback
 * @param {{ min?: number, max?: number }} [range] pass {@link LONGEST_TIMER_MS} as `max` where a timer counts it
 * @returns {Rule<number>}
 */
export const milliseconds = (fallback, { min = 1, max = LONGEST_TIME_MS } = {}) => ({
  fallback,
  read: (value) => inRange(toNumber(value), min, max),
  expected: `a number of milliseconds from ${min} to ${max}`,
});

/**
 * A whole number of things.
 *
 * @param {number | undefined} fallback
 * @param {{ min?: number, max?: number }} [range]
 * @returns {Rule<number>}
 */
export const count = (fallback, { min = 1, max = Number.MAX_SAFE_INTEGER } = {}) => ({
  fallback,
  read(value) {
    const number = toNumber(value);
    return Number.isInteger(number) ? inRange(number, min, max) : undefined;
  },
  expected: `a whole number from ${min} to ${max}`,
});

/**
 * Yes or no.
 *
 * @param {boolean} fallback
 * @returns {Rule<boolean>}
 */
export const flag = (fallback) => ({
  fallback,
  read: (value) => ({ true: true, false: false })[typeof value === 'symbol' ? '' : String(value)],
  expected: 'true or false',
});

/**
 * A function.
 *
 * @param {Function | undefined} fallback
 * @param {string} [expected]
 * @returns {Rule<Function>}
 */
export const callback = (fallback, expected = 'a function') =>
  setting(fallback, (value) => typeof value === 'function', expected);

/**
 * A list of texts that are not empty.
 *
 * @param {readonly string[] | undefined} fallback
 * @param {string} expected
 * @param {(text: string) => boolean} [accepts] what each text has to hold to
 * @returns {Rule<readonly string[]>}
 */
export const list = (fallback, expected, accepts = () => true) =>
  setting(
    fallback,
    (value) =>
      Array.isArray(value) && value.every((text) => typeof text === 'string' && text !== '' && accepts(text)),
    expected,
  );

/**
 * One of a few words.
 *
 * @param {string | undefined} fallback
 * @param {string[]} words
 * @returns {Rule<string>}
 */
export const choice = (fallback, words) =>
  setting(
    fallback,
    (value) => words.includes(value),
    `one of ${words.map((word) => `'${word}'`).join(', ')}`,
  );

/**
 * Any other kind of setting. The value is used as it is.
 *
 * @param {unknown} fallback
 * @param {(value: any) => unknown} accepts whether the value is acceptable
 * @param {string} expected
 * @returns {Rule<any>}
 */
export const setting = (fallback, accepts, expected) => ({
  fallback,
  read: (value) => (accepts(value) ? value : undefined),
  expected,
});

/**
 * An object with certain methods, such as a store.
 *
 * @param {string[]} names of the methods
 * @param {string} expected
 * @returns {Rule<any>}
 */
export const methods = (names, expected) =>
  setting(undefined, (value) => names.every((name) => typeof value?.[name] === 'function'), expected);

/** Whether the client takes this as the address of a service: without parts that no request would carry. */
function isAddress(text) {
  if (typeof text !== 'string' || !URL.canParse(text)) return false;
  const { protocol, pathname, search, hash, username, password } = new URL(text);
  return (
    /^https?:$/.test(protocol) && !(pathname.includes('/v1/images') || search || hash || username || password)
  );
}

/** Where the service is. */
export const serviceAddress = setting(
  undefined,
  isAddress,
  'an absolute URL of http or https, as a text, without a query and without the path of a request',
);

/**
 * A setting without a default.
 *
 * @template T
 * @param {Rule<T>} rule
 * @param {string} hint what to do if it is missing
 * @param {{ isSecret?: boolean }} [more]
 * @returns {Rule<T>}
 */
export const required = (rule, hint, { isSecret = false } = {}) => ({
  ...rule,
  hint,
  isRequired: true,
  isSecret,
});

/**
 * Reads all settings by their rules.
 *
 * @template {Record<string, Rule<any>>} Rules
 * @param {string} owner who reads them, as it stands at the beginning of the error: `createRelay`
 * @param {Rules} rules by the names of the settings
 * @param {any} values what the user set
 * @returns {{ [Name in keyof Rules]: any }} every setting, checked
 * @throws {TypeError} says what the value is, what it has to be and what to do
 */
export function readSettings(owner, rules, values = {}) {
  if (typeof values !== 'object' || values === null) {
    throw new TypeError(`${owner} takes an object of options, but got ${describe(values)}.`);
  }
  for (const name of Object.keys(values)) {
    if (Object.hasOwn(rules, name)) continue;
    const names = Object.keys(rules);
    const guess = names.find((known) => isMisspelt(name, known));
    const advice = guess ? `Did you mean ${guess}?` : `It knows ${names.join(', ')}.`;
    throw new TypeError(`${owner} knows no option ${name}. ${advice}`);
  }
  const read = Object.entries(rules).map(([name, rule]) => [
    name,
    readSetting(`${owner}: ${name}`, rule, values[name]),
  ]);
  return /** @type {any} */ (Object.fromEntries(read));
}

/** Whether a name is another one in different case, with or without one letter more. */
function isMisspelt(name, known) {
  const [long, short] = [name, known].map((text) => text.toLowerCase().replaceAll('_', '')).sort(byLength);
  if (long.length - short.length > 1) return false;
  const at = [...short].findIndex((letter, index) => letter !== long[index]);
  return at < 0 || long.slice(at + 1) === short.slice(at + short.length - long.length + 1);
}

const byLength = (one, other) => other.length - one.length;

/**
 * Reads one setting.
 *
 * @template T
 * @param {string} name as it stands at the beginning of the error: `createRelay: ttlMs`
 * @param {Rule<T>} rule
 * @param {unknown} value
 * @returns {T | undefined}
 * @throws {TypeError}
 */
function readSetting(name, { fallback, read, expected, isRequired, isSecret, hint }, value) {
  if (value === undefined && !isRequired) return fallback;
  const result = read(value);
  if (result !== undefined) return result;
  const advice =
    hint ?? (fallback === undefined ? 'Leave it out if you do not need it.' : leaveOut(fallback));
  throw new TypeError(`${name} must be ${expected}, but is ${describe(value, isSecret)}. ${advice}`);
}

const leaveOut = (fallback) =>
  typeof fallback === 'function' || typeof fallback === 'object'
    ? 'Leave it out for the default.'
    : `Leave it out for the default, ${fallback}.`;

/** The longest text that an error shows. */
const MAX_SHOWN = 60;

/** A value in words, for an error. */
function describe(value, isSecret = false) {
  if (value === undefined) return 'missing';
  if (value === '') return 'an empty text';
  if (typeof value === 'string') {
    if (isSecret || value.length > MAX_SHOWN) return `a text of ${value.length} characters`;
    return JSON.stringify(value);
  }
  if (typeof value === 'function') return 'a function';
  if (Array.isArray(value)) return isSecret ? `a list of ${value.length}` : `the list ${listed(value)}`;
  if (typeof value === 'object' && value !== null) return 'an object';
  return String(value);
}

/** A list in words, as far as its items are short. */
const listed = (items) => {
  const text = `[${items.map((item) => describe(item)).join(', ')}]`;
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
};
