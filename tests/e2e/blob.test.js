/** Downloads of pictures: none outlives its caller, and none is waited for without end. */

import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { describe, test } from 'node:test';
import {
  ConnectionError,
  InvalidRequestError,
  NotFoundError,
  RequestTimeoutError,
  ResponseError,
  TaskFailedError,
  toBlob,
} from 'lemondata-wasm';
import { failure } from '../helpers/failure.js';
import { fakeTime } from '../helpers/fake-time.js';

const image = { url: 'https://x.test/1.png?signature=secret' };
/** The first bytes of pictures of each type. */
const PICTURES = {
  'image/png': [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13],
  'image/jpeg': [0xff, 0xd8, 0xff, 0xe0, 0, 16, 0x4a, 0x46, 0x49, 0x46, 0, 1],
  'image/gif': [...Buffer.from('GIF89a'), 1, 0, 1, 0, 0x80, 0],
  'image/webp': [...Buffer.from('RIFF'), 250, 251, 252, 253, ...Buffer.from('WEBP')],
  'image/avif': [0, 0, 0, 32, ...Buffer.from('ftypavif')],
};
const bytesOf = async (blob) => [...new Uint8Array(await blob.arrayBuffer())];
const answering = (body, type, status = 200) => ({
  fetch: async () => new Response(body, { status, headers: type ? { 'content-type': type } : {} }),
});
const picture = () => new Response('picture', { headers: { 'content-type': 'image/png' } });

/** A transport that never answers, or whose answer has no end, and the signals that it gets. */
function hang(answer) {
  const signals = [];
  const fetch = (_, { signal }) => {
    signals.push(signal);
    return answer ?? new Promise(() => {});
  };
  return { signals, fetch };
}
const endless = { ok: true, status: 200, blob: () => new Promise(() => {}) };

describe('rule 4: a download', { timeout: 10_000 }, () => {
  for (const [title, answer] of [
    ['no answer', undefined],
    ['a body without end', endless],
  ]) {
    test(`ends with the signal where there is ${title}, and leaves nothing behind`, async (t) => {
      const time = fakeTime(t);
      const { signals, fetch } = hang(answer);
      const controller = new AbortController();
      const download = failure(toBlob(image, { fetch, signal: controller.signal }));
      await time.calm();
      controller.abort(new Error('enough'));
      assert.equal((await download).message, 'enough');
      assert.ok(signals[0].aborted);
      assert.equal(time.timers(), 0);
      assert.equal(getEventListeners(controller.signal, 'abort').length, 0);
    });

    test(`ends after the 300 s of a create where there is ${title}, and leaves nothing behind`, async (t) => {
      const time = fakeTime(t);
      const { signals, fetch } = hang(answer);
      const { signal } = new AbortController();
      const error = await failure(time.until(toBlob(image, { fetch, signal })));
      assert.ok(error instanceof RequestTimeoutError);
      assert.equal(time.now(), 300_000);
      assert.ok(signals[0].aborted);
      assert.equal(time.timers(), 0);
      assert.equal(getEventListeners(signal, 'abort').length, 0);
    });
  }

  test('that has come leaves nothing behind', async (t) => {
    const time = fakeTime(t);
    const { signal } = new AbortController();
    const fetch = async () => picture();
    assert.equal(await (await toBlob(image, { fetch, signal })).text(), 'picture');
    assert.equal(time.timers(), 0);
    assert.equal(getEventListeners(signal, 'abort').length, 0);
  });

  test('keeps its time-out where the option is undefined', async (t) => {
    const time = fakeTime(t);
    const { fetch } = hang();
    const error = await failure(time.until(toBlob(image, { fetch, requestTimeout: undefined })));
    assert.ok(error instanceof RequestTimeoutError);
    assert.equal(time.now(), 300_000);
  });

  for (const requestTimeout of ['abc', '5000', 0, -1, Number.NaN, null, {}]) {
    test(`refuses the time-out ${JSON.stringify(requestTimeout)}`, async () => {
      const { signals, fetch } = hang();
      const error = await failure(toBlob(image, { fetch, requestTimeout }));
      assert.ok(error instanceof InvalidRequestError);
      assert.equal(error.param, 'requestTimeout');
      assert.equal(error.outcome, 'not_sent');
      assert.match(error.message, /^requestTimeout must be milliseconds above 0; it is /);
      assert.equal(signals.length, 0);
    });
  }

  test('refuses half a signal, and takes one without a reason', async () => {
    const { fetch } = hang();
    const error = await failure(toBlob(image, { fetch, signal: { aborted: false } }));
    assert.ok(error instanceof InvalidRequestError);
    assert.equal(error.param, 'signal');
    const old = Object.assign(new EventTarget(), { aborted: false });
    const download = failure(toBlob(image, { fetch, signal: old }));
    old.dispatchEvent(new Event('abort'));
    assert.equal((await download).name, 'AbortError');
    assert.equal(
      (await failure(toBlob(image, { fetch, signal: { ...old, aborted: true, addEventListener() {} } })))
        .name,
      'AbortError',
    );
  });

  for (const requestTimeout of [Number.POSITIVE_INFINITY, 2 ** 31]) {
    test(`may take its time where requestTimeout is ${requestTimeout}`, async (t) => {
      const time = fakeTime(t);
      let deliver;
      const fetch = () =>
        new Promise((resolve) => {
          deliver = resolve;
        });
      const download = toBlob(image, { fetch, requestTimeout });
      await time.pass(3_600_000);
      deliver(picture());
      assert.equal(await (await download).text(), 'picture');
    });
  }
});

