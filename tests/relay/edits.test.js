/** `POST /v1/images/edits` through the relay, as JSON and as a form, and creates with files. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { beforeEach, describe, test } from 'node:test';
import { getRequestListener } from '@hono/node-server';
import express from 'express';
import { Hono } from 'hono';
import { memoryLimiter, toHono, toNodeHandler } from 'lemondata-wasm/relay';
import { CREATE, clientOf, come, createHarness, KEY, PROMPT } from './harness.js';

const EDIT = '/v1/images/edits';
/** The header that makes a browser ask before it sends a form to another origin. */
const CLIENT = { 'x-lemondata-client': '1' };
const PICTURE_URL = 'https://pictures.example/1.png';
/** No test needs this long: it ends one that would hang. */
const GUARD = { timeout: 20_000 };

const pngOf = (text) => Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), Buffer.from(text)]);
const PNG = pngOf('a picture');
const JPEG = Buffer.concat([Buffer.from('ffd8ffe0', 'hex'), Buffer.alloc(100, 1)]);

let relays;
/** What the service got. */
let requests;
let reply;
beforeEach(() => {
  relays = createHarness({ url: 'https://service.example' });
  requests = [];
  reply = () => Response.json({ created: 1, data: [{ url: 'https://cdn.example/1.png' }] });
});

/** The service: it reads JSON and forms as the platform does. */
async function fetch(url, init) {
  const request = new Request(url, { ...init, ...(init.body && { duplex: 'half' }) });
  const { pathname } = new URL(url);
  const type = request.headers.get('content-type') ?? '';
  const found = { method: request.method, pathname, key: request.headers.get('authorization') };
  if (type.startsWith('multipart/')) {
    const entries = [...(await request.formData())];
    found.form = await Promise.all(
      entries.map(async ([name, value]) =>
        typeof value === 'string'
          ? [name, value]
          : [name, value.name, value.type, Buffer.from(await value.arrayBuffer())],
      ),
    );
  } else if (init.body) found.json = await request.json();
  requests.push(found);
  return reply(found);
}

const make = (options) => relays.make({ fetch, ...options });

/** @param {[name: string, value: string | Buffer, filename?: string][]} entries */
function formOf(...entries) {
  const form = new FormData();
  for (const [name, value, filename = 'C:\\photos\\of me.svg'] of entries) {
    if (typeof value === 'string') form.append(name, value);
    else form.append(name, new Blob([value], { type: 'text/html' }), filename);
  }
  return form;
}

const edit = (relay, body, { headers, ...more } = {}) =>
  relays.ask(relay, 'POST', EDIT, { body, headers: { ...CLIENT, ...headers }, ...more });
const keyed = (relay, key, body) => edit(relay, body, { headers: { 'idempotency-key': key } });

