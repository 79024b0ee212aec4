/** Many watch one task: the provider notices nothing of it, and each of them hears all that there is to hear. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { after, before, beforeEach, describe, test } from 'node:test';
import WebSocket from 'ws';
import { requestOf } from '../relay/raw.js';
import { startServer } from '../server/index.js';
import { idOf, startHub, until } from './place.js';

const GUARD = { timeout: 60_000 };
/** A thousand that are told each time take their time. */
const POLL_MS = 100;
const LEMON = { prompt: 'A lemon', model: 'flux-pro' };

describe('those who watch a task', GUARD, () => {
  let server;
  let hub;

  before(async () => {
    server = await startServer({ taskMs: 3_600_000 });
    // A thousand, and those of other tests.
    hub = await startHub(server, { POLL_MS, SETTINGS: { maxWatchersPerIdentity: 2000 } });
  });
  after(async () => {
    await hub?.close();
    await server.close();
  });
  beforeEach(() => server.reset());

  /** A task of somebody: its reference, the provider's own of it, and the polls of it. */
  async function createTask(more) {
    const request = { ...LEMON, ...more, prompt: `A lemon ${Math.random()} ${more?.prompt ?? ''}` };
    const { task_id } = await (await hub.create('ann', request)).json();
    const task = [...server.tasks.values()].find(({ prompt }) => prompt === request.prompt);
    return {
      reference: task_id,
      task,
      polls: () => server.counts.requests.filter(({ path }) => path.endsWith(task.id)),
      /** Has the service say that so many percent are done. */
      progress(percent) {
        task.startedAt = Date.now() - (percent + 0.1) * 36_000;
      },
      finish() {
        task.startedAt = 0;
      },
    };
  }

  /** The states that a stream brings, as they come. */
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

  /** A socket, with all that it has been told. */
  function openSocket(reference, { user = 'ann', ...options } = {}) {
    const socket = new WebSocket(urlOf(reference), {
      headers: { ...(user && { 'x-user': user }) },
      ...options,
    });
    const told = [];
    socket.on('message', (data) => told.push(JSON.parse(data)));
    const code = once(socket, 'close').then(([number]) => number);
    return {
      socket,
      told,
      /** The code that it is closed with. workerd leaves the connection of a hibernating socket open after that. */
      async closed() {
        await until(() => socket.readyState >= WebSocket.CLOSING);
        socket.terminate();
        return code;
      },
    };
  }

  /** With which status a socket is refused. */
  async function refusalOf(reference, options) {
    const { socket } = openSocket(reference, options);
    socket.on('error', () => {});
    const [request, response] = await once(socket, 'unexpected-response');
    request.destroy();
    return response.statusCode;
  }

  test('get by a stream the present state, every change and the end', async () => {
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

  test('get by a WebSocket the present state, every change and the end', async () => {
    const { reference, progress, finish } = await createTask();
    const { told, closed } = openSocket(reference);
    await until(() => told.length === 1);
    progress(40);
    await until(() => told.length === 2);
    finish();
    assert.equal(await closed(), 1000);
    for (const state of told) assert.equal(state.task_id, reference);
    assert.deepEqual(
      told.map(({ status, progress }) => [status, progress]),
      [
        ['pending', undefined],
        ['processing', 40],
        ['completed', undefined],
      ],
    );
    assert.equal(told.at(-1).data.length, 1);
  });

  test('are sent nothing while nothing changes', async () => {
    const { reference, finish, polls } = await createTask();
    const { told, closed } = openSocket(reference);
    const stream = (async () => {
      const got = [];
      for await (const state of states(await open(reference))) got.push(state.status);
      return got;
    })();
    await until(() => told.length === 1);
    const before = polls().length;
    await until(() => polls().length > before + 4);
    finish();
    await closed();
    assert.deepEqual(
      told.map(({ status }) => status),
      ['pending', 'completed'],
    );
    assert.deepEqual(await stream, ['pending', 'completed']);
  });

  test('find out that their socket is alive, without waking the object', async () => {
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
    const { told, closed } = openSocket(reference);
    await until(() => told.length === 1);
    finish();
    const got = [];
    for await (const { status } of states(response)) got.push(status);
    await closed();
    assert.deepEqual([got, told.map(({ status }) => status)], [['pending'], ['pending']]);
    const done = await hub.client('ann').waitForTask(reference);
    assert.ok(JSON.stringify(done).length > 32_768);
  });

  test('below a path that is too long for a socket ask, and hold nobody up', async () => {
    const { reference, finish } = await createTask();
    const headers = { accept: 'text/event-stream' };
    const deep = await hub.fetch('ann', `${'/deep'.repeat(3000)}/v1/tasks/${reference}`, { headers });
    assert.equal(deep.status, 200);
    assert.equal(deep.headers.get('content-type'), 'application/json');
    assert.equal((await deep.json()).task_id, reference);
    const { told, closed } = openSocket(reference);
    await until(() => told.length === 1);
    finish();
    await closed();
    assert.equal(told.at(-1).status, 'completed');
  });

  test('cause the polls of one, though they are a thousand', async () => {
    const { reference, finish, polls } = await createTask();
    const streams = Array.from({ length: 500 }, async () => {
      let last;
      for await (const state of states(await open(reference))) last = state;
      return last;
    });
    const sockets = Array.from({ length: 500 }, () => openSocket(reference));
    await until(() => sockets.every(({ told }) => told.length > 0), { withinMs: 40_000 });
    const before = polls().length;
    await until(() => polls().length > before + 3);
    finish();
    for (const last of await Promise.all(streams)) assert.equal(last.status, 'completed');
    for (const { told, closed } of sockets) {
      assert.equal(await closed(), 1000);
      assert.deepEqual(
        told.map(({ status }) => status),
        ['pending', 'completed'],
      );
    }
    const times = polls().map(({ at }) => at);
    assert.ok(times.length > 3);
    times.slice(1).forEach((at, index) => {
      // Each interval has one, as if nobody watched. Whole milliseconds are counted.
      assert.ok(at - times[index] >= POLL_MS - 1, `${times.map((time) => time - times[0])}`);
    });
  });

  test('hear first how it stands, when they come back', async () => {
    // The provider tells of it once, and is silent then: what is heard can only be what the hub knows.
    const { reference, task, polls } = await createTask({ model: 'test-poll:slow:0' });
    task.startedAt -= 1_800_000;
    const first = openSocket(reference);
    await until(() => first.told.at(-1)?.progress === 50);
    server.next({ on: 'poll', reply: { hang: true } });
    const asked = polls().length;
    await until(() => polls().length > asked);
    first.socket.close();
    await first.closed();
    const again = openSocket(reference);
    await until(() => again.told.length > 0);
    assert.deepEqual([again.told[0].status, again.told[0].progress], ['processing', 50]);
    const { value } = await states(await open(reference)).next();
    assert.deepEqual(value, again.told[0]);
    again.socket.close();
  });

  test('hear of one that is over at once, without a socket', async () => {
    const { reference, finish } = await createTask();
    finish();
    const client = hub.client('ann');
    await client.waitForTask(reference);
    const response = await open(reference);
    assert.equal(response.headers.get('content-type'), 'application/json');
    assert.equal((await response.json()).status, 'completed');
    // Whoever insists on a socket has to ask.
    assert.equal(await refusalOf(reference), 200);
  });

  test('are told nothing by one another, nor by anybody else', async () => {
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
    // As a page that closes.
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
    /** A client whose requests the test sees, and may answer. */
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

    test('need one request for all that there is to hear', async () => {
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

    test('poll when a stream is cut off', async () => {
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

    test('poll when the hub has no sockets to give', async () => {
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

describe('those who watch a task for long', GUARD, () => {
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

  test('hear a heartbeat while nothing changes, until their stream has lived long enough', async () => {
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

  test('get the present state as JSON when there are too many of them', async () => {
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