describe('rule 3: the signature of a picture’s URL', { timeout: 10_000 }, () => {
  for (const [Class, fetch] of [
    [NotFoundError, async () => new Response('', { status: 404 })],
    [ConnectionError, () => Promise.reject(new Error('no network'))],
    [RequestTimeoutError, hang().fetch],
  ]) {
    test(`is not in a ${Class.name}`, async (t) => {
      const time = fakeTime(t);
      const error = await failure(time.until(toBlob(image, { fetch })));
      assert.ok(error instanceof Class);
      assert.match(error.message, /x\.test\/1\.png/);
      assert.doesNotMatch(error.message, /secret/);
    });
  }
});

describe('a download is a picture', () => {
  for (const [type, bytes] of Object.entries(PICTURES)) {
    test(`${type} by its first bytes, whatever the server calls it`, async () => {
      for (const named of [
        undefined,
        'binary/octet-stream',
        'text/plain;charset=UTF-8',
        'image/jpg',
        `${type};q=1`,
      ]) {
        const blob = await toBlob(image, answering(new Uint8Array(bytes), named));
        assert.equal(blob.type, type);
        assert.deepEqual(await bytesOf(blob), bytes);
      }
    });
  }

  test('or what the server calls one, where its first bytes do not tell', async () => {
    const blob = await toBlob(image, answering('<svg/>', 'image/svg+xml'));
    assert.equal(blob.type, 'image/svg+xml');
  });

  for (const [title, body, type, says] of [
    ['a page', '<!doctype html>', 'text/html; charset=utf-8', /is no picture, but text\/html/],
    ['JSON', '{"error":"expired"}', 'application/json', /is no picture, but application\/json/],
    [
      'a page without a type',
      new TextEncoder().encode('<!doctype html>'),
      undefined,
      /something of no known type/,
    ],
    ['nothing', new Uint8Array(), 'application/octet-stream', /something of no known type/],
  ]) {
    test(`and ${title} with status 200 is none`, async () => {
      const error = await failure(toBlob(image, answering(body, type)));
      assert.ok(error instanceof ResponseError, error.stack);
      assert.equal(error.status, 200);
      assert.match(error.message, says);
      assert.doesNotMatch(error.message, /secret/);
    });
  }
});

describe('base64', () => {
  /** The bytes that differ between the two alphabets, behind the head of a picture. */
  const bytes = [...PICTURES['image/png'], 0xfb, 0xff, 0xfe, 0xfb];
  const buffer = Buffer.from(bytes);

  for (const [title, b64_json, type] of [
    ['', buffer.toString('base64'), 'image/png'],
    ['of URLs', buffer.toString('base64url'), 'image/png'],
    ['of URLs, with padding', `${buffer.toString('base64url')}==`, 'image/png'],
    ['as a data URL', `data:image/png;base64,${buffer.toString('base64')}`, 'image/png'],
    [
      'as a data URL that is mistaken in its type',
      `data:image/jpeg;base64,${buffer.toString('base64')}`,
      'image/png',
    ],
    [
      'as a data URL with parameters',
      `DATA:image/png;a=b;base64,${buffer.toString('base64url')}`,
      'image/png',
    ],
    ['as a data URL without a type', `data:;base64,${buffer.toString('base64')}`, 'image/png'],
    ['in lines', buffer.toString('base64').replace(/.{16}/g, '$&\r\n'), 'image/png'],
  ]) {
    test(`${title} is decoded`, async () => {
      for (const image of [{ b64_json }, ...(/^data:/i.test(b64_json) ? [{ url: b64_json }] : [])]) {
        const blob = await toBlob(image, { fetch: () => assert.fail('it is not downloaded') });
        assert.equal(blob.type, type);
        assert.deepEqual(await bytesOf(blob), bytes);
      }
    });
  }

  test('of another type is named by its data URL, though never a page', async () => {
    const content = Buffer.from('<svg onload="x()"/>').toString('base64');
    assert.equal((await toBlob({ b64_json: `data:image/svg+xml;base64,${content}` })).type, 'image/svg+xml');
    assert.equal((await toBlob({ b64_json: `data:text/html;base64,${content}` })).type, '');
  });
});

describe('what is no image says so', () => {
  test('a picture that failed says why', async () => {
    for (const [error, message, code] of [
      [{ message: 'Filtered', code: 'content_policy' }, 'The picture failed: Filtered', 'content_policy'],
      ['Filtered', 'The picture failed: Filtered', undefined],
      [{ detail: [{ msg: 'Filtered' }] }, 'The picture failed: Filtered', undefined],
      [{ code: 'content_policy' }, 'The picture failed: content_policy', 'content_policy'],
      [{}, 'The picture failed: the service gave no reason.', undefined],
    ]) {
      const failed = { url: '', error };
      const thrown = await failure(toBlob(failed));
      assert.ok(thrown instanceof TaskFailedError);
      assert.equal(thrown.message, message);
      assert.equal(thrown.code, code);
      assert.equal(thrown.outcome, 'failed');
      assert.equal(thrown.body, failed);
    }
  });

  test('a whole result is not one image of it', async () => {
    for (const result of [{ status: 'completed', data: [image] }, [image], { task_id: 't', data: [] }]) {
      const error = await failure(toBlob(result));
      assert.ok(error instanceof InvalidRequestError);
      assert.match(error.message, /must be one image, such as result\.data\[0\]; it is a whole result/);
    }
  });

  test('anything else, however hostile', async () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    const hostile = {
      get url() {
        throw new Error('boom');
      },
    };
    for (const other of [undefined, null, 5, 'https://x.test/1', {}, { url: 5 }, proxy, hostile]) {
      const error = await failure(toBlob(other));
      assert.ok(error instanceof InvalidRequestError);
      assert.match(error.message, /^image must be an image of result\.data, with a url or b64_json; it is /);
    }
  });
});
