/** The entry for Cloudflare's workerd, which takes a module only as an import. */

import glue from 'lemondata:glue';
import { connect } from '../client/client.js';
import wasm from './lemondata.wasm';

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
