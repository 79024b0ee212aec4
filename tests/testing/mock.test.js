/** `lemondata-wasm/testing` as its users import it: the package against the service in memory. */

import assert from 'node:assert/strict';
import { describe, mock as mocked, test } from 'node:test';
import { build } from 'esbuild';
import {
  ConnectionError,
  edit,
  generate,
  generateAndWait,
  LemonData,
  listModels,
  RateLimitError,
  ResponseError,
  TaskFailedError,
  toBlob,
} from 'lemondata-wasm';
import { createRelay } from 'lemondata-wasm/relay';
import { mockService, serve } from 'lemondata-wasm/testing';
import { PNG } from 'pngjs';

const TASK = { model: 'ideogram-v3', prompt: 'A lemon', size: '16x16' };
const INLINE = { model: 'gpt-image-2', prompt: 'A lemon', size: '16x16' };

/** A service whose clock moves by hand, and the options of a client of it. */
function start(options) {
  const mock = mockService({ now: () => 0, ...options });
  const { apiKey, fetch } = mock;
  return { mock, client: { apiKey, fetch, pollInterval: { min: 1, max: 2 } } };
}

const pngOf = async (blob) => PNG.sync.read(Buffer.from(await blob.arrayBuffer()));
const kinds = ({ requests }) => requests.map(({ kind }) => kind);

