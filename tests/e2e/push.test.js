/** A relay may answer a poll with a stream of all that follows: the same promises, with one request. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  LemonData,
  NotFoundError,
  RequestTimeoutError,
  ResponseError,
  WaitTimeoutError,
} from 'lemondata-wasm';
import { answer } from '../helpers/fake-time.js';

const state = (status, more) => ({ task_id: 'img_1', status, data: [], ...more });
const DONE = state('completed', { data: [{ url: 'https://x.test/1' }] });
const soon = () => new Promise((resolve) => setTimeout(resolve, 5));

/** A stream that a test writes to. */
function stream() {
  const encoder = new TextEncoder();
  const opened = { ended: false };
  const body = new ReadableStream({
    start(controller) {
      opened.write = (text) => controller.enqueue(encoder.encode(text));
      opened.send = (value) => opened.write(`data: ${JSON.stringify(value)}\n\n`);
      opened.close = () => controller.close();
      opened.error = () => controller.error(new Error('reset'));
    },
    cancel() {
      opened.ended = true;
    },
  });
  opened.answer = (signal) => {
    signal.addEventListener('abort', () => {
      opened.ended = true;
      try {
        opened.error();
      } catch {}
    });
    return new Response(body, { headers: { 'content-type': 'text/event-stream; charset=utf-8' } });
  };
  return opened;
}

/** A relay whose polls are answered by what the test says, and a client of it. */
function relayOf(...answers) {
  const requests = [];
  const client = new LemonData({
    baseUrl: 'https://relay.test/api',
    relay: true,
    pollInterval: { min: 1, max: 2 },
    async fetch(url, { method, headers, signal }) {
      requests.push({ method, path: new URL(url).pathname, accept: headers.get('accept') });
      if (method === 'POST') return answer(state('pending', { poll_url: '/v1/tasks/img_1' }));
      const next = answers[requests.filter((request) => request.method === 'GET').length - 1];
      return typeof next === 'function' ? next(signal) : (next?.answer(signal) ?? answer(DONE));
    },
  });
  return { client, requests };
}

