/** The list of models: what is sent, what comes back, and how it fails. */

import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { after, afterEach, before, describe, test } from 'node:test';
import { failure } from '../../tests/helpers/failure.js';
import { fakeTime } from '../../tests/helpers/fake-time.js';
import { startServer } from '../../tests/server/index.js';
import {
  AuthenticationError,
  ConnectionError,
  InvalidRequestError,
  NotFoundError,
  PaymentRequiredError,
  PermissionDeniedError,
  RateLimitError,
  RequestTimeoutError,
  ResponseError,
  ServerError,
} from './errors.js';
import { listModels } from './models.js';

const KEY = 'sk-test-0123456789abcdef';

let server;
before(async () => {
  server = await startServer();
});
after(() => server.close());
afterEach(() => server.reset());

const list = (options, defaults) => listModels({ baseUrl: server.url, ...options }, defaults);
const sent = () => server.counts.requests.map(({ path }) => path);
const lastHeaders = () => server.counts.requests.at(-1).headers;

describe('a list', () => {
  test('holds the image models by default', async () => {
    const models = await list();
    assert.ok(models.some(({ id }) => id === 'gpt-image-2'));
    assert.ok(models.every(({ tokenlab }) => tokenlab.category === 'image'));
    assert.deepEqual(sent(), ['/v1/models?category=image']);
  });

  test('is chosen by category, recommendation and view', async () => {
    assert.deepEqual(
      (await list({ category: 'video' })).map(({ id }) => id),
      ['seedance-2.0'],
    );
    const [first] = await list({ recommendedFor: 'image', view: 'compact' });
    assert.equal(first.recommendation.preferred_rank, 1);
    await list({ category: '' });
    assert.deepEqual(sent(), [
      '/v1/models?category=video',
      '/v1/models?category=image&recommended_for=image&view=compact',
      '/v1/models',
    ]);
  });

  test('takes the defaults of a client, and the options of a call over them', async () => {
    const defaults = { baseUrl: server.url, category: 'video', headers: { 'x-a': '1' } };
    assert.equal((await listModels(undefined, defaults)).length, 1);
    assert.equal(lastHeaders()['x-a'], '1');
    assert.ok((await listModels({ category: 'image', headers: { 'x-a': '2' } }, defaults)).length > 1);
    assert.equal(lastHeaders()['x-a'], '2');
  });

  test('comes from a base URL of any spelling', async () => {
    for (const path of ['', '/', '/v1', '/v1/']) await listModels({ baseUrl: server.url + path });
    assert.deepEqual(new Set(sent()), new Set(['/v1/models?category=image']));
    const error = await failure(listModels({ baseUrl: `${server.url}/api/lemondata/` }));
    assert.ok(error instanceof NotFoundError);
    assert.equal(sent().at(-1), '/api/lemondata/v1/models?category=image');
  });

  test('comes from the service where no base URL says otherwise', async () => {
    const urls = [];
    const fetch = async (url) => {
      urls.push(url);
      return Response.json({ data: [{ id: 'x' }] });
    };
    assert.deepEqual(await listModels({ fetch }), [{ id: 'x' }]);
    assert.deepEqual(urls, ['https://api.lemondata.cc/v1/models?category=image']);
  });
});

describe('rule 3: the key', () => {
  test('is neither read nor sent, since the list needs none', async () => {
    let isRead = false;
    const apiKey = () => {
      isRead = true;
      return KEY;
    };
    await list({ apiKey });
    await list({}, { apiKey: KEY });
    assert.equal(isRead, false);
    for (const { headers } of server.counts.requests) assert.equal(headers.authorization, undefined);
  });

  test('of a header goes where the caller sends it', async () => {
    await list({ relay: true, headers: async () => ({ authorization: `Bearer ${KEY}` }) });
    assert.equal(lastHeaders().authorization, `Bearer ${KEY}`);
  });

  test('goes nowhere with a redirect', async () => {
    const foreign = await startServer();
    try {
      server.next({
        on: 'models',
        reply: { status: 307, headers: { location: `${foreign.url}/v1/models` } },
      });
      const error = await failure(list({ headers: { authorization: KEY } }));
      assert.ok(error instanceof ResponseError);
      assert.match(error.message, new RegExp(`if you trust it, set baseUrl to ${foreign.url}\\.$`));
      assert.equal(foreign.counts.requests.length, 0);
    } finally {
      await foreign.close();
    }
    server.next({ on: 'models', reply: { status: 308, headers: { location: '/elsewhere' } } });
    assert.match((await failure(list())).message, /check baseUrl\.$/);
  });
});

describe('rule 4: a request for the list', { timeout: 10_000 }, () => {
  const hang = () => new Promise(() => {});

  test('ends after a minute', async (t) => {
    const time = fakeTime(t);
    const error = await failure(time.until(listModels({ fetch: hang })));
    assert.ok(error instanceof RequestTimeoutError);
    assert.equal(time.now(), 60_000);
    assert.equal(time.timers(), 0);
  });

  test('leaves no timer behind where it is answered', async (t) => {
    const time = fakeTime(t);
    const fetch = async () => Response.json({ data: [] });
    assert.deepEqual(await time.until(listModels({ fetch })), []);
    assert.equal(time.timers(), 0);
  });

  test('ends after requestTimeout, the headers included', async (t) => {
    const time = fakeTime(t);
    const options = { baseUrl: 'https://x.test', headers: hang, requestTimeout: 5 };
    const error = await failure(time.until(listModels(options)));
    assert.ok(error instanceof RequestTimeoutError);
    assert.equal(time.now(), 5);
  });

  test('ends with the signal, and leaves nothing behind', async () => {
    const controller = new AbortController();
    const { signal } = controller;
    const signals = [];
    const fetch = (_url, init) => {
      signals.push(init.signal);
      return hang();
    };
    const promise = failure(listModels({ fetch, signal }));
    await new Promise((resolve) => setImmediate(resolve));
    const reason = new Error('enough');
    controller.abort(reason);
    assert.equal(await promise, reason);
    assert.equal(signals[0].aborted, true);
    assert.equal(getEventListeners(signal, 'abort').length, 0);
    assert.equal(await failure(listModels({ fetch, signal })), reason);
    assert.equal(signals.length, 1);
  });
});

