/** Watchers are bounded: how many an identity has over all of its tasks, and how much the hub writes to each. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import WebSocket from 'ws';
import { startServer } from '../server/index.js';
import { digest, idOf, startHub, until } from './place.js';

const GUARD = { timeout: 300_000 };
const MAX_PER_IDENTITY = 3;
/** As `optionsOf` sets it. */
const MAX_WAIT_MS = 600_000;

let server;
let hub;

before(async () => {
  server = await startServer({ taskMs: 3_600_000 });
  hub = await startHub(server, { SETTINGS: { maxWatchersPerIdentity: MAX_PER_IDENTITY } });
}, GUARD);
after(async () => {
  await hub?.close();
  await server.close();
});

async function createTask(user) {
  const request = { prompt: `A lemon ${Math.random()}`, model: 'flux-pro' };
  const { task_id } = await (await hub.create(user, request)).json();
  const task = [...server.tasks.values()].find(({ prompt }) => prompt === request.prompt);
  return { user, reference: task_id, id: idOf(task_id), task };
}

const openStream = ({ user, reference }) =>
  hub.fetch(user, `/v1/tasks/${reference}`, { headers: { accept: 'text/event-stream' } });

const isStream = ({ headers }) => headers.get('content-type') === 'text/event-stream';

async function openSocket({ user, reference }) {
  const url = `${hub.url.replace('http', 'ws')}/hub/v1/tasks/${reference}`;
  const socket = new WebSocket(url, { headers: { 'x-user': user } });
  // The present state comes at once.
  await once(socket, 'message');
  return socket;
}

/** The object that counts a user's watchers. Its name does not show the user. */
const leasesOf = (user) => encodeURIComponent(`@watchers of ${digest(JSON.stringify([user]))}`);

/** How many watchers each of a user's tasks has, by the ids of the objects. */
async function leases(user) {
  const { entries } = await hub.inside(leasesOf(user), 'stored');
  return Object.fromEntries(
    Object.entries(entries).map(([row, { count }]) => [row.slice('watchers/'.length), count]),
  );
}

/** Opens streams of two tasks, as many as the user may have. */
async function fill(user) {
  const tasks = await Promise.all([createTask(user), createTask(user)]);
  const streams = [await openStream(tasks[0]), await openStream(tasks[0]), await openStream(tasks[1])];
  assert.ok(streams.every(isStream));
  return { tasks, streams };
}

describe('an identity with as many watchers as it may have', GUARD, () => {
  test('gets JSON for any of its tasks, and others are not affected', async () => {
    const { tasks } = await fill('ann');
    assert.deepEqual(await leases('ann'), { [tasks[0].id]: 2, [tasks[1].id]: 1 });
    for (const task of [...tasks, await createTask('ann')]) {
      const refused = await openStream(task);
      assert.equal(refused.headers.get('content-type'), 'application/json');
      assert.equal((await refused.json()).status, 'pending');
      await assert.rejects(openSocket(task), /Unexpected server response: 200/);
    }
    const other = await openStream(await createTask('bob'));
    assert.ok(isStream(other));
    await other.body.cancel();
    tasks[0].task.startedAt = 0;
    assert.equal((await hub.client('ann').waitForTask(tasks[0].reference)).status, 'completed');
  });

  test('has no more when it opens many at once', async () => {
    const tasks = await Promise.all([createTask('cid'), createTask('cid')]);
    const responses = await Promise.all(
      Array.from({ length: 20 }, (_, index) => openStream(tasks[index % 2])),
    );
    assert.equal(responses.filter(isStream).length, MAX_PER_IDENTITY);
    const sockets = await Promise.all(tasks.map(({ id }) => hub.inside(id, 'watchers')));
    assert.equal(sockets[0] + sockets[1], MAX_PER_IDENTITY);
  });

  for (const [what, end] of [
    ['one of them closes', async ({ streams }) => streams[0].body.cancel()],
    ['a task ends', async ({ tasks }) => Object.assign(tasks[0].task, { startedAt: 0 })],
  ]) {
    test(`may open another once ${what}`, async () => {
      const user = `dan ${what}`;
      const filled = await fill(user);
      await end(filled);
      const [first, second] = filled.tasks.map(({ id }) => id);
      await until(async () => ((await leases(user))[first] ?? 0) < 2);
      assert.equal((await leases(user))[second], 1);
      const socket = await openSocket(filled.tasks[1]);
      assert.equal((await leases(user))[second], 2);
      socket.terminate();
      await until(async () => (await leases(user))[second] === 1);
    });
  }

  test('may open another after it closed one with a code that may not be sent', async () => {
    const task = await createTask('ian');
    for (const code of [999, 1004, 1005, 1015, 5000]) {
      const socket = await openSocket(task);
      assert.deepEqual(await leases('ian'), { [task.id]: 1 });
      // A close frame with a mask of zeros: no client of a library sends such a code.
      socket._socket.write(Buffer.from([0x88, 0x82, 0, 0, 0, 0, code >> 8, code & 255]));
      await until(async () => Object.keys(await leases('ian')).length === 0);
      socket.terminate();
    }
  });

  test('still has them when the object that counts them has been gone', async () => {
    const { tasks } = await fill('eve');
    await hub.inside(leasesOf('eve'), 'reset').catch(() => {});
    assert.ok(!isStream(await openStream(tasks[1])));
  });

  test('has them for as long as a task may go through its models', async () => {
    const start = Date.now();
    const request = {
      prompt: 'A chain of lemons',
      model: 'flux-pro',
      fallback: ['midjourney', 'ideogram-v3'],
    };
    const { task_id } = await (await hub.create('hal', request)).json();
    assert.ok(isStream(await openStream({ user: 'hal', reference: task_id })));
    const { entries } = await hub.inside(leasesOf('hal'), 'stored');
    const [{ until: end }] = Object.values(entries);
    // Each model may wait for its admission, and then for its end.
    assert.ok(end >= start + 3 * 2 * MAX_WAIT_MS, `${end - start}`);
  });

  test('gets them back after a crash of a task: with its next socket, or when the lease runs out', async () => {
    const { tasks } = await fill('fay');
    const [crashed, other] = tasks;
    // A crash closes the sockets, and nothing reports it.
    await hub.inside(crashed.id, 'reset').catch(() => {});
    assert.deepEqual(await leases('fay'), { [crashed.id]: 2, [other.id]: 1 });
    assert.ok(!isStream(await openStream(other)));
    assert.ok(isStream(await openStream(crashed)));
    assert.deepEqual(await leases('fay'), { [crashed.id]: 1, [other.id]: 1 });

    await hub.inside(crashed.id, 'reset').catch(() => {});
    const { alarm, entries } = await hub.inside(leasesOf('fay'), 'stored');
    const ends = Object.values(entries).map(({ until }) => until);
    assert.ok(alarm <= Math.min(...ends), 'an alarm sweeps the leases');
    // Long after.
    for (const { id } of tasks) await hub.amend(leasesOf('fay'), `watchers/${id}`, { until: 1 });
    await hub.inside(leasesOf('fay'), 'ring', 1);
    assert.deepEqual((await hub.inside(leasesOf('fay'), 'stored')).entries, {});
    assert.ok(isStream(await openStream(other)));
  });
});

