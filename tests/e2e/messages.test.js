/** The usual mistakes of a new user: each brings a sentence with the mistake and its remedy, before anything is sent. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { describe, test } from 'node:test';
import * as lemondata from 'lemondata-wasm';
import {
  ConnectionError,
  edit,
  editAndWait,
  generate,
  generateAndWait,
  getTask,
  InvalidRequestError,
  LemonData,
  LemonDataError,
  listModels,
  RateLimitError,
  ServerError,
  toBlob,
  waitForTask,
} from 'lemondata-wasm';
import { failure } from '../helpers/failure.js';
import { fakePage, pretend } from '../helpers/fake-page.js';
import { answer } from '../helpers/fake-time.js';

const GUARD = { timeout: 10_000 };
const request = { model: 'gpt-image-2', prompt: 'a lemon' };
const done = () => answer({ data: [{ url: 'https://x.test/1.png' }] });

/** A service that gives the same answer each time, the requests it got, and the options for it. */
function service(makeAnswer = done) {
  const requests = [];
  const fetch = async (url, { headers }) => {
    requests.push({ url, key: new Headers(headers).get('authorization') });
    return makeAnswer();
  };
  return { requests, options: { apiKey: 'sk-1', fetch } };
}

const MISSING =
  'apiKey is missing or empty: is LEMONDATA_API_KEY set? In a web page, set baseUrl to a relay that holds it.';

/** Checks that a call is refused in these words, and that nothing is sent for it. */
async function refuses(call, param, message) {
  const { requests, options } = service();
  const error = await failure(call(options));
  assert.ok(error instanceof InvalidRequestError, `${error}`);
  assert.deepEqual([error.message, error.param, error.outcome], [message, param, 'not_sent']);
  assert.deepEqual(requests, []);
}

describe('an unknown option is refused', GUARD, () => {
  const CALLS = {
    generate: (options) => generate(request, options),
    edit: (options) => edit({ ...request, image_url: 'https://x.test/1' }, options),
    waitForTask: (options) => waitForTask('t', options),
    listModels,
    toBlob: (options) => toBlob({ url: 'https://x.test/1' }, options),
    'a client': (options) => new LemonData(options).getTask('t'),
    'listModels of a client': (options) => new LemonData(options).listModels(),
  };
  for (const [name, call] of Object.entries(CALLS)) {
    test(`by ${name}`, () =>
      refuses(
        (options) => call({ ...options, baseURL: 'https://x.test' }),
        'baseURL',
        "Unknown option 'baseURL'. Did you mean baseUrl?",
      ));
  }

  for (const [name, suggestion] of [
    ['timeout', ' Did you mean requestTimeout?'],
    ['api_key', ' Did you mean apiKey?'],
    ['retries', ' Did you mean maxRetries?'],
    ['abortSignal', ' Did you mean signal?'],
    ['n', ''],
    ['onProgress', ''],
  ]) {
    test(`${name}:${suggestion || ' no suggestion'}`, () =>
      refuses(
        (options) => generate(request, { ...options, [name]: 1 }),
        name,
        `Unknown option '${name}'.${suggestion}`,
      ));
  }

  test('but not one that is undefined', async () => {
    const { options } = service();
    assert.equal((await generate(request, { ...options, baseURL: undefined })).status, 'completed');
  });
});

describe('an option in the request is refused, since it would be sent', GUARD, () => {
  for (const call of [generate, generateAndWait, edit, editAndWait]) {
    for (const [name, option] of [
      ['apiKey', 'apiKey'],
      ['api_key', 'apiKey'],
      ['baseURL', 'baseUrl'],
      ['signal', 'signal'],
    ]) {
      test(`${call.name}: ${name}`, () =>
        refuses(
          (options) => call({ ...request, image_url: 'https://x.test/1', [name]: 'x' }, options),
          name,
          `${name} is an option: pass ${option} behind the request, not in it.`,
        ));
    }
  }
});

describe('a wrong value is printed', GUARD, () => {
  const INTEGER = 'n must be a positive integer; it is';
  const TEXT = 'prompt must be a string that is not empty; it is';
  for (const [field, value, message] of [
    ['n', 0, `${INTEGER} 0.`],
    ['n', 1.5, `${INTEGER} 1.5.`],
    ['n', '2', `${INTEGER} a string.`],
    ['prompt', '', `${TEXT} an empty string.`],
    ['prompt', undefined, `${TEXT} missing.`],
  ]) {
    test(message, () =>
      refuses((options) => generate({ ...request, [field]: value }, options), field, message),
    );
  }
});

