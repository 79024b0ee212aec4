/** No caller hurts another: whatever a caller hands in ends that call alone, before anything is sent. */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { getEventListeners } from 'node:events';
import { describe, test } from 'node:test';
import {
  generate,
  getTask,
  InternalError,
  InvalidRequestError,
  LemonData,
  waitForTask,
} from 'lemondata-wasm';
import { failure } from '../helpers/failure.js';
import { fakePage, pretend } from '../helpers/fake-page.js';
import { answer } from '../helpers/fake-time.js';

const done = { status: 'completed', data: [{ url: 'https://x.test/1' }] };
const request = { model: 'gpt-image-2', prompt: 'a lemon' };
const GUARD = { timeout: 10_000 };
const throws = () => {
  throw new Error('a trap of a proxy');
};
const revoked = () => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
};
const hostile = new Proxy(
  {},
  { get: throws, has: throws, ownKeys: throws, getOwnPropertyDescriptor: throws },
);

/** A paid create under way: it must come to its end, whatever other calls do. */
function paidCreate() {
  let respond;
  const pending = generate(request, {
    apiKey: 'sk-1',
    fetch: () =>
      new Promise((resolve) => {
        respond = () => resolve(answer(done));
      }),
  });
  return {
    started: async () => {
      while (!respond) await new Promise(setImmediate);
    },
    finish: async () => {
      respond();
      assert.equal((await pending).status, 'completed');
    },
  };
}

describe('rule 4: a caller that hands in', GUARD, () => {
  const sent = [];
  const options = {
    apiKey: 'sk-1',
    fetch: async (url) => {
      sent.push(url);
      return answer(done);
    },
  };
  for (const [title, call] of [
    ['a revoked proxy as request', () => generate(revoked(), options)],
    ['a revoked proxy as task', () => waitForTask(revoked(), options)],
    ['a revoked proxy as options', () => generate(request, revoked())],
    ['a revoked proxy as options of a client', () => new LemonData(revoked()).generate(request)],
    ['a proxy that throws as request', () => generate(hostile, options)],
    ['a proxy that throws as task', () => getTask(hostile, options)],
    ['a proxy that throws as options', () => generate(request, hostile)],
    ['a revoked proxy as signal', () => generate(request, { ...options, signal: revoked() })],
    ['a revoked proxy as pollInterval', () => waitForTask('t', { ...options, pollInterval: revoked() })],
    ['a signal without listeners', () => generate(request, { ...options, signal: { aborted: false } })],
    [
      'a signal that only takes listeners',
      () => generate(request, { ...options, signal: { aborted: false, addEventListener() {} } }),
    ],
    [
      'a signal that takes no listener',
      () =>
        generate(request, {
          ...options,
          signal: { aborted: false, addEventListener: throws, removeEventListener: throws },
        }),
    ],
    [
      'an option whose getter throws',
      () =>
        generate(request, {
          ...options,
          get headers() {
            return throws();
          },
        }),
    ],
    [
      'a field whose getter throws',
      () =>
        generate(
          {
            ...request,
            get seed() {
              return throws();
            },
          },
          options,
        ),
    ],
    ['a big integer', () => generate({ ...request, seed: 1n }, options)],
    [
      'a circle',
      () => {
        const circle = { ...request };
        circle.self = circle;
        return generate(circle, options);
      },
    ],
  ]) {
    test(`${title} is refused alone`, async () => {
      const paid = paidCreate();
      await paid.started();
      const error = await failure(call());
      assert.ok(error instanceof InvalidRequestError, `${error}`);
      assert.equal(error.outcome, 'not_sent');
      assert.deepEqual(sent, []);
      await paid.finish();
    });
  }

  test('a request whose getter aborts another call ends that one alone', async () => {
    const paid = paidCreate();
    const controller = new AbortController();
    const other = failure(
      waitForTask('t', { apiKey: 'sk-1', signal: controller.signal, fetch: () => new Promise(() => {}) }),
    );
    await paid.started();
    const reason = new Error('from a getter');
    const meddler = {
      ...request,
      get style() {
        controller.abort(reason);
        return 'vivid';
      },
    };
    assert.equal((await generate(meddler, options)).status, 'completed');
    sent.length = 0;
    assert.equal(await other, reason);
    await paid.finish();
  });

  const deep = `${'['.repeat(50_000)}${']'.repeat(50_000)}`;
  for (const [title, body, status] of [
    ['a refusal', `{"error": ${deep}}`, 400],
    ['a task that has failed', `{"task_id": "t", "status": "failed", "error": ${deep}}`, 200],
    ['a task without a result', `{"task_id": "t", "status": "completed", "data": ${deep}}`, 200],
  ]) {
    test(`a deep answer, ${title}, gets an error that prints, and no other call does`, async () => {
      const paid = paidCreate();
      await paid.started();
      const fetch = async () => answer(body, { status });
      const updates = [];
      const onUpdate = (task) => updates.push(JSON.stringify(task));
      for (const call of [
        generate(request, { apiKey: 'sk-secret-1', fetch }),
        waitForTask('t', { apiKey: 'sk-secret-1', fetch, onUpdate }),
      ]) {
        const error = await failure(call);
        assert.ok(!(error instanceof InternalError), `${error}`);
        assert.ok(JSON.stringify(error).length < 1000);
      }
      assert.equal(updates.length, status === 200 ? 1 : 0);
      await paid.finish();
    });
  }

  for (const [title, hostile] of [
    ['headers that throw', { get: throws }],
    ['headers that throw at the last', { get: (name) => (/ratelimit/.test(name) ? throws() : null) }],
  ]) {
    test(`a transport with ${title} ends its own call`, async () => {
      const paid = paidCreate();
      await paid.started();
      const fetch = async () => ({ ...answer(done), headers: hostile });
      const error = await failure(generate(request, { apiKey: 'sk-1', fetch, onResponse() {} }));
      assert.deepEqual([error.outcome, error.cause.message], ['unknown', 'a trap of a proxy']);
      await paid.finish();
    });
  }
});

