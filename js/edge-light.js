/** The entry for Vercel's edge runtime, which marks the import of a module. */

import glue from 'lemondata:glue';
import { createClient } from './client.js';
import wasm from './lemondata.wasm?module';

export { toBlob } from './blob.js';
export * from './public-errors.js';
export const { generate, waitForTask, generateAndWait, getTask, LemonData } = /* @__PURE__ */ createClient(
  glue,
  () => wasm,
  () => false,
);
