/** The store with a storage, locks and a client of the test: reloads, tabs, and creates that must not leave twice. */

import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, mock, test } from 'node:test';
import {
  LemonDataError,
  RateLimitError,
  ResponseError,
  TaskNotFoundError,
  WaitTimeoutError,
} from '../client/errors.js';
import { checkRepeatable, createGenerations, syncTabs } from './index.js';
import { openJournal } from './journal.js';

const REQUEST = { model: 'gpt-image-2', prompt: 'A lemon' };
const TASK = { task_id: 'img_1', poll_url: '/v1/tasks/img_1' };
const IMAGES = [{ url: 'https://x.test/1.png' }];
const KEY = 'lemondata generations';

/** Lets all happen that needs no timer. */
async function settle() {
  for (let count = 0; count < 5; count += 1) await new Promise((resolve) => setImmediate(resolve));
}

const memoryStorage = () => {
  const items = new Map();
  return {
    items,
    getItem: (key) => items.get(key) ?? null,
    setItem: (key, value) => void items.set(key, value),
    removeItem: (key) => void items.delete(key),
  };
};

/** The locks of an origin. Each tab has its own view of them, and loses its locks when it is closed. */
function lockManager() {
  const queues = new Map();
  function next(name) {
    const [first] = queues.get(name) ?? [];
    if (!first || first.isHeld) return;
    first.isHeld = true;
    first.work().then(first.resolve, first.reject).finally(first.release);
  }
  return () => {
    const mine = new Set();
    return {
      request(name, { signal }, work) {
        return new Promise((resolve, reject) => {
          const entry = { work, resolve, reject, isHeld: false };
          entry.release = () => {
            mine.delete(entry);
            queues.set(
              name,
              queues.get(name).filter((other) => other !== entry),
            );
            next(name);
          };
          signal?.addEventListener('abort', () => {
            if (entry.isHeld) return;
            entry.release();
            reject(signal.reason);
          });
          mine.add(entry);
          queues.set(name, [...(queues.get(name) ?? []), entry]);
          next(name);
        });
      },
      close() {
        for (const entry of mine) entry.release();
      },
    };
  };
}

/** A client whose calls the test answers. */
function fakeClient(relay = false) {
  const calls = [];
  const method = (name) => (input, options) =>
    new Promise((resolve, reject) => {
      const { signal } = options;
      const call = {
        name,
        input,
        options,
        reject,
        done: (data = IMAGES) => resolve({ status: 'completed', data }),
      };
      calls.push(call);
      signal.addEventListener('abort', () => reject(signal.reason));
    });
  const names = ['generateAndWait', 'editAndWait', 'waitForTask'];
  return { relay, calls, ...Object.fromEntries(names.map((name) => [name, method(name)])) };
}

let storage;
let openLocks;
beforeEach(() => {
  storage = memoryStorage();
  openLocks = lockManager();
});

/** A tab with a store. */
async function openTab({ relay, client = fakeClient(relay), ...options } = {}) {
  const locks = openLocks();
  const generations = createGenerations({ client, storage, locks, sync: syncTabs, ...options });
  const close = () => locks.close();
  generations.subscribe(() => {});
  await settle();
  return { client, calls: client.calls, generations, close, ...generations };
}

/** A snapshot without the fields that have no value. */
const plain = (snapshot) => JSON.parse(JSON.stringify(snapshot));

const journal = () => JSON.parse(storage.items.get(KEY) ?? '{"entries":{}}').entries;

/** Starts a generation, and waits until its create has left. */
async function startIn(tab, request = REQUEST, options = undefined) {
  const id = tab.start(request, options);
  await settle();
  return id;
}

/** The same, until its task is known. */
async function startTask(tab) {
  const id = await startIn(tab);
  await tab.calls.at(-1).options.onTask(TASK);
  return id;
}

describe('a generation', () => {
  test('goes from its request to its images', async () => {
    const tab = await openTab();
    const id = tab.start(REQUEST);
    assert.equal(tab.get(id).phase, 'sending');
    assert.equal(tab.get(id).sentAt, undefined);
    await settle();
    const [create] = tab.calls;
    assert.equal(create.name, 'generateAndWait');
    assert.deepEqual(create.input, REQUEST);
    assert.equal(create.options.idempotencyKey, tab.get(id).idempotencyKey);
    assert.ok(tab.get(id).sentAt >= tab.get(id).startedAt);

    await create.options.onTask(TASK);
    assert.deepEqual([tab.get(id).phase, tab.get(id).task], ['waiting', TASK]);
    const queue = { position: 1, length: 2, wait_ms: 3 };
    create.options.onUpdate({ status: 'processing', progress: 40, queue }, { nextPollMs: 4000 });
    const { status, progress, nextPollAt, queue: place } = tab.get(id);
    assert.deepEqual({ status, progress, place }, { status: 'processing', progress: 40, place: queue });
    assert.ok(nextPollAt > tab.get(id).startedAt);

    create.options.onUpdate({ status: 'completed' }, {});
    assert.equal(tab.get(id).progress, 40, 'the end of a task comes with its result');
    create.done();
    await settle();
    const done = tab.get(id);
    assert.deepEqual(
      [done.phase, done.images, done.nextPollAt, done.isResumable],
      ['done', IMAGES, undefined, false],
    );
    assert.ok(done.endedAt >= done.sentAt);
  });

  test('may be an edit', async () => {
    const tab = await openTab();
    await startIn(tab, REQUEST, { edit: true });
    assert.equal(tab.calls[0].name, 'editAndWait');
  });

  test('fails with the error of its call', async () => {
    const tab = await openTab();
    const id = await startIn(tab);
    const error = new RateLimitError({ message: 'Too many.', outcome: 'rejected' });
    tab.calls[0].reject(error);
    await settle();
    assert.equal(tab.get(id).phase, 'failed');
    assert.equal(tab.get(id).error, error);
    assert.equal(tab.get(id).isResumable, false);
  });

  for (const thrown of ['text', undefined, null]) {
    test(`fails with an error where a client throws ${thrown}`, async () => {
      const tab = await openTab();
      const id = await startIn(tab);
      tab.calls[0].reject(thrown);
      await settle();
      assert.ok(tab.get(id).error instanceof Error);
      assert.equal(journal()[id].phase, 'failed');
    });
  }

  test('with an id that is known is not started again', async () => {
    const tab = await openTab();
    await startIn(tab, REQUEST, { id: 'hero' });
    const before = tab.get('hero');
    await startIn(tab, { prompt: 'another' }, { id: 'hero' });
    assert.equal(tab.get('hero'), before);
    assert.equal(tab.calls.length, 1);
  });

  test('has its own copy of the request', async () => {
    const tab = await openTab();
    const request = { ...REQUEST, image_urls: ['https://x.test/2.png'] };
    const id = tab.start(request, { edit: true });
    request.prompt = 'changed';
    request.image_urls.length = 0;
    await settle();
    assert.deepEqual(tab.calls[0].input, { ...REQUEST, image_urls: ['https://x.test/2.png'] });
    assert.ok(Object.isFrozen(tab.get(id).request));
  });

  test('whose request is no JSON keeps no other one from being stored', async () => {
    const tab = await openTab();
    const bad = await startIn(tab, { prompt: 1n });
    tab.calls[0].reject(new RateLimitError({ message: 'No JSON.', outcome: 'not_sent' }));
    const good = await startIn(tab);
    assert.deepEqual(Object.keys(journal()), [good]);
    assert.equal(tab.get(bad).phase, 'failed');
  });
});

