/**
 * The fields that LemonData documents, and what each of them may hold. A picture costs money, so a field that the
 * service would ignore or refuse is better refused here.
 */

import { imageTypeOf, SIGNATURE_BYTES } from './image-types.js';

const MAX_WORD_LENGTH = 32;
const MAX_URL_LENGTH = 4096;
/** As many pictures as the service takes. */
const MAX_URLS = 16;
const SIZE = /^(auto|[1-9]\d{1,4}x[1-9]\d{1,4})$/;
const HTTPS_URL = /^https:\/\/[^\s\p{Cc}]+$/iu;
const DATA_URL = /^data:image\/[\w.+-]+;base64,([A-Za-z0-9+/]+={0,2})$/;

/**
 * The relay's options that limit fields.
 *
 * @typedef {Pick<import('./index.js').RelayOptions, 'sizes'> & Required<Pick<import('./index.js').RelayOptions, 'maxN' |
 *   'maxPromptLength' | 'maxFileBytes'>>} Limits
 */

/**
 * What a field may hold.
 *
 * @typedef {object} Field
 * @property {(value: any, limits: Limits) => boolean} accepts
 * @property {(limits: Limits) => string} expected completes "must be …" in the refusal
 * @property {(text: string) => unknown} [fromText] the value that a text of a form stands for. Default: the text itself
 */

/** A short text. The service knows the words of each model, and they change. */
const word = {
  accepts: (value) => typeof value === 'string' && value.length <= MAX_WORD_LENGTH,
  expected: () => `a text of at most ${MAX_WORD_LENGTH} characters`,
};

const text = {
  accepts: (value, { maxPromptLength }) => typeof value === 'string' && value.length <= maxPromptLength,
  expected: ({ maxPromptLength }) => `a text of at most ${maxPromptLength} characters`,
};

const prompt = {
  accepts: (value, limits) => value !== '' && text.accepts(value, limits),
  expected: ({ maxPromptLength }) => `a text of 1 to ${maxPromptLength} characters`,
};

/** @type {Field} */
const size = {
  accepts: (value, { sizes }) =>
    typeof value === 'string' && (sizes ? sizes.includes(value) : SIZE.test(value)),
  expected: ({ sizes }) =>
    sizes ? `one of ${sizes.join(', ')}` : "'auto' or WIDTHxHEIGHT, such as 1024x1024",
};

const integer = (min, maxOf) => ({
  accepts: (value, limits) => Number.isSafeInteger(value) && value >= min && value <= maxOf(limits),
  expected: (limits) => `a whole number from ${min} to ${maxOf(limits)}`,
  fromText: (text) => (/^-?\d+$/.test(text) ? Number(text) : text),
});

const flagFromText = (text) => ({ true: true, false: false })[text] ?? text;

const flag = {
  accepts: (value) => typeof value === 'boolean',
  expected: () => 'true or false',
  fromText: flagFromText,
};

const off = {
  accepts: (value) => value === false,
  expected: () => 'false: the service streams no pictures',
  fromText: flagFromText,
};

const PICTURE = 'the https: URL of a picture, or a data: URL with the base64 of one';

const picture = { accepts: isPictureUrl, expected: () => PICTURE };

const pictures = {
  accepts: (value, limits) => isList(value) && value.every((url) => isPictureUrl(url, limits)),
  expected: () => `a list of 1 to ${MAX_URLS}, each ${PICTURE}`,
  // In a form, the service reads URLs between commas, which leave no place for a data: URL: the picture can be a file.
  fromText: (text) => text.split(',').map((url) => url.trim()),
};

/** The service also takes a `file_id`, which names a file of the account: any caller could name any file. */
const image = {
  accepts: (value, limits) => hasOnly(value, 'image_url') && isPictureUrl(value.image_url, limits),
  expected: () => `an object { image_url }, with ${PICTURE}`,
};

const images = {
  accepts: (value, limits) => isList(value) && value.every((each) => image.accepts(each, limits)),
  expected: () => `a list of 1 to ${MAX_URLS}, each ${image.expected()}`,
};

const isList = (value) => Array.isArray(value) && value.length >= 1 && value.length <= MAX_URLS;

const hasOnly = (value, name) => {
  const names = Object.keys(Object(value));
  return !Array.isArray(value) && names.length === 1 && names[0] === name;
};

function isPictureUrl(value, { maxFileBytes }) {
  if (typeof value !== 'string') return false;
  const [, base64] = DATA_URL.exec(value) ?? [];
  if (base64) return (base64.length / 4) * 3 <= maxFileBytes && imageTypeOf(firstBytes(base64)) !== undefined;
  if (value.length > MAX_URL_LENGTH || !HTTPS_URL.test(value) || !URL.canParse(value)) return false;
  const { username, password } = new URL(value);
  return !(username || password);
}

function firstBytes(base64) {
  const length = (SIGNATURE_BYTES / 3) * 4;
  // Too short for the signature of any picture, and maybe no whole group.
  if (base64.length < length) return new Uint8Array();
  return Uint8Array.from(atob(base64.slice(0, length)), (char) => char.charCodeAt(0));
}

/** The fields of a create, but for `model` and `user`. @type {Record<string, Field>} */
export const CREATE_FIELDS = {
  prompt,
  n: integer(1, ({ maxN }) => maxN),
  size,
  quality: word,
  style: word,
  response_format: word,
  operation: word,
  aspect_ratio: word,
  resolution: word,
  background: word,
  output_format: word,
  moderation: word,
  negative_prompt: text,
  seed: integer(Number.MIN_SAFE_INTEGER, () => Number.MAX_SAFE_INTEGER),
  output_compression: integer(0, () => 100),
  expand_prompt: flag,
  async: flag,
  stream: off,
  image_url: picture,
  image_urls: pictures,
  reference_image_urls: pictures,
  mask_url: picture,
};

/** The fields in which a request names the pictures to edit. */
export const SOURCES = ['image_url', 'image_urls', 'images'];

/** The fields of an edit. @type {Record<string, Field>} */
export const EDIT_FIELDS = { ...CREATE_FIELDS, images, mask: image };
