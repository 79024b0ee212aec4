/**
 * What must not grow: the memory of the module's instances, and the heap. It has to be imported before the
 * package starts an instance.
 */

import { getHeapStatistics } from 'node:v8';

const { Instance } = WebAssembly;
/** @type {WeakRef<WebAssembly.Instance>[]} */
let instances = [];

WebAssembly.Instance = function noted(...args) {
  const instance = new Instance(...args);
  // The decoder of the module has no imports, and is collected some time after the module is there.
  if (args[1]) instances.push(new WeakRef(instance));
  return instance;
};

/** The instances that nothing has collected yet. */
export function living() {
  instances = instances.filter((each) => each.deref());
  return instances.map((each) => each.deref());
}

/** The pages of the linear memory of an instance, whatever its exports are called. */
export function pages(instance) {
  const memory = Object.values(instance.exports).find((value) => value instanceof WebAssembly.Memory);
  return memory.buffer.byteLength / 65_536;
}

/** Collects all that can be collected, of which some takes a turn of the event loop. */
export async function collect() {
  for (let round = 0; round < 4; round += 1) {
    await new Promise((resolve) => setImmediate(resolve));
    globalThis.gc();
  }
}

/** Bytes of the heap in use; only what is left behind a collection means something. */
export const heap = () => getHeapStatistics().used_heap_size;
