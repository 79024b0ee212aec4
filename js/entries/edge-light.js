/** The entry for Vercel's edge runtime, which marks the import of a module. */

import glue from 'lemondata:glue';
import { createClient } from '../client/client.js';
import wasm from './lemondata.wasm?module';

export { toBlob } from '../client/blob.js';
export { listModels } from '../client/models.js';
export * from '../client/public-errors.js';
export const { generate, waitForTask, generateAndWait, getTask, LemonData } = /* @__PURE__ */ createClient(
  glue,
  () => wasm,
  () => false,
);
