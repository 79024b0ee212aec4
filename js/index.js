/** The entry for browsers, Node, Deno and Bun: the module travels within the file. */

// Both come from the build: what wasm-bindgen generates, and the module as text.
import glue from 'lemondata:glue';
import wasm from 'lemondata:wasm';
import { createClient } from './client.js';
import { decode } from './decode.js';
import { inBrowser } from './place.js';
import { Subscriber } from './poll-sharing.js';

export { toBlob } from './blob.js';
export * from './public-errors.js';
export const { generate, waitForTask, generateAndWait, getTask, LemonData } = /* @__PURE__ */ createClient(
  glue,
  () => WebAssembly.compile(decode(wasm)),
  inBrowser,
  Subscriber,
);
