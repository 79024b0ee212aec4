/** Writes a module as the text that `js/client/decode.js` reads. */

import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { decode } from '../../js/client/decode.js';
import { root, runBeside } from '../lib/run.js';

/** The printable characters of ASCII, without those that need an escape in a string. */
const CHARACTERS = Array.from({ length: 95 }, (_, index) => String.fromCharCode(32 + index)).filter(
  (char) => !"'\\".includes(char),
);

/** @returns {Promise<number[]>} the bytes of the decoder */
export async function makeDecoder() {
  const folder = join(root, 'target');
  mkdirSync(folder, { recursive: true });
  const [from, to] = [join(root, 'js', 'client', 'decode.wat'), join(folder, 'decode.wasm')];
  await runBeside(join(root, 'node_modules', '.bin', 'wasm-opt'), ['-Oz', from, `--output=${to}`]);
  return [...readFileSync(to)];
}

/** The shortest code of each byte, as the decoder itself reads it. */
function codesOf(decoder) {
  /** @type {Map<number, string>} */
  const codes = new Map();
  for (let starts = ['']; codes.size < 256; ) {
    const longer = [];
    for (const code of starts.flatMap((start) => CHARACTERS.map((char) => start + char))) {
      const [byte] = decode(decoder, code);
      if (byte === undefined) longer.push(code);
      else if (!codes.has(byte)) codes.set(byte, code);
    }
    starts = longer;
  }
  return codes;
}

/**
 * @param {number[]} decoder
 * @param {Uint8Array} bytes of a module
 */
export function toText(decoder, bytes) {
  const codes = codesOf(decoder);
  return Array.from(bytes, (byte) => codes.get(byte)).join('');
}
