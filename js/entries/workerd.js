/** The entry for Cloudflare's workerd, which takes a module only as an import. */

import glue from 'lemondata:glue';
import { connect } from '../client/client.js';
import { InvalidRequestError, ownError } from '../client/errors.js';
import wasm from './lemondata.wasm';

export * from './api.js';

function load() {
  try {
    // A worker sets no timer before its first event. Within the module, that would be a trap.
    clearTimeout(setTimeout(() => {}));
  } catch (cause) {
    const message = 'A worker sends nothing from its global scope: call this within a handler.';
    throw ownError(InvalidRequestError, 'not_sent', message, { cause });
  }
  return wasm;
}

connect(glue, load, () => false);
