/**
 * Reads a WebAssembly module that is written as text within a string of JavaScript.
 *
 * Base64 shifts bytes against each other, so that a compressor finds no repetition, and costs a quarter. Here a byte
 * is always the same code of one to three characters, and text within the module stays text: it compresses about as
 * well as the bytes themselves.
 *
 * A module of a hundred bytes decodes it, `decode.wat`, because this runs once, before an engine has optimised any
 * JavaScript. `scripts/build/module-text.js` makes both.
 *
 * @param {number[]} decoder the bytes of that module
 * @param {string} text
 */
export function decode(decoder, text) {
  const { m: memory, d: run } = /** @type {{ m: WebAssembly.Memory, d: () => number }} */ (
    /** @type {unknown} */ (new WebAssembly.Instance(new WebAssembly.Module(new Uint8Array(decoder))).exports)
  );
  const bytes = new Uint8Array(memory.buffer);
  new TextEncoder().encodeInto(text, bytes);
  return bytes.subarray(0, run());
}

/**
 * Compiles a module that is written as text. It is so small that the page does not notice; on another thread it would
 * take twice as long. Old Chromium compiles no more than 4 KB in a page's own thread: the other one has to do.
 *
 * @param {number[]} decoder
 * @param {string} text
 */
export function compile(decoder, text) {
  const bytes = decode(decoder, text);
  try {
    return new WebAssembly.Module(bytes);
  } catch {
    return WebAssembly.compile(bytes);
  }
}