describe('an edit as JSON', () => {
  test('goes to the route of edits, with its pictures by URL', async () => {
    const fields = {
      prompt: PROMPT,
      model: 'gpt-image-2',
      images: [{ image_url: PICTURE_URL }],
      mask: { image_url: PICTURE_URL },
      background: 'transparent',
    };
    const { status, body } = await relays.ask(make(), 'POST', EDIT, { body: { ...fields, user: 'bob' } });
    assert.equal(status, 200);
    assert.deepEqual(body, { created: 1, status: 'completed', data: [{ url: 'https://cdn.example/1.png' }] });
    assert.deepEqual(requests, [
      { method: 'POST', pathname: EDIT, key: `Bearer ${KEY}`, json: { ...fields, n: 1, user: 'ann' } },
    ]);
    const [event] = relays.events;
    assert.deepEqual([event.route, event.upstream, event.model], ['edit', 'edit', 'gpt-image-2']);
  });

  test('is checked: pictures, masks and files of the account', async () => {
    const relay = make();
    for (const [fields, param] of [
      [{}, 'image'],
      [{ images: [] }, 'images'],
      [{ images: [{ file_id: 'file_1' }] }, 'images'],
      [{ images: [{ image_url: PICTURE_URL, file_id: 'file_1' }] }, 'images'],
      [{ images: [PICTURE_URL] }, 'images'],
      [{ images: [{ image_url: 'http://x.example/1.png' }] }, 'images'],
      [{ images: Array.from({ length: 17 }, () => ({ image_url: PICTURE_URL })) }, 'images'],
      [{ images: { image_url: PICTURE_URL } }, 'images'],
      [{ image_url: PICTURE_URL, mask: PICTURE_URL }, 'mask'],
      [{ image_url: PICTURE_URL, mask: { file_id: 'file_1' } }, 'mask'],
      [{ image_url: PICTURE_URL, mask: [] }, 'mask'],
      [{ image_url: PICTURE_URL, image: 'x' }, 'image'],
    ]) {
      const { status, body } = await relays.ask(relay, 'POST', EDIT, { body: { prompt: PROMPT, ...fields } });
      assert.equal(status, 400, JSON.stringify(fields).slice(0, 100));
      assert.equal(body.error.param, param, body.error.message);
    }
    assert.deepEqual(requests, []);
    for (const fields of [{ image_url: PICTURE_URL }, { image_urls: [PICTURE_URL] }]) {
      assert.equal(
        (await relays.ask(relay, 'POST', EDIT, { body: { prompt: PROMPT, ...fields } })).status,
        200,
      );
    }
  });

  test('names what it needs', async () => {
    const { body } = await relays.ask(make(), 'POST', EDIT, { body: { prompt: PROMPT } });
    assert.equal(
      body.error.message,
      'An edit needs a picture: a file named image, or one of image_url, image_urls, images.',
    );
  });

  test('may name files of the account where the operator lists the field', async () => {
    const images = [{ file_id: 'file_1' }];
    const relay = make({ allowedFields: ['images'] });
    assert.equal((await relays.ask(relay, 'POST', EDIT, { body: { prompt: PROMPT, images } })).status, 200);
    assert.deepEqual(requests[0].json.images, images);
  });
});

