/** The entry for Cloudflare's workerd, which takes a module only as an import. */

import glue from 'lemondata:glue';
import { createClient } from '../client/client.js';
import wasm from './lemondata.wasm';

export { toBlob } from '../client/blob.js';
export { listModels } from '../client/models.js';
export * from '../client/public-errors.js';
export const { generate, waitForTask, generateAndWait, getTask, LemonData } = /* @__PURE__ */ createClient(
  glue,
  () => wasm,
  () => false,
);
