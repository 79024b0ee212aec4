/** What stays in memory: no payload within the module, and nothing of a call that is over. */

import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { answer } from '../helpers/fake-time.js';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc');

const MEGABYTE = 2 ** 20;
const PAYLOAD = 'QUJD'.repeat(2 * MEGABYTE);
/** An address that fills memory which is not used again in few calls. */
const LONG_URL = `https://x.test/${'lemon/'.repeat(300)}`;
const pending = { task_id: 'img_1', status: 'pending' };
const done = { ...pending, status: 'completed', data: [{ url: 'https://x.test/1' }] };

let lemondata;
/** How many bytes the module has for its data. */
let memoryBytes;

before(async () => {
  const { Instance } = WebAssembly;
  WebAssembly.Instance = class extends Instance {
    constructor(...args) {
      super(...args);
      const memory = Object.values(this.exports).find((value) => value instanceof WebAssembly.Memory);
      memoryBytes = () => memory.buffer.byteLength;
    }
  };
  // A copy of its own, whose module has not been started.
  lemondata = await import(`${import.meta.resolve('lemondata-wasm')}?memory`);
  await lemondata.waitForTask(done);
  WebAssembly.Instance = Instance;
});

/** Options whose transport gives the answers in turn. */
const script = (...answers) => ({
  apiKey: 'sk-1',
  fetch: async () => answers.shift(),
  pollInterval: { min: 1, max: 1 },
});

describe('rule 7: a payload of 8 MB stays in JavaScript', { timeout: 20_000 }, () => {
  const data = [{ b64_json: PAYLOAD }];
  for (const [where, perform] of [
    ['an inline answer', ({ generate }) => generate({ prompt: 'x' }, script(answer({ data })))],
    ['a poll', ({ waitForTask }) => waitForTask('img_1', script(answer({ ...done, data })))],
    [
      'a task that is still running',
      ({ generateAndWait }) =>
        generateAndWait({ prompt: 'x' }, script(answer({ ...pending, data }), answer({ ...done, data }))),
    ],
    [
      'what waitForTask is given',
      ({ waitForTask }) => waitForTask({ ...pending, data }, script(answer({ ...done, data }))),
    ],
    ['a completed generation', ({ waitForTask }) => waitForTask({ ...done, data })],
    [
      'a request',
      ({ generate }) => generate({ prompt: 'x', image: PAYLOAD }, script(answer({ ...done, data }))),
    ],
    [
      'an answer that is an error',
      ({ generate }) => generate({ prompt: 'x' }, script(answer({ error: {}, data }, { status: 400 }))),
    ],
  ]) {
    test(`in ${where}`, async () => {
      const before = memoryBytes();
      const { data: got, body } = await perform(lemondata).catch((error) => error);
      assert.equal((got ?? body.data)[0].b64_json.length, PAYLOAD.length);
      assert.ok(memoryBytes() - before < MEGABYTE, `it grew by ${memoryBytes() - before} bytes`);
    });
  }
});

test('rule 7: a message of 8 MB is cut before it enters the module', async () => {
  const before = memoryBytes();
  const refused = answer({ error: { message: PAYLOAD }, task_id: PAYLOAD }, { status: 400 });
  const error = await lemondata.generate({ prompt: 'x' }, script(refused)).catch((reason) => reason);
  assert.equal(error.status, 400);
  assert.ok(error.message.length < 100_000, `${error.message.length} characters`);
  assert.equal(error.body.error.message.length, PAYLOAD.length);
  assert.ok(memoryBytes() - before < MEGABYTE, `it grew by ${memoryBytes() - before} bytes`);
});

test('rule 7: a completed generation comes back itself, not as a copy', async () => {
  const generation = { ...done };
  assert.equal(await lemondata.waitForTask(generation), generation);
});

describe('rule 4: a call that is over', { timeout: 20_000 }, () => {
  test('leaves its memory within the module to the next', async () => {
    const { generateAndWait } = lemondata;
    const perform = () =>
      generateAndWait({ prompt: 'x' }, { ...script(answer(pending), answer(done)), baseUrl: LONG_URL });
    for (let calls = 0; calls < 10; calls += 1) await perform();
    const before = memoryBytes();
    for (let calls = 0; calls < 150; calls += 1) await perform();
    assert.equal(memoryBytes(), before);
  });

  test('leaves its memory to the next where what it waited for never settles', async () => {
    const never = new Promise(() => {});
    const perform = async () => {
      const controller = new AbortController();
      const options = { baseUrl: LONG_URL, signal: controller.signal, apiKey: () => never };
      const call = lemondata.waitForTask('img_1', options).catch(() => {});
      controller.abort();
      await call;
    };
    for (let calls = 0; calls < 10; calls += 1) await perform();
    const before = memoryBytes();
    for (let calls = 0; calls < 3000; calls += 1) await perform();
    assert.equal(memoryBytes(), before);
  });

  test('leaves nothing that holds its options, its signal or its answer', async () => {
    const { generate, generateAndWait, waitForTask } = lemondata;
    const left = [];
    const kept = (value) => {
      left.push(new WeakRef(value));
      return value;
    };
    const perform = async (call, ...answers) => {
      const { fetch, ...options } = script(...answers);
      const transport = (url, init) => {
        kept(init.signal);
        return fetch(url, init);
      };
      kept(await call(kept({ ...options, fetch: transport })).catch((error) => error));
    };
    await perform((options) => generate({ prompt: 'x' }, options), answer({ ...done }));
    await perform((options) => generate({ prompt: 'x' }, options), answer({}, { status: 400 }));
    await perform((options) => generateAndWait({ prompt: 'x' }, options), answer(pending), answer(done));
    await perform((options) => waitForTask('img_1', options), answer({}, { status: 401 }));
    assert.equal(left.length, 13);
    await new Promise((resolve) => setTimeout(resolve, 10));
    collect();
    assert.equal(left.filter((reference) => reference.deref()).length, 0);
  });
});

test('a wait takes no more memory after a hundred polls than after ten', { timeout: 90_000 }, async () => {
  const WAITS = 200;
  const controller = new AbortController();
  let polls = 0;
  const waits = Array.from({ length: WAITS }, (_, index) =>
    lemondata
      .waitForTask(`img_${index}`, {
        apiKey: 'sk-1',
        pollInterval: { min: 1, max: 1 },
        signal: controller.signal,
        async fetch() {
          polls += 1;
          return answer(pending);
        },
      })
      .catch(() => {}),
  );
  async function heapAfter(count) {
    while (polls < count * WAITS) await new Promise((resolve) => setTimeout(resolve, 2));
    collect();
    return process.memoryUsage().heapUsed;
  }
  const early = await heapAfter(10);
  const late = await heapAfter(100);
  controller.abort();
  await Promise.all(waits);
  // What a promise leaves on another one takes about 400 bytes.
  const growth = (late - early) / WAITS;
  assert.ok(growth < 90 * 100, `${growth} bytes a wait`);
});
