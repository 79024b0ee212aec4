/**
 * What the module reads of JavaScript values. It would cost more bytes to say in WebAssembly.
 *
 * Values come from callers and servers: a getter or a proxy that throws must not throw into the module.
 */

import {
  FIRST_ELEMENT,
  NAMES,
  SHAPE_EMPTY,
  SHAPE_FALSE,
  SHAPE_FILLED,
  SHAPE_NOTHING,
  SHAPE_NUMBER,
  SHAPE_OTHER,
  SHAPE_TRUE,
  TRAIT_ENTRIES,
} from './abi.gen.js';

/** By the numbers of the traits. */
const TRAITS = [
  (value) => Object.entries(Object(value)),
  (value) => (Array.isArray(value) ? value.length : 0),
  reasonOf,
  describe,
  (value) => value,
];

/** What `typeof` says, by the numbers of the shapes from `SHAPE_NUMBER` on. Any other type comes before. */
const TYPES = ['number', 'array', 'object', 'function'];

/** No text is longer in linear memory: a server may send megabytes of message. */
const LONGEST_TEXT = 65_536;

/** A field, or `undefined` where there is none. Where its getter throws, it is `unreadable`. */
export function read(value, name, unreadable) {
  try {
    return value?.[name];
  } catch {
    return unreadable;
  }
}

/** A value in words, for a message. It does not show texts: they may be secrets. */
export function describe(value) {
  if (value === undefined) return 'missing';
  if (typeof value === 'string') return value ? 'a string' : 'an empty string';
  if (typeof value === 'function') return 'a function';
  if (typeof value !== 'object' || !value) return String(value);
  if (typeof read(value, 'then') === 'function') return 'a promise: await it first';
  try {
    return Array.isArray(value) ? 'an array' : 'an object';
  } catch {
    return 'an object that cannot be read';
  }
}

/** A field, a trait or an element of a value, by its number. */
export function field(value, key) {
  if (key < TRAIT_ENTRIES) return read(value, NAMES[key]);
  if (key >= FIRST_ELEMENT) return read(value, key - FIRST_ELEMENT);
  try {
    return TRAITS[key - TRAIT_ENTRIES](value);
  } catch {}
}

function shapeOf(value) {
  if (value == null) return SHAPE_NOTHING;
  try {
    const type = Array.isArray(value) ? 'array' : typeof value;
    if (type === 'boolean') return value ? SHAPE_TRUE : SHAPE_FALSE;
    if (type === 'string') return value ? SHAPE_FILLED : SHAPE_EMPTY;
    return TYPES.indexOf(type) + SHAPE_NUMBER;
  } catch {
    return SHAPE_OTHER;
  }
}

/** Which of `count` fields, traits or elements, from `key` on, have one of these shapes: a bit for each. */
export function maskOf(value, key, count, shapes) {
  let mask = 0;
  while (count--) mask = (mask << 1) | ((shapes >> shapeOf(field(value, key + count))) & 1);
  return mask;
}

export function numberOf(value, key) {
  value = field(value, key);
  return typeof value === 'number' ? value : Number.NaN;
}

/** Made at the first call: an import must not fail where there is none, such as in jsdom. */
let encoder;
let encoded;

/** A string, or a whole number as one. */
const asText = (value) => (typeof value === 'string' || Number.isSafeInteger(value) ? `${value}` : '');

/** Encodes a text, and returns how many bytes that takes. */
export function encodeText(value, key) {
  value = field(value, key);
  // Some servers number their tasks.
  if (typeof value !== 'string' && !/id$/.test(NAMES[key])) return 0;
  encoder ??= new TextEncoder();
  encoded = encoder.encode(asText(value).slice(0, LONGEST_TEXT));
  return encoded.length;
}

/** Writes the text that has been encoded. */
export const writeText = (bytes) => bytes.set(encoded);

/** How many of the things that are wrong a reason names. */
const MAX_REASONS = 5;
/** How deep in a body a reason is looked for: `detail[].message` is at the third level. An attacker may nest anything. */
const MAX_DEPTH = 3;

/** Why a body refuses: the first text that says something, with the first elements of lists behind it. */
export function reasonOf(value, depth = 0) {
  let text = asText(value);
  if (depth === MAX_DEPTH) return text;
  // The service repeats what the message holds in `validation_errors`.
  const join = (link, ...parts) => [...new Set(parts.filter((part) => part))].join(link);
  const list = (items) => (Array.isArray(items) ? items.slice(0, MAX_REASONS) : []);
  const inner = (item) => reasonOf(item, depth + 1);
  for (const name of ['error', 'message', 'msg', 'detail', 'errors']) text ||= inner(value?.[name]);
  // Each picture of several may have failed for its own reason.
  text ||= inner(list(value?.data).map((item) => item?.error));
  text = join('; ', text, ...[...list(value), ...list(value?.validation_errors)].map(inner));
  return join(': ', asText(list(value?.loc).at(-1) ?? value?.field), text);
}

/**
 * Origin, path with query, and whether there is nothing else, of a URL that may be relative: to `base`, or to
 * the page. A worker made of a blob stands at its page's origin.
 *
 * @returns {[origin: string, path: string, isPlain: boolean] | undefined}
 */
export function parseUrl(text, base) {
  try {
    const page = globalThis.document?.baseURI ?? globalThis.location?.href;
    const url = new URL(text, base || page?.replace(/^blob:/, ''));
    const { origin, pathname, search, hash, username, password } = url;
    return [origin, pathname + search, !(search || hash || username || password)];
  } catch {}
}
