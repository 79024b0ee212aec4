/** Reference pictures that were not kept: their request is refused in words, and is never sent without them. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { PNG } from 'pngjs';
import { namesOf, whole } from '../../www/sources.js';
import { PROMPT, settled, until, untilAsync, useStudio } from './studio.js';

/** Ends a test that hangs. */
const GUARD = { timeout: 300_000 };
const WORDS = 'The reference pictures of this request were not kept. Add them again.';

/** A picture of one colour. */
function picture(name, red) {
  const png = new PNG({ width: 16, height: 16 });
  for (let offset = 0; offset < png.data.length; offset += 4) png.data.set([red, 40, 10, 255], offset);
  return { name, mimeType: 'image/png', buffer: PNG.sync.write(png) };
}
const LEMON = picture('lemon.png', 90);
const LIME = picture('lime.png', 200);

const studio = useStudio();
let app;

const button = (name, place = app.card) => place.getByRole('button', { name, exact: true });

async function choose(files, mask) {
  await app.page.click('text=Reference pictures');
  await app.page.setInputFiles('#pictures', files);
  if (mask) await app.page.setInputFiles('#mask', mask);
}

/** A connection to the database of the page, for one function in it. */
const database = () =>
  app.page.evaluateHandle(
    () =>
      new Promise((resolve) => {
        const opening = indexedDB.open('lemondata-studio');
        opening.onsuccess = () => resolve(opening.result);
      }),
  );

/** Changes what the database holds of reference pictures; without a change, removes it. */
const rewrite = async (change) =>
  app.page.evaluate(
    async ([db, name]) => {
      const changes = {
        'without the mask': ({ mask, ...sources }) => sources,
        'without one of two': ({ pictures, ...sources }) => ({ ...sources, pictures: pictures.slice(1) }),
        'with another one of the same name and length': ({ pictures: [one, two], ...sources }) => {
          const bytes = one.bytes.slice();
          new Uint8Array(bytes)[bytes.byteLength - 1] ^= 1;
          return { ...sources, pictures: [{ ...one, bytes }, two] };
        },
      };
      const apply = changes[name] ?? (() => undefined);
      const store = db.transaction('tasks', 'readwrite').objectStore('tasks');
      const done = new Promise((resolve) => {
        store.transaction.oncomplete = resolve;
      });
      store.openCursor().onsuccess = ({ target: { result: cursor } }) => {
        if (!cursor) return;
        if (cursor.key.startsWith('sources ')) {
          const value = apply(cursor.value);
          if (value) cursor.update(value);
          else cursor.delete();
        }
        cursor.continue();
      };
      await done;
      db.close();
    },
    [await database(), change],
  );

/** Has the database refuse the bytes of pictures, and nothing else, as where they do not fit. */
const refuseSources = () =>
  app.page.evaluate(() => {
    const { put } = IDBObjectStore.prototype;
    IDBObjectStore.prototype.put = function (value, key) {
      if (`${key}`.startsWith('sources ')) throw new DOMException('Full.', 'QuotaExceededError');
      return put.call(this, value, key);
    };
  });

/** The form asks for the pictures, and holds everything else. */
async function isAsked() {
  await app.$('#pictures-problem', { hasText: WORDS }).waitFor();
  assert.equal(await app.page.inputValue('#prompt'), PROMPT);
  assert.equal(await app.page.evaluate(() => document.activeElement.id), 'pictures');
}

const isRefused = async () => {
  await app.state('Not sent');
  assert.match(await app.card.locator('.problem').textContent(), new RegExp(`${WORDS}\\s+Nothing is billed`));
};

