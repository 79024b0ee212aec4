/** `edit`, and pictures that go along with a create: as JSON, or as a form. */

import assert from 'node:assert/strict';
import { openAsBlob } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { edit, editAndWait, generate, InvalidRequestError, LemonData } from 'lemondata-wasm';
import { failure } from '../helpers/failure.js';
import { answer } from '../helpers/fake-time.js';

const GUARD = { timeout: 10_000 };
const done = { data: [{ url: 'https://x.test/1.png' }] };
const EDIT = 'https://api.lemondata.cc/v1/images/edits';

/** A service that keeps the requests it gets, and the options for it. */
function service(...answers) {
  const requests = [];
  const fetch = async (url, init) => {
    const { method, headers, body } = new Request(url, { ...init, duplex: 'half' });
    const isForm = init.body instanceof FormData;
    const type = isForm ? undefined : headers.get('content-type');
    const marker = headers.get('x-lemondata-client');
    requests.push({ method, url, type, marker, form: isForm ? [...init.body] : undefined });
    requests.at(-1).json = isForm || !body ? undefined : JSON.parse(init.body);
    return answers[requests.length - 1]?.() ?? answer(done);
  };
  return { requests, options: { apiKey: 'sk-1', fetch } };
}

const picture = new File([Uint8Array.of(1, 2, 3)], 'lemon.png', { type: 'image/png' });
const mask = new Blob([Uint8Array.of(4)], { type: 'image/png' });

const NO_PICTURE = /^image must be a Blob or a list of Blobs; a URL goes into image_url\.$/;

const relay = { relay: true, apiKey: undefined, baseUrl: 'https://relay.test' };