describe('snapshots', () => {
  test('stay the same until something changes, and never change themselves', async () => {
    const tab = await openTab();
    const id = await startTask(tab);
    const [before, list] = [tab.get(id), tab.list()];
    assert.equal(tab.get(id), before);
    assert.equal(tab.list(), list);
    tab.calls[0].options.onUpdate({ status: 'pending' }, { nextPollMs: 4000 });
    assert.notEqual(tab.get(id), before);
    assert.notEqual(tab.list(), list);
    assert.equal(before.status, undefined);
    for (const object of [list, before, before.images]) assert.ok(Object.isFrozen(object));
  });

  test('are listed with the newest first', async (t) => {
    t.mock.timers.enable({ apis: ['Date'], now: 1000 });
    const tab = await openTab();
    const first = await startIn(tab);
    t.mock.timers.tick(1);
    const second = await startIn(tab);
    const third = await startIn(tab);
    assert.deepEqual(
      tab.list().map(({ id }) => id),
      [third, second, first],
      'even of the same millisecond',
    );
  });

  test('reach every subscription, at once and at each change, until it ends', async () => {
    const tab = await openTab();
    const seen = [];
    const listener = (list) => seen.push(list);
    const unsubscribe = tab.subscribe(listener);
    tab.subscribe(listener);
    assert.deepEqual(seen, [tab.list(), tab.list()]);
    unsubscribe();
    tab.start(REQUEST);
    assert.equal(seen.length, 3);
    assert.equal(seen[2], tab.list());
  });

  test('a listener that throws ends nothing', async (t) => {
    const log = t.mock.method(console, 'error', () => {});
    const tab = await openTab();
    tab.subscribe(() => {
      throw new Error('from a listener');
    });
    const id = await startTask(tab);
    assert.equal(tab.get(id).phase, 'waiting');
    assert.match(String(log.mock.calls[0].arguments[0]), /from a listener/);
  });
});

describe('a listener', () => {
  test('may remove what is listed at that moment', async () => {
    const tab = await openTab();
    const kept = await startTask(tab);
    const early = await startTask(tab);
    tab.close();
    const client = fakeClient();
    const later = createGenerations({ client, storage, locks: openLocks() });
    later.subscribe((list) => {
      for (const { id, request } of list) if (id === early || request.prompt === 'no') later.remove(id);
    });
    await later.load();
    const { id, startedAt } = later.get(kept);
    later.start({ prompt: 'no' });
    later.restore({ ...later.get(id), id: 'restored', request: { prompt: 'no' }, startedAt });
    await settle();
    assert.deepEqual(
      later.list().map(({ id }) => id),
      [kept],
    );
    assert.deepEqual(Object.keys(journal()), [kept]);
    assert.deepEqual(
      client.calls.map(({ name }) => name),
      ['waitForTask'],
    );
  });

  test('may resume what it sees waiting', async () => {
    const tab = await openTab();
    const id = await startTask(tab);
    tab.stop(id);
    await settle();
    tab.subscribe(([{ phase }]) => phase === 'waiting' && tab.resume(id));
    tab.resume(id);
    await settle();
    assert.equal(tab.calls.length, 2);
  });

  test('may end its subscription, or begin another one', async () => {
    const tab = await openTab();
    const seen = [];
    const unsubscribe = tab.subscribe((list) => {
      if (list.length === 0) return;
      seen.push('first');
      unsubscribe();
      tab.subscribe(() => seen.push('second'));
    });
    tab.subscribe(() => seen.push('third'));
    seen.length = 0;
    tab.start(REQUEST);
    assert.deepEqual(new Set(seen), new Set(['first', 'second', 'third']));
    assert.equal(seen.filter((name) => name === 'first').length, 1);
  });
});