describe('reference pictures that were not kept', GUARD, () => {
  test('hold back a request that waited for the connection, until they are there again', async () => {
    app = await studio.open();
    await refuseSources();
    await choose([LEMON, LIME], LIME);
    await app.context.setOffline(true);
    await app.generate('gpt-image-2');
    await app.state('Waiting for the connection');
    const asks = await app.page.evaluate(
      () => !dispatchEvent(new Event('beforeunload', { cancelable: true })),
    );
    assert.ok(asks, 'the browser asks before it leaves the page');
    await app.leave();
    await app.context.setOffline(false);
    await app.page.goto(`${app.served.url}/`);
    await settled(app.page);
    await isRefused();
    assert.match(await app.card.locator('.meta').textContent(), /an edit$/);
    assert.equal(app.creates().length, 0);
    await app.reload();
    await isRefused();

    await button('Add the pictures').click();
    await isAsked();
    await app.page.click('[name=send]');
    await isAsked();
    assert.equal(app.creates().length, 0);
    await app.page.setInputFiles('#pictures', LEMON);
    assert.equal(await app.$('#pictures-problem').textContent(), '');
    await app.page.click('[name=send]');
    await app.state('Done');
    assert.deepEqual(
      app.creates().map(({ path, body }) => [path, body.image.length]),
      [['/v1/images/edits', 1]],
    );
    app.problems.length = 0;
  });

  for (const change of [
    'without the mask',
    'without one of two',
    'with another one of the same name and length',
  ]) {
    test(`hold back another create ${change}`, async () => {
      app = await studio.open();
      await choose([LEMON, LIME], LIME);
      await app.generate('test-hang');
      await until(() => app.creates().length === 1);
      await button('Stop waiting').click();
      await app.state('Stopped waiting');
      await rewrite(change);
      await app.reload();
      await button('Generate again').click();
      await isAsked();
      assert.equal(app.creates().length, 1);
    });
  }

  test('leave a create that has left with an unknown outcome', async () => {
    app = await studio.open();
    await choose([LEMON]);
    await app.generate('test-hang');
    await until(() => app.server.counts.edits === 1);
    await rewrite();
    await app.reload();
    await app.card.locator('.problem', { hasText: 'It may have been billed.' }).waitFor();
    await button('Look for the answer').click();
    await app.card.locator('.problem', { hasText: 'It may have been billed.' }).waitFor();
    assert.equal(app.creates().length, 1);
  });

  test('hold back a race, and each of its lanes', async () => {
    app = await studio.open();
    await choose([LEMON]);
    await app.page.fill('#prompt', PROMPT);
    await app.page.click('text=Race several models');
    await app.page.fill('#race-filter', 'test-task-failed-object');
    await app.page.press('#race-filter', 'Enter');
    await app.page.click('#race .start');
    await until(() => app.creates().length === 2);
    await app.advance(20_000);
    await app.$('.race[data-phase=ended]').waitFor();
    await rewrite();
    await app.reload();
    await app.$('.race button', { hasText: 'Try again' }).click();
    await isAsked();
    await button('Go on without them', app.$('#form')).click();
    await app.$('.race button', { hasText: 'Race again' }).click();
    await isAsked();
    assert.equal(await app.$('.chips [aria-pressed=true]').count(), 2);
    assert.equal(await app.$('.race').count(), 1);
    assert.equal(app.creates().length, 2);
  });

  test('hold back each button that would buy the picture again', async () => {
    app = await studio.open();
    await choose([LEMON]);
    await app.generate('gpt-image-2');
    await app.state('Done');
    await rewrite();
    await app.reload();
    for (const press of [
      () => button('Vary').click(),
      () => button('Use settings').click(),
      async () => {
        await app.card.locator('.picture').click();
        await button('Use settings', app.$('#viewer')).click();
      },
    ]) {
      await press();
      await isAsked();
      await button('Go on without them', app.$('#form')).click();
      assert.equal(await app.$('#pictures-problem').textContent(), '');
    }
    assert.equal(app.creates().length, 1);
  });
});

