/** The sizes that the documents name for a model, and the problem of any other. */

const ANY = ['auto', '1024x1024', '1536x1024', '1024x1536', '1792x1024', '1024x1792'];

/** @type {Record<string, string[]>} */
const USUAL = {
  'gpt-image-2': ['auto', '1024x1024', '1536x1024', '1024x1536', '2048x1152', '1152x2048'],
  'dall-e-3': ['1024x1024', '1792x1024', '1024x1792'],
  'dall-e-2': ['256x256', '512x512', '1024x1024'],
};
/** The models that take the usual sizes alone. */
const FIXED = ['dall-e-3', 'dall-e-2'];
/** The models that take any size within the limits below. */
const LIMITED = ['gpt-image-2'];

const PATTERN = /^(auto|[1-9]\d{1,4}x[1-9]\d{1,4})$/;
const STEP = 16;
const MAX_SIDE = 3840;
const MAX_RATIO = 3;
const MIN_PIXELS = 655_360;
const MAX_PIXELS = 8_294_400;

/** @param {string} model */
export const usualSizes = (model) => USUAL[model] ?? ANY;

/** @type {(text: string) => [number, number] | undefined} */
export function sidesOf(text) {
  const [, width, height] = /^(\d+)[x:](\d+)$/.exec(text) ?? [];
  return width && height ? [Number(width), Number(height)] : undefined;
}

/** @type {(a: number, b: number) => number} */
const divisorOf = (a, b) => (b === 0 ? a : divisorOf(b, a % b));

/** Two sides in lowest terms, as `3:2`. @param {[number, number]} sides */
export function ratioOf([width, height]) {
  const divisor = divisorOf(width, height);
  return `${width / divisor}:${height / divisor}`;
}

/**
 * @param {string} size
 * @param {string} model
 * @returns {string | undefined} the problem, in words for the person who types
 */
export function problemOfSize(size, model) {
  if (size === '') return undefined;
  if (!PATTERN.test(size)) return 'Write it as 1024x1024, or auto.';
  if (FIXED.includes(model) && !USUAL[model].includes(size)) {
    return `${model} draws ${USUAL[model].join(', ').replace(/, (?=[^,]*$)/, ' and ')}.`;
  }
  const sides = sidesOf(size);
  return sides && LIMITED.includes(model) ? problemOfSides(sides) : undefined;
}

/** @param {[number, number]} sides */
function problemOfSides([width, height]) {
  const [short, long] = [Math.min(width, height), Math.max(width, height)];
  if (long > MAX_SIDE) return `A side has at most ${MAX_SIDE} pixels.`;
  if (long > MAX_RATIO * short) return 'One side is at most three times as long as the other.';
  if (width % STEP !== 0 || height % STEP !== 0) {
    const [across, down] = [width, height].map((side) => Math.max(1, Math.round(side / STEP)) * STEP);
    return `Both sides are multiples of ${STEP}: ${across}x${down}, for example.`;
  }
  if (width * height < MIN_PIXELS) return 'Too small: 1024x640 is the least, or as many pixels.';
  return width * height > MAX_PIXELS ? 'Too large: 3840x2160 is the most, or as many pixels.' : undefined;
}
