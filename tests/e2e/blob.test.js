/** Downloads of pictures: none outlives its caller, and none is waited for without end. */

import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { describe, test } from 'node:test';
import { ConnectionError, NotFoundError, RequestTimeoutError, toBlob } from 'lemondata-wasm';
import { fakeTime } from '../helpers/fake-time.js';

const image = { url: 'https://x.test/1.png?signature=secret' };
const failure = (promise) =>
  promise.then(
    () => assert.fail('it resolved'),
    (error) => error,
  );

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
  for (const [what, answer] of [
    ['no answer', undefined],
    ['a body without end', endless],
  ]) {
    test(`ends with the signal where there is ${what}, and leaves nothing behind`, async (t) => {
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

    test(`ends after 60 s where there is ${what}, and leaves nothing behind`, async (t) => {
      const time = fakeTime(t);
      const { signals, fetch } = hang(answer);
      const { signal } = new AbortController();
      const error = await failure(time.until(toBlob(image, { fetch, signal })));
      assert.ok(error instanceof RequestTimeoutError);
      assert.equal(time.now(), 60_000);
      assert.ok(signals[0].aborted);
      assert.equal(time.timers(), 0);
      assert.equal(getEventListeners(signal, 'abort').length, 0);
    });
  }

  test('that has come leaves nothing behind', async (t) => {
    const time = fakeTime(t);
    const { signal } = new AbortController();
    const fetch = async () => new Response('picture');
    assert.equal(await (await toBlob(image, { fetch, signal })).text(), 'picture');
    assert.equal(time.timers(), 0);
    assert.equal(getEventListeners(signal, 'abort').length, 0);
  });

  for (const requestTimeout of [Number.POSITIVE_INFINITY, 2 ** 31]) {
    test(`may take its time where requestTimeout is ${requestTimeout}`, async (t) => {
      const time = fakeTime(t);
      let come;
      const fetch = () =>
        new Promise((resolve) => {
          come = resolve;
        });
      const download = toBlob(image, { fetch, requestTimeout });
      await time.pass(3_600_000);
      come(new Response('picture'));
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