describe('a service in memory', () => {
  test('answers inline, and its picture is a PNG of the size', async () => {
    const { mock, client } = start();
    const { data } = await generateAndWait({ ...INLINE, size: '24x12' }, client);
    const picture = await pngOf(await toBlob(data[0], { fetch: mock.fetch }));
    assert.deepEqual([picture.width, picture.height], [24, 12]);
    assert.deepEqual(kinds(mock), ['create', 'file']);
    assert.equal(mock.requests[1].headers.authorization, undefined);
  });

  test('ages a task by its clock alone', async () => {
    const { mock, client } = start();
    const seen = [];
    await generateAndWait(TASK, {
      ...client,
      onUpdate({ status, progress }) {
        seen.push([status, progress]);
        mock.advance(2000);
      },
    });
    assert.deepEqual(seen, [
      ['pending', undefined],
      ['processing', 33],
      ['processing', 66],
      ['completed', undefined],
    ]);
    assert.deepEqual(kinds(mock), ['create', 'poll', 'poll', 'poll', 'poll']);
  });

  test('has a task done at its first poll where that is said', async () => {
    const { mock, client } = start({ taskMs: 0 });
    assert.equal((await generateAndWait(TASK, client)).status, 'completed');
    assert.deepEqual(kinds(mock), ['create', 'poll']);
  });

  test('follows fake timers', async () => {
    mocked.timers.enable({ apis: ['Date'], now: 1000 });
    try {
      const mock = mockService({ taskMs: 1000 });
      const { apiKey, fetch } = mock;
      const task = await generate(TASK, { apiKey, fetch });
      assert.equal(mock.requests[0].at, 1000);
      const poll = async () => (await (await fetch(`https://any.example${task.poll_url}`)).json()).status;
      assert.equal(await poll(), 'pending');
      mocked.timers.tick(1000);
      assert.equal(await poll(), 'completed');
    } finally {
      mocked.timers.reset();
    }
  });

  test('ends a delay when its clock has passed it', async () => {
    const { mock, client } = start({ inlineMs: 3_600_000 });
    const answer = generate(INLINE, client);
    while (mock.requests.length === 0) await new Promise(setImmediate);
    mock.advance(3_599_999);
    await new Promise(setImmediate);
    assert.equal(mock.requests[0].status, undefined);
    mock.advance(1);
    assert.equal((await answer).status, 'completed');
  });

  test('takes models of one’s own, and answers as they say', async () => {
    const { client } = start({ models: { mine: 'task', 'gpt-image-2': 'task', 'test-mine': 'inline' } });
    for (const [model, status] of [
      ['mine', 'pending'],
      ['gpt-image-2', 'pending'],
      ['test-mine', 'completed'],
    ]) {
      assert.equal((await generate({ ...INLINE, model }, client)).status, status, model);
    }
    const ids = (await listModels(client)).map(({ id }) => id);
    assert.ok(ids.includes('mine') && ids.includes('nano-banana'));
    await assert.rejects(generate({ ...INLINE, model: 'yours' }, client), { code: 'model_not_found' });
    const strict = start({ strict: true, models: { mine: 'inline' } });
    await generate({ model: 'mine', prompt: 'x', anything: 1 }, strict.client);
    await assert.rejects(generate({ ...INLINE, anything: 1 }, strict.client), {
      code: 'unsupported_parameter',
    });
  });

  test('accepts every key and none, or the one that it was given', async () => {
    const { mock, client } = start();
    await generate(INLINE, { ...client, apiKey: 'sk-any' });
    const body = JSON.stringify(INLINE);
    const headers = { 'content-type': 'application/json' };
    const init = { method: 'POST', headers, body };
    assert.equal((await mock.fetch('http://page.test/v1/images/generations', init)).status, 200);
    const strict = start({ apiKey: 'sk-mine-123' });
    assert.equal(strict.mock.apiKey, 'sk-mine-123');
    await generate(INLINE, strict.client);
    await assert.rejects(generate(INLINE, { ...strict.client, apiKey: 'sk-other-123' }), { status: 401 });
    assert.equal((await strict.mock.fetch('http://page.test/v1/images/generations', init)).status, 401);
  });

  test('answers below any base URL, and its paths are those of the service', async () => {
    const { mock, client } = start({ taskMs: 0 });
    const baseUrl = 'https://app.example/api/lemondata';
    const { data } = await generateAndWait(TASK, { ...client, baseUrl });
    assert.match(data[0].url, /^https:\/\/app\.example\/api\/lemondata\/files\/\w+\.png$/);
    await toBlob(data[0], { fetch: mock.fetch });
    assert.deepEqual(
      mock.requests.map(({ path }) => path.replace(/\w+(\.png)?$/, '')),
      ['/v1/images/', '/v1/images/generations/', '/files/'],
    );
    const strange = await mock.fetch('https://app.example?a=b');
    assert.equal(strange.status, 404);
    assert.equal(mock.requests.at(-1).path, '/?a=b');
    assert.equal(mock.requests.at(-1).kind, undefined);
  });

  test('shows its pictures as data URLs where that is said', async () => {
    const { client } = start({ dataUrls: true });
    const { data } = await generate(INLINE, client);
    assert.match(data[0].url, /^data:image\/png;base64,/);
    assert.equal((await pngOf(await toBlob(data[0]))).width, 16);
  });

  test('keeps what has arrived: JSON, and the files of a form', async () => {
    const { mock, client } = start();
    await generate(INLINE, { ...client, headers: { 'X-Mine': 'yes' } });
    assert.deepEqual(mock.requests[0].body, INLINE);
    assert.equal(mock.requests[0].headers['x-mine'], 'yes');
    const image = new Blob([new Uint8Array([0xff, 0xd8, 0xff, 0])], { type: 'image/jpeg' });
    await edit({ ...INLINE, image }, client);
    const { prompt, image: files } = mock.requests[1].body;
    assert.equal(prompt, 'A lemon');
    const sha256 = 'e4a83f47ebc9f7b0d8ffd50d47ffa8e0a56ec21f4ec7d6f87b26f0e1b4f28f4d';
    assert.deepEqual({ ...files[0], sha256 }, { filename: 'blob', type: 'image/jpeg', size: 4, sha256 });
    assert.match(files[0].sha256, /^[0-9a-f]{64}$/);
    mock.reset();
    assert.deepEqual(mock.requests, []);
  });

  test('gets no fragment', async () => {
    const { mock } = start();
    assert.equal((await mock.fetch('https://x.test/v1/models#all')).status, 200);
    assert.equal(mock.requests[0].path, '/v1/models');
  });

  test('takes a form that does not name its class, as that of happy-dom', async (t) => {
    const { FormData } = globalThis;
    class Untagged extends FormData {
      get [Symbol.toStringTag]() {
        return 'Object';
      }
    }
    globalThis.FormData = Untagged;
    t.after(() => {
      globalThis.FormData = FormData;
    });
    const { mock, client } = start();
    await edit({ ...INLINE, image: new Blob([Uint8Array.of(0xff, 0xd8, 0xff, 0)]) }, client);
    assert.equal(mock.requests[0].body.prompt, 'A lemon');
  });

  test('gives itself to a relay, and the relay to a page', async () => {
    const { mock } = start({ taskMs: 0, apiKey: 'sk-server-1' });
    const relay = createRelay({
      apiKey: mock.apiKey,
      fetch: mock.fetch,
      secret: 'a secret of the tests, of 32 characters',
      authorize: () => 'ada',
      models: 'any',
      store: false,
      allowedOrigins: ['https://app.example'],
    });
    const fetch = (url, init) => relay(new Request(url, init));
    const options = { baseUrl: 'https://app.example/api/lemondata', pollInterval: { min: 1, max: 2 } };
    const { data } = await generateAndWait(TASK, { ...options, fetch });
    assert.equal(data.length, 1);
    assert.equal(mock.requests[0].headers.authorization, 'Bearer sk-server-1');
    assert.equal(mock.requests[0].body.user, 'ada');
  });
});

