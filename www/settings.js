/** The settings of the form, as text: their defaults, their problems, and the request that they make. */

import { problemOfSize, sidesOf } from './sizes.js';

/**
 * A field of the request under “More settings”. An empty text leaves the choice to the server.
 *
 * @typedef {object} Field
 * @property {string} label
 * @property {string} [note]
 * @property {{ value: string, note?: string }[]} [suggestions] of a field that takes any other text, too
 * @property {[value: string, label: string][]} [choices] the only values, the default one first
 * @property {[least: number, most: number]} [range] of a whole number
 * @property {number} [maxLength] default 32
 * @property {boolean} [isList] of words between commas
 */

const ON_OFF = /** @type {[string, string][]} */ ([
  ['', 'Default'],
  ['true', 'On'],
  ['false', 'Off'],
]);

const further = {
  aspect_ratio: {
    label: 'Aspect ratio',
  },
  resolution: {
    label: 'Resolution',
    suggestions: [{ value: '1K' }, { value: '2K' }, { value: '4K' }],
  },
  quality: {
    label: 'Quality',
    suggestions: [
      { value: 'auto' },
      { value: 'low' },
      { value: 'medium' },
      { value: 'high' },
      { value: 'standard', note: 'DALL·E 3' },
      { value: 'hd', note: 'DALL·E 3' },
    ],
  },
  background: {
    label: 'Background',
    suggestions: [{ value: 'auto' }, { value: 'transparent' }, { value: 'opaque' }],
  },
  output_format: {
    label: 'File type',
    suggestions: [{ value: 'png' }, { value: 'jpeg' }, { value: 'webp' }],
  },
  output_compression: { label: 'Compression', note: '0–100', range: [0, 100] },
  moderation: { label: 'Moderation', suggestions: [{ value: 'auto' }, { value: 'low' }] },
  seed: { label: 'Seed', range: [0, 2 ** 32 - 1] },
  negative_prompt: { label: 'Negative prompt', maxLength: 4000 },
  style: {
    label: 'Style',
    note: 'DALL·E 3',
    choices: [
      ['', 'Default'],
      ['vivid', 'Vivid'],
      ['natural', 'Natural'],
    ],
  },
  expand_prompt: { label: 'Expand the prompt', choices: ON_OFF },
  async: { label: 'Answer with a task', choices: ON_OFF },
  fallback: { label: 'If it fails, try', note: 'other models, in order', maxLength: 1024, isList: true },
  response_format: {
    label: 'Result',
    choices: [
      ['url', 'As a URL'],
      ['b64_json', 'In the answer'],
    ],
  },
};

/** @typedef {keyof typeof further} FurtherName */

/** The documented fields that depend on the model. */
export const FURTHER = /** @type {Record<FurtherName, Field>} */ (further);

export const FURTHER_NAMES = /** @type {FurtherName[]} */ (Object.keys(FURTHER));

/**
 * @typedef {object} BasicSettings
 * @property {string} prompt
 * @property {string} model
 * @property {string} size
 * @property {string} n
 * @property {string} extra further parameters, as a JSON object
 */

/** @typedef {BasicSettings & Record<FurtherName, string>} Settings */

/** @type {Readonly<Settings>} */
export const DEFAULTS = Object.freeze({
  prompt: '',
  model: 'gpt-image-2',
  size: '1024x1024',
  n: '1',
  .../** @type {Record<FurtherName, string>} */ (
    Object.fromEntries(FURTHER_NAMES.map((name) => [name, FURTHER[name].choices?.[0][0] ?? '']))
  ),
  extra: '',
});

/** The name of every setting. */
export const FIELDS = /** @type {(keyof Settings)[]} */ (Object.keys(DEFAULTS));

const MAX_PROMPT = 4000;
const MAX_MODEL = 128;
const MAX_N = 10;
const MAX_WORD = 32;

/** The fields of a request that have a field in the form. */
const OWN = FIELDS.filter((name) => name !== 'extra');

/**
 * The problem of a field, in words for the person who types.
 *
 * @type {Record<keyof BasicSettings, (text: string, settings: Settings) => string | undefined>}
 */