describe('an edit as a form', () => {
  test('goes on as a form that the relay has built: names and types of files are its own', async () => {
    const form = formOf(
      ['image[]', PNG],
      ['prompt', PROMPT],
      ['image', JPEG],
      ['mask', PNG],
      ['n', '2'],
      ['seed', '-7'],
      ['async', 'false'],
      ['reference_image_urls', `${PICTURE_URL}, https://pictures.example/2.png`],
      ['user', 'bob'],
    );
    const { status, text } = await edit(make(), form);
    assert.equal(status, 200, text);
    assert.deepEqual(requests, [
      {
        method: 'POST',
        pathname: EDIT,
        key: `Bearer ${KEY}`,
        form: [
          ['prompt', PROMPT],
          ['n', '2'],
          ['seed', '-7'],
          ['async', 'false'],
          ['reference_image_urls', `${PICTURE_URL},https://pictures.example/2.png`],
          ['user', 'ann'],
          ['image', 'image-0.png', 'image/png', PNG],
          ['image', 'image-1.jpeg', 'image/jpeg', JPEG],
          ['mask', 'mask-2.png', 'image/png', PNG],
        ],
      },
    ]);
  });

  test('starts a task like any create', async () => {
    reply = () => Response.json({ task_id: 'ldtask_1', status: 'pending', poll_url: '/v1/tasks/ldtask_1' });
    const relay = make();
    const { body } = await edit(relay, formOf(['prompt', PROMPT], ['image', PNG]));
    assert.match(body.task_id, /^t_/);
    assert.equal((await relays.poll(relay, body.task_id)).body.status, 'pending');
    assert.equal(requests[1].pathname, '/v1/tasks/ldtask_1');
    assert.equal((await relays.poll(relay, body.task_id, { user: 'bob' })).status, 404);
  });

  test('fails like any create', async () => {
    const image = ['image', PNG];
    for (const [answer, status, code, outcome] of [
      [{ status: 400, code: 'unsupported_parameter' }, 400, 'unsupported_parameter', 'rejected'],
      [{ status: 402, code: 'insufficient_balance' }, 403, 'upstream_refused', 'rejected'],
      [{ status: 500, code: 'server_error' }, 500, 'server_error', 'unknown'],
    ]) {
      relays.events.length = 0;
      const error = { message: 'No.', code: answer.code };
      reply = () => Response.json({ error }, { status: answer.status });
      const { body, ...found } = await edit(make(), formOf(['prompt', PROMPT], image));
      assert.deepEqual([found.status, body.error.code], [status, code]);
      assert.deepEqual([relays.events[0].upstream, relays.events[0].outcome], ['edit', outcome]);
      assert.match(relays.events[0].message, /^POST \/v1\/images\/edits was answered/);
    }
  });

  test('is refused without the header that no foreign page can send unasked', async () => {
    const form = formOf(['prompt', PROMPT], ['image', PNG]);
    for (const headers of [{ 'x-lemondata-client': '' }, { 'x-lemondata-client': '2' }]) {
      const { status, body } = await edit(make(), form, { headers });
      assert.equal(status, 415);
      assert.deepEqual(body.error, {
        message: 'A form needs the header x-lemondata-client: 1.',
        type: 'relay_error',
        code: 'unsupported_media_type',
        hint: 'The client of this package sends it. A foreign page cannot, unless it asks the relay first.',
      });
    }
    const bare = await relays.ask(make(), 'POST', EDIT, { body: form });
    assert.equal(bare.status, 415);
    assert.deepEqual(requests, []);
  });

  test('is checked like JSON: its texts, its files and their names', async () => {
    const relay = make({ models: ['gpt-image-2'] });
    const image = ['image', PNG];
    for (const [entries, param] of [
      [[image], 'prompt'],
      [[['prompt', PROMPT]], 'image'],
      [
        [
          ['prompt', PROMPT],
          ['mask', PNG],
        ],
        'image',
      ],
      [[['prompt', PROMPT], image, ['n', '9']], 'n'],
      [[['prompt', PROMPT], image, ['n', '1.0']], 'n'],
      [[['prompt', PROMPT], image, ['async', 'yes']], 'async'],
      [[['prompt', PROMPT], image, ['stream', 'true']], 'stream'],
      [[['prompt', PROMPT], image, ['model', 'another']], 'model'],
      [[['prompt', PROMPT], image, ['image_urls', 'http://x.example/1.png']], 'image_urls'],
      [[['prompt', PROMPT], image, ['images', '[]']], 'images'],
      [[['prompt', PROMPT], image, ['strength', '1']], 'strength'],
      [[['prompt', PROMPT], image, ['avatar', PNG]], 'avatar'],
      [[['prompt', PROMPT], image, ['mask', PNG], ['mask', PNG]], 'mask'],
      [[['prompt', PNG], image], 'prompt'],
    ]) {
      const { status, body } = await edit(relay, formOf(...entries));
      assert.equal(status, 400, JSON.stringify(entries.map(([name]) => name)));
      assert.equal(body.error.param, param, body.error.message);
    }
    assert.deepEqual(requests, []);
    const listed = make({ allowedFields: ['strength'] });
    await edit(listed, formOf(['prompt', PROMPT], image, ['strength', '0.5']));
    assert.deepEqual(requests[0].form.at(1 + 1), ['strength', '0.5']);
  });

  test('is malformed where it breaks off, and nothing goes on', async () => {
    const type = 'multipart/form-data; boundary=x';
    for (const body of ['', '--x', '--x\r\n\r\n', '--y--', '{"prompt":"x"}']) {
      const { status, text } = await edit(make(), body, { headers: { 'content-type': type } });
      assert.equal(status, 400, text);
      assert.match(text, /malformed, or broke off/);
    }
    for (const bad of ['multipart/form-data', 'multipart/form-data;', 'multipart/form-data; boundary=']) {
      const { status } = await edit(make(), '--x--', { headers: { 'content-type': bad } });
      assert.ok([400, 415].includes(status), bad);
    }
    assert.deepEqual(requests, []);
  });
});