describe('an edit', GUARD, () => {
  test('of a picture at a URL goes as JSON', async () => {
    const { requests, options } = service();
    const request = { model: 'gpt-image-2', prompt: 'Peel it', image_url: 'https://x.test/in.png', n: 2 };
    const generation = await edit(request, options);
    assert.equal(generation.status, 'completed');
    const [{ method, url, type, json }] = requests;
    assert.deepEqual(
      { method, url, type, json },
      { method: 'POST', url: EDIT, type: 'application/json', json: request },
    );
  });

  test('of a Blob goes as a form, with texts as JSON would say them', async () => {
    const { requests, options } = service();
    const request = {
      model: 'gpt-image-2',
      prompt: 'Peel it',
      image: [picture, mask],
      mask,
      n: 2,
      expand_prompt: true,
      image_urls: ['https://x.test/1', 'https://x.test/2'],
      extra: { a: 1 },
      seed: undefined,
      user: null,
    };
    await edit(request, options);
    const form = requests[0].form.map(([name, value]) => [name, value.name ?? value]);
    assert.deepEqual(form, [
      ['model', 'gpt-image-2'],
      ['prompt', 'Peel it'],
      ['image', 'lemon.png'],
      ['image', 'blob'],
      ['mask', 'blob'],
      ['n', '2'],
      ['expand_prompt', 'true'],
      ['image_urls', 'https://x.test/1,https://x.test/2'],
      ['extra', '{"a":1}'],
    ]);
    assert.equal(requests[0].marker, null);
  });

  test('names the type of a picture as its bytes tell it, whatever its Blob or the name of its file says', async () => {
    const { requests, options } = service();
    const png = Buffer.from('iVBORw0KGgoAAAAN', 'base64');
    const jpeg = Uint8Array.of(0xff, 0xd8, 0xff, 0xe0, 0, 16);
    const webp = Buffer.from('RIFF\0\0\0\0WEBPVP8L');
    const image = [
      new Blob([png]),
      new File([jpeg], 'lemon.png', { type: 'image/png' }),
      new Blob([webp], { type: 'application/octet-stream' }),
      new Blob(['another'], { type: 'image/heic' }),
    ];
    await edit({ prompt: 'PNG', image, mask: new File([png], 'mask') }, options);
    const files = requests[0].form.filter(([, value]) => value instanceof Blob);
    assert.deepEqual(
      files.map(([name, file]) => [name, file.name, file.type]),
      [
        ['image', 'blob', 'image/png'],
        ['image', 'lemon.png', 'image/jpeg'],
        ['image', 'blob', 'image/webp'],
        ['image', 'blob', 'image/heic'],
        ['mask', 'mask', 'image/png'],
      ],
    );
    assert.deepEqual(Buffer.from(await files[0][1].arrayBuffer()), png);
    assert.deepEqual(requests[0].form[0], ['prompt', 'PNG']);
  });

  test('of a file that has changed since it was opened is not sent', async (t) => {
    const { requests, options } = service();
    const folder = await mkdtemp(join(tmpdir(), 'lemon-'));
    t.after(() => rm(folder, { recursive: true }));
    const path = join(folder, 'lemon.png');
    await writeFile(path, 'lemon');
    const image = await openAsBlob(path);
    await writeFile(path, 'another lemon');
    const error = await failure(edit({ prompt: 'Peel it', image }, { ...options, maxRetries: 0 }));
    assert.equal(error.outcome, 'not_sent');
    assert.equal(error.cause.name, 'NotReadableError');
    assert.equal(requests.length, 0);
  });

  test('as a form shows a relay that it comes from this client', async () => {
    const { requests, options } = service();
    await edit({ prompt: 'Peel it', image: picture }, { ...options, ...relay });
    await edit({ prompt: 'Peel it', image_url: 'https://x.test/1' }, { ...options, ...relay });
    assert.deepEqual(
      requests.map(({ marker }) => marker),
      ['1', null],
    );
  });

  test('without a picture or a prompt is refused before anything is sent', async () => {
    const { requests, options } = service();
    for (const [request, message] of [
      [{ prompt: 'Peel it' }, NO_PICTURE],
      [{ prompt: 'Peel it', mask }, NO_PICTURE],
      [{ prompt: 'Peel it', image: [] }, NO_PICTURE],
      [{ prompt: 'Peel it', image: 'https://x.test/in.png' }, NO_PICTURE],
      [{ prompt: 'Peel it', image: Buffer.from('PNG') }, NO_PICTURE],
      [{ image: picture }, /^prompt must be a string that is not empty/],
    ]) {
      const error = await failure(edit(request, options));
      assert.ok(error instanceof InvalidRequestError);
      assert.match(error.message, message);
      assert.equal(error.outcome, 'not_sent');
    }
    assert.equal(requests.length, 0);
  });

  test('keeps a name where a runtime gives its Blob none, as Bun does', async (t) => {
    const { FormData } = globalThis;
    class Nameless extends FormData {
      *[Symbol.iterator]() {
        for (const [name, value] of super.entries()) {
          yield [name, typeof value === 'string' ? value : new Blob([value])];
        }
      }
    }
    globalThis.FormData = Nameless;
    t.after(() => {
      globalThis.FormData = FormData;
    });
    let file;
    const fetch = async (_url, { body }) => {
      file = body.get('image');
      return answer(done);
    };
    const image = new Blob([Uint8Array.of(0x89, ...Buffer.from('PNG'))]);
    await edit({ prompt: 'Peel it', image }, { apiKey: 'sk-1', fetch });
    assert.deepEqual([file.name, file.type], ['image', 'image/png']);
  });

  test('is not sent by a fetch that takes its form for a text, as one of another library does', async () => {
    const fetch = async (url, { method, body }) => globalThis.fetch(url, { method, body: String(body) });
    const error = await failure(
      edit({ prompt: 'Peel it', image: picture }, { apiKey: 'sk-1', fetch, maxRetries: 0 }),
    );
    assert.deepEqual([error.kind, error.outcome], ['connection', 'not_sent']);
    assert.equal(error.cause.message, 'foreign FormData');
  });

  test('that runs as a task is announced and waited for', async () => {
    const pending = () => answer({ status: 'pending', task_id: 'img_1' });
    const { requests, options } = service(pending, pending);
    const tasks = [];
    const client = new LemonData({ ...options, pollInterval: { min: 1, max: 1 } });
    const generation = await client.editAndWait(
      { prompt: 'Peel it', image: picture },
      { onTask: (task) => tasks.push(task) },
    );
    assert.equal(generation.status, 'completed');
    assert.deepEqual(tasks, [{ task_id: 'img_1' }]);
    assert.deepEqual(
      requests.map(({ method }) => method),
      ['POST', 'GET', 'GET'],
    );
  });

  test('sends the whole form again where the server has done nothing', async () => {
    const limited = () => answer({ error: { message: 'Slow down', retry_after: 0.001 } }, { status: 429 });
    const { requests, options } = service(limited, limited);
    await editAndWait({ prompt: 'Peel it', image: picture }, options);
    assert.equal(requests.length, 3);
    for (const { form } of requests)
      assert.deepEqual(
        form.map(([name]) => name),
        ['prompt', 'image'],
      );
  });

  test('names its route where it fails', async () => {
    const { options } = service(() => answer({ error: { message: 'No' } }, { status: 400 }));
    const error = await failure(edit({ prompt: 'Peel it', image_url: 'https://x.test/1' }, options));
    assert.match(error.message, /^POST \/v1\/images\/edits was answered with status 400: No/);
  });

  test('takes the request as it is when the call is made', async () => {
    const { requests, options } = service();
    const request = { prompt: 'Peel it', image: [picture] };
    const editing = edit(request, options);
    request.image.push(mask);
    request.prompt = 'Squeeze it';
    await editing;
    assert.deepEqual(
      requests[0].form.map(([, value]) => value.name ?? value),
      ['Peel it', 'lemon.png'],
    );
  });
});

