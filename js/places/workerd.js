/** What the client needs in Cloudflare's workerd, which takes a module only as an import. */

import { InvalidRequestError, ownError } from '../client/errors.js';
import wasm from './lemondata.wasm';

export { default as glue } from 'lemondata:glue';
export { fillFromEnvironment, inBrowser, Subscriber } from './edge.js';

export function load() {
  try {
    // A worker sets no timer before its first event. Within the module, that would be a trap.
    clearTimeout(setTimeout(() => {}));
  } catch (cause) {
    const message = 'A worker sends nothing from its global scope: call this within a handler.';
    throw ownError(InvalidRequestError, 'not_sent', message, { cause });
  }
  return wasm;
}