describe('caps of a form', () => {
  test('files and their size, by the options', async () => {
    const relay = make({ maxFiles: 2, maxFileBytes: 1000 });
    const sized = (size) => ['image', Buffer.concat([PNG, Buffer.alloc(size - PNG.length)])];
    assert.equal((await edit(relay, formOf(['prompt', PROMPT], sized(1000), sized(1000)))).status, 200);
    for (const [entries, message] of [
      [[sized(1001)], 'image must not be larger than 1000 bytes.'],
      [[sized(100), sized(100), ['mask', PNG]], 'A request must not hold more than 2 files.'],
    ]) {
      const { status, body } = await edit(relay, formOf(['prompt', PROMPT], ...entries));
      assert.equal(status, 413);
      assert.equal(body.error.code, 'payload_too_large');
      assert.equal(body.error.message, message);
    }
    assert.equal(requests.length, 1);
  });

  /** A form that goes on for ever, and a note of how much of it was read. */
  function endless(head, chunk) {
    const stream = { pulled: 0, isCancelled: false };
    const parts = [head];
    stream.body = new ReadableStream({
      pull(controller) {
        stream.pulled += 1;
        controller.enqueue(new Uint8Array(parts.shift() ?? chunk));
      },
      cancel() {
        stream.isCancelled = true;
      },
    });
    return stream;
  }
  const HEAD = '--x\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\n\r\n';
  const headers = { 'content-type': 'multipart/form-data; boundary=x' };

  /** Behind a framework, a body that is cancelled may end the process, or the connection before its answer. */
  function assertLeft({ isCancelled, pulled }) {
    assert.equal(isCancelled, false);
    assert.ok(pulled <= 1100, `${pulled} chunks were read`);
  }

  test('a form without an end is answered at the cap, and not cancelled', GUARD, async () => {
    const stream = endless(Buffer.concat([Buffer.from(HEAD), PNG]), Buffer.alloc(65_536));
    const { status } = await edit(make({ maxFileBytes: 10_000 }), stream.body, { headers });
    assert.equal(status, 413);
    assertLeft(stream);
  });

  test('a file that is no picture is refused at its first bytes', GUARD, async () => {
    const stream = endless(Buffer.from(HEAD), Buffer.alloc(65_536, '<!doctype html>'));
    assert.equal((await edit(make(), stream.body, { headers })).status, 400);
    assertLeft(stream);
  });

  test('a form that claims to be very large is refused at once', GUARD, async () => {
    const stream = endless(Buffer.from(HEAD), Buffer.alloc(65_536));
    const { status } = await edit(make(), stream.body, {
      headers: { ...headers, 'content-length': `${64 * 1024 * 1024 + 1}` },
    });
    assert.equal(status, 413);
    assertLeft(stream);
  });

  test('what is refused is read to its end, so that its sender comes to read why', GUARD, async () => {
    const head = Buffer.concat([Buffer.from(HEAD), PNG]);
    const rest = Array(20).fill(Buffer.alloc(1000));
    for (const [status, options, more] of [
      [413, { maxFileBytes: 5000 }, {}],
      [401, {}, { user: '' }],
    ]) {
      const parts = [head, ...rest];
      let isCancelled = false;
      const body = new ReadableStream({
        pull(controller) {
          controller.enqueue(new Uint8Array(parts.shift()));
          if (parts.length === 0) controller.close();
        },
        cancel() {
          isCancelled = true;
        },
      });
      const length = { 'content-length': `${head.length + 20_000}` };
      const answer = await edit(make(options), body, { headers: { ...headers, ...length }, ...more });
      assert.equal(answer.status, status);
      assert.deepEqual([parts.length, isCancelled], [0, false]);
    }
  });

  test('a form that does not end in time is given up', GUARD, async () => {
    const body = new ReadableStream({});
    const { status, text } = await edit(make({ uploadTimeoutMs: 5 }), body, { headers });
    assert.equal(status, 400);
    assert.match(text, /too slowly/);
  });

  test('the service’s own caps are the highest', () => {
    for (const options of [
      { maxFiles: 17 },
      { maxFileBytes: 50 * 1024 * 1024 + 1 },
      { uploadTimeoutMs: 0 },
    ]) {
      assert.throws(() => make(options), new RegExp(`${Object.keys(options)} must be`));
    }
  });
});

