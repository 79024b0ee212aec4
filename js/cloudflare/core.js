/** The hub's decisions: the core as a module of its own, one instance for all objects of an isolate. */

import glue from 'lemondata:hub-glue';
import wasm from './hub.wasm';

let core;

function start() {
  const { imports, start } = glue(globalThis);
  return start(new WebAssembly.Instance(wasm, imports).exports);
}

/** Asks the core; `src/shell/hub.rs` says what. A trap costs the instance, and whatever it knew of fleets. */
export function ask(question, ...values) {
  core ??= start();
  try {
    return core[question](...values);
  } catch (error) {
    if (error instanceof WebAssembly.RuntimeError) core = undefined;
    throw error;
  }
}