describe('stopping and going on', () => {
  test('stops a wait, and waits again', async () => {
    const tab = await openTab();
    const id = await startTask(tab);
    tab.stop(id);
    assert.equal(tab.get(id).phase, 'stopped');
    assert.ok(tab.calls[0].options.signal.aborted);
    await settle();
    assert.equal(tab.get(id).phase, 'stopped', 'the abort is no failure');
    assert.equal(journal()[id].phase, 'stopped');
    tab.resume(id);
    tab.resume(id);
    await settle();
    assert.deepEqual(
      tab.calls.slice(1).map(({ name, input }) => [name, input]),
      [['waitForTask', TASK]],
    );
    tab.calls[1].done();
    await settle();
    assert.equal(tab.get(id).phase, 'done');
  });

  test('stops before the create leaves', async () => {
    const tab = await openTab();
    const id = tab.start(REQUEST);
    tab.stop(id);
    await settle();
    assert.equal(tab.calls.length, 0);
    assert.equal(tab.get(id).sentAt, undefined);
    assert.ok(tab.get(id).isResumable);
    tab.resume(id);
    await settle();
    assert.equal(tab.calls.length, 1);
  });

  test('stops while the journal is written', async () => {
    const { setItem } = storage;
    storage.setItem = async (...item) => {
      await new Promise((resolve) => setImmediate(resolve));
      setItem(...item);
    };
    const tab = await openTab();
    const id = tab.start(REQUEST);
    while (!tab.get(id).sentAt) await Promise.resolve();
    tab.stop(id);
    await settle();
    assert.equal(tab.calls.length, 0);
  });

  test('does not resume a task that is gone', async () => {
    const tab = await openTab();
    const id = await startTask(tab);
    tab.calls[0].reject(new TaskNotFoundError({ message: 'Gone.', outcome: 'accepted', task: TASK }));
    await settle();
    assert.equal(tab.get(id).isResumable, false);
    tab.resume(id);
    await settle();
    assert.equal(tab.calls.length, 1);
  });

  test('does not repeat a create that was stopped under way', async () => {
    const tab = await openTab();
    const id = await startIn(tab);
    tab.stop(id);
    await settle();
    assert.equal(tab.get(id).isResumable, false);
    tab.resume(id);
    await settle();
    assert.equal(tab.calls.length, 1);
  });

  test('repeats a create that was stopped under way through a relay, with the same key', async () => {
    const tab = await openTab({ relay: true });
    const id = await startIn(tab);
    tab.stop(id);
    tab.resume(id);
    await settle();
    const keys = tab.calls.map(({ options }) => options.idempotencyKey);
    assert.equal(keys.length, 2);
    assert.equal(keys[0], keys[1]);
  });

  test('keeps a task that arrives when its create has been stopped', async () => {
    const tab = await openTab();
    const id = await startIn(tab);
    tab.stop(id);
    await tab.calls[0].options.onTask(TASK);
    assert.deepEqual([tab.get(id).phase, tab.get(id).task], ['stopped', TASK]);
    assert.deepEqual(journal()[id].task, TASK);
    assert.ok(tab.get(id).isResumable);
  });

  test('goes on after a failure that leaves the task', async () => {
    const tab = await openTab();
    const id = await startTask(tab);
    const task = { task_id: 'img_1' };
    tab.calls[0].reject(new WaitTimeoutError({ message: 'Too long.', outcome: 'accepted', task }));
    await settle();
    assert.deepEqual([tab.get(id).phase, tab.get(id).task], ['failed', task]);
    tab.resume(id);
    assert.equal(tab.get(id).error, undefined);
    await settle();
    assert.deepEqual(tab.calls[1].input, task);
  });

  test('goes on at once where a listener wants it', async () => {
    const tab = await openTab();
    tab.subscribe(([generation]) => {
      if (generation?.phase === 'failed') tab.resume(generation.id);
    });
    await startTask(tab);
    tab.calls[0].reject(new WaitTimeoutError({ message: 'Too long.', outcome: 'accepted', task: TASK }));
    await settle();
    assert.equal(tab.calls[1].name, 'waitForTask');
  });

  test('retries as another create with the same id', async () => {
    const tab = await openTab({ relay: true });
    const id = await startTask(tab);
    tab.retry(id);
    assert.equal(tab.calls.length, 1, 'not while it runs');
    const { idempotencyKey } = tab.get(id);
    tab.stop(id);
    tab.retry(id);
    await settle();
    assert.equal(tab.list().length, 1);
    assert.equal(tab.get(id).task, undefined);
    assert.equal(tab.calls[1].name, 'generateAndWait');
    assert.notEqual(tab.calls[1].options.idempotencyKey, idempotencyKey);
    await tab.calls[0].options.onTask({ task_id: 'img_old' });
    assert.equal(tab.get(id).task, undefined, 'the task of the first create is not that of the second');
  });

  test('removes from list and journal, and ends the work', async () => {
    const tab = await openTab();
    const id = await startTask(tab);
    tab.remove(id);
    await settle();
    assert.deepEqual([tab.get(id), tab.list(), storage.items.size], [undefined, [], 0]);
    assert.ok(tab.calls[0].options.signal.aborted);
  });

  test('does nothing about an id that is not there', async () => {
    const tab = await openTab();
    for (const name of ['stop', 'pause', 'resume', 'retry', 'remove']) tab[name]('missing');
    assert.deepEqual(tab.list(), []);
  });
});

describe('a pause', () => {
  test('ends the polls alone, until the generation is resumed', async () => {
    const tab = await openTab();
    const id = await startTask(tab);
    tab.calls[0].options.onUpdate({ status: 'pending' }, { nextPollMs: 4000 });
    tab.pause(id);
    await settle();
    assert.ok(tab.calls[0].options.signal.aborted);
    assert.deepEqual([tab.get(id).phase, tab.get(id).nextPollAt], ['waiting', undefined]);
    assert.equal(journal()[id].phase, 'waiting');
    tab.resume(id);
    await settle();
    assert.equal(tab.calls[1].name, 'waitForTask');
  });

  test('lets a create come to its task first', async () => {
    const tab = await openTab();
    const id = await startIn(tab);
    tab.pause(id);
    assert.equal(tab.calls[0].options.signal.aborted, false);
    await tab.calls[0].options.onTask(TASK);
    assert.ok(tab.calls[0].options.signal.aborted);
    assert.equal(tab.get(id).phase, 'waiting');
    assert.deepEqual(journal()[id].task, TASK);
  });

  test('leaves a task that is about to be written to the journal', async () => {
    const tab = await openTab();
    const id = await startIn(tab);
    const stored = tab.calls[0].options.onTask(TASK);
    tab.pause(id);
    await stored;
    assert.deepEqual(journal()[id].task, TASK);
  });

  test('that is over before the task is there changes nothing', async () => {
    const tab = await openTab();
    const id = await startIn(tab);
    tab.pause(id);
    tab.resume(id);
    await tab.calls[0].options.onTask(TASK);
    assert.equal(tab.calls[0].options.signal.aborted, false);
    assert.equal(tab.calls.length, 1);
  });

  test('leaves the generation to another tab', async () => {
    const [first, second] = [await openTab(), await openTab()];
    const id = await startTask(first);
    const third = await openTab();
    assert.equal(third.calls.length, 0);
    first.pause(id);
    await settle();
    const calls = [...second.calls, ...third.calls];
    assert.equal(calls.length, 1);
    calls[0].done();
    await settle();
    first.resume(id);
    await settle();
    assert.deepEqual(first.get(id).images, IMAGES, 'the images came out of the journal');
    assert.equal(first.calls.length, 1);
  });
});