describe('errors', () => {
  test('have the class of their status and the words of the server', async () => {
    for (const [status, Class] of [
      [400, InvalidRequestError],
      [401, AuthenticationError],
      [402, PaymentRequiredError],
      [403, PermissionDeniedError],
      [404, NotFoundError],
      [408, ServerError],
      [418, InvalidRequestError],
      [429, RateLimitError],
      [500, ServerError],
      [503, ServerError],
    ]) {
      const body = {
        error: {
          message: 'Because.',
          type: 'a_type',
          param: 'p',
          hint: 'Do so.',
          request_id: 'r',
          supported_parameters: ['view'],
        },
      };
      const headers = { 'retry-after': '7', 'x-request-id': `request-${status}` };
      server.next({ on: 'models', reply: { status, body, headers } });
      const error = await failure(list());
      assert.ok(error instanceof Class, `${status}`);
      const { message, code, type, param, hint, requestId, retryAfterMs, outcome } = error;
      assert.equal(message, `GET /v1/models was answered with status ${status}: Because.`);
      assert.deepEqual([error.status, code, type, param, hint], [status, 'a_type', 'a_type', 'p', 'Do so.']);
      assert.deepEqual([requestId, retryAfterMs, outcome], [`request-${status}`, 7000, 'rejected']);
      assert.deepEqual(error.supportedParameters, ['view']);
      assert.deepEqual(error.body, body);
    }
  });

  test('tell when to ask again, in any spelling', async () => {
    const date = (ms) => new Date(ms).toUTCString();
    for (const [headers, error, expected] of [
      [{ 'retry-after': '7' }, { retry_after: 5 }, 7000],
      [{ 'retry-after': date(9000), date: date(5000) }, {}, 4000],
      [{ 'retry-after': date(5000), date: date(9000) }, {}, undefined],
      [{}, { retry_after: 5 }, 5000],
      [{}, {}, undefined],
    ]) {
      server.next({ on: 'models', reply: { status: 429, body: { error }, headers } });
      assert.equal((await failure(list())).retryAfterMs, expected);
    }
  });

  test('tell of an answer that is no list', async () => {
    for (const [body, pattern] of [
      [{ object: 'list' }, /holds no list of models\.$/],
      [{ error: { message: 'Later.' } }, /holds no list of models: Later\.$/],
      ['<html>', /holds no list of models: check baseUrl, or the dev server's proxy\.$/],
      ['', /holds no list of models: check baseUrl, or the dev server's proxy\.$/],
      [null, /holds no list of models\.$/],
    ]) {
      server.next({ on: 'models', reply: { body } });
      const error = await failure(list());
      assert.ok(error instanceof ResponseError, `${body}`);
      assert.match(error.message, pattern);
    }
    const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
    server.next({ on: 'models', reply: { body: deep } });
    assert.ok((await failure(list())) instanceof ResponseError);
  });

  test('tell of a connection that fails', async () => {
    server.next({ on: 'models', reply: { reset: true } });
    const error = await failure(list());
    assert.ok(error instanceof ConnectionError);
    assert.ok(error.cause instanceof TypeError);
    server.next({ on: 'models', reply: { partial: '{"data":[' } });
    assert.ok((await failure(list())) instanceof ConnectionError);
  });

  test('name the option that cannot be used, and nothing is sent', async () => {
    const throws = {
      get baseUrl() {
        throw new Error('no');
      },
    };
    const broken = () => {
      throw new Error(KEY);
    };
    for (const [options, param] of [
      ['https://x.test', 'options'],
      [throws, 'baseUrl'],
      [{ baseUrl: 'ftp://x.test' }, 'baseUrl'],
      [{ baseUrl: '/api' }, 'baseUrl'],
      [{ baseUrl: 'https://x.test?a=b' }, 'baseUrl'],
      [{ baseUrl: 'https://a:b@x.test' }, 'baseUrl'],
      [{ baseUrl: 'blob:https://x.test/1' }, 'baseUrl'],
      [{ baseUrl: 5 }, 'baseUrl'],
      [{ baseUrl: server.url, category: 5 }, 'category'],
      [{ baseUrl: server.url, view: {} }, 'view'],
      [{ baseUrl: server.url, fetch: 'fetch' }, 'fetch'],
      [{ baseUrl: server.url, signal: {} }, 'signal'],
      [{ baseUrl: server.url, requestTimeout: 0 }, 'requestTimeout'],
      [{ baseUrl: server.url, headers: { 'a b': '1' } }, 'headers'],
      [{ baseUrl: server.url, headers: broken }, 'headers'],
    ]) {
      const error = await failure(listModels(options));
      assert.ok(error instanceof InvalidRequestError, param);
      assert.deepEqual([error.param, error.outcome], [param, 'not_sent']);
      assert.ok(error.message.startsWith(param));
      assert.equal(JSON.stringify(error).includes(KEY), false);
    }
    assert.deepEqual(sent(), []);
  });
});
