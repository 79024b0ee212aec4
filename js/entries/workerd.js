/** The entry for Cloudflare's workerd, which takes a module only as an import. */

import glue from 'lemondata:glue';
import { connect } from '../client/client.js';
import wasm from './lemondata.wasm';

export * from './api.js';

connect(
  glue,
  () => wasm,
  () => false,
);