describe('the journal', () => {
  test('has the key before a create leaves, and the task before the first poll', async () => {
    const tab = await openTab();
    const written = [];
    const { setItem } = storage;
    storage.setItem = (key, value) => {
      written.push([tab.calls.length, JSON.parse(value).entries]);
      setItem(key, value);
    };
    const id = await startIn(tab);
    const [calls, entries] = written[0];
    assert.equal(calls, 0);
    assert.equal(entries[id].idempotencyKey, tab.calls[0].options.idempotencyKey);
    const announced = tab.calls[0].options.onTask(TASK);
    assert.equal(journal()[id].task, undefined);
    await announced;
    assert.deepEqual(journal()[id].task, TASK);
  });

  test('brings back how a generation has ended', async () => {
    const tab = await openTab();
    const done = await startIn(tab);
    tab.calls[0].done();
    const failed = await startIn(tab);
    const body = { error: { message: 'long' } };
    tab.calls[1].reject(
      new ResponseError({
        message: 'What is this?',
        outcome: 'rejected',
        status: 404,
        body,
        requestId: 'req_1',
      }),
    );
    await settle();
    tab.close();
    const later = await openTab();
    assert.deepEqual(plain(later.get(done)), plain(tab.get(done)));
    const { error } = later.get(failed);
    const { error: original } = tab.get(failed);
    assert.deepEqual({ ...plain(later.get(failed)), error: 0 }, { ...plain(tab.get(failed)), error: 0 });
    assert.ok(error instanceof ResponseError && error instanceof LemonDataError && error instanceof Error);
    assert.ok(!(error instanceof RateLimitError));
    assert.deepEqual({ ...error.toJSON(), body }, original.toJSON());
    assert.equal(error.body, undefined);
    assert.equal(JSON.parse(JSON.stringify(error)).message, 'What is this?');
    assert.equal(later.calls.length, 0);
  });

  test('brings a foreign error back as an error that is not ours', async () => {
    const tab = await openTab();
    const id = await startIn(tab);
    tab.calls[0].reject(Object.assign(new TypeError('Broken.'), { secret: 'sk-1' }));
    await settle();
    assert.ok(!storage.items.get(KEY).includes('sk-1'));
    const { error } = (await openTab()).get(id);
    assert.deepEqual(
      [error.name, error.message, error instanceof LemonDataError],
      ['TypeError', 'Broken.', false],
    );
  });

  for (const [name, text] of [
    ['text that is no JSON', '{"version":1,'],
    ['a journal of an older version', '{"version":0,"entries":{"a":1}}'],
    ['a journal without a version', '{"entries":{"a":1}}'],
    ['a list', '[]'],
    ['null', 'null'],
    ['entries that are none', '{"version":1,"entries":null}'],
    [
      'an entry without images',
      JSON.stringify({
        version: 1,
        entries: { a: { id: 'a', phase: 'done', request: REQUEST, startedAt: 1, idempotencyKey: 'key' } },
      }),
    ],
    ['an entry without a request', '{"version":1,"entries":{"a":{"phase":"done"}}}'],
  ]) {
    test(`is set aside where it is ${name}`, async () => {
      storage.items.set(KEY, text);
      const tab = await openTab();
      assert.deepEqual(tab.list(), []);
      const id = await startIn(tab);
      assert.deepEqual(Object.keys(journal()), [id]);
      const aside = [...storage.items].filter(([key]) => key.startsWith(`${KEY} set aside `));
      assert.deepEqual(
        aside.map(([, value]) => value),
        [text],
      );
    });
  }

  test('keeps the sound entries beside a broken one', async () => {
    const tab = await openTab();
    const id = await startTask(tab);
    tab.close();
    const entries = { ...journal(), broken: { phase: 'melting' } };
    storage.items.set(KEY, JSON.stringify({ version: 1, entries }));
    const later = await openTab();
    assert.deepEqual(
      later.list().map((generation) => generation.id),
      [id],
    );
    assert.equal(later.calls[0].name, 'waitForTask');
    assert.equal(storage.items.size, 2);
  });

  test('is not lost where it can be set aside nowhere', async (t) => {
    t.mock.method(console, 'warn', () => {});
    storage.items.set(KEY, 'broken');
    const { setItem } = storage;
    storage.setItem = (key, value) => {
      if (key !== KEY) throw new Error('full');
      setItem(key, value);
    };
    const tab = await openTab();
    await startIn(tab);
    assert.equal(storage.items.get(KEY), 'broken');
    assert.equal(tab.calls.length, 1);
  });

  test('drops the generations that can be resumed last', async (t) => {
    t.mock.timers.enable({ apis: ['Date'], now: 1000 });
    const tab = await openTab();
    const stopped = await startTask(tab);
    tab.stop(stopped);
    for (let count = 0; count < 100; count += 1) {
      t.mock.timers.tick(1);
      await startIn(tab);
      tab.calls.at(-1).done();
    }
    await settle();
    assert.equal(Object.keys(journal()).length, 100);
    assert.ok(journal()[stopped]);
  });

  test('keeps images that an application addresses in its own way', async () => {
    const tab = await openTab();
    const id = await startIn(tab);
    tab.calls[0].done([{ url: 'kept:1' }]);
    await settle();
    const later = await openTab();
    assert.deepEqual(later.get(id).images, [{ url: 'kept:1' }]);
    assert.equal(later.calls.length, 0);
  });

  test('lists a removed generation again, in its state', async () => {
    const tab = await openTab();
    const [done, waiting] = [await startIn(tab), await startTask(tab)];
    tab.calls[0].done();
    await settle();
    const before = [done, waiting].map(tab.get);
    for (const { id } of before) tab.remove(id);
    await settle();
    assert.deepEqual(journal(), {});
    for (const snapshot of before) tab.restore(snapshot);
    tab.restore({ ...before[0], phase: 'failed' });
    await settle();
    assert.deepEqual(plain(tab.get(done)), plain(before[0]));
    assert.deepEqual(new Set(Object.keys(journal())), new Set([done, waiting]));
    assert.deepEqual([tab.calls.length, tab.calls[2].name], [3, 'waitForTask']);
  });

  test('has an end after the beginning, however the clock is set', async (t) => {
    t.mock.timers.enable({ apis: ['Date'], now: 9_000_000 });
    const tab = await openTab();
    const [done, stopped] = [await startIn(tab), await startIn(tab)];
    for (const set of [1000, 90_000_000]) {
      t.mock.timers.setTime(set);
      if (set === 1000) tab.calls[0].done();
      else tab.stop(stopped);
      await settle();
    }
    for (const id of [done, stopped]) {
      const { startedAt, endedAt } = tab.get(id);
      assert.ok(endedAt >= startedAt && endedAt < startedAt + 1_000_000, `${endedAt - startedAt}`);
    }
    t.mock.timers.setTime(9_000_000);
    const held = tab.start(REQUEST);
    // The clock is put forward before the create leaves.
    t.mock.timers.setTime(99_000_000);
    await settle();
    tab.calls.at(-1).done();
    await settle();
    assert.ok(tab.get(held).endedAt >= tab.get(held).sentAt);
    const waiting = await startTask(tab);
    tab.close();
    t.mock.timers.setTime(1000);
    const later = await openTab();
    later.calls[0].done();
    await settle();
    assert.equal(later.get(waiting).endedAt, later.get(waiting).startedAt);
  });

  test('keeps the newest hundred that have ended, and all others', async (t) => {
    t.mock.timers.enable({ apis: ['Date'], now: 1000 });
    const tab = await openTab();
    const oldest = tab.start(REQUEST);
    await settle();
    const ended = [];
    for (let count = 0; count < 101; count += 1) {
      t.mock.timers.tick(1);
      ended.push(tab.start(REQUEST));
      tab.stop(ended.at(-1));
    }
    await settle();
    await settle();
    assert.deepEqual(new Set(Object.keys(journal())), new Set([oldest, ...ended.slice(1)]));
    assert.equal(tab.list().length, 102);
  });

  test('survives a tab that writes from an older copy', async () => {
    const tab = await openTab();
    const id = await startIn(tab);
    storage.items.delete(KEY);
    await tab.calls[0].options.onTask(TASK);
    assert.deepEqual(journal()[id].task, TASK);
  });

  test('is written once for all that begin together', async (t) => {
    const tab = await openTab();
    const write = t.mock.method(storage, 'setItem');
    for (let count = 0; count < 300; count += 1) tab.start(REQUEST);
    while (tab.calls.length < 300) await settle();
    assert.equal(Object.keys(journal()).length, 300);
    assert.ok(write.mock.callCount() < 30, `it was written ${write.mock.callCount()} times`);
  });

  test('drops what has ended where there is no room for what runs', async (t) => {
    t.mock.timers.enable({ apis: ['Date'], now: 1000 });
    const tab = await openTab();
    const ended = [];
    for (let count = 0; count < 20; count += 1) {
      t.mock.timers.tick(1);
      ended.push(await startIn(tab));
      tab.calls.at(-1).done();
      await settle();
    }
    const room = storage.items.get(KEY).length;
    const { setItem } = storage;
    storage.setItem = (key, value) => {
      if (value.length > room) throw new Error('full');
      setItem(key, value);
    };
    t.mock.timers.tick(1);
    const id = await startTask(tab);
    assert.deepEqual(journal()[id].task, TASK);
    assert.ok(journal()[ended.at(-1)], 'the newest stay');
    assert.equal(tab.list().length, 21);
  });

  test('may be asynchronous', async () => {
    const slow =
      (work) =>
      async (...args) => {
        await new Promise((resolve) => setImmediate(resolve));
        return work(...args);
      };
    const { getItem, setItem, removeItem } = storage;
    const asynchronous = { getItem: slow(getItem), setItem: slow(setItem), removeItem: slow(removeItem) };
    const tab = await openTab({ storage: asynchronous, locks: null });
    const [first, second] = [tab.start(REQUEST), tab.start(REQUEST)];
    await settle();
    await settle();
    assert.deepEqual(new Set(Object.keys(journal())), new Set([first, second]));
    assert.equal(tab.calls.length, 2);
  });

  test('of another name is another store', async () => {
    await startTask(await openTab());
    const other = await openTab({ key: 'other' });
    assert.deepEqual(other.list(), []);
    await startIn(other);
    assert.deepEqual([...storage.items.keys()], [KEY, 'other']);
  });

  test('is read once, by whatever comes first', async (t) => {
    await startTask(await openTab());
    const read = t.mock.method(storage, 'getItem');
    const reads = () => read.mock.calls.filter(({ arguments: [name] }) => name === KEY).length;
    const client = fakeClient();
    const generations = createGenerations({ client, storage, locks: openLocks() });
    await generations.load();
    assert.equal(generations.list().length, 1);
    assert.equal(reads(), 1);
    await generations.load();
    generations.subscribe(() => {});
    await settle();
    assert.equal(reads(), 1);
  });

  test('is neither read nor written before the store is used', () => {
    const untouchable = new Proxy({}, { get: () => assert.fail('it was read') });
    const { list, get } = createGenerations({ client: fakeClient(), storage: untouchable });
    assert.deepEqual([list(), get('a')], [[], undefined]);
  });
});

