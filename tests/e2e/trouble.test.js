/** What looks like an end and is none, and the other way round. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import { before, describe, test } from 'node:test';
import {
  ConnectionError,
  generate,
  generateAndWait,
  LemonData,
  RateLimitError,
  RequestTimeoutError,
  TaskFailedError,
  waitForTask,
} from 'lemondata-wasm';
import { failure } from '../helpers/failure.js';
import { fakePage } from '../helpers/fake-page.js';
import { answer, fakeTime } from '../helpers/fake-time.js';

const GUARD = { timeout: 10_000 };
const request = { model: 'gpt-image-2', prompt: 'a lemon' };
const running = (more) => answer({ task_id: 't', status: 'processing', ...more });
const done = () => answer({ task_id: 't', status: 'completed', data: [{ url: 'https://x.test/1' }] });
before(() => waitForTask({ status: 'completed', data: [] }));

/** A transport that gives the answers in turn, the last one for ever. */
function script(...answers) {
  const requests = [];
  const fetch = async (url, init) => {
    requests.push({ url, ...init, at: performance.now() });
    const next = answers[Math.min(requests.length, answers.length) - 1];
    return typeof next === 'function' ? next(init) : next;
  };
  return { requests, options: { apiKey: 'sk-1', fetch } };
}

/** A stream of a relay that a test writes to. */
function stream() {
  const encoder = new TextEncoder();
  const opened = { ended: false };
  opened.answer = ({ signal }) => {
    const body = new ReadableStream({
      start(controller) {
        opened.write = (text) => controller.enqueue(encoder.encode(text));
        signal.addEventListener('abort', () => {
          opened.ended = true;
          controller.error(new Error('ended'));
        });
      },
    });
    return { status: 200, headers: new Headers({ 'content-type': 'text/event-stream' }), body };
  };
  opened.send = (value) => opened.write(`data: ${JSON.stringify(value)}\n\n`);
  return opened;
}

const relay = { baseUrl: 'https://relay.test', relay: true, apiKey: undefined };