describe('no task is', GUARD, () => {
  const NO_TASK = 'task must be an id, or an object with task_id, id or poll_url; it is';
  const OTHER_TEXT = 'task must be an id; pass a URL as { poll_url }, stored JSON as JSON.parse(text).';
  for (const [name, makeTask, message] of [
    ['a promise', () => generate(request, service().options), `${NO_TASK} a promise: await it first.`],
    ['a URL', () => 'https://api.lemondata.cc/v1/tasks/t', OTHER_TEXT],
    ['a path', () => '/v1/tasks/t', OTHER_TEXT],
    ['a task as JSON', () => JSON.stringify({ task_id: 't' }), OTHER_TEXT],
    ['an id as JSON', () => JSON.stringify('t'), OTHER_TEXT],
    ['an object that a storage made a text', () => String({ task_id: 't' }), OTHER_TEXT],
    ['an empty id', () => '', `${NO_TASK} an empty string.`],
  ]) {
    for (const call of [waitForTask, getTask]) {
      test(`${name}, for ${call.name}`, () =>
        refuses((options) => call(makeTask(), options), 'task', message));
    }
  }
});

describe('a key that cannot be right', GUARD, () => {
  const ALONE =
    'apiKey must be the key alone: visible ASCII without Bearer, quotes, white space or a line break.';
  for (const [apiKey, message] of [
    ['Bearer sk-1', ALONE],
    ['"sk-1"', ALONE],
    ["'sk-1'", ALONE],
    ['sk-1\n', ALONE],
    ['sk-1\r', ALONE],
    ['sk-…', ALONE],
    ['', MISSING],
  ]) {
    for (const value of [apiKey, () => apiKey]) {
      test(`${JSON.stringify(apiKey)} of a ${typeof value}`, () =>
        refuses((options) => generate(request, { ...options, apiKey: value }), 'apiKey', message));
    }
  }

  test('but an idempotency key may be quoted', async () => {
    const { options } = service();
    assert.equal((await generate(request, { ...options, idempotencyKey: '"1"' })).status, 'completed');
    await refuses(
      (options) => generate(request, { ...options, idempotencyKey: '' }),
      'idempotencyKey',
      ALONE.replace('apiKey', 'idempotencyKey'),
    );
  });

  describe('in a page', () => {
    const IN_PAGE =
      'apiKey must not be in a web page, where every visitor can read it: set baseUrl to a relay that holds it, or ' +
      'set dangerouslyAllowBrowser.';
    const headers = { Authorization: 'Bearer sk-1' };

    test('is refused', (t) => {
      fakePage(t);
      return refuses((options) => generate(request, options), 'apiKey', IN_PAGE);
    });

    test('is refused in headers for the service, too', async (t) => {
      fakePage(t);
      await refuses(({ fetch }) => generate(request, { fetch, headers }), 'apiKey', IN_PAGE);
      const { options, requests } = service();
      const { fetch } = options;
      await generate(request, { fetch, headers, dangerouslyAllowBrowser: true });
      // They may be what a server of the page's own wants.
      await generate(request, { fetch, headers, baseUrl: 'https://gateway.test' });
      assert.equal(requests.length, 2);
    });
  });

  test('beside a relay', () =>
    refuses(
      (options) => generate(request, { ...options, relay: true, baseUrl: 'https://relay.test' }),
      'apiKey',
      'apiKey is not for a relay: leave out apiKey or relay.',
    ));

  test('a relay without an address would be the service itself', () =>
    refuses(
      ({ fetch }) => generate(request, { fetch, relay: true, headers: { cookie: 'session=1' } }),
      'baseUrl',
      'baseUrl is missing: set it to the URL of the relay.',
    ));
});

describe('baseUrl', GUARD, () => {
  const WRONG =
    'baseUrl must be an http(s) URL without /v1/images, credentials, query and fragment. A path works in a web page alone.';
  const SERVICE = 'https://api.lemondata.cc';

  for (const baseUrl of [
    `${SERVICE}/v1/images/generations`,
    `${SERVICE}/v1/images`,
    'localhost:3000/api/lemondata',
    '/api/lemondata',
    '',
  ]) {
    for (const call of [(options) => generate(request, options), listModels]) {
      test(`${baseUrl || 'an empty string'} is refused`, () =>
        refuses((options) => call({ ...options, baseUrl }), 'baseUrl', WRONG));
    }
  }

  test('may end with /v1', async () => {
    const { requests, options } = service();
    for (const path of ['', '/', '/v1', '/v1/']) {
      await generate(request, { ...options, baseUrl: `${SERVICE}${path}` });
    }
    assert.deepEqual(
      requests.map(({ url }) => url),
      Array(4).fill(`${SERVICE}/v1/images/generations`),
    );
  });
});

