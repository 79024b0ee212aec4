/** What calls cost in numbers that do not depend on the machine: crossings of the module's border, and memory. */

import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { answer } from '../helpers/fake-time.js';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc');

const WAITS = 1_000;
const LONG = { min: 1e8, max: 1e8 };
const pending = (id) => ({ task_id: id, status: 'pending' });
const done = { task_id: 'img_1', status: 'completed', data: [{ url: 'https://x.test/1' }] };

let lemondata;
/** Calls of JavaScript by the module, and of the module by JavaScript. */
let crossings = 0;
/** How many bytes the module has for its data. */
let memoryBytes;

before(async () => {
  const { Instance } = WebAssembly;
  const counted = (functions) =>
    Object.fromEntries(
      Object.entries(functions).map(([name, value]) => [
        name,
        typeof value !== 'function'
          ? value
          : (...args) => {
              crossings += 1;
              return value(...args);
            },
      ]),
    );
  WebAssembly.Instance = class extends Instance {
    constructor(module, imports) {
      super(module, Object.fromEntries(Object.entries(imports).map(([name, of]) => [name, counted(of)])));
      const memory = Object.values(this.exports).find((value) => value instanceof WebAssembly.Memory);
      memoryBytes = () => memory.buffer.byteLength;
      Object.defineProperty(this, 'exports', { value: counted(this.exports) });
    }
  };
  // A copy of its own, whose module has not been started.
  lemondata = await import(`${import.meta.resolve('lemondata-wasm')}?budgets`);
  await lemondata.waitForTask(done);
  WebAssembly.Instance = Instance;
});

/** Options whose transport gives the answers in turn. */
const script = (...answers) => ({ apiKey: 'sk-1', fetch: async () => answers.shift() });

async function crossingsOf(perform) {
  const earlier = crossings;
  await perform();
  return crossings - earlier;
}

test('an inline call crosses the border of the module 70 times at most', async () => {
  const { generate } = lemondata;
  const request = { prompt: 'x', model: 'dall-e-3' };
  const count = await crossingsOf(() => generate(request, script(answer({ data: done.data }))));
  assert.ok(count <= 70, `${count} crossings`);
});

test('a task with five polls crosses the border of the module 380 times at most', async () => {
  const { generateAndWait } = lemondata;
  const answers = [...Array.from({ length: 5 }, () => answer(pending('img_1'))), answer(done)];
  const options = { ...script(...answers), pollInterval: { min: 1, max: 1 } };
  const count = await crossingsOf(() => generateAndWait({ prompt: 'x' }, options));
  assert.ok(count <= 380, `${count} crossings`);
});

test('a wait takes 3.1 KB at most while it sleeps', { timeout: 120_000 }, async () => {
  let tasks = 0;
  const client = new lemondata.LemonData({
    apiKey: 'sk-1',
    async fetch() {
      tasks += 1;
      return answer(pending(`img_${tasks}`));
    },
  });
  const { setTimeout } = globalThis;
  const gaps = [];
  globalThis.setTimeout = (callback, ms, ...rest) => {
    const timer = setTimeout(callback, ms, ...rest);
    // So long is the gap between two polls alone.
    if (ms >= LONG.min) gaps.push(timer);
    return timer;
  };
  const start = async (count) => {
    const asleep = gaps.length + count;
    for (let index = 0; index < count; index += 1) {
      client.generateAndWait({ prompt: 'a lemon' }, { pollInterval: LONG, maxWait: 1e9 }).catch(() => {});
    }
    while (gaps.length < asleep) await new Promise((resolve) => setImmediate(resolve));
  };
  async function bytes() {
    for (let time = 0; time < 3; time += 1) {
      collect();
      await new Promise((resolve) => setImmediate(resolve));
    }
    return { heap: process.memoryUsage().heapUsed, linear: memoryBytes() };
  }
  try {
    // Compiled code, and the arrays that grow by doubling, do not belong to a wait.
    await start(WAITS);
    const earlier = await bytes();
    await start(WAITS);
    const later = await bytes();
    const heap = (later.heap - earlier.heap) / WAITS;
    const linear = (later.linear - earlier.linear) / WAITS;
    assert.ok(linear > 0, 'the memory of the module has not been measured');
    // It is 2.5 KB without the hooks by which the test runner follows each promise.
    assert.ok(heap + linear <= 3_100, `${heap} bytes in the heap, ${linear} in the module`);
  } finally {
    globalThis.setTimeout = setTimeout;
    for (const timer of gaps) clearTimeout(timer);
  }
});
