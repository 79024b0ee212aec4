/** The entry for Vercel's edge runtime, which marks the import of a module. */

import glue from 'lemondata:glue';
import { createClient } from './client.js';
import wasm from './lemondata.wasm?module';
import { nowhere } from './place.js';

export * from './public-errors.js';
export const { generate, waitForTask, generateAndWait, getTask, toBlob, LemonData } =
  /* @__PURE__ */ createClient(glue, () => wasm, nowhere);
