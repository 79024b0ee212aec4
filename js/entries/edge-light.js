/** The entry for Vercel's edge runtime, which takes a module only as a marked import. */

import glue from 'lemondata:glue';
import { connect } from '../client/client.js';
import wasm from './lemondata.wasm?module';

export * from './api.js';

connect(
  glue,
  () => wasm,
  () => false,
);
