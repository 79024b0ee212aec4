/** The entry for browsers, Node, Deno and Bun: the module travels within the file. */

// Both come from the build: what wasm-bindgen generates, and the module in hexadecimal digits, which compress
// far better than base64 since they keep the bytes in step.
import glue from 'lemondata:glue';
import wasm from 'lemondata:wasm';
import { createClient } from './client.js';
import { inBrowser } from './place.js';

const compile = () =>
  WebAssembly.compile(Uint8Array.from(wasm.match(/../g), (digits) => parseInt(digits, 16)));

export { toBlob } from './blob.js';
export * from './public-errors.js';
export const { generate, waitForTask, generateAndWait, getTask, LemonData } = /* @__PURE__ */ createClient(
  glue,
  compile,
  inBrowser,
);
