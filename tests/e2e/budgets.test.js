/** What calls cost in numbers that do not depend on the machine: crossings of the module's border, and memory. */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { answer } from '../helpers/fake-time.js';

const run = promisify(execFile);
const pending = (id) => ({ task_id: id, status: 'pending' });
const done = { task_id: 'img_1', status: 'completed', data: [{ url: 'https://x.test/1' }] };

let lemondata;
/** Calls of JavaScript by the module, and of the module by JavaScript. */
let crossings = 0;

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
    constructor(module, imports = {}) {
      super(module, Object.fromEntries(Object.entries(imports).map(([name, of]) => [name, counted(of)])));
      Object.defineProperty(this, 'exports', { value: counted(this.exports) });
    }
  };
  // A copy of its own, whose module has not been started. The decoder has no imports.
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

test('a wait takes 2.5 KB at most while it sleeps', { timeout: 300_000 }, async () => {
  const script = fileURLToPath(new URL('sleeping-waits.js', import.meta.url));
  // A child that has the variable reports to the test runner.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const { stdout } = await run(process.execPath, ['--expose-gc', script], { env });
  const { heap, linear } = JSON.parse(stdout);
  assert.ok(heap > 0 && linear > 0, stdout);
  assert.ok(heap + linear <= 2_500, stdout);
});
