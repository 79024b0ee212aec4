/** What the platforms have in common to work with bytes. */

const decoder = new TextDecoder();

/** Bytes as UTF-8. @param {Uint8Array} bytes */
export const textOf = (bytes) => decoder.decode(bytes);

/**
 * Where a text of ASCII next stands in bytes, or -1.
 *
 * @param {Uint8Array} bytes
 * @param {string} text
 * @param {number} [from]
 */
export function indexOf(bytes, text, from = 0) {
  const codes = Array.from(text, (character) => character.charCodeAt(0));
  for (let at = bytes.indexOf(codes[0], from); at >= 0; at = bytes.indexOf(codes[0], at + 1)) {
    if (codes.every((code, index) => bytes[at + index] === code)) {
      return at;
    }
  }
  return -1;
}

/** @param {Uint8Array[]} parts */
export function join(parts) {
  const joined = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

/** How many bytes become characters at once: every engine takes as many arguments. */
const CHUNK = 8192;

/** @param {Uint8Array} bytes */
export function toBase64(bytes) {
  let binary = '';
  for (let at = 0; at < bytes.length; at += CHUNK) {
    binary += String.fromCharCode(...bytes.subarray(at, at + CHUNK));
  }
  return btoa(binary);
}

/** @param {string} base64 @returns {Uint8Array | undefined} undefined for a text that is no base64 */
export function fromBase64(base64) {
  try {
    return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  } catch {
    return undefined;
  }
}

/** Random hexadecimal digits. @param {number} length */
export const randomHex = (length) =>
  Array.from({ length }, () => Math.floor(Math.random() * 16).toString(16)).join('');

/**
 * The SHA-256 of bytes in hexadecimal; undefined where the platform has no `crypto.subtle`, such as jsdom.
 *
 * @param {Uint8Array} bytes
 */
export async function sha256(bytes) {
  const digest = await globalThis.crypto?.subtle?.digest('SHA-256', /** @type {BufferSource} */ (bytes));
  return digest && Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/**
 * A generator of numbers from 0 to 1 that its seed decides (FNV-1a, then mulberry32).
 *
 * @param {string | Uint8Array} seed
 */
export function randomFrom(seed) {
  let state = 0x811c9dc5;
  for (let i = 0; i < seed.length; i++) {
    const value = typeof seed === 'string' ? seed.charCodeAt(i) : seed[i];
    state = Math.imul(state ^ value, 0x01000193);
  }
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
