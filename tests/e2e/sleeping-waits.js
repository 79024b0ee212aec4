/**
 * Prints how many bytes a sleeping wait takes, as JSON. A program of its own, because the test runner follows each promise
 * with objects of its own. Needs `--expose-gc`.
 */

import { answer } from '../helpers/fake-time.js';

const WAITS = 3_000;
const LONG = { min: 1e8, max: 1e8 };

const { Instance } = WebAssembly;
/** @type {WebAssembly.Memory} */
let memory;
WebAssembly.Instance = class extends Instance {
  constructor(module, imports) {
    super(module, imports);
    memory = Object.values(this.exports).find((value) => value instanceof WebAssembly.Memory);
  }
};
const { LemonData } = await import('lemondata-wasm');

let tasks = 0;
const client = new LemonData({
  apiKey: 'sk-1',
  async fetch() {
    tasks += 1;
    return answer({ task_id: `img_${tasks}`, status: 'pending' });
  },
});
const { setTimeout } = globalThis;
let asleep = 0;
globalThis.setTimeout = (callback, ms, ...rest) => {
  // So long is the gap between two polls alone.
  if (ms >= LONG.min) asleep += 1;
  return setTimeout(callback, ms, ...rest);
};
const turn = () => new Promise((resolve) => setImmediate(resolve));

async function start() {
  const before = asleep;
  for (let index = 0; index < WAITS; index += 1) {
    client.generateAndWait({ prompt: 'a lemon' }, { pollInterval: LONG, maxWait: 1e9 }).catch(() => {});
  }
  while (asleep < before + WAITS) await turn();
  for (let time = 0; time < 3; time += 1) {
    globalThis.gc();
    await turn();
  }
  return { heap: process.memoryUsage().heapUsed, linear: memory.buffer.byteLength };
}

// Compiled code, and the arrays that grow by doubling, do not belong to a wait.
const earlier = await start();
const later = await start();
const perWait = (name) => (later[name] - earlier[name]) / WAITS;
console.log(JSON.stringify({ heap: perWait('heap'), linear: perWait('linear') }));
process.exit();