describe('once only', () => {
  const image = ['image', PNG];
  const prompt = ['prompt', PROMPT];

  test('an edit under a key is sent once, however its form is written', async () => {
    const relay = make();
    const [first, second] = [
      await keyed(relay, 'k', formOf(prompt, image, ['n', '2'])),
      await keyed(relay, 'k', formOf(['n', '2'], ['image[]', PNG, 'another-name.png'], prompt)),
    ];
    assert.equal(first.status, 200);
    assert.equal(second.text, first.text);
    assert.equal(requests.length, 1);
  });

  test('another file, another field or another route make it another request', async () => {
    const relay = make();
    await keyed(relay, 'k', formOf(prompt, image));
    for (const form of [
      formOf(prompt, ['image', pngOf('A picture')]),
      formOf(prompt, image, image),
      formOf(prompt, image, ['mask', PNG]),
      formOf(prompt, image, ['n', '2']),
    ]) {
      assert.equal((await keyed(relay, 'k', form)).body.error.code, 'idempotency_key_reused');
    }
    const asCreate = { body: formOf(prompt, image), headers: { ...CLIENT, 'idempotency-key': 'k' } };
    assert.equal((await relays.ask(relay, 'POST', CREATE, asCreate)).status, 422);
    const json = { prompt: PROMPT, image_url: PICTURE_URL };
    await keyed(relay, 'json', json);
    const created = await relays.keyed(relay, 'json', { image_url: PICTURE_URL });
    assert.equal(created.body.error.code, 'idempotency_key_reused');
    assert.equal(requests.length, 2);
  });

  test('an edit whose outcome is unknown is never sent again', async () => {
    const relay = make();
    reply = () => Promise.reject(new Error('the connection was reset'));
    for (let count = 0; count < 3; count += 1) {
      assert.equal((await keyed(relay, 'k', formOf(prompt, image))).status, 502);
    }
    assert.equal(requests.length, 1);
  });

  test('rule 1: a refusal behind an attempt that was lost leaves the outcome unknown', async (t) => {
    t.mock.method(Math, 'random', () => 0);
    const relay = make({ limiter: memoryLimiter({ creates: 1 }) });
    const statuses = [];
    const client = clientOf(relay, {
      relay: true,
      maxRetries: 1,
      async fetch(url, init) {
        const answer = await relay(new Request(url, init));
        statuses.push(answer.status);
        // The first answer does not come through.
        if (statuses.length === 1) throw new TypeError('The connection was reset.');
        return answer;
      },
    });
    const image = new Blob([PNG]);
    const error = await client.edit({ prompt: PROMPT, image }).catch((error) => error);
    assert.deepEqual(statuses, [200, 429]);
    assert.deepEqual([error.kind, error.outcome], ['rate_limit', 'unknown']);
    assert.match(error.message, /An attempt before this one may have been carried out and billed\.$/);
    assert.equal(requests.length, 1);
  });

  test('many at once are one', async () => {
    const relay = make();
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => keyed(relay, 'k', formOf(prompt, image))),
    );
    assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]));
    assert.equal(requests.length, 1);
  });

  test('a client that leaves does not end it', async () => {
    const kept = [];
    const context = { waitUntil: (promise) => kept.push(promise) };
    await edit(make(), formOf(prompt, image), { context });
    assert.equal((await kept[0]).status, 200);
  });
});

test('a create may bring a picture as a file, too', async () => {
  const body = formOf(['prompt', PROMPT], ['image', JPEG]);
  const { status } = await relays.ask(make(), 'POST', CREATE, { body, headers: CLIENT });
  assert.equal(status, 200);
  assert.equal(requests[0].pathname, CREATE);
  assert.deepEqual(requests[0].form.at(-1), ['image', 'image-0.jpeg', 'image/jpeg', JPEG]);
  const masked = formOf(['prompt', PROMPT], ['image', JPEG], ['mask', PNG]);
  const refused = await relays.ask(make(), 'POST', CREATE, { body: masked, headers: CLIENT });
  assert.equal(refused.body.error.param, 'mask');
});