describe('rule 2: a stream that dies in silence', GUARD, () => {
  test('is given up, and the wait polls on', async (t) => {
    const time = fakeTime(t);
    const opened = stream();
    const { options, requests } = script(opened.answer, done);
    const waiting = waitForTask('t', { ...options, ...relay, maxWait: Number.POSITIVE_INFINITY });
    await time.calm();
    opened.send({ task_id: 't', status: 'processing' });
    await time.calm();
    assert.equal((await time.until(waiting)).status, 'completed');
    assert.equal(requests.length, 2);
    assert.ok(time.now() >= 30_000 && time.now() <= 31_000, `${time.now()} ms`);
    assert.ok(opened.ended);
    assert.equal(time.timers(), 0);
  });

  test('leaves the poll in its place the rest of the time', async (t) => {
    const time = fakeTime(t);
    const opened = stream();
    const slow = () => new Promise((resolve) => setTimeout(resolve, 10_000, done()));
    const { options, requests } = script(opened.answer, slow);
    const waiting = waitForTask('t', { ...options, ...relay, requestTimeout: 60_000 });
    await time.calm();
    opened.send({ task_id: 't', status: 'processing' });
    assert.equal((await time.until(waiting)).status, 'completed');
    assert.equal(requests.length, 2);
  });

  test('leaves time for the next poll where that of its own is over, too', async (t) => {
    const time = fakeTime(t);
    const opened = stream();
    const slow = () => new Promise((resolve) => setTimeout(resolve, 10_000, done()));
    const { options, requests } = script(opened.answer, slow);
    const waiting = waitForTask('t', { ...options, ...relay, requestTimeout: 60_000, maxWait: 7_200_000 });
    await time.calm();
    opened.send({ task_id: 't', status: 'processing' });
    await time.pass(10_000);
    // The machine sleeps for a while, and its timers with it.
    const wall = Date.now;
    t.mock.method(Date, 'now', () => wall() + 600_000);
    assert.equal((await time.until(waiting)).status, 'completed');
    assert.equal(requests.length, 2, 'none was sent to be given up at once');
  });

  test('is one for all that share it', async (t) => {
    const time = fakeTime(t);
    const opened = stream();
    const { options, requests } = script(opened.answer, done);
    const client = new LemonData({ ...options, ...relay });
    const waits = [1, 2, 3].map(() => client.waitForTask('t'));
    await time.calm();
    opened.send({ task_id: 't', status: 'processing' });
    await time.calm();
    for (const { status } of await time.until(Promise.all(waits))) assert.equal(status, 'completed');
    assert.equal(requests.length, 2);
  });

  test('is not one that has heartbeats', async (t) => {
    const time = fakeTime(t);
    const opened = stream();
    const { options, requests } = script(opened.answer, done);
    const updates = [];
    const onUpdate = ({ status }) => updates.push(status);
    const waiting = waitForTask('t', { ...options, ...relay, onUpdate });
    await time.calm();
    opened.write(': hello\n\n');
    opened.send({ task_id: 't', status: 'processing' });
    for (let beat = 0; beat < 8; beat += 1) {
      await time.pass(15_000);
      opened.write(':\n\n');
      await time.calm();
    }
    assert.equal(requests.length, 1);
    opened.send({ task_id: 't', status: 'completed', data: [{ url: 'https://x.test/1' }] });
    assert.equal((await time.until(waiting)).status, 'completed');
    assert.equal(updates.length, 10);
  });

  test('is found out when the page comes back', async (t) => {
    const page = fakePage(t);
    const time = fakeTime(t);
    const opened = stream();
    const { options, requests } = script(opened.answer, done);
    const waiting = waitForTask('t', { ...options, ...relay });
    await time.calm();
    opened.send({ task_id: 't', status: 'processing' });
    await time.pass(10_000);
    page.online();
    await time.calm();
    assert.equal(requests.length, 1, 'a stream that has just said something is alive');
    // The machine sleeps for an hour, and its timers with it.
    const wall = Date.now;
    t.mock.method(Date, 'now', () => wall() + 3_600_000);
    page.online();
    await time.calm();
    assert.equal(requests.length, 2);
    assert.equal((await waiting).status, 'completed');
  });

  for (const [title, broken] of [
    ['has no body', { status: 200, headers: new Headers({ 'content-type': 'text/event-stream' }) }],
    [
      'cannot be read',
      { status: 200, headers: new Headers({ 'content-type': 'text/event-stream' }), body: {} },
    ],
  ]) {
    test(`is not asked for again where it ${title}`, async (t) => {
      const time = fakeTime(t);
      const { options, requests } = script(broken, running, done);
      assert.equal((await time.until(waitForTask('t', { ...options, ...relay }))).status, 'completed');
      assert.deepEqual(
        requests.map(({ headers }) => headers.get('accept')),
        ['application/json, text/event-stream', 'application/json', 'application/json'],
      );
    });
  }
});