test('“Use settings” fills in the reference pictures and the mask', GUARD, async () => {
  app = await studio.open();
  await choose([LEMON, LIME], LIME);
  await app.generate('gpt-image-2');
  await app.state('Done');
  await app.reload();
  await app.page.click('text=Reference pictures');
  await app.page.setInputFiles('#pictures', LIME);
  const previews = () => app.$('#previews img').evaluateAll((all) => `${all.map(({ alt }) => alt)}`);
  assert.equal(await previews(), 'lime.png');
  await button('Use settings').click();
  await untilAsync(async () => (await previews()) === 'lemon.png,lime.png');
  await button('Undo', app.$('.toast', { hasText: 'The reference pictures were replaced.' })).click();
  assert.equal(await previews(), 'lime.png');
  await button('Use settings').click();
  await untilAsync(async () => (await previews()) === 'lemon.png,lime.png');
  await app.$('#mask-preview img').waitFor();
  await app.page.click('[name=send]');
  await until(() => app.creates().length === 2);
  const [one, two] = app
    .creates()
    .map(({ body }) => [body.image, body.mask].flat().map(({ sha256 }) => sha256));
  assert.deepEqual(one, two);
});

/** The ids whose reference pictures the database holds. */
const keptIds = async () =>
  app.page.evaluate(
    async (db) => {
      const reading = db.transaction('tasks').objectStore('tasks').getAllKeys();
      const keys = await new Promise((resolve) => {
        reading.onsuccess = () => resolve(reading.result);
      });
      db.close();
      return keys.filter((key) => key.startsWith('sources ')).map((key) => key.slice('sources '.length));
    },
    await database(),
  );

/** Adds a hundred newer generations to the journal, which has room for no more. */
const fillJournal = async () =>
  app.page.evaluate(
    async (db) => {
      const store = db.transaction('tasks', 'readwrite').objectStore('tasks');
      const done = new Promise((resolve) => {
        store.transaction.oncomplete = resolve;
      });
      store.get('lemondata-studio').onsuccess = ({ target }) => {
        const journal = JSON.parse(target.result);
        for (let index = 0; index < 100; index += 1) {
          const id = `newer-${index}`;
          const startedAt = Date.now() + 1;
          const ended = { phase: 'done', images: [], isResumable: false, startedAt, endedAt: startedAt };
          journal.entries[id] = { id, request: { prompt: id }, idempotencyKey: id, ...ended };
        }
        store.put(JSON.stringify(journal), 'lemondata-studio');
      };
      await done;
      db.close();
    },
    await database(),
  );

test('reference pictures go with the entry of the journal that they belong to', GUARD, async () => {
  app = await studio.open();
  await choose([LEMON]);
  await app.generate('gpt-image-2');
  await app.state('Done');
  const [first] = await keptIds();
  assert.ok(first);
  await fillJournal();
  await app.advance(1000);
  await app.generate('gpt-image-2');
  await until(() => app.creates().length === 2);
  await app.state('Done');
  await untilAsync(async () => !(await keptIds()).includes(first));
  assert.equal((await keptIds()).length, 1, 'those of the newer one stay');
});

test('the files of a request are told from others', () => {
  const file = (text) => ({ name: 'a.png', type: 'image/png', bytes: new TextEncoder().encode(text).buffer });
  const sources = { action: 'edit', pictures: [file('one'), file('two')], mask: file('mask') };
  const names = namesOf(sources);
  assert.deepEqual([names.pictures, names.mask], [['a.png', 'a.png'], 'a.png']);
  const copy = structuredClone(sources);
  assert.equal(whole(names, copy), copy);
  assert.equal(whole(undefined, undefined), undefined);
  const { mask: _, ...bare } = sources;
  for (const other of [
    undefined,
    bare,
    { ...sources, action: 'generate' },
    { ...sources, mask: file('mark') },
    { ...sources, pictures: [file('one')] },
    { ...sources, pictures: [file('two'), file('one')] },
    { action: 'edit', pictures: [file('one'), file('two'), file('mask')] },
  ]) {
    assert.throws(() => whole(names, other), { kind: 'sources', outcome: 'not_sent', message: WORDS });
  }
  // The journal of an earlier version has the names alone.
  const { check: __, ...earlier } = names;
  assert.equal(whole(earlier, bare), bare);
  assert.throws(() => whole(earlier, undefined), { kind: 'sources' });
});
