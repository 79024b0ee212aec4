/** The settings of the form, as text: their defaults, their problems, and the request that they make. */

/**
 * @typedef {object} Settings
 * @property {string} prompt
 * @property {string} model
 * @property {string} size
 * @property {string} n
 * @property {string} quality
 * @property {string} style
 * @property {string} response_format
 * @property {string} extra further parameters, as a JSON object
 */

/** @type {Readonly<Settings>} an empty text leaves the choice to the server */
export const DEFAULTS = Object.freeze({
  prompt: '',
  model: 'flux-pro',
  size: '1024x1024',
  n: '1',
  quality: '',
  style: '',
  response_format: 'url',
  extra: '',
});

/** The name of every setting. */
export const FIELDS = /** @type {(keyof Settings)[]} */ (Object.keys(DEFAULTS));

const MAX_PROMPT = 4000;
const MAX_MODEL = 128;
const MAX_N = 10;
const MAX_WORD = 32;
const SIZE = /^(auto|[1-9]\d{1,4}x[1-9]\d{1,4})$/;

/**
 * The request's fields that have a field in the form.
 *
 * @type {Exclude<keyof Settings, 'extra'>[]}
 */
const OWN = ['prompt', 'model', 'size', 'n', 'quality', 'style', 'response_format'];

/**
 * The problem of each field, in words for the person who types.
 *
 * @type {Record<keyof Settings, (text: string) => string | undefined>}
 */
const RULES = {
  prompt(text) {
    if (text.trim() === '') return 'Say what to draw.';
    return text.length > MAX_PROMPT
      ? `${count(text.length)} characters; at most ${count(MAX_PROMPT)}.`
      : undefined;
  },
  model: (text) => (text === '' ? 'Name a model.' : tooLong(text, MAX_MODEL)),
  size: (text) => (text === '' || SIZE.test(text) ? undefined : 'Write it as 1024x1024, or auto.'),
  n: (text) =>
    /^\d+$/.test(text) && Number(text) >= 1 && Number(text) <= MAX_N
      ? undefined
      : `A number from 1 to ${MAX_N}.`,
  quality: (text) => tooLong(text, MAX_WORD),
  style: () => undefined,
  response_format: () => undefined,
  extra(text) {
    if (text.trim() === '') return undefined;
    let value;
    try {
      value = JSON.parse(text);
    } catch {
      return 'Not JSON yet: {"seed": 7}, for example.';
    }
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      return 'An object in braces, such as {"seed": 7}.';
    }
    const own = OWN.find((name) => Object.hasOwn(value, name));
    return own && `“${own}” has a field of its own.`;
  },
};

/** @type {(text: string, most: number) => string | undefined} */
const tooLong = (text, most) => (text.length > most ? `At most ${most} characters.` : undefined);

/** @param {number} number */
const count = (number) => number.toLocaleString('en');

/**
 * Without white space at the ends, which only the prompt and JSON may have.
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
    const problem = RULES[name](texts[name]);
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
  const { prompt, model, size, n, quality, style, response_format, extra } = tidy(settings);
  /** @type {Record<string, unknown> & { prompt: string }} */
  const request = { model, prompt };
  if (size) request.size = size;
  if (Number(n) > 1) request.n = Number(n);
  if (quality) request.quality = quality;
  if (style) request.style = style;
  if (response_format !== DEFAULTS.response_format) request.response_format = response_format;
  return { ...request, ...(extra.trim() ? JSON.parse(extra) : {}) };
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
 * @param {string | null} [size]
 * @returns {{ width: number, height: number }}
 */
export function shapeOf(size) {
  const [width, height] = (size && SIZE.test(size) ? size : '').split('x').map(Number);
  return width && height ? { width, height } : { width: 1024, height: 1024 };
}