const RULES = {
  prompt: (text) => (text.trim() === '' ? 'Say what to draw.' : tooLong(text, MAX_PROMPT)),
  model: (text) => (text === '' ? 'Name a model.' : tooLong(text, MAX_MODEL)),
  size: (text, { model }) => problemOfSize(text, model),
  n: (text) => outside(text, [1, MAX_N]),
  extra(text) {
    if (text.trim() === '') return undefined;
    let value;
    try {
      value = JSON.parse(text);
    } catch {
      return 'Not JSON yet: {"tone": "warm"}, for example.';
    }
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      return 'An object in braces, such as {"tone": "warm"}.';
    }
    const own = OWN.find((name) => Object.hasOwn(value, name));
    return own && `“${own}” has a field of its own.`;
  },
};

/**
 * @param {FurtherName} name
 * @param {string} text
 */
function furtherProblem(name, text) {
  const { range, maxLength = MAX_WORD } = FURTHER[name];
  if (text === '') return undefined;
  return range ? outside(text, range) : tooLong(text, maxLength);
}

/** @type {(text: string, most: number) => string | undefined} */
const tooLong = (text, most) =>
  text.length > most ? `${count(text.length)} characters; at most ${count(most)}.` : undefined;

/** @type {(text: string, range: [number, number]) => string | undefined} */
const outside = (text, [least, most]) =>
  /^\d+$/.test(text) && Number(text) >= least && Number(text) <= most
    ? undefined
    : `A number from ${least} to ${count(most)}.`;

/** @param {number} number */
const count = (number) => number.toLocaleString('en');

/**
 * Without white space at the ends, which only prompts and JSON may have.
 *
 * @param {Partial<Settings>} settings
 * @returns {Settings}
 */
function tidy(settings) {
  const texts = { ...DEFAULTS };
  for (const name of FIELDS) {
    const text = `${settings[name] ?? DEFAULTS[name]}`;
    texts[name] = name === 'prompt' || name === 'extra' ? text : text.trim();
  }
  return texts;
}

/**
 * @param {Partial<Settings>} settings
 * @returns {Partial<Record<keyof Settings, string>>} the problems by field
 */
export function problemsOf(settings) {
  const texts = tidy(settings);
  /** @type {Partial<Record<keyof Settings, string>>} */
  const problems = {};
  for (const name of FIELDS) {
    const text = texts[name];
    const problem =
      name in FURTHER ? furtherProblem(/** @type {FurtherName} */ (name), text) : RULES[name](text, texts);
    if (problem) problems[name] = problem;
  }
  return problems;
}

/**
 * The request of settings without problems. Settings that are left to the server are left out.
 *
 * @param {Partial<Settings>} settings
 * @returns {import('lemondata-wasm').ImageRequest}
 */
export function requestOf(settings) {
  const texts = tidy(settings);
  const { prompt, model, size, n, extra } = texts;
  /** @type {Record<string, unknown> & { prompt: string }} */
  const request = { model, prompt };
  if (size) request.size = size;
  if (Number(n) > 1) request.n = Number(n);
  for (const name of FURTHER_NAMES) {
    if (texts[name] !== DEFAULTS[name]) request[name] = typed(FURTHER[name], texts[name]);
  }
  return { ...request, ...(extra.trim() ? JSON.parse(extra) : {}) };
}

/** @type {(field: Field, text: string) => string | string[] | number | boolean} */
function typed({ range, choices, isList }, text) {
  if (isList) return text.split(/[\s,]+/).filter(Boolean);
  if (range) return Number(text);
  return choices === ON_OFF ? text === 'true' : text;
}

/**
 * The settings that make a request, to be used again.
 *
 * @param {import('lemondata-wasm').ImageRequest} request
 * @returns {Settings}
 */
export function settingsOf(request) {
  const names = /** @type {string[]} */ (OWN);
  const extra = Object.fromEntries(Object.entries(request).filter(([name]) => !names.includes(name)));
  const settings = { ...DEFAULTS, size: '', extra: Object.keys(extra).length ? JSON.stringify(extra) : '' };
  for (const name of OWN) if (request[name] !== undefined) settings[name] = `${request[name]}`;
  return settings;
}

/**
 * The probable size of a picture, for the box that the page reserves for it.
 *
 * @param {import('lemondata-wasm').ImageRequest} request
 * @returns {{ width: number, height: number }}
 */
export function shapeOf({ size, aspect_ratio }) {
  const [width, height] = sidesOf(size ?? '') ?? [];
  if (width && height) return { width, height };
  const [across, down] = sidesOf(aspect_ratio ?? '') ?? [];
  return across && down
    ? { width: 1024, height: Math.round((1024 * down) / across) }
    : { width: 1024, height: 1024 };
}
