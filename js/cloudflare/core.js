/** The core as a WebAssembly module: one instance for all objects of an isolate. It decides; the objects perform. */

import glue from 'lemondata:hub-glue';
import wasm from './hub.wasm';

let core;

function start() {
  const { imports, start } = glue(globalThis);
  return start(new WebAssembly.Instance(wasm, imports).exports);
}

/**
 * Calls a function of `src/shell/hub.rs`, which documents them. A trap loses the instance with its limiters; the next
 * call starts another.
 *
 * @param {string} name
 * @param {...any} values
 * @returns {any}
 */
export function callCore(name, ...values) {
  core ??= start();
  try {
    return core[name](...values);
  } catch (error) {
    if (error instanceof WebAssembly.RuntimeError) core = undefined;
    throw error;
  }
}