describe('toBlob', GUARD, () => {
  const WHOLE = 'image must be one image, such as result.data[0]; it is a whole result.';
  const NO_IMAGE = 'image must be an image of result.data, with a url or b64_json; it is';
  for (const [name, image, message] of [
    ['a result', { data: [{ url: 'https://x.test/1' }] }, WHOLE],
    ['its data', [{ url: 'https://x.test/1' }], WHOLE],
    ['a promise', Promise.resolve({}), `${NO_IMAGE} a promise: await it first.`],
    ['nothing', undefined, `${NO_IMAGE} missing.`],
  ]) {
    test(`of ${name}`, () => refuses((options) => toBlob(image, options), 'image', message));
  }
});

describe('a connection that fails names the host', GUARD, () => {
  test('which is down', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const origin = `http://127.0.0.1:${server.address().port}`;
    server.close();
    const options = { apiKey: 'sk-1', baseUrl: `${origin}/api`, maxRetries: 0 };
    const reason = `the connection failed. Is ${origin} up?`;
    for (const [call, start] of [
      [() => generate(request, options), 'POST /api/v1/images/generations was not sent'],
      [() => edit({ ...request, image: new Blob(['x']) }, options), 'POST /api/v1/images/edits was not sent'],
      [() => getTask('t', options), 'GET /api/v1/tasks/t got no answer'],
      [() => listModels(options), 'GET /api/v1/models got no answer'],
    ]) {
      const error = await failure(call());
      assert.ok(error instanceof ConnectionError, `${error}`);
      assert.equal(error.message, `${start}: ${reason}`);
    }
  });

  test('and in a page allowedOrigins', async (t) => {
    fakePage(t);
    const fetch = () => Promise.reject(new TypeError('Failed to fetch'));
    const options = { baseUrl: 'https://relay.test', relay: true, maxRetries: 0, fetch };
    const advice =
      'Is https://relay.test up? A page of another origin needs its permission (allowedOrigins of a relay).';
    for (const call of [
      () => generate(request, options),
      () => getTask('t', options),
      () => listModels(options),
    ]) {
      const { message } = await failure(call());
      assert.ok(message.endsWith(advice), message);
    }
  });
});

describe('an answer that refuses', GUARD, () => {
  const refused = (status, body) => service(() => answer(body, { status })).options;
  const elsewhere = { apiKey: undefined, baseUrl: 'https://gateway.test' };

  test('with 401 says that no key was set, where none was', async () => {
    const options = refused(401, { error: { message: 'Who are you' } });
    const { message } = await failure(generate(request, { ...options, ...elsewhere }));
    assert.match(message, /status 401: Who are you\. Check the API key\. No apiKey was set\.$/);
    const keyed = await failure(generate(request, options));
    assert.match(keyed.message, /status 401: Who are you\. Check the API key\.$/);
  });

  test('with a reason has no advice about baseUrl', async () => {
    for (const status of [400, 404, 500]) {
      const { message } = await failure(
        generate(request, refused(status, { error: { message: 'Not now.' } })),
      );
      assert.ok(message.endsWith(`status ${status}: Not now.`), message);
    }
  });

  test('without JSON may come from a wall in front of the service, so it blames no key alone', async () => {
    const advice = " Check baseUrl, or the dev server's proxy.";
    for (const [status, page, first] of [
      [401, '<title>Authentication Required</title>', ' Check the API key.'],
      [402, 'DEPLOYMENT_DISABLED', ' Top up, or choose a cheaper model.'],
      [403, '<title>Just a moment...</title>', ' Check what this key may use.'],
      [403, 'error code: 1010', ' Check what this key may use.'],
    ]) {
      const { message } = await failure(generate(request, refused(status, page)));
      assert.ok(message.endsWith(`status ${status}.${first}${advice}`), message);
    }
  });

  test('in its type alone lets the next model try', async () => {
    const answers = [answer({ error: { type: 'model_not_found', message: 'No' } }, { status: 400 }), done()];
    const { options } = service(() => answers.shift());
    assert.equal((await generate(request, { ...options, fallback: ['b'] })).model, 'b');
  });
});

describe('an answer of another server leads to baseUrl and the proxy', GUARD, () => {
  const PAGE = '<!doctype html><title>App</title>';
  const options = (status, body) => service(() => answer(body, { status })).options;
  const CHECK = "heck baseUrl, or the dev server's proxy.";

  // Vite answers what it does not know with an empty 404; its proxy, an empty 500 or 502 if the server is down.
  for (const [status, body] of [
    [404, ''],
    [404, PAGE],
    [405, PAGE],
    [500, ''],
    [502, PAGE],
  ]) {
    test(`${status}, ${body ? 'a page' : 'empty'}`, async () => {
      for (const call of [
        generate(request, options(status, body)),
        getTask('t', options(status, body)),
        listModels(options(status, body)),
      ]) {
        const { message } = await failure(call);
        assert.match(message, new RegExp(`was answered with status ${status}[.:] [Cc]`));
        assert.ok(message.endsWith(CHECK), message);
      }
    });
  }

  // The server of a single-page app may answer every path with the page.
  test('200, a page', async () => {
    for (const call of [generate(request, options(200, PAGE)), getTask('t', options(200, PAGE))]) {
      const { message } = await failure(call);
      const reason = `was answered, but its body is not JSON: it broke off, or is a web page. C${CHECK}`;
      assert.ok(message.endsWith(reason), message);
    }
    const { message } = await failure(listModels(service(() => new Response(PAGE)).options));
    assert.equal(message, `GET /v1/models was answered, but holds no list of models: c${CHECK}`);
  });
});

