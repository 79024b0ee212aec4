/** Many clients watch one task: each gets all of its states, and the provider gets the polls of one. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { after, before, beforeEach, describe, test } from 'node:test';
import WebSocket from 'ws';
import { requestOf } from '../relay/raw.js';
import { startServer } from '../server/index.js';
import { idOf, startHub, until } from './place.js';

const GUARD = { timeout: 300_000 };
/** Long enough for a report to a thousand watchers. */
const POLL_MS = 100;
const LEMON = { prompt: 'A lemon', model: 'flux-pro' };

describe('watchers of a task', GUARD, () => {
  let server;
  let hub;

  before(async () => {
    server = await startServer({ taskMs: 3_600_000 });
    // A thousand, and the watchers of other tests.
    hub = await startHub(server, { POLL_MS, SETTINGS: { maxWatchersPerIdentity: 2000 } });
  });
  after(async () => {
    await hub?.close();
    await server.close();
  });
  beforeEach(() => server.reset());

  /** A task: its reference, the provider's task, and its polls. */
  async function createTask(more) {
    const request = { ...LEMON, ...more, prompt: `A lemon ${Math.random()} ${more?.prompt ?? ''}` };
    const { task_id } = await (await hub.create('ann', request)).json();
    const task = [...server.tasks.values()].find(({ prompt }) => prompt === request.prompt);
    return {
      reference: task_id,
      task,
      polls: () => server.counts.requests.filter(({ path }) => path.endsWith(task.id)),
      /** Sets the progress, in percent. */
      progress(percent) {
        task.startedAt = Date.now() - (percent + 0.1) * 36_000;
      },
      finish() {
        task.startedAt = 0;
      },
    };
  }

  /** The states of a stream, as they come. */
  async function* states(response) {
    let text = '';
    for await (const piece of response.body.pipeThrough(new TextDecoderStream())) {
      const events = (text + piece).split('\n\n');
      text = events.pop();
      for (const event of events) if (event.startsWith('data: ')) yield JSON.parse(event.slice(6));
    }
  }

  const open = (reference, init) =>
    hub.fetch('ann', `/v1/tasks/${reference}`, { ...init, headers: { accept: 'text/event-stream' } });

  const urlOf = (reference) => `${hub.url.replace('http', 'ws')}/hub/v1/tasks/${reference}`;

  /** A socket, with its messages. */
  function openSocket(reference, { user = 'ann', protocols = [], ...options } = {}) {
    const socket = new WebSocket(urlOf(reference), protocols, {
      headers: { ...(user && { 'x-user': user }) },
      ...options,
    });
    const messages = [];
    socket.on('message', (data) => messages.push(JSON.parse(data)));
    const code = once(socket, 'close').then(([number]) => number);
    return {
      socket,
      messages,
      /** The code of its close. workerd leaves the connection of a hibernating socket open after that. */
      async closed() {
        await until(() => socket.readyState >= WebSocket.CLOSING);
        socket.terminate();
        return code;
      },
    };
  }

  /** The status that refuses a socket. */
  async function refusalOf(reference, options) {
    const { socket } = openSocket(reference, options);
    socket.on('error', () => {});
    const [request, response] = await once(socket, 'unexpected-response');
    request.destroy();
    return response.statusCode;
  }

  test('get the present state, every change and the end by a stream', async () => {
    const { reference, progress, finish } = await createTask();
    const response = await open(reference);
    assert.equal(response.status, 200);
    assert.equal(response.headers.get('content-type'), 'text/event-stream');
    assert.match(response.headers.get('cache-control'), /no-store/);
    const got = [];
    for await (const state of states(response)) {
      got.push(state);
      if (got.length === 1) progress(40);
      if (got.length === 2) progress(50);
      if (got.length === 3) finish();
    }
    for (const state of got) assert.equal(state.task_id, reference);
    assert.equal(got.at(-1).data.length, 1);
    assert.deepEqual(
      got.map(({ status, progress }) => [status, progress]),
      [
        ['pending', undefined],
        ['processing', 40],
        ['processing', 50],
        ['completed', undefined],
      ],
    );
  });

  test('get the present state, every change and the end by a WebSocket', async () => {
    const { reference, progress, finish } = await createTask();
    const { messages, closed } = openSocket(reference);
    await until(() => messages.length === 1);
    progress(40);
    await until(() => messages.length === 2);
    finish();
    assert.equal(await closed(), 1000);
    for (const state of messages) assert.equal(state.task_id, reference);
    assert.deepEqual(
      messages.map(({ status, progress }) => [status, progress]),
      [
        ['pending', undefined],
        ['processing', 40],
        ['completed', undefined],
      ],
    );
    assert.equal(messages.at(-1).data.length, 1);
  });

  test('get no message while nothing changes', async () => {
    const { reference, finish, polls } = await createTask();
    const { messages, closed } = openSocket(reference);
    const stream = (async () => {
      const got = [];
      for await (const state of states(await open(reference))) got.push(state.status);
      return got;
    })();
    await until(() => messages.length === 1);
    const before = polls().length;
    await until(() => polls().length > before + 4);
    finish();
    await closed();
    assert.deepEqual(
      messages.map(({ status }) => status),
      ['pending', 'completed'],
    );
    assert.deepEqual(await stream, ['pending', 'completed']);
  });

  test('can check that their socket is alive without waking the object', async () => {
    const { reference } = await createTask();
    const socket = new WebSocket(urlOf(reference), { headers: { 'x-user': 'ann' } });
    const texts = [];
    socket.on('message', (data) => texts.push(`${data}`));
    await once(socket, 'open');
    socket.send('ping');
    await until(() => texts.includes('pong'));
    assert.equal(socket.readyState, WebSocket.OPEN);
    socket.terminate();
  });

  test('ask for a result that is too long for a message', async () => {
    const { reference, finish } = await createTask({ n: 10, prompt: 'and another one '.repeat(230) });
    const response = await open(reference);
    const { messages, closed } = openSocket(reference);
    await until(() => messages.length === 1);
    finish();
    const got = [];
    for await (const { status } of states(response)) got.push(status);
    await closed();
    assert.deepEqual([got, messages.map(({ status }) => status)], [['pending'], ['pending']]);
    const done = await hub.client('ann').waitForTask(reference);
    assert.ok(JSON.stringify(done).length > 32_768);
  });

  test('with a path that is too long for a socket ask, and hold up no other', async () => {
    const { reference, finish } = await createTask();
    const headers = { accept: 'text/event-stream' };
    const deep = await hub.fetch('ann', `${'/deep'.repeat(3000)}/v1/tasks/${reference}`, { headers });
    assert.equal(deep.status, 200);
    assert.equal(deep.headers.get('content-type'), 'application/json');
    assert.equal((await deep.json()).task_id, reference);
    const { messages, closed } = openSocket(reference);
    await until(() => messages.length === 1);
    finish();
    await closed();
    assert.equal(messages.at(-1).status, 'completed');
  });

  test('cause the polls of one, even a thousand of them', async () => {
    const { reference, finish, polls } = await createTask();
    const lastState = async () => {
      let last;
      for await (const state of states(await open(reference))) last = state;
      return last;
    };
    const streams = [];
    const sockets = [];
    // Not all at once: workerd closes a connection whose request it has not read after 15 s.
    for (let wave = 0; wave < 10; wave += 1) {
      streams.push(...Array.from({ length: 50 }, lastState));
      sockets.push(...Array.from({ length: 50 }, () => openSocket(reference)));
      await until(() => sockets.every(({ messages }) => messages.length > 0));
    }
    const before = polls().length;
    await until(() => polls().length > before + 3);
    finish();
    for (const last of await Promise.all(streams)) assert.equal(last.status, 'completed');
    for (const { messages, closed } of sockets) {
      assert.equal(await closed(), 1000);
      assert.deepEqual(
        messages.map(({ status }) => status),
        ['pending', 'completed'],
      );
    }
    const times = polls().map(({ at }) => at);
    assert.ok(times.length > 3);
    times.slice(1).forEach((at, index) => {
      // One in each interval, as without watchers. The clock counts whole milliseconds.
      assert.ok(at - times[index] >= POLL_MS - 1, `${times.map((time) => time - times[0])}`);
    });
  });

  test('get the present state first when they come back', async () => {
    // The provider reports progress once and then hangs: a later message can only be the hub's own state.
    const { reference, task, polls } = await createTask({ model: 'test-poll:slow:0' });
    task.startedAt -= 1_800_000;
    const first = openSocket(reference);
    await until(() => first.messages.at(-1)?.progress === 50);
    server.next({ on: 'poll', reply: { hang: true } });
    const before = polls().length;
    await until(() => polls().length > before);
    first.socket.close();
    await first.closed();
    const again = openSocket(reference);
    await until(() => again.messages.length > 0);
    assert.deepEqual([again.messages[0].status, again.messages[0].progress], ['processing', 50]);
    const { value } = await states(await open(reference)).next();
    assert.deepEqual(value, again.messages[0]);
    again.socket.close();
  });

  test('get a task that is over at once, without a socket', async () => {
    const { reference, finish } = await createTask();
    finish();
    const client = hub.client('ann');
    await client.waitForTask(reference);
    const response = await open(reference);
    assert.equal(response.headers.get('content-type'), 'application/json');
    assert.equal((await response.json()).status, 'completed');
    // There is no socket for it.
    assert.equal(await refusalOf(reference), 200);
  });

  test('sign in by a subprotocol, as the socket of a page cannot send headers', async () => {
    const { reference } = await createTask();
    const { socket, messages } = openSocket(reference, { protocols: ['lemondata', 'a-token'] });
    await until(() => messages.length > 0);
    assert.equal(socket.protocol, 'lemondata');
    socket.close();
  });

  test('cannot send messages, and other users cannot watch', async () => {
    const { reference } = await createTask();
    const talking = openSocket(reference);
    await once(talking.socket, 'open');
    talking.socket.send('{"status":"completed"}');
    assert.equal(await talking.closed(), 1003);
    assert.equal(await refusalOf(reference, { user: 'bob' }), 404);
    assert.equal(await refusalOf(reference, { user: '' }), 401);
    assert.equal(await refusalOf('t_x'), 404);
    assert.equal(await refusalOf(`${reference.slice(0, -2)}xx`), 404);
    assert.equal(await refusalOf(reference, { origin: 'https://evil.example' }), 403);
    const own = openSocket(reference, { origin: hub.url });
    await once(own.socket, 'open');
    own.socket.close();
    for (const [user, status] of [
      ['bob', 404],
      ['', 401],
    ]) {
      const headers = { accept: 'text/event-stream' };
      const response = await hub.fetch(user, `/v1/tasks/${reference}`, { headers });
      assert.equal(response.status, status);
    }
  });

  test('leave no socket behind', async () => {
    const { reference } = await createTask();
    const watchers = () => hub.inside(idOf(reference), 'watchers');
    const { socket, closed } = openSocket(reference);
    await once(socket, 'open');
    // A page that closes.
    const { port } = new URL(hub.url);
    const page = connect(port, '127.0.0.1');
    const lines = ['x-user: ann', 'accept: text/event-stream', 'connection: keep-alive'];
    for (const part of requestOf('GET', `/hub/v1/tasks/${reference}`, lines)) page.write(part);
    await until(async () => (await watchers()) === 2);
    page.resetAndDestroy();
    await until(async () => (await watchers()) === 1);
    socket.close();
    await closed();
    await until(async () => (await watchers()) === 0);
  });

  describe('as clients of the package', () => {
    /** A client with a transport that records requests and may answer them. */
    function clientOf(answer) {
      const accepts = [];
      const client = hub.client('ann', {
        fetch: async (url, init) => {
          accepts.push(init.headers.get('accept'));
          return (await answer?.(accepts.length, url, init)) ?? fetch(url, init);
        },
      });
      return { client, accepts };
    }

    test('need one request for all states', async () => {
      const { reference, progress, finish } = await createTask();
      const { client, accepts } = clientOf();
      const updates = [];
      const next = [() => progress(40), () => progress(50), finish];
      const done = await client.waitForTask(reference, {
        onUpdate: (generation) => {
          updates.push(generation.status);
          next.shift()?.();
        },
      });
      assert.equal(done.status, 'completed');
      assert.ok(updates.length > 3);
      assert.deepEqual(accepts, ['application/json, text/event-stream']);
    });

    test('poll when a stream breaks off', async () => {
      const { reference, finish } = await createTask();
      const { client, accepts } = clientOf(async (count, url, init) => {
        if (count > 1) return undefined;
        const response = await fetch(url, init);
        const reader = response.body.getReader();
        const body = new ReadableStream({
          async start(controller) {
            controller.enqueue((await reader.read()).value);
            finish();
            controller.error(new Error('cut off'));
            await reader.cancel();
          },
        });
        return new Response(body, { headers: response.headers });
      });
      assert.equal((await client.waitForTask(reference)).status, 'completed');
      assert.ok(accepts.length > 1);
    });

    test('poll when the hub opens no socket', async () => {
      const { reference, finish } = await createTask();
      const { client, accepts } = clientOf((count, url, init) => {
        if (count === 3) finish();
        init.headers.set('accept', 'application/json');
        return fetch(url, init);
      });
      assert.equal((await client.waitForTask(reference)).status, 'completed');
      assert.ok(accepts.length >= 3);
    });

    test('wait on while the hub ends and comes back', async () => {
      const { reference, finish } = await createTask();
      const { client, accepts } = clientOf();
      const waiting = client.waitForTask(reference, {
        async onUpdate() {
          if (accepts.length > 1) return;
          await hub.inside(idOf(reference), 'reset').catch(() => {});
          finish();
        },
      });
      assert.equal((await waiting).status, 'completed');
      assert.ok(accepts.length > 1);
    });

    test('share one stream for all calls of a task', async () => {
      const { reference, finish } = await createTask();
      const { client, accepts } = clientOf();
      const waiting = Array.from({ length: 10 }, () => client.waitForTask(reference));
      await until(() => accepts.length > 0);
      finish();
      for (const done of await Promise.all(waiting)) assert.equal(done.status, 'completed');
      assert.equal(accepts.length, 1);
    });
  });
});