describe('without a storage that works', () => {
  const fail = () => {
    throw new Error('blocked');
  };
  for (const [name, make] of [
    ['none at all', () => null],
    ['no localStorage', () => undefined],
    ['one that is full', () => ({ ...storage, setItem: fail })],
    ['one that is blocked', () => ({ getItem: fail, setItem: fail, removeItem: fail })],
  ]) {
    test(`loses nothing in memory: ${name}`, async (t) => {
      const log = t.mock.method(console, 'warn', () => {});
      const tab = await openTab({ storage: make() });
      const id = await startTask(tab);
      tab.stop(id);
      await settle();
      tab.resume(id);
      await settle();
      assert.deepEqual(tab.calls[1].input, TASK);
      tab.calls[1].done();
      await settle();
      assert.deepEqual(tab.get(id).images, IMAGES);
      assert.ok(log.mock.callCount() <= 1, 'one warning is enough');
    });
  }

  test('a localStorage that throws when it is looked at is as good as none', async (t) => {
    t.mock.method(console, 'warn', () => {});
    Object.defineProperty(globalThis, 'localStorage', { get: fail, configurable: true });
    t.after(() => delete globalThis.localStorage);
    const tab = await openTab({ storage: undefined });
    await startIn(tab);
    assert.equal(tab.calls.length, 1);
  });

  test('what is full today is stored when there is room again', async (t) => {
    t.mock.method(console, 'warn', () => {});
    const { setItem } = storage;
    storage.setItem = fail;
    const tab = await openTab();
    const id = await startIn(tab);
    storage.setItem = setItem;
    await tab.calls[0].options.onTask(TASK);
    assert.deepEqual(journal()[id].task, TASK);
  });
});