describe('a stream of a relay', { timeout: 10_000 }, () => {
  test('brings every state with one request, and is over with its task', async () => {
    const opened = stream();
    const { client, requests } = relayOf(opened);
    const updates = [];
    const responses = [];
    const waiting = client.waitForTask('img_1', {
      onUpdate: (generation) => updates.push([generation.status, generation.progress]),
      onResponse: (info) => responses.push(info.path),
    });
    opened.send(state('pending'));
    for (const progress of [10, 60]) {
      await soon();
      opened.send(state('processing', { progress }));
    }
    await soon();
    opened.send(DONE);
    assert.deepEqual(await waiting, DONE);
    assert.deepEqual(updates, [
      ['pending', undefined],
      ['processing', 10],
      ['processing', 60],
      ['completed', undefined],
    ]);
    assert.deepEqual(responses, ['/api/v1/images/generations/img_1']);
    assert.equal(requests.length, 1);
    assert.equal(requests[0].accept, 'application/json, text/event-stream');
    await soon();
    assert.ok(opened.ended, 'no call reads it any more');
  });

  test('may cut its events anywhere, and hold fields that no call needs', async () => {
    const opened = stream();
    const { client } = relayOf(opened);
    const waiting = client.waitForTask('img_1');
    const text = `: hello\nretry: 10\nevent: message\ndata: ${JSON.stringify(state('pending', { note: 'Zitrone é' }))}\n\ndata:${JSON.stringify(DONE)}\n\n`;
    for (const byte of text) opened.write(byte);
    assert.deepEqual(await waiting, DONE);
  });

  test('is shared by the calls for a task, also by those that come later', async () => {
    const opened = stream();
    const { client, requests } = relayOf(opened);
    const first = client.waitForTask('img_1');
    opened.send(state('pending'));
    await soon();
    const updates = [];
    const second = client.waitForTask('img_1', { onUpdate: ({ status }) => updates.push(status) });
    await soon();
    opened.send(state('processing'));
    await soon();
    const responses = [];
    const third = client.waitForTask('img_1', { onResponse: ({ status }) => responses.push(status) });
    await soon();
    opened.send(DONE);
    assert.deepEqual(await Promise.all([first, second, third]), [DONE, DONE, DONE]);
    assert.deepEqual(updates, ['pending', 'processing', 'completed']);
    assert.deepEqual(responses, [200], 'one HTTP answer, whichever of its events came first');
    assert.equal(requests.length, 1);
  });

  test('that its reader leaves is opened again by another', async () => {
    const [one, two] = [stream(), stream()];
    const { client, requests } = relayOf(one, two);
    const controller = new AbortController();
    const first = client.waitForTask('img_1', { signal: controller.signal });
    one.send(state('pending'));
    await soon();
    const second = client.waitForTask('img_1');
    await soon();
    controller.abort(new Error('enough'));
    await assert.rejects(first, /enough/);
    assert.ok(one.ended);
    two.send(state('pending'));
    await soon();
    two.send(DONE);
    assert.deepEqual(await second, DONE);
    assert.equal(requests.length, 2);
  });

  for (const [how, end] of [
    ['ends', (opened) => opened.close()],
    ['breaks', (opened) => opened.error()],
    ['says what is no JSON', (opened) => opened.write('data: {"status"\n\n')],
  ]) {
    test(`that ${how} is followed by a poll`, async () => {
      const opened = stream();
      const { client, requests } = relayOf(opened);
      const waiting = client.waitForTask('img_1');
      opened.send(state('pending'));
      await soon();
      end(opened);
      assert.deepEqual(await waiting, DONE);
      assert.equal(requests.length, 2);
    });
  }

  test('whose first event is no JSON is left, and followed by a poll', async () => {
    const opened = stream();
    const { client, requests } = relayOf(opened);
    const waiting = client.waitForTask('img_1', { maxWait: 100_000 });
    opened.write('data: {"status"\n\n');
    await soon();
    assert.ok(opened.ended, 'no call reads it');
    assert.deepEqual(await waiting, DONE);
    assert.equal(requests.length, 2);
  });

  test('that ends before it has said anything is a poll without an answer', async () => {
    const opened = stream();
    const { client, requests } = relayOf(opened);
    opened.close();
    const waiting = client.waitForTask('img_1', { maxWait: 200, pollInterval: { min: 1, max: 1 } });
    await waiting.catch((error) => assert.ok(error instanceof WaitTimeoutError));
    assert.ok(requests.length >= 1);
  });

  test('that says nothing for the time of a poll is given up', async () => {
    const [silent, next] = [stream(), stream()];
    const { client } = relayOf(silent, next);
    const waiting = client.waitForTask('img_1', { requestTimeout: 30, maxWait: 60 });
    const error = await waiting.catch((reason) => reason);
    assert.ok(error instanceof WaitTimeoutError, error);
    assert.ok(error.cause instanceof RequestTimeoutError);
    assert.ok(silent.ended);
  });

  test('brings failures as polls do', async () => {
    const notFound = () => answer({ error: { message: 'gone' } }, { status: 404 });
    const opened = stream();
    const { client } = relayOf(opened, notFound, notFound);
    const waiting = client.waitForTask({ task_id: 'img_1', poll_url: '/v1/tasks/img_1' });
    opened.send(state('failed', { error: 'too sour' }));
    await assert.rejects(waiting, { kind: 'task_failed', outcome: 'failed' });
    const other = client.waitForTask({ task_id: 'img_1', poll_url: '/v1/tasks/img_1' });
    await assert.rejects(other, NotFoundError);
  });

  test('is not asked for by getTask, a create, or without a relay', async () => {
    const { client, requests } = relayOf();
    await client.generate({ prompt: 'a lemon' });
    await client.getTask('img_1');
    await client.waitForTask('img_1', { relay: false });
    assert.deepEqual(
      requests.map(({ accept }) => accept),
      ['application/json', 'application/json', 'application/json'],
    );
    const unasked = stream();
    unasked.send(DONE);
    unasked.close();
    const other = relayOf(unasked);
    await assert.rejects(other.client.getTask('img_1'), ResponseError);
  });
});