describe('with a hub', () => {
  let orders;
  const hub = {
    async create(order) {
      orders.push(order);
      return { id: '1', view: { generation: { status: 'pending' } } };
    },
    getTask: () => assert.fail('the hub was asked'),
    watch: () => assert.fail('the hub was asked'),
    picture: () => assert.fail('the hub was asked'),
  };
  beforeEach(() => {
    orders = [];
  });

  test('the hub gets an edit with its files, and the relay needs no store', async () => {
    const relay = make({ hub, store: false });
    const form = (picture) => formOf(['prompt', PROMPT], ['image', picture], ['mask', JPEG]);
    const { status, body } = await keyed(relay, 'k', form(PNG));
    assert.deepEqual([status, body.status], [200, 'pending']);
    await keyed(relay, 'k', form(PNG));
    await keyed(relay, 'k', form(pngOf('another picture')));
    const [first, same, other] = orders;
    assert.deepEqual([first.isEdit, first.request.prompt, first.request.user], [true, PROMPT, 'ann']);
    const files = first.files.map(async ({ name, blob }) => [
      name,
      blob.type,
      Buffer.from(await blob.arrayBuffer()),
    ]);
    assert.deepEqual(await Promise.all(files), [
      ['image', 'image/png', PNG],
      ['mask', 'image/jpeg', JPEG],
    ]);
    assert.deepEqual([same.key, same.fingerprint], [first.key, first.fingerprint]);
    assert.equal(other.key, first.key);
    assert.notEqual(other.fingerprint, first.fingerprint);
    assert.deepEqual(requests, []);
  });

  test('the hub gets the chain of models, and the service never does', async () => {
    const fields = { prompt: PROMPT, model: 'a', fallback: ['b', 'c'] };
    const chainOf = async (options, body = fields) => {
      const relay = make({ hub, models: ['a', 'b', 'c'], ...options });
      const send = body instanceof FormData ? edit : (...args) => relays.create(...args);
      const { status, body: found } = await send(relay, body);
      const order = orders.pop();
      assert.equal(order?.request.fallback, undefined);
      return status === 200 ? order.fallback : [status, found.error.param, found.error.code];
    };
    assert.deepEqual(await chainOf(), ['b', 'c']);
    assert.deepEqual(await chainOf({ extraFields: 'pass' }), ['b', 'c']);
    assert.deepEqual(await chainOf({}, { prompt: PROMPT }), []);
    // A client that goes on by itself names the same chain.
    assert.deepEqual(await chainOf({}, { ...fields, model: 'b' }), ['c']);
    const form = (...more) => formOf(['prompt', PROMPT], ['image', PNG], ...more);
    assert.deepEqual(await chainOf({}, form(['fallback', 'b,c'])), ['b', 'c']);
    assert.deepEqual(await chainOf({}, form(['fallback', ''])), []);
    const wrong = [400, 'fallback', 'invalid_request_error'];
    for (const fallback of ['b', { 0: 'b' }, [5], [''], ['d'], Array(9).fill('b')]) {
      assert.deepEqual(await chainOf({}, { ...fields, fallback }), wrong, JSON.stringify(fallback));
    }

    // Without a hub, the client goes through the chain.
    for (const extraFields of ['refuse', 'pass']) {
      const { status } = await relays.create(make({ extraFields }), { ...fields, fallback: ['d'] });
      assert.equal(status, 200);
      assert.equal(requests.pop().json.fallback, undefined);
    }
  });

  test('another chain under the same key is another request', async () => {
    for (const fallback of [undefined, ['b'], ['c']]) {
      await relays.keyed(make({ hub }), 'k', { model: 'a', fallback });
    }
    assert.equal(new Set(orders.map(({ fingerprint }) => fingerprint)).size, 3);
    assert.equal(new Set(orders.map(({ key }) => key)).size, 1);
  });

  test('the caps of the relay hold', async () => {
    const relay = make({ hub, maxFiles: 1 });
    const { status } = await edit(relay, formOf(['prompt', PROMPT], ['image', PNG], ['image', PNG]));
    assert.equal(status, 413);
    assert.deepEqual(orders, []);
  });
});