describe('faults', () => {
  test('a scenario by name, as often as it says', async () => {
    const { mock, client } = start({ retryAfter: 0 });
    mock.respondWith('error-429', { times: 2 });
    const { data } = await generateAndWait(INLINE, client);
    assert.equal(data.length, 1);
    assert.deepEqual(
      mock.requests.map(({ status }) => status),
      [429, 429, 200],
    );
    mock.respondWith('error-429');
    await assert.rejects(generate(INLINE, { ...client, maxRetries: 0 }), RateLimitError);
    await generate(INLINE, client);
  });

  test('a scenario of a task, and of its polls', async () => {
    const { mock, client } = start({ taskMs: 0 });
    mock.respondWith('task-failed-string');
    await assert.rejects(generateAndWait(INLINE, client), TaskFailedError);
    mock.respondWith('error-404-task', { on: 'poll', times: 2 });
    assert.equal((await generateAndWait(TASK, client)).status, 'completed');
    assert.deepEqual(
      mock.requests.slice(2).map(({ status }) => status),
      [200, 404, 404, 200],
    );
  });

  test('a reply of one’s own', async () => {
    const { mock, client } = start();
    const body = { error: { message: 'No lemons', type: 'server_error', code: 'none' } };
    mock.respondWith({ status: 500, headers: { 'X-Request-ID': 'mine' }, body });
    await assert.rejects(generate(INLINE, client), { status: 500, code: 'none', requestId: 'mine' });
    mock.respondWith({ body: { created: 1, data: [{ url: 'https://x.test/1.png' }] } });
    assert.equal((await generate(INLINE, client)).data[0].url, 'https://x.test/1.png');
  });

  test('connections that break: before an answer, and within one', async () => {
    const { mock, client } = start();
    mock.respondWith({ reset: true });
    await assert.rejects(generate(INLINE, client), (error) => {
      assert.ok(error instanceof ConnectionError);
      assert.equal(error.outcome, 'unknown');
      return true;
    });
    mock.respondWith({ partial: '{"created":' });
    await assert.rejects(generate(INLINE, client), { outcome: 'unknown' });
    mock.respondWith('html');
    await assert.rejects(generate(INLINE, client), ResponseError);
    assert.equal(mock.requests.length, 3);
  });

  test('no answer: the caller can only abort', async () => {
    const { mock, client } = start();
    for (const reply of [{ hang: true }, { delay: 3_600_000 }]) {
      mock.reset();
      mock.respondWith(reply);
      const controller = new AbortController();
      const answer = generate(INLINE, { ...client, signal: controller.signal });
      while (mock.requests.length === 0) await new Promise(setImmediate);
      controller.abort(new Error('enough'));
      await assert.rejects(answer, { message: 'enough' });
      mock.advance(3_600_000);
    }
    const reason = new Error('before');
    const signal = AbortSignal.abort(reason);
    await assert.rejects(mock.fetch('https://x.test/health', { signal }), reason);
    await assert.rejects(mock.fetch(new Request('https://x.test/health', { signal })), reason);
    assert.equal(mock.requests.length, 1, 'what was aborted before has not arrived');
  });

  test('a call that ends leaves no listener at its signal', async () => {
    const { mock } = start();
    const controller = new AbortController();
    let listeners = 0;
    const { addEventListener, removeEventListener } = EventTarget.prototype;
    Object.assign(controller.signal, {
      addEventListener(...args) {
        listeners += 1;
        addEventListener.apply(this, args);
      },
      removeEventListener(...args) {
        listeners -= 1;
        removeEventListener.apply(this, args);
      },
    });
    await mock.fetch('https://x.test/health', { signal: controller.signal });
    mock.respondWith({ reset: true }, { on: 'health' });
    await assert.rejects(mock.fetch('https://x.test/health', { signal: controller.signal }));
    assert.equal(listeners, 0);
  });

  test('what is misspelt is refused at once, with what there is', () => {
    const { mock } = start();
    for (const [call, message] of [
      [() => mock.respondWith('error-499'), /no scenario 'error-499'.*docs\/testing\.md/],
      [() => mock.respondWith('task', { on: 'poll' }), /no scenario 'task' for a request of the kind 'poll'/],
      [() => mock.respondWith('error-500', { on: 'models' }), /no scenario 'error-500'/],
      [() => mock.respondWith('error-500', { on: 'polls' }), /the kind 'polls'.*create, poll/],
      [() => mock.respondWith(() => ({ status: 500 })), /object or the name of a scenario, not function/],
      [() => mock.respondWith(undefined), /not undefined/],
      [() => mock.respondWith(null), /not null/],
      [() => mock.respondWith({ statusCode: 500 }), /no field 'statusCode'\. It has status, /],
      [() => mock.respondWith('error-500', { time: 2 }), /respondWith\(\) has no option 'time'.*times/],
      [() => mockService({ taskMS: 1 }), /mockService\(\) has no option 'taskMS'.*taskMs/],
      [() => mockService({ pollPath: 'task' }), /pollPath cannot be 'task'.*images, tasks, alias, none/],
      [() => mockService({ models: { x: 'async' } }), /models\['x'\] cannot be 'async'.*inline, task/],
    ]) {
      assert.throws(call, (error) => error instanceof TypeError && message.test(error.message));
    }
  });
});