describe('a socket whose client does not read', GUARD, () => {
  /** All messages of a socket together. */
  const MAX_LENGTH = 65_536;
  /** The length of the text in each answer of the service. */
  const NOTE_LENGTH = 9_000;

  test('is closed before the hub has written much to it', async () => {
    const watched = await createTask('gus');
    const deaf = await Promise.all([openSocket(watched), openSocket(watched)]);
    for (const socket of deaf) socket.pause();
    const { task, id } = watched;
    let count = 0;
    const isOpen = async () => (await hub.inside(id, 'watchers')) > 0;
    while (await isOpen()) {
      count += 1;
      const note = `${count} `.padEnd(NOTE_LENGTH, '🍋');
      const body = { task_id: task.id, status: 'processing', data: [], note };
      const { polls } = server.counts;
      server.next({ on: 'poll', reply: { body } });
      await until(() => server.counts.polls > polls);
      assert.ok(count < 100, 'the hub writes on');
    }
    // Their clients may open others, which begin with the present state. The runtime holds the old ones until their
    // clients answer, so these count, too.
    await openSocket(watched);
    assert.deepEqual(await leases('gus'), { [id]: 3 });
    for (const socket of deaf) {
      let length = 0;
      const states = [];
      socket.on('message', (data) => {
        length += `${data}`.length;
        states.push(JSON.parse(data));
      });
      socket.resume();
      // workerd leaves the connection of a hibernating socket open after that.
      await until(() => socket.readyState >= WebSocket.CLOSING);
      socket.terminate();
      assert.deepEqual((await once(socket, 'close'))[0], 1000);
      assert.ok(states.length > 2 && length > MAX_LENGTH - 2 * NOTE_LENGTH, `${states.length} messages`);
      assert.ok(length <= MAX_LENGTH, `${length} characters`);
    }
    await until(async () => (await leases('gus'))[id] === 1);
  });
});

test('a hub that cannot count the watchers of an identity has its clients poll', GUARD, async () => {
  const broken = await startHub(server, { HAS_NO_LEASES: true });
  try {
    const response = await broken.create('ann', { prompt: 'A lonely lemon', model: 'flux-pro' });
    const { task_id } = await response.json();
    const headers = { accept: 'text/event-stream' };
    const polled = await broken.fetch('ann', `/v1/tasks/${task_id}`, { headers });
    assert.equal(polled.headers.get('content-type'), 'application/json');
    await broken.logged(({ event }) => event === 'watchers_failed');
  } finally {
    await broken.close();
  }
});