describe('behind servers', GUARD, () => {
  const body = () => formOf(['prompt', PROMPT], ['image', PNG], ['image', JPEG]);
  const headers = { ...CLIENT, 'x-user': 'ann' };

  async function listen(t, handler) {
    const http = createServer(handler).listen(0, '127.0.0.1');
    await once(http, 'listening');
    t.after(() => {
      http.closeAllConnections();
      http.close();
    });
    return `http://127.0.0.1:${http.address().port}${EDIT}`;
  }

  for (const [name, handlerOf] of [
    ['http', toNodeHandler],
    [
      'Express, behind its parser of JSON',
      (relay) => express().use(express.json()).use(toNodeHandler(relay)),
    ],
    [
      'Hono, behind a middleware that has read the form',
      (relay) => {
        const app = new Hono();
        app.use(async (c, next) => {
          await c.req.parseBody();
          await next();
        });
        app.all('/v1/*', toHono(relay));
        return getRequestListener(app.fetch, { overrideGlobalObjects: false });
      },
    ],
  ]) {
    test(name, async (t) => {
      const url = await listen(t, handlerOf(make()));
      const response = await globalThis.fetch(url, { method: 'POST', headers, body: body() });
      assert.equal(response.status, 200, await response.text());
      assert.deepEqual(
        requests[0].form.slice(-2).map(([field, , type, bytes]) => [field, type, bytes]),
        [
          ['image', 'image/png', PNG],
          ['image', 'image/jpeg', JPEG],
        ],
      );
    });
  }

  test('a parser of forms in front of the relay is named to the operator', async (t) => {
    const handler = toNodeHandler(make());
    const url = await listen(t, async (incoming, outgoing) => {
      for await (const _ of incoming);
      incoming.body = { prompt: PROMPT };
      handler(incoming, outgoing);
    });
    const response = await globalThis.fetch(url, { method: 'POST', headers, body: body() });
    assert.equal(response.status, 500);
    await come(() => relays.events.some(({ event }) => event === 'refused'));
    assert.match(relays.events[0].message, /^Another part of the server has read the body/);
    assert.deepEqual(requests, []);
  });

  describe('a body that a part of the server cuts off', () => {
    const whole = async () => {
      const { headers: types, body: stream } = new Response(body());
      return {
        type: types.get('content-type'),
        bytes: Buffer.from(await new Response(stream).arrayBuffer()),
      };
    };
    const send = (type, length, stream) =>
      edit(make(), stream, { headers: { 'content-type': type, 'content-length': `${length}` } });
    const assertCutOff = ({ status, body: found }) => {
      assert.equal(status, 413);
      assert.equal(found.error.code, 'payload_too_large');
      assert.match(
        relays.events.find(({ event }) => event === 'refused').message,
        /BODY_SIZE_LIMIT.*Next\.js/,
      );
      assert.deepEqual(requests, []);
    };

    test('by its error is named to the operator: SvelteKit', async () => {
      const { type, bytes } = await whole();
      const error = Object.assign(new Error('Content-length of 600000 exceeds limit.'), { status: 413 });
      const stream = new ReadableStream({ start: (controller) => controller.error(error) });
      assertCutOff(await send(type, bytes.length, stream));
    });

    test('without a word is named to the operator: Next.js', async () => {
      const { type, bytes } = await whole();
      assertCutOff(await send(type, bytes.length, new Blob([bytes.subarray(0, -100)]).stream()));
    });

    test('is told from a client that leaves, and from a form that is malformed', async () => {
      const { type, bytes } = await whole();
      const left = new ReadableStream({
        start(controller) {
          controller.enqueue(new Uint8Array(bytes.subarray(0, 100)));
          controller.error(new Error('aborted'));
        },
      });
      const malformed = new Blob([bytes.subarray(0, -100)]).stream();
      for (const [length, stream] of [
        [bytes.length, left],
        [bytes.length - 100, malformed],
      ]) {
        const { status, body: found } = await send(type, length, stream);
        assert.equal(status, 400);
        assert.match(found.error.message, /malformed, or broke off/);
      }
      assert.ok(relays.events.every(({ event }) => event === 'request'));
    });
  });
});