describe('a reply that cannot be sent', () => {
  for (const [name, reply] of Object.entries({
    'a status that there is not': { status: 99 },
    'a body where the status allows none': { status: 204, body: {} },
    'a header in other letters': { headers: { 'x-a': '🍋' } },
    'a number that is no JSON': { body: { id: 1n } },
    'a Response': new Response('{}', { status: 500 }),
    'a Blob': { body: new Blob(['picture']) },
  })) {
    test(`is refused: ${name}`, () => {
      const { mock } = start();
      assert.throws(() => mock.respondWith(reply), {
        name: 'TypeError',
        message: /This reply cannot be sent: /,
      });
    });
  }

  test('is another one than what can: headers and bytes of any kind', async () => {
    const { mock } = start();
    const headers = new Headers({ 'X-Request-ID': 'mine' });
    mock.respondWith({ headers, body: Uint8Array.of(123, 125).buffer }, { on: 'models' });
    const response = await mock.fetch('https://x.test/v1/models');
    assert.deepEqual([response.headers.get('x-request-id'), await response.text()], ['mine', '{}']);
    mock.respondWith({ status: 204 }, { on: 'models' });
    assert.equal((await mock.fetch('https://x.test/v1/models')).status, 204);
    mock.respondWith({ status: 500 }, { on: 'models', times: 0 });
    assert.equal((await mock.fetch('https://x.test/v1/models')).status, 200);
  });
});

test('the list of requests stays the same one', async () => {
  const { requests, reset, fetch } = mockService();
  await fetch('https://x.test/v1/models');
  reset();
  assert.equal(requests.length, 0);
  await fetch('https://x.test/health');
  assert.equal(requests[0]?.kind, 'health');
});