describe('after a reload', () => {
  test('a task is waited for', async () => {
    const tab = await openTab();
    const id = await startTask(tab);
    tab.close();
    const later = await openTab();
    assert.equal(later.get(id).phase, 'waiting');
    assert.deepEqual(
      later.calls.map(({ name, input }) => [name, input]),
      [['waitForTask', TASK]],
    );
    later.calls[0].done();
    await settle();
    assert.equal(journal()[id].phase, 'done');
  });

  test('a create without an answer is not repeated', async () => {
    const tab = await openTab();
    const id = await startIn(tab);
    tab.close();
    const later = await openTab();
    assert.equal(later.calls.length, 0);
    const { phase, error, isResumable } = later.get(id);
    assert.deepEqual(
      [phase, error.kind, error.outcome, isResumable],
      ['failed', 'connection', 'unknown', false],
    );
    assert.ok(error instanceof LemonDataError);
    later.retry(id);
    await settle();
    assert.equal(later.calls.length, 1, 'unless the user decides so');
  });

  test('a create without an answer is repeated through a relay, with its key', async () => {
    const tab = await openTab({ relay: true });
    const id = await startIn(tab, REQUEST, { edit: true });
    tab.close();
    const later = await openTab({ relay: true });
    assert.equal(later.get(id).phase, 'sending');
    const [{ name, input, options }] = later.calls;
    assert.deepEqual([name, input], ['editAndWait', REQUEST]);
    assert.equal(options.idempotencyKey, tab.calls[0].options.idempotencyKey);
  });

  for (const [name, before, after] of [
    ['without a relay is not repeated through one', false, true],
    ['through one relay is not repeated through another', 'first', 'second'],
  ]) {
    test(`a create that left ${name}`, async () => {
      const tab = await openTab({ relay: before });
      const id = await startIn(tab);
      tab.close();
      const later = await openTab({ relay: after });
      assert.equal(later.calls.length, 0);
      assert.deepEqual([later.get(id).error.outcome, later.get(id).isResumable], ['unknown', false]);
      later.close();
      assert.equal((await openTab({ relay: after })).calls.length, 0, 'nor after the next reload');
    });
  }

  test('a create that the closing page has cut off is repeated, too', async () => {
    const tab = await openTab({ relay: true });
    const id = await startIn(tab);
    const lost = new LemonDataError({ kind: 'connection', message: 'Lost.', outcome: 'unknown' });
    tab.calls[0].reject(lost);
    await settle();
    assert.equal(tab.get(id).phase, 'failed');
    tab.close();
    const later = await openTab({ relay: true });
    assert.equal(later.get(id).phase, 'sending');
    assert.equal(later.calls.length, 1);
    assert.deepEqual((await openTab({ relay: false })).calls, []);
  });

  test('a create is not repeated when the clock was put back meanwhile', async (t) => {
    t.mock.timers.enable({ apis: ['Date'], now: 200_000_000 });
    const tab = await openTab({ relay: true });
    const id = await startIn(tab);
    tab.close();
    t.mock.timers.setTime(1000);
    const later = await openTab({ relay: true });
    assert.equal(later.calls.length, 0);
    assert.equal(later.get(id).error.outcome, 'unknown');
  });

  test('a create is not repeated when the relay may have forgotten the key', async (t) => {
    t.mock.timers.enable({ apis: ['Date'], now: 1000 });
    const tab = await openTab({ relay: true });
    const id = await startIn(tab);
    tab.close();
    t.mock.timers.tick(3_599_999);
    const again = await openTab({ relay: true });
    assert.equal(again.calls.length, 1);
    again.close();
    t.mock.timers.tick(1);
    const later = await openTab({ relay: true });
    assert.equal(later.calls.length, 0);
    assert.equal(later.get(id).error.outcome, 'unknown');
  });

  test('what was resumed goes on', async () => {
    const tab = await openTab();
    const id = await startTask(tab);
    tab.stop(id);
    await settle();
    tab.resume(id);
    await settle();
    tab.close();
    const later = await openTab();
    assert.equal(later.calls.length, 1);
  });

  test('what was stopped stays stopped', async () => {
    const tab = await openTab();
    const id = await startTask(tab);
    tab.stop(id);
    await settle();
    tab.close();
    const later = await openTab();
    assert.equal(later.calls.length, 0);
    assert.deepEqual([later.get(id).phase, later.get(id).isResumable], ['stopped', true]);
  });

  test('an id that the journal knows is not created again', async () => {
    const tab = await openTab();
    const id = await startIn(tab, REQUEST, { id: 'hero' });
    tab.calls[0].done();
    await settle();
    tab.close();
    const client = fakeClient();
    const later = createGenerations({ client, storage, locks: openLocks() });
    later.start(REQUEST, { id });
    await settle();
    assert.deepEqual(later.get(id).images, IMAGES);
    assert.equal(client.calls.length, 0);
  });

  test('files are lost, and their request is not sent without them', async () => {
    const request = { ...REQUEST, image: [new Blob(['lemon'])], mask: new Blob(['mask']) };
    const tab = await openTab({ relay: true });
    const [sent, known] = [await startIn(tab, request, { edit: true }), await startTask(tab)];
    assert.equal(tab.calls[0].input.mask, request.mask);
    const unsent = tab.start(request);
    tab.stop(unsent);
    await settle();
    tab.close();
    const later = await openTab({ relay: true });
    assert.deepEqual(
      later.calls.map(({ name }) => name),
      ['waitForTask'],
    );
    assert.equal(later.get(known).phase, 'waiting');
    assert.deepEqual(later.get(sent).request, REQUEST);
    assert.equal(later.get(sent).error.outcome, 'unknown');
    for (const id of [sent, unsent]) {
      assert.deepEqual([later.get(id).isPartial, later.get(id).isResumable], [true, false]);
      later.retry(id);
      later.resume(id);
    }
    await settle();
    assert.equal(later.calls.length, 1);
  });

  test('pictures within a request are lost like files', async () => {
    const tab = await openTab();
    const id = await startIn(tab, {
      ...REQUEST,
      image: ['https://x.test/2.png', 'DATA:image/png;base64,AAAA'],
    });
    await tab.calls[0].options.onTask(TASK);
    assert.ok(!storage.items.get(KEY).includes('AAAA'));
    tab.close();
    const later = await openTab();
    assert.deepEqual([later.get(id).request, later.get(id).isPartial], [REQUEST, true]);
  });

  test('pictures in references are lost like files', async () => {
    const tab = await openTab();
    const picture = { image_url: 'data:image/png;base64,AAAA' };
    const id = await startIn(tab, { ...REQUEST, images: [picture], mask: picture }, { edit: true });
    await tab.calls[0].options.onTask(TASK);
    assert.ok(!storage.items.get(KEY).includes('AAAA'));
    tab.close();
    const later = await openTab();
    assert.deepEqual([later.get(id).request, later.get(id).isPartial], [REQUEST, true]);
  });

  test('a field without a prototype is stored like any other', async () => {
    const tab = await openTab();
    const extra = Object.assign(Object.create(null), { strength: 1 });
    const id = await startIn(tab, { ...REQUEST, extra, image: new URL('data:image/png;base64,AAAA') });
    await tab.calls[0].options.onTask(TASK);
    tab.close();
    const later = await openTab();
    assert.deepEqual(later.get(id).request, { ...REQUEST, extra: { strength: 1 } });
  });

  for (const id of ['__proto__', 'constructor', 'toString']) {
    test(`the id ${id} is like any other`, async () => {
      const tab = await openTab({ relay: true });
      await startIn(tab, REQUEST, { id });
      assert.deepEqual(tab.calls[0].input, REQUEST);
      tab.calls[0].done();
      await settle();
      tab.close();
      const later = await openTab({ relay: true });
      assert.deepEqual(
        later.list().map((snapshot) => [snapshot.id, snapshot.phase, snapshot.images]),
        [[id, 'done', IMAGES]],
      );
      later.remove(id);
      await settle();
      assert.equal(storage.items.get(KEY), undefined);
    });
  }

  test('a task is asked again for pictures that came within its answer', async () => {
    const tab = await openTab();
    const id = await startTask(tab);
    tab.calls[0].done([...IMAGES, { b64_json: 'AAAA' }]);
    const inline = await startIn(tab);
    tab.calls[1].done([{ url: 'data:image/png;base64,AAAA' }]);
    await settle();
    assert.equal(tab.get(inline).phase, 'done');
    tab.close();
    assert.ok(!storage.items.get(KEY).includes('AAAA'));
    const later = await openTab();
    assert.deepEqual(later.calls[0].input, TASK);
    assert.equal(later.get(inline), undefined, 'nothing would bring it back');
    later.calls[0].done([{ b64_json: 'AAAA' }]);
    await settle();
    assert.deepEqual(later.get(id).images, [{ b64_json: 'AAAA' }]);
  });
});