test('a Node without fetch is too old', GUARD, async (t) => {
  pretend(t, { Headers: undefined });
  const { fetch } = service().options;
  const { message, outcome } = await failure(generate(request, { apiKey: 'sk-1', fetch }));
  assert.deepEqual([message, outcome], ['fetch is missing: use Node 20 or later.', 'not_sent']);
});

test('a pending generation has no placeholders as data', GUARD, async () => {
  for (const data of [[{ url: '' }], [], undefined]) {
    const { options } = service(() => answer({ status: 'pending', task_id: 't', data }));
    for (const call of [generate(request, options), getTask('t', options)]) {
      assert.deepEqual(await call, { status: 'pending', task_id: 't' });
    }
  }
});

test('an error that a test makes is of its class', () => {
  const error = new RateLimitError({ message: 'Slow down' });
  assert.ok(error instanceof RateLimitError && error instanceof LemonDataError);
  assert.ok(!(error instanceof ServerError));
  assert.equal(error.kind, 'rate_limit');
  // `instanceof` knows an error by its name, also one of another copy of the package; a prototype has none.
  const classes = Object.values(lemondata).filter((value) => Object.getPrototypeOf(value) === LemonDataError);
  assert.ok(classes.length > 10);
  for (const Class of classes) assert.ok(new Class({ message: 'No' }) instanceof Class, Class.name);
});

describe('the key of the environment', GUARD, () => {
  const LEMONDATA = 'https://api.lemondata.cc';
  const TOKENLAB = 'https://api.tokenlab.sh';
  const both = { LEMONDATA_API_KEY: 'sk-lemon', TOKENLAB_API_KEY: 'sk-token' };

  /** Sets the variables until the test is over. */
  const set = (t, env) => pretend(t, { process: Object.assign(Object.create(process), { env }) });

  /** Where a request goes, and with which key. */
  async function destination(options) {
    const { requests, options: own } = service();
    await generate(request, { fetch: own.fetch, ...options });
    return [new URL(requests[0].url).origin, requests[0].key];
  }

  for (const [name, env, options, expected] of [
    ['is read', both, {}, [LEMONDATA, 'Bearer sk-lemon']],
    ['chooses its address', { TOKENLAB_API_KEY: 'sk-token' }, {}, [TOKENLAB, 'Bearer sk-token']],
    ['is that of the address', both, { baseUrl: `${TOKENLAB}/v1` }, [TOKENLAB, 'Bearer sk-token']],
    ['yields to apiKey', both, { apiKey: 'sk-own' }, [LEMONDATA, 'Bearer sk-own']],
    ['yields to headers', both, { headers: { authorization: 'Own' } }, [LEMONDATA, 'Own']],
    ['goes to no relay', both, { baseUrl: LEMONDATA, relay: true }, [LEMONDATA, null]],
    ['goes to no other host', both, { baseUrl: `${LEMONDATA}.x.test` }, [`${LEMONDATA}.x.test`, null]],
    ['goes to no other port', both, { baseUrl: `${LEMONDATA}:8443` }, [`${LEMONDATA}:8443`, null]],
    [
      'goes to no other scheme',
      both,
      { baseUrl: LEMONDATA.replace('s:', ':') },
      ['http://api.lemondata.cc', null],
    ],
    [
      'of one address does not go to the other',
      { LEMONDATA_API_KEY: 'sk-1' },
      { baseUrl: TOKENLAB },
      [TOKENLAB, null],
    ],
  ]) {
    test(name, async (t) => {
      set(t, env);
      assert.deepEqual(await destination(options), expected);
    });
  }

  test('is missing where the variable is empty', async (t) => {
    set(t, { LEMONDATA_API_KEY: '' });
    await refuses(({ fetch }) => generate(request, { fetch }), 'apiKey', MISSING);
  });

  test('is not read in a page', async (t) => {
    set(t, both);
    fakePage(t);
    await refuses(
      ({ fetch }) => generate(request, { fetch, dangerouslyAllowBrowser: true }),
      'apiKey',
      MISSING,
    );
  });
});
