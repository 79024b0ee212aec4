/** The package in a page and in a worker of one, which are made up here: what they are told, and what they tell. */

import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { generate, InvalidRequestError, waitForTask } from 'lemondata-wasm';
import { failure } from '../helpers/failure.js';
import { fakePage, fakeWorker, pretend } from '../helpers/fake-page.js';
import { answer, fakeTime } from '../helpers/fake-time.js';

const done = { status: 'completed', data: [{ url: 'https://x.test/1' }] };
const request = { prompt: 'a lemon' };
const key = { apiKey: 'sk-1', dangerouslyAllowBrowser: true };
/** Starts the module, which takes real time. */
const startModule = () => waitForTask(done);

describe('rule 3: in a page, the key', { timeout: 10_000 }, () => {
  const sent = [];
  const transport = async (url) => {
    sent.push(url);
    return answer(done);
  };

  for (const [title, become] of [
    ['a page', fakePage],
    ['a worker of a page', (t) => fakeWorker(t, 'https://app.test/worker.js')],
  ]) {
    test(`is refused by ${title}, from the call on that comes there`, async (t) => {
      sent.length = 0;
      const options = { apiKey: 'sk-1', fetch: transport };
      await generate(request, options);
      become(t);
      for (const apiKey of ['sk-1', () => 'sk-1']) {
        const error = await failure(generate(request, { ...options, apiKey }));
        assert.ok(error instanceof InvalidRequestError);
        assert.deepEqual([error.outcome, error.param], ['not_sent', 'apiKey']);
        assert.match(error.message, /relay/);
      }
      assert.equal(sent.length, 1);
      await generate(request, { ...key, fetch: transport });
      assert.equal(sent.length, 2);
    });
  }

  for (const name of ['Deno', 'Bun']) {
    test(`is taken by a worker of ${name}, which is no visitor's`, async (t) => {
      fakeWorker(t, 'file:///worker.js');
      pretend(t, { [name]: {} });
      assert.equal((await generate(request, { apiKey: 'sk-1', fetch: transport })).status, 'completed');
    });
  }

  for (const [title, become] of [
    ['a page', fakePage],
    ['its worker', (t) => fakeWorker(t, 'https://app.test/js/worker.js')],
    ['its worker made of a blob', (t) => fakeWorker(t, 'blob:https://app.test/0b1c')],
  ]) {
    test(`may stay with a relay, at an address relative to ${title}`, async (t) => {
      sent.length = 0;
      become(t);
      await generate(request, { baseUrl: '/api/lemondata', fetch: transport });
      assert.deepEqual(sent, ['https://app.test/api/lemondata/v1/images/generations']);
    });
  }
});

describe('a page that comes back to life', { timeout: 10_000 }, () => {
  before(startModule);

  /** A wait whose polls are all lost, in the back-off after some of them. */
  async function backOff(t) {
    t.mock.method(Math, 'random', () => 0.999);
    const page = fakePage(t);
    const time = fakeTime(t);
    const polls = [];
    const controller = new AbortController();
    const wait = failure(
      waitForTask('img_1', {
        ...key,
        signal: controller.signal,
        fetch: async () => {
          polls.push(time.now());
          return answer({}, { status: 502 });
        },
      }),
    );
    while (polls.length < 6) await time.pass(1000);
    await time.pass(5000);
    assert.equal(polls.length, 6);
    return { page, time, polls, controller, wait };
  }

  test('rule 2: polls at once when the network is back', async (t) => {
    const { page, time, polls } = await backOff(t);
    page.online();
    await time.calm();
    assert.equal(polls.length, 7);
  });

  test('rule 2: polls at once when it is shown, and not when it is hidden', async (t) => {
    const { page, time, polls } = await backOff(t);
    page.hide(true);
    await time.calm();
    assert.equal(polls.length, 6);
    page.hide(false);
    await time.calm();
    assert.equal(polls.length, 7);
  });

  test('rule 4: has no listener of a call that is over', async (t) => {
    const { page, controller, wait } = await backOff(t);
    assert.equal(page.listeners(), 2);
    controller.abort();
    await wait;
    assert.equal(page.listeners(), 0);
    await generate(request, { ...key, fetch: async () => answer(done) });
    assert.equal(page.listeners(), 0);
  });

  test('rule 6: keeps to the cadence where nothing was lost', async (t) => {
    const page = fakePage(t);
    const time = fakeTime(t);
    const polls = [];
    const transport = async () => {
      polls.push(time.now());
      return answer(polls.length < 3 ? { task_id: 'img_1', status: 'processing' } : done);
    };
    const wait = waitForTask('img_1', { ...key, fetch: transport });
    await time.pass(1000);
    page.online();
    page.hide(false);
    await time.calm();
    assert.equal(polls.length, 1);
    await time.until(wait);
    assert.ok(polls[1] >= 3000 && polls[2] - polls[1] >= 3000, `polls at ${polls}`);
  });

  test('rule 6: repeats no create before the server wants it', async (t) => {
    const page = fakePage(t);
    const time = fakeTime(t);
    const creates = [];
    const transport = async () => {
      creates.push(time.now());
      return creates.length > 1
        ? answer(done)
        : answer({}, { status: 429, headers: { 'retry-after': '20' } });
    };
    const create = generate(request, { ...key, fetch: transport });
    await time.pass(5000);
    page.online();
    await time.calm();
    await time.until(create);
    assert.deepEqual(creates, [0, 20_000]);
  });
});
