/**
 * Writes PNGs without a library, on every platform and at once. Only runs of the same byte are compressed: in a drawn
 * picture most pixels are those to their left.
 */

import { join } from './bytes.js';

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
/** A header of zlib, and the head of a block that is the last one and uses the fixed codes. */
const ZLIB_HEADER = [0x78, 0x01];
const BLOCK_HEAD = 0b011;
const END_OF_BLOCK = 256;
const MIN_RUN = 3;
const MAX_RUN = 258;

/** Each code as [bits, length], the first bit of the code lowest: of literals, of the end, and of runs by length. */
const { literals, runs } = fixedCodes();

function fixedCodes() {
  /** @param {number} symbol @returns {[number, number]} */
  const codeOf = (symbol) => {
    const [code, length] =
      symbol < 144
        ? [0x30 + symbol, 8]
        : symbol < 256
          ? [0x190 + symbol - 144, 9]
          : symbol < 280
            ? [symbol - 256, 7]
            : [0xc0 + symbol - 280, 8];
    return [Number.parseInt(code.toString(2).padStart(length, '0').split('').reverse().join(''), 2), length];
  };
  const literals = Array.from({ length: END_OF_BLOCK + 1 }, (_, symbol) => codeOf(symbol));
  /** @type {[number, number][]} */
  const runs = [];
  for (let symbol = 257, length = MIN_RUN; symbol < 285; symbol++) {
    const extra = symbol < 265 ? 0 : (symbol - 261) >> 2;
    const [code, bits] = codeOf(symbol);
    for (let more = 0; more < 1 << extra; more++, length++) {
      // The distance of a run is always 1, whose code is five zeros.
      runs[length] = [code | (more << bits), bits + extra + 5];
    }
  }
  const [code, bits] = codeOf(285);
  runs[MAX_RUN] = [code, bits + 5];
  return { literals, runs };
}

/** @param {Uint8Array} bytes */
function deflate(bytes) {
  // No literal takes more than nine bits.
  const out = new Uint8Array(Math.ceil((bytes.length * 9) / 8) + 16);
  out.set(ZLIB_HEADER);
  let at = ZLIB_HEADER.length;
  let bits = BLOCK_HEAD;
  let count = 3;
  const put = (/** @type {[number, number]} */ [code, length]) => {
    bits |= code << count;
    count += length;
    for (; count >= 8; count -= 8, bits >>>= 8) {
      out[at++] = bits;
    }
  };
  for (let i = 0; i < bytes.length; ) {
    const byte = bytes[i];
    let end = i + 1;
    while (bytes[end] === byte && end - i <= MAX_RUN) {
      end++;
    }
    put(literals[byte]);
    const run = end - i - 1;
    if (run >= MIN_RUN) {
      put(runs[run]);
    } else {
      for (let repeated = 0; repeated < run; repeated++) {
        put(literals[byte]);
      }
    }
    i = end;
  }
  put(literals[END_OF_BLOCK]);
  put([0, 7]);
  new DataView(out.buffer).setUint32(at, adler32(bytes));
  return out.subarray(0, at + 4);
}

/** @param {Uint8Array} bytes */
function adler32(bytes) {
  let [low, high] = [1, 0];
  for (let i = 0; i < bytes.length; ) {
    // The sums of so many bytes stay exact.
    for (const end = Math.min(i + 4096, bytes.length); i < end; i++) {
      low += bytes[i];
      high += low;
    }
    low %= 65521;
    high %= 65521;
  }
  return high * 65536 + low;
}

const CRCS = Uint32Array.from({ length: 256 }, (_, index) => {
  let crc = index;
  for (let bit = 0; bit < 8; bit++) {
    crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return crc;
});

/**
 * @param {string} type
 * @param {Uint8Array} data
 */
function chunk(type, data) {
  const bytes = new Uint8Array(data.length + 12);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, data.length);
  bytes.set(
    Array.from(type, (character) => character.charCodeAt(0)),
    4,
  );
  bytes.set(data, 8);
  let crc = 0xffffffff;
  for (let i = 4; i < data.length + 8; i++) {
    crc = CRCS[(crc ^ bytes[i]) & 255] ^ (crc >>> 8);
  }
  view.setUint32(data.length + 8, ~crc >>> 0);
  return bytes;
}

/**
 * @param {Uint8Array} data three bytes a pixel
 * @param {number} width
 * @param {number} height
 */
export function encodePng(data, width, height) {
  const head = new Uint8Array(13);
  const view = new DataView(head.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  // Eight bits a channel, red, green and blue.
  head.set([8, 2], 8);
  const stride = width * 3;
  const rows = new Uint8Array((stride + 1) * height);
  for (let y = 0; y < height; y++) {
    const row = y * (stride + 1);
    // The filter "sub": each byte less the one of the pixel to its left.
    rows[row] = 1;
    for (let x = 0, from = y * stride; x < stride; x++) {
      rows[row + 1 + x] = data[from + x] - (x < 3 ? 0 : data[from + x - 3]);
    }
  }
  return join([
    Uint8Array.from(SIGNATURE),
    chunk('IHDR', head),
    chunk('IDAT', deflate(rows)),
    chunk('IEND', new Uint8Array()),
  ]);
}
