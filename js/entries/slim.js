/** The entry for those who serve the module beside their JavaScript: fewer bytes, and compiled as they arrive. */

import glue from 'lemondata:glue';
import { connect } from '../client/client.js';
import { fillFromEnvironment } from '../client/environment.js';
import { InvalidRequestError, ownError } from '../client/errors.js';
import { inBrowser, isEdge } from '../client/place.js';
import { Subscriber } from '../client/poll-sharing.js';

let module;

/**
 * A module, from a promise, a URL, a response or bytes.
 *
 * @param {any} source
 */
async function compile(source) {
  source = await source;
  if (typeof source === 'string' || source?.href) source = await fetch(source);
  if (typeof source?.arrayBuffer === 'function') {
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

export * from './api.js';

connect(glue, load, inBrowser, isEdge ? undefined : Subscriber, isEdge ? undefined : fillFromEnvironment);
