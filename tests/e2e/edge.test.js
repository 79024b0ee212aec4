/** The entries for edge workers, in Node: whatever one request does must not hang on another's promise. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { build } from 'esbuild';
import { root } from '../../scripts/lib/run.js';
import { pretend } from '../helpers/fake-page.js';
import { answer } from '../helpers/fake-time.js';

const wasm = readFileSync(join(root, 'dist', 'lemondata.wasm'));
const done = { task_id: 'img_1', status: 'completed', data: [{ url: 'https://x.test/1' }] };

let copies = 0;
/** Imports a fresh copy of an entry, whose module is there at once as at the edge. */
async function load(entry) {
  const contents = `export default new WebAssembly.Module(Buffer.from('${wasm.toString('base64')}', 'base64'))`;
  const module = {
    name: 'module',
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /\.wasm/ }, () => ({ path: 'module', namespace: 'module' }));
      onLoad({ filter: /./, namespace: 'module' }, () => ({ contents }));
    },
  };
  const path = join(root, 'dist', `${entry}.js`);
  const options = { entryPoints: [path], bundle: true, format: 'esm', write: false, plugins: [module] };
  const [{ text }] = (await build(options)).outputFiles;
  return import(`data:text/javascript,${encodeURIComponent(text)}//${++copies}`);
}

const ENTRIES = {
  workerd: () => load('workerd'),
  'edge-light': () => load('edge-light'),
  async 'slim in workerd'(t) {
    pretend(t, { WebSocketPair: class WebSocketPair {} });
    const slim = await load('slim');
    await slim.init(wasm);
    return slim;
  },
  async 'slim in edge-light'(t) {
    pretend(t, { EdgeRuntime: 'edge-runtime' });
    const slim = await load('slim');
    await slim.init(wasm);
    return slim;
  },
};

describe('rule 4: the entry for', { timeout: 10_000 }, () => {
  for (const [name, open] of Object.entries(ENTRIES)) {
    test(`${name} starts without a wait for another request`, async (t) => {
      const { generate } = await open(t);
      let isKeyRequested = false;
      const apiKey = () => {
        isKeyRequested = true;
        return 'sk-1';
      };
      for (let round = 0; round < 2; round += 1) {
        isKeyRequested = false;
        const call = generate({ prompt: 'a lemon' }, { apiKey, fetch: async () => answer(done) });
        // Microtasks of its own are all that it needs.
        for (let turn = 0; turn < 9; turn += 1) await null;
        assert.ok(isKeyRequested, 'the call waits for something before it asks for the key');
        assert.equal((await call).status, 'completed');
      }
    });

    test(`${name} shares no poll between requests of one client`, async (t) => {
      const { LemonData } = await open(t);
      const polls = [];
      const fetch = () => new Promise((resolve) => polls.push(resolve));
      const client = new LemonData({ apiKey: 'sk-1', fetch });
      const waits = [client.waitForTask('img_1'), client.waitForTask('img_1')];
      await new Promise(setImmediate);
      assert.equal(polls.length, 2);
      // The first may be cancelled with its request, and never go on: the second does not need it.
      polls[1](answer(done));
      assert.equal((await waits[1]).status, 'completed');
      polls[0](answer(done));
      await waits[0];
    });
  }
});