describe('an answer', GUARD, () => {
  test('never comes out of a cache', async () => {
    const { options, requests } = script(running, done);
    await waitForTask('t', { ...options, pollInterval: { min: 1, max: 1 } });
    await generate(request, script(done).options);
    assert.deepEqual(
      requests.map(({ cache }) => cache),
      ['no-store', 'no-store'],
    );
  });

  test('rule 6: with a date asks to wait by the clock of its server, not by ours', async (t) => {
    const time = fakeTime(t);
    // Our clock is ten minutes slow.
    const server = Date.now() + 600_000;
    const headers = {
      date: new Date(server).toUTCString(),
      'retry-after': new Date(server + 7000).toUTCString(),
    };
    const { options, requests } = script(answer({}, { status: 429, headers }), done);
    await time.until(generate(request, options));
    const [first, second] = requests.map(({ at }) => at);
    assert.ok(second - first >= 7000 && second - first <= 8000, `${second - first} ms`);
    const error = await failure(
      time.until(
        generate(request, { ...script(answer({}, { status: 429, headers })).options, maxRetries: 0 }),
      ),
    );
    assert.ok(error instanceof RateLimitError);
    assert.ok(error.retryAfterMs >= 6000 && error.retryAfterMs <= 8000, `${error.retryAfterMs} ms`);
  });

  test('rule 6: with a Retry-After that a proxy has repeated asks to wait as long as one', async () => {
    for (const [value, expected] of [
      ['7, 7', 7000],
      ['7', 7000],
      ['soon', undefined],
      ['', undefined],
    ]) {
      const fetch = async () => answer({}, { status: 429, headers: { 'retry-after': value } });
      const error = await failure(generate(request, { apiKey: 'sk-1', fetch, maxRetries: 0 }));
      assert.equal(error.retryAfterMs, expected, value);
    }
  });

  test('rule 2: of 304 is a poll without an answer, since nothing was asked about a change', async (t) => {
    const time = fakeTime(t);
    const unchanged = () => answer('', { status: 304 });
    const { options, requests } = script(unchanged, unchanged, done);
    assert.equal((await time.until(waitForTask('t', options))).status, 'completed');
    assert.equal(requests.length, 3);
  });

  test('rule 1: of 304 to a create may have been billed', async () => {
    const { options, requests } = script(answer('', { status: 304 }));
    const error = await failure(generate(request, options));
    assert.deepEqual([error.kind, error.outcome, requests.length], ['server', 'unknown', 1]);
  });

  test('that a transport makes by Response.error() is none: a create may have been billed', async () => {
    const { options } = script(() => Response.error());
    const error = await failure(generate(request, options));
    assert.deepEqual([error.kind, error.outcome], ['connection', 'unknown']);
  });

  test('may begin with a byte order mark, which some transports leave in', async () => {
    const marked = `\uFEFF${JSON.stringify({ data: [{ url: 'https://x.test/1' }] })}`;
    assert.equal((await generate(request, script(answer(marked)).options)).status, 'completed');
  });

  test('of 404 shortly after generate does not end the wait for its generation', async (t) => {
    const time = fakeTime(t);
    const notFound = () => answer({ error: { code: 'async_task_not_found' } }, { status: 404 });
    const pending = answer({ task_id: 't', status: 'pending', poll_url: '/v1/tasks/t' });
    const { options } = script(pending, notFound, notFound, notFound, done);
    const generation = await generate(request, options);
    assert.equal((await time.until(waitForTask(generation, options))).status, 'completed');
    // A copy out of a store says nothing of its age.
    const error = await failure(time.until(waitForTask({ ...generation }, script(notFound).options)));
    assert.equal(error.kind, 'task_not_found');
  });

  test('that refuses a redirect says where it leads', async () => {
    const headers = { location: 'https://api.tokenlab.sh/v1/images/generations?token=secret' };
    const error = await failure(generate(request, script(answer('', { status: 308, headers })).options));
    assert.match(error.message, /https:\/\/api\.tokenlab\.sh/);
    assert.match(error.message, /baseUrl/);
    assert.doesNotMatch(error.message, /secret/);
  });
});

