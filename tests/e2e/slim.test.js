/** `lemondata-wasm/slim`: the module comes from wherever the application says. */

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { after, before, describe, test } from 'node:test';
import { runInNewContext } from 'node:vm';
import { InvalidRequestError } from 'lemondata-wasm';
import { answer } from '../helpers/fake-time.js';

const done = { created: 1, data: [{ url: 'https://x.test/1' }] };
const options = { apiKey: 'sk-1', fetch: async () => answer(done) };
const request = { prompt: 'a lemon' };
const bytes = await readFile(new URL(import.meta.resolve('lemondata-wasm/lemondata.wasm')));

let copies = 0;
/** A copy of the package that has no module yet. */
const fresh = () => import(`${import.meta.resolve('lemondata-wasm/slim')}?${++copies}`);

let server;
let base;
before(async () => {
  server = createServer(({ url }, response) => {
    if (url === '/missing') return response.writeHead(404).end('none');
    const type = url === '/typed' ? 'application/wasm' : 'application/octet-stream';
    response.writeHead(200, { 'content-type': type }).end(url === '/html' ? '<html>' : bytes);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${server.address().port}`;
});
after(() => server.close());

describe('slim', { timeout: 10_000 }, () => {
  for (const [title, source] of [
    ['bytes', () => bytes],
    ['an ArrayBuffer', () => new Uint8Array(bytes).buffer],
    ['a compiled module', () => WebAssembly.compile(bytes)],
    ['a URL', () => new URL('/typed', base)],
    ['the text of a URL', () => `${base}/typed`],
    ['an answer', () => fetch(`${base}/typed`)],
    ['an answer of another type', () => fetch(`${base}/untyped`)],
  ]) {
    test(`takes ${title}`, async () => {
      const { generate, init } = await fresh();
      assert.equal(await init(source()), undefined);
      assert.equal((await generate(request, options)).status, 'completed');
    });
  }

  test('takes bytes of another realm, as a test in Jest has them', async () => {
    const { generate, init } = await fresh();
    const foreign = runInNewContext('new ArrayBuffer(length)', { length: bytes.length });
    new Uint8Array(foreign).set(bytes);
    assert.ok(!(foreign instanceof ArrayBuffer));
    await init(foreign);
    assert.equal((await generate(request, options)).status, 'completed');
  });

  test('waits for its module where a library has replaced Promise, as zone.js does', async (t) => {
    const { generate, init } = await fresh();
    const initialised = init(bytes);
    const Native = Promise;
    t.after(() => {
      globalThis.Promise = Native;
    });
    globalThis.Promise = class ZoneAwarePromise extends Native {
      static [Symbol.hasInstance](value) {
        return Object(value).constructor === ZoneAwarePromise;
      }
    };
    const generation = await generate(request, options);
    assert.equal(generation.status, 'completed');
    await initialised;
  });

  test('compiles what says that it is WebAssembly while it arrives', async (t) => {
    const streaming = t.mock.method(WebAssembly, 'compileStreaming');
    const { init } = await fresh();
    await init(`${base}/typed`);
    await init(`${base}/untyped`);
    assert.equal(streaming.mock.callCount(), 1);
  });

  test('waits for the module', async () => {
    const { generate, init } = await fresh();
    const starting = init(fetch(`${base}/typed`));
    assert.equal((await generate(request, options)).status, 'completed');
    await starting;
  });

  test('says what is missing before anything is sent, and works once it is there', async () => {
    const { generate, init, InvalidRequestError: Own } = await fresh();
    let sent = 0;
    const fetch = async () => {
      sent += 1;
      return answer(done);
    };
    await assert.rejects(generate(request, { ...options, fetch }), (error) => {
      assert.ok(error instanceof InvalidRequestError && error instanceof Own);
      assert.deepEqual([error.outcome, error.param], ['not_sent', 'init']);
      assert.match(error.message, /init\(source\)/);
      return true;
    });
    assert.equal(sent, 0);
    await init(bytes);
    assert.equal((await generate(request, { ...options, fetch })).status, 'completed');
  });

  for (const [path, reason] of [
    ['/missing', /missing was answered with status 404/],
    ['/html', WebAssembly.CompileError],
  ]) {
    test(`rejects ${path}, and may be called again`, async () => {
      const { generate, init } = await fresh();
      await assert.rejects(init(base + path), reason);
      await assert.rejects(generate(request, options), /init\(source\)/);
      await init(`${base}/typed`);
      assert.equal((await generate(request, options)).status, 'completed');
    });
  }

  test('has a CommonJS twin', async () => {
    const { generate, init } = createRequire(import.meta.url)('lemondata-wasm/slim');
    await init(bytes);
    assert.equal((await generate(request, options)).status, 'completed');
  });

  test('has all that the package has', async () => {
    const names = async (specifier) => Object.keys(await import(specifier)).sort();
    const slim = await names('lemondata-wasm/slim');
    assert.deepEqual(
      slim.filter((name) => name !== 'init'),
      await names('lemondata-wasm'),
    );
  });
});