describe('rule 1: relay: true', GUARD, () => {
  const getRandomValues = globalThis.crypto.getRandomValues.bind(globalThis.crypto);
  for (const [where, crypto] of [
    ['on a page', globalThis.crypto],
    ['on a page without a secure context', { getRandomValues }],
    ['where there is no crypto at all', undefined],
  ]) {
    test(`keys every create by itself, the same at each attempt, ${where}`, async (t) => {
      fakePage(t);
      pretend(t, { crypto });
      const keys = [];
      const fetch = async (_, { headers }) => {
        keys.push(headers.get('idempotency-key'));
        return keys.length % 2
          ? answer({}, { status: 500, headers: { 'retry-after': '0.001' } })
          : answer(done);
      };
      await generate(request, { baseUrl: '/api', relay: true, fetch });
      await generate(request, { baseUrl: '/api', relay: true, fetch });
      for (const key of keys) assert.match(key, /^[\da-f]{32}$/);
      assert.deepEqual(
        [keys.length, keys[0] === keys[1], keys[2] === keys[3], keys[0] === keys[2]],
        [4, true, true, false],
      );
    });
  }

  test('works where a server pretends to be a page, without events', async (t) => {
    pretend(t, { window: {}, document: {}, addEventListener: undefined, removeEventListener: undefined });
    const fetch = async () => answer(done);
    assert.equal((await generate(request, { baseUrl: 'https://relay.test', fetch })).status, 'completed');
  });
});

