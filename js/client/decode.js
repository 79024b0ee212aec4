/**
 * Reads a module that `scripts/lib/module-text.js` has written as text.
 *
 * @param {{ alphabet: string, values: number[], text: string }} written
 */
export function decode({ alphabet, values, text }) {
  const table = [...alphabet].map((char) => char.charCodeAt(0));
  table.splice(-values.length, 99, ...values);
  for (let byte = 0; byte < 256; byte += 1) if (!table.includes(byte)) table.push(byte);
  // By their codes: looking for each character in the alphabet would take longer than to compile the module.
  const places = [];
  for (let place = 0; place < alphabet.length; place += 1) places[alphabet.charCodeAt(place)] = place;
  const bytes = [];
  let skip = 0;
  for (let index = 0; index < text.length; index += 1) {
    const place = places[text.charCodeAt(index)];
    if (place === undefined) skip += alphabet.length;
    else {
      bytes.push(table[skip + place]);
      skip = 0;
    }
  }
  return Uint8Array.from(bytes);
}
