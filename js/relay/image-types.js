/** Types of pictures, by their first bytes: a name and a `Content-Type` can be wrong. */

/** In hexadecimal. SVG is not among them: it can hold scripts. @type {[string, RegExp][]} */
const SIGNATURES = [
  ['image/png', /^89504e470d0a1a0a/],
  ['image/jpeg', /^ffd8ff/],
  // RIFF, a length, WEBP
  ['image/webp', /^52494646.{8}57454250/],
  ['image/gif', /^47494638(37|39)61/],
  // A length, ftyp, avif or avis
  ['image/avif', /^.{8}667479706176(6966|6973)/],
];
/** The bytes that hold the longest signature. */
export const SIGNATURE_BYTES = 12;

/**
 * @param {Uint8Array} bytes the first ones of a picture
 * @param {[string, RegExp][]} [more] further types, each with its signature in hexadecimal
 * @returns {string | undefined} the MIME type
 */
export function imageTypeOf(bytes, more = []) {
  const head = Array.from(bytes.subarray(0, SIGNATURE_BYTES), (byte) => byte.toString(16).padStart(2, '0'));
  return [...SIGNATURES, ...more].find(([, signature]) => signature.test(head.join('')))?.[0];
}