describe('rule 4: a signal', GUARD, () => {
  test('has one listener for all of its calls, and none after them', async () => {
    const warnings = [];
    const note = (warning) => warnings.push(warning.name);
    process.on('warning', note);
    const controller = new AbortController();
    const { signal } = controller;
    const calls = Array.from({ length: 30 }, () =>
      failure(generate(request, { apiKey: 'sk-1', signal, fetch: () => new Promise(() => {}) })),
    );
    await new Promise(setImmediate);
    assert.equal(getEventListeners(signal, 'abort').length, 1);
    const reason = new Error('enough');
    controller.abort(reason);
    assert.deepEqual(new Set(await Promise.all(calls)), new Set([reason]));
    assert.equal(getEventListeners(signal, 'abort').length, 0);
    await new Promise(setImmediate);
    process.off('warning', note);
    assert.deepEqual(warnings, []);
  });

  test('without a reason rejects with an AbortError', async () => {
    const listeners = new Set();
    const signal = {
      aborted: false,
      addEventListener: (_, listener) => listeners.add(listener),
      removeEventListener: (_, listener) => listeners.delete(listener),
    };
    const call = failure(generate(request, { apiKey: 'sk-1', signal, fetch: () => new Promise(() => {}) }));
    await new Promise(setImmediate);
    signal.aborted = true;
    for (const listener of listeners) listener();
    const error = await call;
    assert.equal(error.name, 'AbortError');
    assert.equal(listeners.size, 0);
  });

  test('that fails to remove its listener ends no call but its own', async (t) => {
    const reported = [];
    pretend(t, { reportError: (error) => reported.push(error.message) });
    const paid = paidCreate();
    await paid.started();
    const signal = { aborted: false, addEventListener() {}, removeEventListener: throws };
    const fetch = async () => answer(done);
    assert.equal((await generate(request, { apiKey: 'sk-1', signal, fetch })).status, 'completed');
    assert.deepEqual(reported, ['a trap of a proxy']);
    await paid.finish();
  });

  test('that rejects with null, as the caller wants it', async () => {
    const controller = new AbortController();
    const call = failure(
      generate(request, { apiKey: 'sk-1', signal: controller.signal, fetch: () => new Promise(() => {}) }),
    );
    await new Promise(setImmediate);
    controller.abort(null);
    assert.equal(await call, null);
  });
});

describe('a client', GUARD, () => {
  test('works behind a proxy, as the reactivity of frameworks puts one around it', async () => {
    const client = new LemonData({ apiKey: 'sk-secret-1', relay: false, fetch: async () => answer(done) });
    const reactive = new Proxy(client, {});
    assert.equal((await reactive.generate(request)).status, 'completed');
    assert.equal(reactive.relay, false);
    assert.equal((await Object.create(client).waitForTask('t')).status, 'completed');
  });
});

describe('where prototypes are not as they were', GUARD, () => {
  /** Runs a program of its own: what it does to the prototypes stays there. */
  async function run(program) {
    const { execFile } = await import('node:child_process');
    const { promisify } = await import('node:util');
    const args = ['--input-type=module', '--eval', program];
    const { stdout } = await promisify(execFile)(process.execPath, args);
    return stdout.trim();
  }
  const refuse = `fetch: async () => new Response('{"error":{"code":"c"}}', { status: 400 })`;

  test('since they are frozen, a call fails like any other', async () => {
    const printed = await run(`
      const all = [Object, Function, Array, Promise, Error, TypeError, Map, Set, WeakMap, Symbol, RegExp, String];
      for (const { prototype } of all) Object.freeze(prototype);
      const { generate, RateLimitError } = await import('lemondata-wasm');
      const error = await generate({ prompt: 'x' }, { apiKey: 'sk-1', ${refuse} }).catch((error) => error);
      const { createLemonData } = await import('lemondata-wasm/ai-sdk');
      const image = createLemonData({ apiKey: 'sk-1', ${refuse} }).image('x');
      const { name } = await image.doGenerate({ prompt: 'x', n: 1, providerOptions: {} }).catch((error) => error);
      console.log(error.name, error.code, new RateLimitError({ message: 'x' }).name, name);`);
    assert.equal(printed, 'InvalidRequestError c RateLimitError AI_APICallError');
  });

  test('since a library has added to them, an error holds its own fields alone', async () => {
    const printed = await run(`
      Object.prototype.extend = () => {};
      const { generate } = await import('lemondata-wasm');
      const error = await generate({ prompt: 'x' }, { apiKey: 'sk-1', ${refuse} }).catch((error) => error);
      console.log(Object.keys(error).join());`);
    assert.equal(printed, 'kind,outcome,status,code,body');
  });
});

