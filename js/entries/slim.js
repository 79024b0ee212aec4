/** The entry for those who serve the module beside their JavaScript: fewer bytes, and compiled as they arrive. */

import glue from 'lemondata:glue';
import { createClient } from '../client/client.js';
import { InvalidRequestError, ownError } from '../client/errors.js';
import { inBrowser } from '../client/place.js';
import { Subscriber } from '../client/poll-sharing.js';

let module;

/** A module, or a promise of one, from whatever holds it. */
async function compile(source) {
  source = await source;
  if (typeof source === 'string' || source instanceof URL) source = await fetch(source);
  if (typeof source?.arrayBuffer === 'function') {
    if (source.ok === false) throw new Error(`${source.url} was answered with status ${source.status}`);
    const isWasm = source.headers?.get('content-type')?.startsWith('application/wasm');
    // Only what says that it is WebAssembly is compiled while it arrives.
    if (isWasm && WebAssembly.compileStreaming) return WebAssembly.compileStreaming(source);
    source = await source.arrayBuffer();
  }
  // A module may come from another realm: whatever is no bytes counts as one.
  return source instanceof ArrayBuffer || ArrayBuffer.isView(source) ? WebAssembly.compile(source) : source;
}

export async function init(source) {
  const compiling = compile(source);
  module = compiling;
  try {
    const compiled = await compiling;
    if (module === compiling) module = compiled;
  } catch (error) {
    // The next call may come with a better source.
    if (module === compiling) module = undefined;
    throw error;
  }
}

function load() {
  if (module) return module;
  const message = 'lemondata-wasm/slim needs its module: call init(source) first.';
  throw ownError(InvalidRequestError, 'not_sent', message, { param: 'init' });
}

/** Edge workers: there, one request must not wait for another's promise. */
const isEdge = typeof WebSocketPair === 'function' || typeof EdgeRuntime === 'string';

export { toBlob } from '../client/blob.js';
export { listModels } from '../client/models.js';
export * from '../client/public-errors.js';
export const { generate, waitForTask, generateAndWait, getTask, LemonData } = /* @__PURE__ */ createClient(
  glue,
  load,
  inBrowser,
  isEdge ? undefined : Subscriber,
);
