/** The entry for browsers, Node, Deno and Bun: the module travels within the file. */

// Both come from the build: what wasm-bindgen generates, and the module in base64.
import glue from 'lemondata:glue';
import wasm from 'lemondata:wasm';
import { createClient } from './client.js';
import { inBrowser, pageAddress } from './place.js';

const compile = () => WebAssembly.compile(Uint8Array.from(atob(wasm), (char) => char.charCodeAt(0)));

export * from './public-errors.js';
export const { generate, waitForTask, generateAndWait, getTask, toBlob, LemonData } =
  /* @__PURE__ */ createClient(glue, compile, { inBrowser, pageAddress });
