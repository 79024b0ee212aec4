/**
 * Reads a module that `scripts/lib/module-text.js` has written as text.
 *
 * @param {{ alphabet: string, values: number[], text: string }} written
 */
export function decode({ alphabet, values, text }) {
  const table = [...alphabet].map((char) => char.charCodeAt());
  table.splice(-values.length, 99, ...values);
  for (let byte = 0; byte < 256; byte += 1) if (!table.includes(byte)) table.push(byte);
  const bytes = [];
  let skip = 0;
  for (const char of text) {
    if (char === '~') skip += alphabet.length;
    else {
      bytes.push(table[skip + alphabet.indexOf(char)]);
      skip = 0;
    }
  }
  return Uint8Array.from(bytes);
}
