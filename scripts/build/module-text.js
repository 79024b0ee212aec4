/**
 * Writes a WebAssembly module as text for a string of JavaScript, in ASCII, so that it compresses about as well
 * as the bytes themselves. Base64 puts bytes out of step with what a compressor looks for and costs a quarter;
 * here every byte is always written in the same way, and text within the module stays text.
 *
 * Frequent bytes are one character each: their own, where it is printable, or else one that is free. The others
 * follow one or two tildes.
 */

const PRINTABLE = Array.from({ length: 95 }, (_, index) => String.fromCharCode(32 + index));
/** The escape, and what would need one in a string of JavaScript. */
const EXCLUDED = ['~', "'", '\\'];

/**
 * @param {Uint8Array} bytes
 * @returns {{ alphabet: string, values: number[], text: string }} the characters, first those that stand for
 *   themselves, then those that stand for the `values`
 */
export function toText(bytes) {
  const counts = new Array(256).fill(0);
  for (const byte of bytes) counts[byte] += 1;
  const free = new Set(PRINTABLE.filter((char) => !EXCLUDED.includes(char)));
  const size = free.size;
  const frequent = [...counts.keys()].sort((a, b) => counts[b] - counts[a]).slice(0, size);

  const own = frequent.filter((byte) => free.delete(String.fromCharCode(byte))).sort((a, b) => a - b);
  const values = frequent.filter((byte) => !own.includes(byte)).sort((a, b) => a - b);
  const alphabet = String.fromCharCode(...own) + [...free].join('');

  const table = [...own, ...values];
  for (let byte = 0; byte < 256; byte += 1) if (!table.includes(byte)) table.push(byte);
  const write = (byte) => {
    const index = table.indexOf(byte);
    return '~'.repeat(index / size) + alphabet[index % size];
  };
  return { alphabet, values, text: Array.from(bytes, write).join('') };
}
