/**
 * The pictures that a request brings. Each is read once and kept small, and shows in what the server draws.
 */
import { randomFrom } from './bytes.js';

/**
 * @typedef {object} Reference
 * @property {string} id the same for the same picture
 * @property {number} width
 * @property {number} height
 * @property {Uint8Array} data four bytes a pixel
 */

/** Reads the pixels of a PNG, four bytes each. @typedef {(png: Uint8Array) => Omit<Reference, 'id'>} DecodePng */

/** The longer side of what is kept. */
const SIDE = 256;

/** The most pixels of a PNG that is decoded: a few bytes may stand for gigabytes of them. */
const MAX_PIXELS = 2 ** 25;

/** @type {[RegExp, string][]} */
const SIGNATURES = [
  [/^89504e470d0a1a0a/, 'image/png'],
  [/^ffd8ff/, 'image/jpeg'],
  [/^52494646.{8}57454250/, 'image/webp'],
];

/**
 * The type of a picture, by its first bytes.
 *
 * @param {Uint8Array} bytes
 */
export function typeOf(bytes) {
  const start = Array.from(bytes.subarray(0, 12), (byte) => byte.toString(16).padStart(2, '0')).join('');
  return SIGNATURES.find(([signature]) => signature.test(start))?.[1];
}

/**
 * A PNG, made small. A picture of another type, or a text such as a URL, becomes a pattern that is its own; so does a PNG
 * where there is no decoder.
 *
 * @param {Uint8Array | string} source
 * @param {DecodePng} [decodePng]
 * @returns {Reference}
 */
export function referenceOf(source, decodePng) {
  const random = randomFrom(source);
  const png = typeof source === 'string' ? undefined : decode(source, decodePng);
  return { id: `${random()}`, ...(png ? shrink(png) : pattern(random)) };
}

/**
 * @param {Uint8Array} bytes
 * @param {DecodePng} [decodePng]
 */
function decode(bytes, decodePng) {
  if (!decodePng || typeOf(bytes) !== 'image/png' || bytes.length < 24) {
    return undefined;
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  if (view.getUint32(16) * view.getUint32(20) > MAX_PIXELS) {
    return undefined;
  }
  try {
    return decodePng(bytes);
  } catch {
    return undefined;
  }
}

/** @param {{ width: number, height: number, data: Uint8Array }} png */
function shrink(png) {
  const scale = Math.min(1, SIDE / Math.max(png.width, png.height));
  const width = Math.max(1, Math.round(png.width * scale));
  const height = Math.max(1, Math.round(png.height * scale));
  const data = new Uint8Array(width * height * 4);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      data.set(pixelAt(png, x / width, y / height), (y * width + x) * 4);
    }
  }
  return { width, height, data };
}

/** @param {() => number} random */
function pattern(random) {
  const [width, height] = [5, 5];
  const data = new Uint8Array(width * height * 4).fill(255);
  const colour = [random() * 256, random() * 256, random() * 256];
  const isOn = Array.from({ length: 3 * height }, () => random() < 0.5);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      // The right half mirrors the left one, so that the eye takes it for a sign.
      if (isOn[y * 3 + Math.min(x, width - 1 - x)]) {
        data.set(colour, (y * width + x) * 4);
      }
    }
  }
  return { width, height, data };
}

/**
 * The colour at a place, of which both coordinates run from 0 to 1.
 *
 * @param {{ width: number, height: number, data: Uint8Array }} picture
 * @param {number} x
 * @param {number} y
 */
function pixelAt({ width, height, data }, x, y) {
  const at = (Math.floor(y * height) * width + Math.floor(x * width)) * 4;
  return data.subarray(at, at + 4);
}

/**
 * Shows the references in a drawn picture. With a mask, the first one stays wherever the mask is opaque, as an edit
 * leaves it; the others, or all without a mask, stand in a row at the top.
 *
 * @param {{ data: Uint8Array, width: number, height: number }} canvas three bytes a pixel
 * @param {Reference[]} references
 * @param {Reference} [mask]
 */
export function paintReferences(canvas, references, mask) {
  const [first, ...others] = references;
  if (mask && first) {
    paintTile(canvas, first, { left: 0, top: 0, width: canvas.width, height: canvas.height }, mask);
  }
  const row = mask ? others : references;
  const side = Math.floor(Math.min(canvas.height / 4, canvas.width / Math.max(4, row.length)));
  for (const [index, reference] of row.entries()) {
    paintTile(canvas, reference, { left: index * side, top: 0, width: side, height: side });
  }
}

/**
 * @param {{ data: Uint8Array, width: number, height: number }} canvas
 * @param {Reference} reference
 * @param {{ left: number, top: number, width: number, height: number }} area
 * @param {Reference} [mask]
 */
function paintTile(canvas, reference, { left, top, width, height }, mask) {
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [red, green, blue] = pixelAt(reference, x / width, y / height);
      if (!mask || pixelAt(mask, x / width, y / height)[3] > 127) {
        canvas.data.set([red, green, blue], ((top + y) * canvas.width + left + x) * 3);
      }
    }
  }
}
