/**
 * `lemondata-wasm/javascript` in React Native, with the classes that it has in place of the platform's: its URL throws
 * where a part of it is read, and adds a slash, and its Blob neither takes nor gives bytes.
 */

import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { answer } from '../helpers/fake-time.js';

const GUARD = { timeout: 10_000 };
const missing = (name) => {
  throw new Error(`${name} is not implemented`);
};

class NativeUrl {
  #text;
  constructor(text) {
    this.#text = text.endsWith('/') ? text : `${text}/`;
  }
  get origin() {
    return missing('URL.origin');
  }
  get pathname() {
    return missing('URL.pathname');
  }
  toString() {
    return this.#text;
  }
}

class NativeSearchParams {
  set() {
    missing('URLSearchParams.set');
  }
}

/** The classes, each with what the test runner needs back afterwards. */
const NATIVE = { navigator: { product: 'ReactNative' }, URL: NativeUrl, URLSearchParams: NativeSearchParams };

let client;
before(async () => {
  const path = import.meta.resolve('lemondata-wasm/javascript');
  const kept = Object.keys(NATIVE).map((name) => [name, Object.getOwnPropertyDescriptor(globalThis, name)]);
  for (const [name, value] of Object.entries(NATIVE)) {
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  }
  try {
    client = await import(`${path}?react-native`);
  } finally {
    for (const [name, descriptor] of kept) {
      if (descriptor) Object.defineProperty(globalThis, name, descriptor);
      else delete globalThis[name];
    }
  }
});

const request = { model: 'gpt-image-2', prompt: 'a lemon' };
const done = { status: 'completed', task_id: 'img_1', data: [{ url: 'https://x.test/1' }] };

/** A transport that gives the answers in turn, and keeps the URLs. */
function script(...bodies) {
  const urls = [];
  const infos = [];
  const fetch = async (url) => answer(bodies[urls.push(url) - 1]);
  const options = {
    fetch,
    relay: true,
    baseUrl: 'https://Relay.example:443/api/lemondata/',
    pollInterval: { min: 1, max: 1 },
    onResponse: ({ path }) => infos.push(path),
  };
  return { urls, infos, options };
}

describe('in React Native', GUARD, () => {
  test('a picture is created and polled at the right addresses', async () => {
    const { urls, infos, options } = script({ status: 'pending', task_id: 'img_1' }, done);
    assert.equal((await client.generateAndWait(request, options)).status, 'completed');
    const paths = ['/api/lemondata/v1/images/generations', '/api/lemondata/v1/images/generations/img_1'];
    assert.deepEqual(
      urls,
      paths.map((path) => `https://relay.example${path}`),
    );
    assert.deepEqual(infos, paths);
  });

  for (const [poll_url, path] of [
    ['/v1/tasks/img_1?a=1', '/api/lemondata/v1/tasks/img_1?a=1'],
    ['v1/tasks/img_1', '/api/lemondata/v1/tasks/img_1'],
    ['/api/lemondata/v1/tasks/img_1', '/api/lemondata/v1/tasks/img_1'],
    ['https://relay.example/other/img_1', '/other/img_1'],
    ['HTTPS://RELAY.EXAMPLE:443/other/img_1', '/other/img_1'],
  ]) {
    test(`a task is polled at ${poll_url}`, async () => {
      const { urls, options } = script(done);
      await client.waitForTask({ task_id: 'img_1', poll_url }, options);
      assert.deepEqual(urls, [`https://relay.example${path}`]);
    });
  }

  for (const poll_url of [
    'https://evil.example/v1/tasks/img_1',
    '//evil.example/v1/tasks/img_1',
    '/\\evil.example/v1/tasks/img_1',
    '\\\\evil.example/v1/tasks/img_1',
    'https://relay.example@evil.example/v1/tasks/img_1',
    'https://relay.example:8443/v1/tasks/img_1',
    'http://relay.example/v1/tasks/img_1',
    'https:\\\\evil.example/v1/tasks/img_1',
    'blob:https://relay.example/1',
    'javascript:0',
  ]) {
    test(`rule 3: nothing is sent to ${poll_url}`, async () => {
      const { urls, options } = script(done);
      const waiting = client.waitForTask({ task_id: 'img_1', poll_url }, options);
      await assert.rejects(waiting, { kind: 'untrusted_url', task: { task_id: 'img_1' } });
      assert.deepEqual(urls, []);
    });
  }

  for (const baseUrl of [
    'relay.example',
    '/api/lemondata',
    'https://user:pass@relay.example',
    'https://relay.example?a=1',
    'https://relay.example#a',
    'ftp://relay.example',
  ]) {
    test(`${baseUrl} is no baseUrl`, async () => {
      const { urls, options } = script(done);
      const creating = client.generate(request, { ...options, baseUrl });
      await assert.rejects(creating, { kind: 'invalid_request', outcome: 'not_sent', param: 'baseUrl' });
      assert.deepEqual(urls, []);
    });
  }

  test('models are listed', async () => {
    const { urls, options } = script({ data: [{ id: 'gpt-image-2' }] });
    const { fetch, baseUrl } = options;
    await client.listModels({ fetch, baseUrl, recommendedFor: 'image & video' });
    assert.deepEqual(urls, [
      'https://relay.example/api/lemondata/v1/models?category=image&recommended_for=image%20%26%20video',
    ]);
  });

  test('a form, which cannot be read, is sent as it is', async (t) => {
    const { FormData } = globalThis;
    t.after(() => {
      globalThis.FormData = FormData;
    });
    globalThis.FormData = class {
      parts = [];
      append(...part) {
        this.parts.push(part);
      }
    };
    const bodies = [];
    const fetch = async (_, { body }) => {
      bodies.push(body);
      return answer(done);
    };
    const image = new Blob(['lemon'], { type: 'image/png' });
    await client.edit({ prompt: 'Peel it', image }, { baseUrl: 'https://relay.example', relay: true, fetch });
    assert.deepEqual(bodies[0].parts, [
      ['prompt', 'Peel it'],
      ['image', image],
    ]);
  });

  test('a picture is downloaded, although no bytes of its Blob can be read', async () => {
    const blob = { type: 'image/png', slice: () => ({}) };
    const fetch = async () => ({ ok: true, status: 200, blob: async () => blob });
    assert.equal(await client.toBlob({ url: 'https://x.test/1' }, { fetch }), blob);
  });

  test('base64 that no Blob can be made of is not called damaged', async (t) => {
    const { Blob } = globalThis;
    t.after(() => {
      globalThis.Blob = Blob;
    });
    globalThis.Blob = class {
      constructor() {
        missing('Blob of bytes');
      }
    };
    await assert.rejects(client.toBlob({ b64_json: 'iVBORw0KGgo=' }), {
      message: 'b64_json cannot become a Blob here: React Native makes none of bytes.',
      outcome: 'not_sent',
    });
  });
});
