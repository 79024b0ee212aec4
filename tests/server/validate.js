/**
 * What the server accepts as a create request.
 */
import { invalidRequest, modelNotFound, Refusal, tooLarge } from './errors.js';

/** The largest request body that is read. */
export const MAX_BODY_BYTES = 1024 * 1024;

const MAX_PROMPT_LENGTH = 4000;
const MAX_IMAGES = 10;

/** The largest picture side. The provider draws larger ones; drawing them here would only cost time. */
const MAX_SIDE = 4096;

/** @type {ReadonlyMap<string, 'inline' | 'task'>} the documented models, and how each answers */
export const MODELS = new Map([
  ['dall-e-3', 'inline'],
  ['dall-e-2', 'inline'],
  ['flux-schnell', 'inline'],
  ['stable-diffusion-3', 'inline'],
  ['flux-pro', 'task'],
  ['midjourney', 'task'],
  ['ideogram-v3', 'task'],
]);

/** A model of this prefix selects a scenario: see `scenarios.js`. */
export const SCENARIO_MODEL_PREFIX = 'test-';

/**
 * @typedef {object} CreateRequest
 * @property {string} prompt
 * @property {string} model
 * @property {number} n
 * @property {number} width
 * @property {number} height
 * @property {boolean} base64 pictures are wanted in the answer itself
 */

/**
 * Reads the body of a create request as a JSON object.
 *
 * @param {string | undefined} contentType
 * @param {Buffer | null} bytes null when there were too many
 * @returns {Record<string, unknown>}
 * @throws {Refusal}
 */
export function parseBody(contentType, bytes) {
  if (bytes === null) {
    throw new Refusal(tooLarge());
  }
  if (!/^application\/json\s*(;|$)/i.test(contentType ?? '')) {
    throw refuse('content-type', 'Content-Type must be application/json');
  }
  let body;
  try {
    body = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw refuse('body', 'Request body is not valid JSON');
  }
  if (body === null || typeof body !== 'object' || Array.isArray(body)) {
    throw refuse('body', 'Request body must be a JSON object');
  }
  return body;
}

/**
 * Checks a create request and fills in the defaults. The provider accepts unknown fields, and so does this.
 *
 * @param {Record<string, unknown>} body
 * @returns {CreateRequest}
 * @throws {Refusal}
 */
export function parseCreate(body) {
  /** @type {{ param: string, message: string }[]} */
  const problems = [];
  const check = (/** @type {string} */ param, /** @type {boolean} */ good, /** @type {string} */ message) => {
    if (!good) {
      problems.push({ param, message });
    }
  };
  const {
    prompt,
    model = 'dall-e-3',
    n = 1,
    size = '1024x1024',
    response_format = 'url',
    style = 'vivid',
  } = body;

  if (typeof prompt !== 'string' || prompt.trim() === '') {
    check('prompt', false, "'prompt' is required and must be a non-empty string");
  } else {
    // Counted in code points: a surrogate pair is one character to the provider.
    const length = [...prompt].length;
    check(
      'prompt',
      length <= MAX_PROMPT_LENGTH,
      `'prompt' has ${length} characters; at most ${MAX_PROMPT_LENGTH}`,
    );
  }
  check('model', typeof model === 'string' && model !== '', "'model' must be a non-empty string");
  const count = /** @type {number} */ (n);
  const countIsGood = Number.isInteger(n) && count >= 1 && count <= MAX_IMAGES;
  check('n', countIsGood, `'n' must be an integer from 1 to ${MAX_IMAGES}`);
  const dimensions = parseSize(size);
  check('size', dimensions !== null, `'size' must be 'auto' or WIDTHxHEIGHT, each side 1 to ${MAX_SIDE}`);
  const formatIsGood = response_format === 'url' || response_format === 'b64_json';
  check('response_format', formatIsGood, "'response_format' must be 'url' or 'b64_json'");
  check('style', style === 'vivid' || style === 'natural', "'style' must be 'vivid' or 'natural'");
  for (const param of ['quality', 'user']) {
    check(param, body[param] === undefined || typeof body[param] === 'string', `'${param}' must be a string`);
  }

  if (problems.length > 0 || dimensions === null) {
    throw new Refusal(invalidRequest(problems));
  }
  const name = /** @type {string} */ (model);
  if (!MODELS.has(name) && !name.startsWith(SCENARIO_MODEL_PREFIX)) {
    throw new Refusal(modelNotFound(name, nearestModels(name)));
  }
  const [width, height] = dimensions;
  return {
    prompt: /** @type {string} */ (prompt),
    model: name,
    n: count,
    width,
    height,
    base64: response_format === 'b64_json',
  };
}

/**
 * @param {string} param
 * @param {string} message
 */
function refuse(param, message) {
  return new Refusal(invalidRequest([{ param, message }]));
}

/**
 * @param {unknown} size
 * @returns {[number, number] | null}
 */
function parseSize(size) {
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

/**
 * The two known models whose names are most like an unknown one.
 *
 * @param {string} name
 */
function nearestModels(name) {
  // A name may be as long as a body. What follows the first 64 characters cannot make it more like a model's.
  const short = name.slice(0, 64).toLowerCase();
  return [...MODELS.keys()]
    .map((id) => ({ id, distance: editDistance(short, id) }))
    .sort((a, b) => a.distance - b.distance)
    .slice(0, 2)
    .map(({ id }) => id);
}

/**
 * The Levenshtein distance.
 *
 * @param {string} a
 * @param {string} b
 */
function editDistance(a, b) {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, row[j] + 1, next[j - 1] + 1));
    }
    row = next;
  }
  return row[b.length];
}
