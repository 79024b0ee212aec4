/** The entry for browsers, Node, Deno and Bun: the module travels within the file. */

// Both come from the build: what wasm-bindgen generates, and the module as text.
import glue from 'lemondata:glue';
import wasm from 'lemondata:wasm';
import { createClient } from '../client/client.js';
import { decode } from '../client/decode.js';
import { inBrowser } from '../client/place.js';
import { Subscriber } from '../client/poll-sharing.js';

export { toBlob } from '../client/blob.js';
export { listModels } from '../client/models.js';
export * from '../client/public-errors.js';
export const { generate, waitForTask, generateAndWait, getTask, LemonData } = /* @__PURE__ */ createClient(
  glue,
  () => WebAssembly.compile(decode(wasm)),
  inBrowser,
  Subscriber,
);