describe('rule 1: what JSON and forms cannot say is not paid for', GUARD, () => {
  for (const [title, field, type] of [
    ['bytes', () => Buffer.from('PNG'), 'Uint8Array'],
    ['an ArrayBuffer', () => new ArrayBuffer(4), 'ArrayBuffer'],
    ['a promise that nobody awaits', () => Promise.resolve('https://x.test/1'), 'Promise'],
    ['a stream', () => new Blob(['PNG']).stream(), 'ReadableStream'],
    ['a form', () => new FormData(), 'FormData'],
    ['a Map', () => new Map([['image_url', 'https://x.test/1']]), 'Map'],
    ['a Blob within an object', () => ({ image: new Blob(['PNG']) }), 'Blob'],
  ]) {
    test(`${title} in a create`, async () => {
      for (const [request, name] of [
        [{ prompt: 'A lemon', reference: field() }, 'reference'],
        [{ prompt: 'A lemon', references: [{ image_url: field() }] }, 'image_url'],
      ]) {
        const { requests, options } = service();
        const error = await failure(generate(request, options));
        assert.ok(error instanceof InvalidRequestError);
        assert.deepEqual([error.message, error.outcome], ['request must be plain JSON.', 'not_sent']);
        const named = type === 'Blob' ? 'image' : name;
        assert.equal(error.cause.message, `${named}: [object ${type}]`);
        assert.equal(requests.length, 0);
      }
    });
  }

  test('a file of another class, which Node would send as a text', async () => {
    class File {
      get [Symbol.toStringTag]() {
        return 'File';
      }
    }
    const { requests, options } = service();
    const error = await failure(generate({ prompt: 'A lemon', image: new File() }, options));
    assert.deepEqual([error.message, error.outcome], ['request must be plain JSON.', 'not_sent']);
    assert.equal(error.cause.message, 'image: foreign Blob');
    assert.equal(requests.length, 0);
  });

  test('a mask of bytes beside a picture', async () => {
    const { requests, options } = service();
    const error = await failure(
      edit({ prompt: 'Peel it', image: picture, mask: Buffer.from('PNG') }, options),
    );
    assert.deepEqual([error.message, error.outcome], ['request must be plain JSON.', 'not_sent']);
    assert.equal(requests.length, 0);
  });

  test('but what says of itself how it is JSON is sent', async () => {
    const { requests, options } = service();
    const url = new URL('https://x.test/1');
    const note = Object.assign(Object.create(null), { at: new Date(0) });
    await generate({ prompt: 'A lemon', image_url: url, note }, options);
    assert.deepEqual(requests[0].json, {
      prompt: 'A lemon',
      image_url: 'https://x.test/1',
      note: { at: '1970-01-01T00:00:00.000Z' },
    });
  });
});

describe('a create', GUARD, () => {
  test('with a Blob goes as a form', async () => {
    const { requests, options } = service();
    await generate({ prompt: 'A lemon like this', image: picture }, options);
    assert.match(requests[0].url, /\/v1\/images\/generations$/);
    assert.deepEqual(
      requests[0].form.map(([name]) => name),
      ['prompt', 'image'],
    );
  });

  test('with a Blob turns to the next model with the same form', async () => {
    const missing = () => answer({ error: { message: 'No', code: 'model_not_found' } }, { status: 400 });
    const { requests, options } = service(missing);
    const generation = await generate(
      { prompt: 'A lemon', model: 'a', image: picture },
      { ...options, fallback: ['b'] },
    );
    assert.equal(generation.model, 'b');
    assert.deepEqual(
      requests.map(({ form }) =>
        Object.fromEntries(form.map(([name, value]) => [name, value.name ?? value])),
      ),
      [
        { prompt: 'A lemon', model: 'a', image: 'lemon.png' },
        { prompt: 'A lemon', model: 'b', image: 'lemon.png' },
      ],
    );
  });
});