describe('watchers for a long time', GUARD, () => {
  let server;
  let hub;

  before(async () => {
    server = await startServer({ taskMs: 3_600_000 });
    const settings = { HEARTBEAT_MS: 40, STREAM_LIFE_MS: 400, SETTINGS: { maxWatchers: 3 } };
    hub = await startHub(server, { POLL_MS, ...settings });
  });
  after(async () => {
    await hub?.close();
    await server.close();
  });

  const open = (reference) =>
    hub.fetch('ann', `/v1/tasks/${reference}`, { headers: { accept: 'text/event-stream' } });

  async function createTask() {
    const request = { ...LEMON, prompt: `A lemon ${Math.random()}` };
    const { task_id } = await (await hub.create('ann', request)).json();
    return {
      reference: task_id,
      task: [...server.tasks.values()].find(({ prompt }) => prompt === request.prompt),
    };
  }

  test('get heartbeats while nothing changes, until their stream ends', async () => {
    const { reference } = await createTask();
    const response = await open(reference);
    const text = await response.text();
    const beats = text.split(': \n\n').length - 1;
    assert.ok(beats >= 3, text);
    assert.equal(text.split('data: ').length - 1, 1);
    assert.ok(text.endsWith('\n\n'), 'it ends between two events');
    await until(async () => (await hub.inside(idOf(reference), 'watchers')) === 0);
  });

  test('go on with another stream, as clients of the package', async () => {
    const { reference, task } = await createTask();
    let requests = 0;
    const client = hub.client('ann', {
      fetch(url, init) {
        requests += 1;
        if (requests === 3) task.startedAt = 0;
        return fetch(url, init);
      },
    });
    assert.equal((await client.waitForTask(reference)).status, 'completed');
    assert.ok(requests >= 3);
  });

  test('get the present state as JSON when there are too many', async () => {
    const { reference } = await createTask();
    const isStream = ({ headers }) => headers.get('content-type') === 'text/event-stream';
    const responses = await Promise.all(Array.from({ length: 10 }, () => open(reference)));
    const streams = responses.filter(isStream);
    assert.equal(streams.length, 3);
    for (const response of responses.filter((one) => !isStream(one))) {
      assert.equal(response.headers.get('content-type'), 'application/json');
      assert.equal((await response.json()).status, 'pending');
    }
    for (const { body } of streams) await body.cancel();
    await until(async () => (await hub.inside(idOf(reference), 'watchers')) === 0);
    const again = await open(reference);
    assert.equal(again.headers.get('content-type'), 'text/event-stream');
    await again.body.cancel();
  });
});