describe('a server', () => {
  test('refuses an origin that no browser sends', async () => {
    await assert.rejects(serve({ cors: ['http://localhost:5173/'] }), /without a slash at its end/);
  });

  test('listens on this machine alone, unless a host is named, whose pictures are where it was called', async () => {
    for (const [host, name, origin] of [
      [undefined, 'localhost', '127.0.0.1'],
      ['', 'localhost', '127.0.0.1'],
      ['0.0.0.0', 'localhost', 'localhost'],
      ['127.0.0.2', '127.0.0.2', '127.0.0.2'],
    ]) {
      const server = await serve({ host, inlineMs: 0 });
      try {
        assert.equal(new URL(server.url).hostname, host === '127.0.0.2' ? host : '127.0.0.1');
        const { data } = await generate(
          { model: 'gpt-image-2', prompt: 'x', size: '16x16' },
          { apiKey: server.apiKey, baseUrl: `http://${name}:${server.port}` },
        );
        assert.equal(new URL(data[0].url).host, `${origin}:${server.port}`);
      } finally {
        await server.close();
      }
    }
    await assert.rejects(serve({ host: '192.0.2.1' }), { code: 'EADDRNOTAVAIL' });
  });

  test('lets nobody wait where a function of the caller fails', async (t) => {
    const logged = t.mock.method(console, 'error', () => {});
    const onRequest = () => assert.fail('no such request');
    const server = await serve({ onRequest });
    try {
      await assert.rejects(fetch(`${server.url}/health`), { message: 'fetch failed' });
      assert.equal(logged.mock.calls[0].arguments[0].message, 'no such request');
    } finally {
      await server.close();
    }
  });

  test('is the same service on a port', async () => {
    const server = await serve({ taskMs: 0, cors: true });
    try {
      const { apiKey, url: baseUrl } = server;
      const client = new LemonData({ apiKey, baseUrl, pollInterval: { min: 1, max: 2 } });
      server.respondWith('error-429');
      await assert.rejects(client.generate(TASK, { maxRetries: 0 }), RateLimitError);
      const { data } = await client.generateAndWait(TASK);
      assert.equal((await pngOf(await toBlob(data[0]))).width, 16);
      assert.deepEqual(kinds(server), ['create', 'create', 'poll', 'file']);
      const health = await fetch(`${server.url}/health`, { headers: { origin: 'https://app.example' } });
      assert.equal(health.headers.get('access-control-allow-origin'), '*');
      await assert.rejects(serve({ port: server.port }), { code: 'EADDRINUSE' });
    } finally {
      await server.close();
    }
    await (await serve({ port: server.port })).close();
    await assert.rejects(serve({ tasksMs: 1 }), /serve\(\) has no option 'tasksMs'.*port, host, cors, log/);
  });

  test('leaves no timer behind when it closes', async () => {
    const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    const server = await serve();
    const before = timers();
    server.respondWith({ delay: 3_600_000 }, { on: 'health' });
    const answer = fetch(`${server.url}/health`);
    while (server.requests.length === 0) await new Promise(setImmediate);
    assert.ok(timers() > before);
    await server.close();
    await assert.rejects(answer);
    assert.ok(timers() <= before, `${timers()} timers, ${before} before`);
  });

  test('says where it cannot listen', async () => {
    const { versions } = process;
    Object.defineProperty(process, 'versions', { value: {}, configurable: true });
    try {
      await assert.rejects(serve(), /listens on a port, which Node, Deno and Bun can.*mockService/);
    } finally {
      Object.defineProperty(process, 'versions', { value: versions, configurable: true });
    }
  });
});

test('a bundle for pages finds nothing of Node in it', async () => {
  const contents = "export * from 'lemondata-wasm/testing'; export * from 'lemondata-wasm';";
  const stdin = { contents, resolveDir: import.meta.dirname };
  const options = /** @type {const} */ ({ bundle: true, format: 'esm', platform: 'browser', write: false });
  const { warnings } = await build({ stdin, ...options, logLevel: 'silent' });
  assert.deepEqual(warnings, []);
});