describe('rule 1: a create that never left', GUARD, () => {
  const refused = (more) => Object.assign(new Error('the system says'), more);
  const fetchFailed = (cause) => new TypeError('fetch failed', { cause });
  /** What Node says where no address of a host answers in time. */
  const allTimedOut = Object.assign(
    new AggregateError([refused({ code: 'ETIMEDOUT', syscall: 'connect' })], ''),
    { code: 'ETIMEDOUT' },
  );
  const handshakeEnded = refused({
    code: 'ECONNRESET',
    message: 'Client network socket disconnected before secure TLS connection was established',
  });
  const tunnelRefused = refused({
    code: 'UND_ERR_ABORTED',
    message: 'Proxy response (407) !== 200 when HTTP Tunneling',
  });
  for (const [title, error] of [
    ['a refused connection', fetchFailed(refused({ code: 'ECONNREFUSED', syscall: 'connect' }))],
    ['a refused connection of node-fetch', refused({ code: 'ECONNREFUSED', type: 'system' })],
    ['a refused connection in Bun', refused({ code: 'ConnectionRefused' })],
    ['a host that no network reaches', fetchFailed(refused({ code: 'ENETUNREACH', syscall: 'connect' }))],
    ['a host none of whose addresses answers', fetchFailed(allTimedOut)],
    ['an unknown host', fetchFailed(refused({ code: 'ENOTFOUND', syscall: 'getaddrinfo' }))],
    ['a resolver that is out of order', fetchFailed(refused({ code: 'EAI_FAIL', syscall: 'getaddrinfo' }))],
    ['a connection that takes too long', fetchFailed(refused({ code: 'UND_ERR_CONNECT_TIMEOUT' }))],
    ['a certificate of its own', fetchFailed(refused({ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' }))],
    ['a certificate of a company', fetchFailed(refused({ code: 'SELF_SIGNED_CERT_IN_CHAIN' }))],
    ['a chain that ends nowhere', fetchFailed(refused({ code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' }))],
    ['a certificate that has expired', fetchFailed(refused({ code: 'CERT_HAS_EXPIRED' }))],
    ['a certificate of another host', fetchFailed(refused({ code: 'ERR_TLS_CERT_ALTNAME_INVALID' }))],
    ['a server that speaks no TLS', fetchFailed(refused({ code: 'ERR_SSL_WRONG_VERSION_NUMBER' }))],
    ['a server that ends the handshake', fetchFailed(handshakeEnded)],
    ['a server of older TLS', fetchFailed(refused({ code: 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION' }))],
    ['a handshake that fails', fetchFailed(refused({ code: 'ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE' }))],
    ['a proxy that refuses undici', fetchFailed(refused({ code: 0, cause: tunnelRefused }))],
    ['a proxy that refuses Bun', refused({ code: 'ERR_PROXY_TUNNEL' })],
    ['a dispatcher of another undici', fetchFailed(refused({ code: 'UND_ERR_INVALID_ARG' }))],
    ['a port that fetch refuses', fetchFailed(new Error('bad port'))],
    ['a permission that Deno asks for', new Error('Requires net access to "x.test:443", run again')],
    ['the limit of a worker', new Error('Too many subrequests by single Worker invocation.')],
  ]) {
    test(`by ${title} is repeated, and then called not sent`, async (t) => {
      const time = fakeTime(t);
      const refuse = () => Promise.reject(error);
      const { options, requests } = script(refuse);
      const failed = await failure(time.until(generate(request, options)));
      assert.ok(failed instanceof ConnectionError);
      assert.deepEqual([failed.outcome, requests.length], ['not_sent', 3]);
      const recovered = script(refuse, done);
      assert.equal((await time.until(generate(request, recovered.options))).status, 'completed');
    });
  }

  test('to a host that does not exist, or a port that is closed', async (t) => {
    t.mock.method(Math, 'random', () => 0);
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.on('listening', resolve));
    const { port } = server.address();
    await new Promise((resolve) => server.close(resolve));
    for (const baseUrl of [`http://127.0.0.1:${port}`, 'http://nobody.invalid']) {
      const error = await failure(generate(request, { apiKey: 'sk-1', baseUrl, maxRetries: 0 }));
      assert.deepEqual([error.kind, error.outcome], ['connection', 'not_sent'], baseUrl);
    }
  });

  test('to a server that ends the handshake of TLS', async () => {
    const server = createTcpServer((socket) => socket.once('data', () => socket.end())).listen(
      0,
      '127.0.0.1',
    );
    await once(server, 'listening');
    const baseUrl = `https://127.0.0.1:${server.address().port}`;
    const error = await failure(generate(request, { apiKey: 'sk-1', baseUrl, maxRetries: 0 }));
    server.close();
    assert.deepEqual([error.kind, error.outcome], ['connection', 'not_sent']);
  });

  for (const [title, error] of [
    ['was reset', refused({ code: 'ECONNRESET', syscall: 'read' })],
    ['broke because the network did', refused({ code: 'EHOSTUNREACH', syscall: 'read' })],
    ['was lost while the request was written', refused({ code: 'ENETUNREACH', syscall: 'write' })],
    ['fell silent', refused({ code: 'ETIMEDOUT', syscall: 'read' })],
    ['wants a certificate of the client', refused({ code: 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED' })],
    ['was closed', refused({ code: 'UND_ERR_SOCKET', message: 'other side closed' })],
    ['brought an answer of no HTTP', refused({ code: 'HPE_INVALID_VERSION' })],
    // Bun says so of a connection that breaks later, too.
    ['failed in its TLS in Bun', refused({ code: 'EPROTO', message: 'EPROTO: The TLS handshake failed.' })],
    ['was damaged under its TLS', refused({ code: 'ERR_SSL_DECRYPTION_FAILED_OR_BAD_RECORD_MAC' })],
    ['failed in a transport of the caller', refused({ message: 'foreign key mismatch' })],
    ['failed in a way that cannot be read', refused({ code: Symbol('?') })],
  ]) {
    test(`is not one whose connection ${title}`, async () => {
      const { options, requests } = script(() => Promise.reject(fetchFailed(error)));
      const failed = await failure(generate(request, options));
      assert.deepEqual([failed.kind, failed.outcome, requests.length], ['connection', 'unknown', 1]);
    });
  }

  for (const [title, lost] of [
    ["Node's own", fetchFailed(refused({ code: 'UND_ERR_HEADERS_TIMEOUT' }))],
    ["Bun's, or that of a transport", new DOMException('The operation timed out.', 'TimeoutError')],
  ]) {
    test(`is a time-out where it was ${title}`, async () => {
      const { options } = script(() => Promise.reject(lost));
      const error = await failure(generate(request, options));
      assert.ok(error instanceof RequestTimeoutError);
      assert.equal(error.outcome, 'unknown');
    });
  }
});

describe('onUpdate', GUARD, () => {
  test('hears when the next poll is due, and of the poll that ends the task as failed', async (t) => {
    const time = fakeTime(t);
    const failed = answer({ task_id: 't', status: 'failed', error: 'too sour', data: [{ url: '' }] });
    const { options, requests } = script(running, running, failed);
    const updates = [];
    const onUpdate = (task, { nextPollMs }) => updates.push([task, nextPollMs, performance.now()]);
    const error = await failure(time.until(waitForTask('t', { ...options, onUpdate })));
    assert.ok(error instanceof TaskFailedError);
    assert.deepEqual(
      updates.map(([{ status }]) => status),
      ['processing', 'processing', 'failed'],
    );
    for (const [index, [, nextPollMs, at]] of updates.slice(0, 2).entries()) {
      assert.ok(Math.abs(at + nextPollMs - requests[index + 1].at) <= 1, `${nextPollMs} ms`);
    }
    const [[task, next]] = updates.slice(-1);
    assert.deepEqual([task.task_id, task.error, task.data, next], ['t', 'too sour', undefined, undefined]);
  });
});

describe('rule 4: onTask', GUARD, () => {
  test('that never settles ends the call when maxWait has passed, with the task', async (t) => {
    const time = fakeTime(t);
    const pending = answer({ task_id: 't', status: 'pending' });
    for (const call of [generate, generateAndWait]) {
      const started = time.now();
      const options = { ...script(pending).options, maxWait: 20_000, onTask: () => new Promise(() => {}) };
      const error = await failure(time.until(call(request, options)));
      assert.deepEqual([error.kind, error.outcome, error.task], ['callback', 'accepted', { task_id: 't' }]);
      assert.ok(
        time.now() - started >= 20_000 && time.now() - started <= 20_010,
        `${time.now() - started} ms`,
      );
    }
  });
});
