/** Places that run no WebAssembly: the error says which one it is, in the engine's own words. */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { Miniflare } from 'miniflare';
import { root } from '../../scripts/lib/run.js';

/** No test needs this long: it ends one that would hang. */
const GUARD = { timeout: 60_000 };
const ENTRY = join(root, 'dist', 'index.js');

/** A program that prints its error. `fetch` must not be called. */
const program = (entry) => `
  const { generate } = await import(${JSON.stringify(entry)});
  const fetch = () => { throw new Error('it was sent'); };
  const error = await generate({ prompt: 'a lemon' }, { apiKey: 'sk-1', fetch }).catch((error) => error);
  const { name, outcome, message, cause } = error;
`;
const SHOWN = '{ name, outcome, message, cause: String(cause) }';

/** Runs a module in Node without WebAssembly, whose own `fetch` does not start then and rejects on the side. */
async function runJitless(code) {
  const flags = ['--jitless', '--unhandled-rejections=none', '--input-type=module', '--eval', code];
  return (await promisify(execFile)(process.execPath, flags)).stdout;
}

function assertNames({ name, outcome, message, cause }, engine) {
  assert.deepEqual([name, outcome], ['InternalError', 'not_sent']);
  assert.match(cause, engine);
  assert.equal(
    message,
    `WebAssembly did not start (${cause}). lemondata-wasm/javascript works without WebAssembly.`,
  );
}

test('Node with --jitless has no WebAssembly', GUARD, async () => {
  const code = `${program(ENTRY)} console.log(JSON.stringify(${SHOWN}));`;
  const stdout = await runJitless(code);
  assertNames(JSON.parse(stdout), /^ReferenceError: WebAssembly is not defined$/);
});

test('… where lemondata-wasm/javascript works', GUARD, async () => {
  const code = `
    const { generate } = await import(${JSON.stringify(join(root, 'dist', 'javascript.js'))});
    const fetch = async () => ({ status: 200, headers: {}, text: async () => '{"data":[{"url":"https://a.test/"}]}' });
    const { data } = await generate({ prompt: 'a lemon' }, { apiKey: 'sk-1', fetch });
    console.log(data[0].url);`;
  const stdout = await runJitless(code);
  assert.equal(stdout, 'https://a.test/\n');
});

test('an edge worker that got the entry of another place compiles no bytes', GUARD, async () => {
  const worker = new Miniflare({
    compatibilityDate: '2026-07-01',
    modules: [
      {
        type: 'ESModule',
        path: 'worker.mjs',
        contents: `export default { async fetch() { ${program('./index.mjs')} return Response.json(${SHOWN}); } };`,
      },
      { type: 'ESModule', path: 'index.mjs', contents: readFileSync(ENTRY, 'utf8') },
    ],
  });
  try {
    const response = await worker.dispatchFetch('http://worker/');
    assertNames(await response.json(), /Wasm code generation disallowed by embedder/);
  } finally {
    await worker.dispose();
  }
});
