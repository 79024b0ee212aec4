/** A hub's socket as a stream, with a fake socket and a fake clock. */

import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, mock, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { eventsOf, HEARTBEAT_MS, LONGEST_MS } from '../../js/relay/watch.js';

class Socket extends EventTarget {
  sent = [];
  isClosed = false;

  accept() {}

  send(text) {
    if (this.isClosed) throw new Error('closed');
    this.sent.push(text);
  }

  close() {
    this.isClosed = true;
  }

  /** A message from the hub. */
  push(data) {
    this.dispatchEvent(Object.assign(new Event('message'), { data }));
  }
}

describe('a stream', () => {
  let socket;
  let random = 0;
  /** Stands before the first event. */
  const RETRY = 'retry: 3000\n\n';

  beforeEach(() => {
    mock.timers.enable({ apis: ['setInterval', 'setTimeout'] });
    mock.method(Math, 'random', () => random);
    socket = new Socket();
  });
  afterEach(() => {
    mock.timers.reset();
    mock.restoreAll();
    random = 0;
  });

  /** The text that a reader has, and whether the stream has ended. */
  function readerOf(stream) {
    const got = { text: '', isOver: false, isBroken: false };
    const decoder = new TextDecoder();
    (async () => {
      for await (const chunk of stream) got.text += decoder.decode(chunk);
      got.isOver = true;
    })().catch(() => {
      got.isBroken = true;
    });
    return got;
  }

  /** Lets time pass, heartbeat by heartbeat, with its effects. */
  async function pass(beats, onBeat = () => {}) {
    for (let beat = 0; beat < beats; beat += 1) {
      mock.timers.tick(HEARTBEAT_MS);
      await setImmediate();
      onBeat();
      await setImmediate();
    }
  }

  test('has a heartbeat well before a client gives up a silent stream', () => {
    assert.ok(HEARTBEAT_MS <= 15_000);
    assert.ok(LONGEST_MS >= 10 * HEARTBEAT_MS);
  });

  test('brings a comment at every heartbeat', async () => {
    const got = readerOf(eventsOf(socket));
    socket.push('{"a":1}');
    await setImmediate();
    await pass(3);
    assert.equal(got.text, `${RETRY}data: {"a":1}\n\n${': \n\n'.repeat(3)}`);
    assert.deepEqual(socket.sent, []);
  });

  test('has heartbeats only while its socket answers', async () => {
    const got = readerOf(eventsOf(socket, undefined, { pings: true }));
    await pass(3, () => socket.push('pong'));
    assert.equal(got.text, ': \n\n'.repeat(3));
    assert.deepEqual(socket.sent, ['ping', 'ping', 'ping']);
    // The runtime has lost the socket silently.
    await pass(2);
    assert.ok(got.isOver && socket.isClosed);
    assert.equal(got.text, ': \n\n'.repeat(3));
  });

  test('counts any message as a sign of life', async () => {
    const got = readerOf(eventsOf(socket, undefined, { pings: true }));
    await pass(4, () => socket.push('{}'));
    assert.ok(!got.isOver);
    assert.equal(got.text, RETRY + 'data: {}\n\n'.repeat(4));
  });

  test('ends after its life, and so does its socket', async () => {
    const got = readerOf(eventsOf(socket));
    await pass(LONGEST_MS / HEARTBEAT_MS + 1);
    assert.ok(got.isOver && !got.isBroken && socket.isClosed);
  });

  test('ends, and is opened again, at another moment than others that began with it', async () => {
    random = 0.5;
    const got = readerOf(eventsOf(socket));
    socket.push('{}');
    await pass(LONGEST_MS / HEARTBEAT_MS - 2);
    assert.ok(!got.isOver);
    await pass(1);
    assert.ok(got.isOver);
    assert.match(got.text, /^retry: 5500\n\ndata: {}\n\n/);
  });

  test('ends with its socket, after all of its messages', async () => {
    const got = readerOf(eventsOf(socket));
    socket.push('{"status":"completed"}');
    socket.dispatchEvent(new Event('close'));
    await pass(1);
    assert.deepEqual([got.text, got.isOver], [`${RETRY}data: {"status":"completed"}\n\n`, true]);
  });

  test('holds one state for a slow reader: the newest', async () => {
    const stream = eventsOf(socket);
    for (let index = 0; index < 1000; index += 1) socket.push(`{"progress":${index}}`);
    socket.dispatchEvent(new Event('close'));
    const got = readerOf(stream);
    await pass(1);
    assert.ok(got.isOver);
    const states = got.text.trim().split('\n\n');
    assert.ok(states.length <= 4, `${states.length}`);
    assert.equal(states.at(-1), 'data: {"progress":999}');
  });

  test('writes no heartbeat over a state that waits for its reader', async () => {
    const stream = eventsOf(socket, undefined, { pings: true });
    for (const message of ['{"progress":1}', '{"progress":2}', 'pong']) socket.push(message);
    socket.dispatchEvent(new Event('close'));
    const got = readerOf(stream);
    await pass(1);
    assert.ok(got.isOver);
    assert.match(got.text, /data: {"progress":2}\n\n$/);
  });

  test('drops a client that does not read', async () => {
    const stream = eventsOf(socket);
    socket.push('{"progress":1}');
    socket.push('{"progress":2}');
    await pass(4);
    assert.ok(socket.isClosed);
    const got = readerOf(stream);
    await pass(1);
    assert.ok(got.isBroken);
  });

  for (const how of ['the request is aborted', 'the reader cancels']) {
    test(`closes its socket when ${how}`, async () => {
      const gone = new AbortController();
      const stream = eventsOf(socket, gone.signal);
      socket.push('{}');
      if (how === 'the reader cancels') await stream.cancel();
      else {
        gone.abort();
        readerOf(stream);
      }
      await pass(1);
      assert.ok(socket.isClosed);
    });
  }
});
