/** What the form holds, as text: its defaults, what is wrong with it, and the request that it makes. */

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

const MAX_PROMPT = 4000;
const MAX_MODEL = 128;
const MAX_N = 10;
const MAX_WORD = 32;
const SIZE = /^(auto|[1-9]\d{1,4}x[1-9]\d{1,4})$/;

/** Fields that have a place of their own in the form. */
const OWN = ['prompt', 'model', 'size', 'n', 'quality', 'style', 'response_format'];

/** What is wrong with each field, in words for the person who types; nothing where it is right. */
const RULES = {
  prompt(text) {
    if (text.trim() === '') return 'Say what to draw.';
    if (text.length > MAX_PROMPT) return `${count(text.length)} characters; at most ${count(MAX_PROMPT)}.`;
  },
  model(text) {
    if (text === '') return 'Name a model.';
    if (text.length > MAX_MODEL) return `At most ${MAX_MODEL} characters.`;
  },
  size(text) {
    if (text !== '' && !SIZE.test(text)) return 'Write it as 1024x1024, or auto.';
  },
  n(text) {
    if (!/^\d+$/.test(text) || Number(text) < 1 || Number(text) > MAX_N)
      return `A number from 1 to ${MAX_N}.`;
  },
  quality(text) {
    if (text.length > MAX_WORD) return `At most ${MAX_WORD} characters.`;
  },
  style() {},
  response_format() {},
  extra(text) {
    if (text.trim() === '') return;
    let value;
    try {
      value = JSON.parse(text);
    } catch {
      return 'Not JSON yet: {"seed": 7}, for example.';
    }
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      return 'An object in braces, such as {"seed": 7}.';
    }
    const own = Object.keys(value).find((name) => OWN.includes(name));
    if (own !== undefined) return `“${own}” has a field of its own.`;
  },
};

const count = (number) => number.toLocaleString('en');

/** Without the white space that nobody means, save in the prompt, which is the person's own. */
const tidy = (settings) =>
  Object.fromEntries(
    Object.keys(DEFAULTS).map((name) => {
      const text = `${settings[name] ?? DEFAULTS[name]}`;
      return [name, name === 'prompt' || name === 'extra' ? text : text.trim()];
    }),
  );

/**
 * @param {Partial<Settings>} settings
 * @returns {Record<string, string>} what is wrong, by field; empty where nothing is
 */
export function problemsOf(settings) {
  const texts = tidy(settings);
  const problems = {};
  for (const [name, check] of Object.entries(RULES)) {
    const problem = check(texts[name]);
    if (problem) problems[name] = problem;
  }
  return problems;
}

/**
 * The request of settings that have no problem: what is left to the server is left out.
 *
 * @param {Partial<Settings>} settings
 * @returns {import('lemondata-wasm').ImageRequest}
 */
export function requestOf(settings) {
  const { prompt, model, size, n, quality, style, response_format, extra } = tidy(settings);
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
  const extra = Object.fromEntries(Object.entries(request).filter(([name]) => !OWN.includes(name)));
  const settings = { ...DEFAULTS, size: '', extra: Object.keys(extra).length ? JSON.stringify(extra) : '' };
  for (const name of OWN) if (request[name] !== undefined) settings[name] = `${request[name]}`;
  return settings;
}

/**
 * The shape that a picture will probably have, for the room that is kept for it.
 *
 * @param {string} [size]
 * @returns {{ width: number, height: number }}
 */
export function shapeOf(size) {
  const [width, height] = (SIZE.test(size) ? size : '').split('x').map(Number);
  return width && height ? { width, height } : { width: 1024, height: 1024 };
}