describe('a call', GUARD, () => {
  test('is what it was when it was made, whatever the caller changes afterwards', async () => {
    const bodies = [];
    const options = {
      apiKey: 'sk-1',
      fetch: async (_, { body }) => {
        bodies.push(JSON.parse(body).prompt);
        return answer(done);
      },
    };
    const changing = { ...request };
    const calls = ['one', 'two', 'three'].map((prompt) => {
      changing.prompt = prompt;
      return generate(changing, options);
    });
    options.fetch = throws;
    await Promise.all(calls);
    assert.deepEqual(bodies, ['one', 'two', 'three']);
  });

  test('that fails names its caller in the stack', async () => {
    async function paintTheKitchen() {
      await generate(request, { apiKey: 'sk-1', fetch: async () => answer({}, { status: 400 }) });
    }
    const error = await failure(paintTheKitchen());
    assert.match(error.stack, /^InvalidRequestError: POST/);
    assert.match(error.stack, /paintTheKitchen.*harm\.test\.js/);
    assert.ok(error.stack.length < 3000, `${error.stack.length} characters`);
  });

  for (const [title, options] of [
    ['at the service', "{ apiKey: 'sk-1', fetch: async () => new Response('{}', { status: 400 }) }"],
    ['before it is sent', '{ apiKy: 1 }'],
  ]) {
    for (const draw of ['generate', 'new LemonData().generate']) {
      test(`by ${draw} that fails ${title}, and that no code catches, shows the line of the program`, async () => {
        const line = `await ${draw}({ prompt: 'x' }, ${options});`;
        const program = `import { generate, LemonData } from 'lemondata-wasm';\n${line}`;
        const printed = await new Promise((resolve) => {
          execFile(process.execPath, ['--input-type=module', '--eval', program], (_error, _stdout, stderr) =>
            resolve(stderr),
          );
        });
        assert.equal(printed.split('\n')[1], line, printed);
        assert.match(printed, /InvalidRequestError: /);
        assert.ok(printed.length < 5000, `${printed.length} characters`);
      });
    }
  }
});

describe('rule 3: a key', GUARD, () => {
  const fetch = async () =>
    answer({ data: [{ url: 'https://cdn.test.example/test/id' }], id: 'test', created: 1 });

  for (const apiKey of ['test', 'id', 'url', 'data', 'suggestions', 'cdn.test.example']) {
    test(`leaves results as they are: ${apiKey}`, async () => {
      const { data } = await generate(request, { apiKey, fetch });
      assert.equal(data[0].url, 'https://cdn.test.example/test/id');
    });
  }

  test('is not in the update of a task that has failed', async () => {
    const apiKey = 'sk-secret-1';
    const failed = async () => answer({ task_id: 't', status: 'failed', error: `No account of ${apiKey}.` });
    const updates = [];
    await failure(waitForTask('t', { apiKey, fetch: failed, onUpdate: (task) => updates.push(task.error) }));
    assert.deepEqual(updates, ['No account of [key].']);
  });

  test('that is a word leaves the fields of an error as they are', async () => {
    const body = { error: { message: 'No such code.', code: 'test', suggestions: [{ id: 'a' }] } };
    const refuse = async () => answer(body, { status: 400 });
    for (const apiKey of ['code', 'suggestions']) {
      const error = await failure(generate(request, { apiKey, fetch: refuse }));
      assert.deepEqual([error.code, error.suggestions, error.body], ['test', [{ id: 'a' }], body]);
    }
  });
});
