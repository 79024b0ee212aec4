/**
 * Reads a WebAssembly module that is written as text within a string of JavaScript.
 *
 * Base64 shifts bytes against each other, so that a compressor finds no repetition, and costs a quarter. Here a byte
 * is always the same character, and text within the module stays text: it compresses about as well as the bytes
 * themselves. `scripts/build/module-text.js` writes it.
 */

/** The printable characters but the tilde, which is the escape. */
const FIRST = 32;
const SIZE = 94;
/** What would need an escape in a string. */
const UNUSED = "'\\";
/** Characters that are rare in modules stand for the bytes 0, 1, 2 and so on, which are the most frequent. */
const RARE = '%*235;=>CJKMNOQRSUVWYZ[]^_z{}';

/** The byte of each character: alone, after one tilde, after two. */
export function makeTable() {
  const table = [];
  let other = 0;
  for (let place = 0; place < 3 * SIZE; place += 1) {
    const code = FIRST + (place % SIZE);
    const char = String.fromCharCode(code);
    while (table.includes(other)) other += 1;
    if (UNUSED.includes(char)) table.push(-1);
    else if (place >= SIZE) table.push(other);
    else table.push(RARE.includes(char) ? RARE.indexOf(char) : code);
  }
  return table;
}

/** @param {string} text */
export function decode(text) {
  const table = makeTable();
  const bytes = new Uint8Array(text.length);
  let length = 0;
  let skip = 0;
  // This runs once, before the engine has optimised it: each operation counts.
  for (let index = 0; index < text.length; index += 1) {
    const place = text.charCodeAt(index) - FIRST;
    if (place === SIZE) skip += SIZE;
    else {
      bytes[length++] = table[skip + place];
      skip = 0;
    }
  }
  return bytes.subarray(0, length);
}

/**
 * Compiles a module that is written as text. It is so small that the page does not notice; on another thread it would
 * take twice as long. Old Chromium compiles no more than 4 KB in a page's own thread, and throws a `RangeError`.
 *
 * @param {string} text
 */
export function compile(text) {
  const bytes = decode(text);
  try {
    return new WebAssembly.Module(bytes);
  } catch (error) {
    if (error instanceof RangeError) return WebAssembly.compile(bytes);
    throw error;
  }
}