describe('two tabs', () => {
  test('work on a generation one at a time', async () => {
    const first = await openTab({ relay: true });
    const [waiting, sending] = [await startTask(first), await startIn(first)];
    const second = await openTab({ relay: true });
    assert.deepEqual(new Set(second.list().map(({ id }) => id)), new Set([waiting, sending]));
    assert.equal(second.calls.length, 0);
    first.close();
    await settle();
    assert.deepEqual(
      second.calls.map(({ name }) => name),
      ['waitForTask', 'generateAndWait'],
    );
  });

  test('the second shows what the first has brought to its end', async () => {
    const first = await openTab();
    const [id, stopped, removed] = [await startTask(first), await startTask(first), await startTask(first)];
    const second = await openTab();
    first.calls[0].done();
    first.stop(stopped);
    first.remove(removed);
    await settle();
    assert.deepEqual(plain(second.get(id)), plain(first.get(id)));
    assert.equal(second.get(stopped).phase, 'stopped');
    assert.equal(second.get(removed), undefined);
    assert.equal(second.calls.length, 0);
  });

  test('a removal in the second is not undone by the first', async () => {
    const first = await openTab();
    const id = await startIn(first);
    first.calls[0].done();
    await settle();
    const second = await openTab();
    second.remove(id);
    await settle();
    const other = await startIn(first);
    assert.deepEqual(Object.keys(journal()), [other]);
  });

  test('the first goes on with the task that the second has found', async () => {
    const first = await openTab({ relay: true });
    const id = await startIn(first);
    first.stop(id);
    await settle();
    const second = await openTab({ relay: true });
    second.resume(id);
    await settle();
    await second.calls[0].options.onTask(TASK);
    second.pause(id);
    first.resume(id);
    await settle();
    assert.deepEqual([first.calls[1].name, first.calls[1].input], ['waitForTask', TASK]);
  });

  test('a stop in the second ends the wait of the first, which keeps a task that arrives later', async () => {
    const first = await openTab();
    const id = await startIn(first);
    const second = await openTab();
    second.stop(id);
    assert.equal(second.get(id).phase, 'stopped');
    await settle();
    assert.equal(first.calls[0].options.signal.aborted, true);
    assert.equal(journal()[id].phase, 'stopped');
    await first.calls[0].options.onTask(TASK);
    assert.deepEqual(journal()[id].task, TASK);
    await settle();
    assert.deepEqual(second.get(id).task, TASK);
    first.close();
    await settle();
    assert.equal(second.calls.length, 0);
  });

  test('see what the other one starts, how it goes on and how it ends', async () => {
    const [first, second] = [await openTab(), await openTab()];
    const id = await startTask(first);
    await settle();
    assert.equal(second.get(id).phase, 'waiting');
    assert.deepEqual(second.get(id).task, TASK);
    first.calls[0].options.onUpdate({ status: 'processing', progress: 40 }, { nextPollMs: 4000 });
    await settle();
    assert.deepEqual([second.get(id).status, second.get(id).progress], ['processing', 40]);
    first.calls[0].done();
    await settle();
    assert.deepEqual(second.get(id).images, IMAGES);
    second.remove(id);
    await settle();
    assert.equal(first.get(id), undefined);
    assert.equal(second.calls.length, 0);
  });

  test('go on with what the other one has started after both were opened', async () => {
    const [first, second] = [await openTab(), await openTab()];
    await startTask(first);
    await settle();
    first.close();
    await settle();
    assert.deepEqual(
      second.calls.map(({ name }) => name),
      ['waitForTask'],
    );
  });

  test('that have pictures of their own do not fetch them in turn', async () => {
    const [first, second] = [await openTab(), await openTab()];
    const id = await startTask(first);
    await settle();
    const images = [{ b64_json: 'AAAA' }];
    first.calls[0].done(images);
    await settle();
    second.calls[0].done(images);
    await settle();
    assert.deepEqual([first.get(id).images, second.get(id).images], [images, images]);
    assert.deepEqual([first.calls.length, second.calls.length], [1, 1]);
  });

  test('see another try of what has ended', async () => {
    const [first, second] = [await openTab(), await openTab()];
    const id = await startTask(first);
    first.calls[0].done();
    await settle();
    assert.equal(second.get(id).phase, 'done');
    first.retry(id);
    await settle();
    assert.equal(second.get(id).phase, 'sending');
    const images = [{ url: 'https://x.test/2.png' }];
    first.calls[1].done(images);
    await settle();
    assert.deepEqual(second.get(id).images, images);
  });

  test('a stop in the second leaves the entry to the first, whose copy is the newer one', async () => {
    const first = await openTab();
    const id = await startTask(first);
    const writes = [];
    const setItem = (key, value) => {
      writes.push(value);
      storage.setItem(key, value);
    };
    const second = await openTab({ storage: { ...storage, setItem } });
    second.stop(id);
    await settle();
    assert.equal(journal()[id].phase, 'stopped');
    assert.deepEqual(writes, []);
  });

  test('a removal in the second ends the work of the first', async () => {
    const [first, second] = [await openTab(), await openTab()];
    const id = await startTask(first);
    await settle();
    second.remove(id);
    await settle();
    assert.equal(first.calls[0].options.signal.aborted, true);
    assert.deepEqual([first.list(), journal()], [[], {}]);
  });

  test('a pause lasts while the other one goes on', async () => {
    const [first, second] = [await openTab(), await openTab()];
    const id = await startTask(first);
    await settle();
    first.pause(id);
    await settle();
    await second.calls[0].options.onTask(TASK);
    await settle();
    second.close();
    await settle();
    assert.equal(first.calls.length, 1);
    assert.equal(first.get(id).phase, 'waiting');
  });

  test('without locks hear nothing of each other', async () => {
    const [first, second] = [await openTab({ locks: null }), await openTab({ locks: null })];
    await startTask(first);
    await settle();
    assert.deepEqual(second.list(), []);
  });

  test('that start the same id create once', async () => {
    const [first, second] = [await openTab(), await openTab()];
    for (const tab of [first, second]) tab.start(REQUEST, { id: 'hero' });
    await settle();
    assert.equal(first.calls.length + second.calls.length, 1);
    first.calls[0].done();
    await settle();
    assert.deepEqual(second.get('hero').images, IMAGES);
    assert.equal(second.calls.length, 0);
  });

  test('without locks do not send what another may be about to send', async () => {
    storage.items.set(
      KEY,
      JSON.stringify({
        version: 1,
        entries: {
          held: {
            id: 'held',
            phase: 'held',
            request: REQUEST,
            images: [],
            startedAt: 1,
            idempotencyKey: 'key',
          },
        },
      }),
    );
    const tab = await openTab({ locks: null });
    assert.equal(tab.calls.length, 0);
    assert.equal(tab.get('held').phase, 'failed');
    const safe = await openTab({ locks: null, relay: true });
    assert.equal(safe.calls.length, 1, 'a relay carries it out once');
  });

  test('that are left do not fail when they lose their locks', async () => {
    const locks = {
      async request(_name, _options, work) {
        work();
        throw new DOMException('The page is going away.', 'AbortError');
      },
    };
    const tab = await openTab({ locks });
    const id = await startTask(tab);
    assert.equal(tab.calls.length, 1);
    assert.equal(tab.get(id).phase, 'waiting');
  });

  test('of a frame that may not use locks work without them', async () => {
    const refuse = () => Promise.reject(new DOMException('No locks here.', 'SecurityError'));
    const tab = await openTab({ locks: { request: refuse } });
    await startIn(tab);
    assert.equal(tab.calls.length, 1);
  });
});

