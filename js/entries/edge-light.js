/** The entry for Vercel's edge runtime, which marks the import of a module. */

import glue from 'lemondata:glue';
import { connect } from '../client/client.js';
import wasm from './lemondata.wasm?module';

export { toBlob } from '../client/blob.js';
export {
  edit,
  editAndWait,
  generate,
  generateAndWait,
  getTask,
  LemonData,
  waitForTask,
} from '../client/client.js';
export { listModels } from '../client/models.js';
export * from '../client/public-errors.js';

connect(
  glue,
  () => wasm,
  () => false,
);
