/** What the client needs where the module is served beside its JavaScript: fewer bytes, compiled as they arrive. */

import { InvalidRequestError, ownError } from '../client/errors.js';

export { default as glue } from 'lemondata:glue';
export { inBrowser } from '../client/place.js';
export { fillFromEnvironment, Subscriber } from './anywhere.js';

let module;

/**
 * A module, from a promise, a URL, a response or bytes.
 *
 * @param {any} source
 */
async function compile(source) {
  source = await source;
  if (typeof source === 'string' || source?.href) source = await fetch(source);
  if (source?.arrayBuffer) {
    if (source.ok === false) throw new Error(`${source.url} was answered with status ${source.status}`);
    const isWasm = source.headers?.get('content-type')?.startsWith('application/wasm');
    // Only what says that it is WebAssembly is compiled while it arrives.
    if (isWasm && WebAssembly.compileStreaming) return WebAssembly.compileStreaming(source);
    source = await source.arrayBuffer();
  }
  // Bytes and modules may come from another realm, as in Jest.
  return source?.byteLength === undefined ? source : WebAssembly.compile(source);
}

export async function init(source) {
  const compiling = compile(source);
  module = compiling;
  let compiled;
  try {
    compiled = await compiling;
  } finally {
    // After a failure, the next call may come with a better source.
    if (module === compiling) module = compiled;
  }
}

export function load() {
  if (module) return module;
  const message = 'lemondata-wasm/slim needs its module: call init(source) first.';
  throw ownError(InvalidRequestError, 'not_sent', message, { param: 'init' });
}
