/** The options of a call, and what some of them come to. */

import { NAMES, OPTION_COUNT } from './abi.gen.js';
import { InvalidRequestError, ownError } from './errors.js';
import { read } from './values.js';

/** The names of all options. */
const OPTIONS = /* @__PURE__ */ NAMES.slice(0, OPTION_COUNT);

/** An option that cannot be read is of no type that is allowed. */
const UNREADABLE = /* @__PURE__ */ Symbol('unreadable');

/** The options of a call over those of its client, each read once: the checked value is the one that is used. */
export function mergeOptions(callOptions, clientOptions) {
  const options = {};
  for (const name of OPTIONS) {
    const value = read(callOptions, name, UNREADABLE) ?? read(clientOptions, name, UNREADABLE);
    if (value != null) options[name] = value;
  }
  return options;
}

const plain = (name) => name.toLowerCase().replace(/[^a-z]/g, '');

/** The names of what an object holds. The core refuses an object that cannot be read. */
function namesIn(object) {
  try {
    if (typeof object !== 'object' || Array.isArray(object)) return [];
    return Object.keys(object ?? {}).filter((name) => object[name] !== undefined);
  } catch {
    return [];
  }
}

/**
 * Throws where an option is unknown, or where one stands in the request, which would be sent.
 *
 * @param {unknown[]} optionSets
 * @param {unknown} [request]
 * @param {string[]} [more] the names of further options
 */
export function checkNames(optionSets, request, more = []) {
  const refuse = (name, message) => {
    throw ownError(InvalidRequestError, 'not_sent', message, { param: name });
  };
  const known = [...OPTIONS, ...more];
  for (const name of optionSets.flatMap(namesIn)) {
    if (known.includes(name)) continue;
    const letters = plain(name);
    // A name of one or two letters is a part of too many others.
    const found = known.find(
      (option) => letters.includes(plain(option)) || (letters[2] && plain(option).includes(letters)),
    );
    refuse(name, `Unknown option '${name}'.${found ? ` Did you mean ${found}?` : ''}`);
  }
  for (const name of namesIn(request)) {
    const letters = plain(name);
    const option = known.find((option) => option.toLowerCase() === letters);
    if (option) refuse(name, `${name} is an option: pass ${option} behind the request, not in it.`);
  }
}

/** The value of an option that may be a function. */
export const resolve = async (option, argument) => (typeof option === 'function' ? option(argument) : option);

/**
 * Key and headers of one request. Where the key's function fails, the error keeps the cause; where the headers cannot
 * be used, it does not, since that could show their values.
 */
export async function readCredentials(apiKey, headers) {
  let key;
  try {
    key = await resolve(apiKey);
  } catch (cause) {
    return { keyFailed: true, cause };
  }
  try {
    return { key, headers: new Headers(await resolve(headers)) };
  } catch {
    return { key, headersFailed: true };
  }
}

/** A random key. Some test environments lack `crypto`, and pages without a secure context lack its `randomUUID`. */
export function randomKey() {
  const bytes = new Uint8Array(16).map(() => Math.random() * 256);
  /** @type {any} */ (globalThis).crypto?.getRandomValues?.(bytes);
  return Array.from(bytes, (byte) => (byte + 256).toString(16).slice(1)).join('');
}
