/**
 * The fields of a create: what each may hold, and what the texts of a form stand for.
 */
import { PROMPT_MAX_CHARACTERS } from './catalogue.js';

/** @typedef {Omit<import('./errors.js').Problem, 'field'> | undefined} Fault */

const MAX_IMAGES = 10;

/** The most pictures that a request brings. */
export const MAX_REFERENCES = 16;

/** The largest picture side. The provider draws larger ones; drawing them here would only cost time. */
export const MAX_SIDE = 4096;

/**
 * How a field is checked, and what the text of a form stands for.
 *
 * @typedef {object} Rule
 * @property {(value: unknown) => Fault} check
 * @property {(text: string) => unknown} [fromText] default: the text itself
 */

/**
 * @param {string} message
 * @param {string} [code]
 */
export const fault = (message, code = 'invalid_type') => ({ code, message });

/**
 * @param {number} min
 * @param {number} max
 * @returns {Rule}
 */
const integer = (min, max) => ({
  check: (value) =>
    Number.isInteger(value) && Number(value) >= min && Number(value) <= max
      ? undefined
      : fault(`Must be an integer from ${min} to ${max}`),
  fromText: (text) => (/^-?\d+$/.test(text) ? Number(text) : text),
});

/** @type {Rule} */
const boolean = {
  check: (value) => (typeof value === 'boolean' ? undefined : fault('Must be true or false')),
  fromText: (text) => ({ true: true, false: false })[text] ?? text,
};

/** @type {Rule} */
const text = { check: (value) => (typeof value === 'string' ? undefined : fault('Must be a string')) };

/**
 * @param {string[]} values
 * @returns {Rule}
 */
const oneOf = (...values) => ({
  check: (value) =>
    values.includes(/** @type {string} */ (value))
      ? undefined
      : fault(`Must be one of ${values.join(', ')}`, 'invalid_enum_value'),
});

/** @type {Rule} */
const url = {
  check: (value) =>
    typeof value === 'string' && /^(https?:\/\/\S+|data:image\/\S+)$/.test(value)
      ? undefined
      : fault('Must be a URL', 'invalid_url'),
};

/** @type {Rule} */
const reference = {
  check(value) {
    const entries = value !== null && typeof value === 'object' ? Object.entries(value) : [];
    const [[name, content] = []] = entries;
    if (entries.length !== 1 || (name !== 'image_url' && name !== 'file_id')) {
      return fault('Must be an object with an image_url or a file_id');
    }
    return (name === 'image_url' ? url : text).check(content);
  },
};

/**
 * @param {Rule} rule of each element
 * @returns {Rule}
 */
const listOf = (rule) => ({
  check: (value) =>
    Array.isArray(value) && value.length >= 1 && value.length <= MAX_REFERENCES
      ? value.map(rule.check).find((found) => found)
      : fault(`Must be a list of 1 to ${MAX_REFERENCES} elements`),
  fromText: (joined) => joined.split(',').map((part) => part.trim()),
});

/** @type {Record<string, Rule>} */
export const CREATE_RULES = {
  prompt: {
    check(value) {
      if (typeof value !== 'string' || value.trim() === '') {
        return fault('Must be a non-empty string');
      }
      // Counted in code points: a surrogate pair is one character to the provider.
      const length = [...value].length;
      return length <= PROMPT_MAX_CHARACTERS
        ? undefined
        : fault(`Has ${length} characters; at most ${PROMPT_MAX_CHARACTERS}`, 'too_big');
    },
  },
  model: {
    check: (value) =>
      typeof value === 'string' && value !== '' ? undefined : fault('Must be a non-empty string'),
  },
  n: integer(1, MAX_IMAGES),
  size: {
    check: (value) =>
      parseSize(value) ? undefined : fault(`Must be auto or WIDTHxHEIGHT, each side 1 to ${MAX_SIDE}`),
  },
  quality: text,
  response_format: oneOf('url', 'b64_json'),
  style: oneOf('vivid', 'natural'),
  user: text,
  operation: oneOf('text-to-image', 'image-to-image', 'image-edit'),
  image_url: url,
  image_urls: listOf(url),
  reference_image_urls: listOf(url),
  mask_url: url,
  async: boolean,
  aspect_ratio: text,
  resolution: text,
  negative_prompt: text,
  expand_prompt: boolean,
  seed: integer(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER),
  background: oneOf('transparent', 'opaque', 'auto'),
  output_format: oneOf('png', 'jpeg', 'webp'),
  output_compression: integer(0, 100),
  compression: integer(0, 100),
  moderation: oneOf('auto', 'low'),
  stream: boolean,
};

/** @type {Record<string, Rule>} */
export const EDIT_RULES = { ...CREATE_RULES, images: listOf(reference), mask: reference };

/**
 * The fields of a form as JSON would hold them.
 *
 * @param {Record<string, unknown>} texts
 * @param {Record<string, Rule>} rules
 */
export function fromTexts(texts, rules) {
  return Object.fromEntries(
    Object.entries(texts).map(([name, value]) => {
      const fromText = Object.hasOwn(rules, name) ? rules[name].fromText : undefined;
      return [name, fromText ? fromText(/** @type {string} */ (value)) : value];
    }),
  );
}

/**
 * @param {unknown} size
 * @returns {[number, number] | null}
 */
export function parseSize(size) {
  if (size === 'auto') {
    return [1024, 1024];
  }
  const match = typeof size === 'string' ? /^(\d{1,4})x(\d{1,4})$/.exec(size) : null;
  if (match === null) {
    return null;
  }
  const [width, height] = [Number(match[1]), Number(match[2])];
  const good = [width, height].every((side) => side >= 1 && side <= MAX_SIDE);
  return good ? [width, height] : null;
}