describe('offline', () => {
  const original = Object.getOwnPropertyDescriptor(globalThis, 'navigator');
  let events;
  const goOnline = (onLine) =>
    Object.defineProperty(globalThis, 'navigator', { value: { onLine }, configurable: true });
  beforeEach(() => {
    events = new EventTarget();
    globalThis.addEventListener = events.addEventListener.bind(events);
    goOnline(false);
  });
  afterEach(() => {
    delete globalThis.addEventListener;
    delete globalThis.navigator;
    if (original) Object.defineProperty(globalThis, 'navigator', original);
    mock.restoreAll();
  });

  test('a create is held until there is a connection', async () => {
    const tab = await openTab();
    const id = await startIn(tab);
    assert.deepEqual([tab.get(id).phase, journal()[id].phase, tab.calls.length], ['held', 'held', 0]);
    goOnline(true);
    events.dispatchEvent(new Event('online'));
    await settle();
    assert.deepEqual([tab.get(id).phase, tab.calls.length], ['sending', 1]);
  });

  test('a create is sent where the connection is back before it is held', async () => {
    const tab = await openTab();
    const { setItem } = storage;
    storage.setItem = (...item) => {
      storage.setItem = setItem;
      goOnline(true);
      events.dispatchEvent(new Event('online'));
      setItem(...item);
    };
    await startIn(tab);
    assert.equal(tab.calls.length, 1);
  });

  test('a create can be stopped and resumed before it is held', async () => {
    const tab = await openTab();
    const { setItem } = storage;
    storage.setItem = (...item) => {
      storage.setItem = setItem;
      setItem(...item);
      tab.stop(tab.list()[0].id);
      goOnline(true);
    };
    const id = await startIn(tab);
    assert.equal(tab.get(id).phase, 'stopped');
    tab.resume(id);
    await settle();
    assert.equal(tab.calls.length, 1);
  });

  test('a create that is held can be stopped, and resumed', async () => {
    const tab = await openTab();
    const id = await startIn(tab);
    tab.stop(id);
    events.dispatchEvent(new Event('online'));
    await settle();
    assert.deepEqual([tab.get(id).phase, tab.calls.length], ['stopped', 0]);
    goOnline(true);
    tab.resume(id);
    await settle();
    assert.equal(tab.calls.length, 1);
  });

  test('a reload sends what was held, and one tab alone', async () => {
    const tab = await openTab();
    const id = await startIn(tab);
    const other = await openTab();
    assert.equal(other.get(id).phase, 'held');
    goOnline(true);
    tab.close();
    await settle();
    assert.equal(other.calls.length, 1);
  });

  test('a request whose files are lost while it is held is refused, and says that nothing was sent', async () => {
    const tab = await openTab();
    const id = await startIn(tab, { ...REQUEST, image: new Blob(['lemon']) }, { edit: true });
    assert.equal(tab.get(id).phase, 'held');
    tab.close();
    goOnline(true);
    const later = await openTab({ relay: true });
    const { phase, error, isResumable } = later.get(id);
    assert.deepEqual([phase, error.kind, error.outcome], ['failed', 'connection', 'not_sent']);
    assert.equal(isResumable, false);
    assert.equal(later.calls.length, 0);
  });
});

describe('a create is repeatable', () => {
  const HOUR = 3_600_000;

  test('through the relay that it left for, within an hour by any clock', () => {
    const now = Date.now();
    checkRepeatable({ sentAt: now, relay: 'a' }, 'a');
    for (const [create, relay] of [
      [{ sentAt: now, relay: 'a' }, 'b'],
      [{ sentAt: now, relay: 'a' }, undefined],
      [{ sentAt: now }, undefined],
      [{ sentAt: now - HOUR - 1000, relay: 'a' }, 'a'],
      [{ sentAt: now + HOUR + 1000, relay: 'a' }, 'a'],
      [{ relay: 'a' }, 'a'],
    ]) {
      assert.throws(() => checkRepeatable(create, relay), { kind: 'connection', outcome: 'unknown' });
    }
  });
});

test('the journal stores what comes while it is being written', async () => {
  let text = null;
  const storage = {
    getItem: async () => text,
    async setItem(_key, value) {
      began();
      await released;
      text = value;
    },
    removeItem() {},
  };
  let began;
  const beginning = new Promise((resolve) => {
    began = resolve;
  });
  let release;
  const released = new Promise((resolve) => {
    release = resolve;
  });
  const journal = openJournal(storage, KEY, null);
  const ended = { id: 'a', request: REQUEST, images: [], startedAt: 1, endedAt: 2, idempotencyKey: 'k' };
  journal.write('a', { ...ended, phase: 'stopped' });
  await beginning;
  const later = journal.write('a', { ...ended, phase: 'failed' });
  release();
  await later;
  assert.equal(JSON.parse(text).entries.a.phase, 'failed');
});
