/** The entry for Cloudflare's workerd, which takes a module only as an import. */

import glue from 'lemondata:glue';
import { createClient } from './client.js';
import wasm from './lemondata.wasm';
import { nowhere } from './place.js';

export * from './public-errors.js';
export const { generate, waitForTask, generateAndWait, getTask, toBlob, LemonData } =
  /* @__PURE__ */ createClient(glue, () => wasm, nowhere);
