/** A gallery of thousands: document and memory stay bounded, however far one scrolls. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { settled, untilAsync, useStudio } from './studio.js';

/** Ends a test that hangs. */
const GUARD = { timeout: 300_000 };
const COUNT = 3000;
/** Scroll positions between the first picture and the last. */
const STOPS = 15;

const studio = useStudio();
let app;

/** Puts pictures into the database of the page, as earlier visits would have left them. */
async function fill(count) {
  await app.page.evaluate(async (total) => {
    const canvas = Object.assign(document.createElement('canvas'), { width: 24, height: 24 });
    const context = canvas.getContext('2d');
    const open = indexedDB.open('lemondata-studio');
    const db = await new Promise((resolve) => {
      open.onsuccess = () => resolve(open.result);
    });
    const transaction = db.transaction(['pictures', 'thumbnails', 'files'], 'readwrite');
    const colours = Array.from({ length: 36 }, (_, index) => {
      context.fillStyle = `hsl(${index * 10} 60% 60%)`;
      context.fillRect(0, 0, 24, 24);
      const text = atob(canvas.toDataURL().split(',')[1]);
      return Uint8Array.from(text, (char) => char.charCodeAt(0)).buffer;
    });
    for (let number = 0; number < total; number += 1) {
      const bytes = colours[number % colours.length];
      const id = `${number}`.padStart(9, '0');
      const request = { model: 'dall-e-2', prompt: `Picture ${number}`, size: '512x512' };
      const picture = {
        id,
        at: number,
        request,
        index: 0,
        count: 1,
        ms: 1,
        type: 'image/png',
        width: 24,
        height: 24,
      };
      transaction.objectStore('pictures').put({ ...picture, bytes: bytes.byteLength }, id);
      transaction.objectStore('thumbnails').put({ type: 'image/png', bytes }, id);
      transaction.objectStore('files').put({ type: 'image/png', bytes }, id);
    }
    await new Promise((resolve) => {
      transaction.oncomplete = resolve;
    });
    db.close();
  }, count);
  await app.reload();
  await untilAsync(async () => (await app.$('#gallery-count').textContent()) === count.toLocaleString('en'));
}

const tiles = () => app.$('#tiles li');
/** The prompts of the tiles in the document. */
const names = () =>
  tiles()
    .locator('.open')
    .evaluateAll((all) => all.map(({ ariaLabel }) => ariaLabel.split(',')[0]));

describe('three thousand pictures', () => {
  test('are a few dozen tiles, wherever one scrolls', GUARD, async () => {
    app = await studio.open();
    // Counts the live object URLs, which each hold a picture.
    await app.context.addInitScript(() => {
      const { createObjectURL, revokeObjectURL } = URL;
      window.urls = 0;
      URL.createObjectURL = (blob) => {
        window.urls += 1;
        return createObjectURL(blob);
      };
      URL.revokeObjectURL = (url) => {
        window.urls -= 1;
        revokeObjectURL(url);
      };
    });
    await fill(COUNT);
    assert.equal(await app.page.evaluate(() => window.urls), 0, 'nothing is read before it is shown');
    await app.page.click('nav >> text=Gallery');
    await tiles().first().waitFor();
    const height = await app.page.evaluate(() => document.documentElement.scrollHeight);
    let most = 0;
    for (let stop = 0; stop <= STOPS; stop += 1) {
      await app.page.evaluate((top) => scrollTo(0, top), (height * stop) / STOPS);
      // A tile covers the middle of the screen.
      await untilAsync(() =>
        app.page.evaluate(() => {
          const middle = innerHeight / 2;
          const isThere = (tile) => {
            const { top, bottom } = tile.getBoundingClientRect();
            return top < middle + 12 && bottom > middle - 12;
          };
          return (
            [...document.querySelectorAll('#tiles li')].some(isThere) &&
            [...document.querySelectorAll('#tiles img')].every(({ src }) => src)
          );
        }),
      );
      most = Math.max(most, await app.page.evaluate(() => document.getElementsByTagName('*').length));
      assert.ok((await tiles().count()) <= 60, `${await tiles().count()} tiles`);
    }
    assert.ok(most < 1300, `${most} elements in the document`);
    assert.ok((await app.page.evaluate(() => window.urls)) <= 241, 'pictures out of sight are released');
    assert.ok((await names()).includes('Picture 0'), 'the oldest is at the end');
    assert.equal(
      await app.page.evaluate(() => document.documentElement.scrollHeight),
      height,
      'the height never changed',
    );
    await app.look('gallery-3000');
  });

  test('are reached by key, found by word, and opened in their order', GUARD, async () => {
    app = await studio.open();
    await fill(COUNT);
    await app.page.click('nav >> text=Gallery');
    await app.$('#tiles [data-index="0"]').focus();
    await app.page.keyboard.press('End');
    const focused = () => app.page.evaluate(() => document.activeElement.ariaLabel.split(',')[0]);
    await untilAsync(async () => (await focused()) === 'Picture 0');
    const item = app.$('#tiles li:has(:focus)');
    assert.deepEqual(
      [await item.getAttribute('aria-posinset'), await item.getAttribute('aria-setsize')],
      ['3000', '3000'],
    );
    await app.page.keyboard.press('Enter');
    await app.$('.viewer .place', { hasText: '3000 of 3000' }).waitFor();
    await app.page.keyboard.press('ArrowLeft');
    await app.$('.viewer .place', { hasText: '2999 of 3000' }).waitFor();
    await app.page.keyboard.press('Escape');
    await untilAsync(async () => (await focused()) === 'Picture 1');
    // The focus stays with its tile when that is scrolled out of sight.
    await app.page.evaluate(() => scrollTo(0, 0));
    await untilAsync(async () => (await names()).includes('Picture 2999'));
    assert.equal(await focused(), 'Picture 1');
    await app.page.fill('#search', 'picture 1234');
    await untilAsync(async () => (await tiles().count()) === 1);
    assert.equal(await app.$('#gallery-summary').textContent(), '1 of 3,000');
  });
});

describe('two tabs', () => {
  test('show the same gallery, and wait for a task once', GUARD, async () => {
    app = await studio.open();
    await app.generate('flux-pro');
    await app.state('Accepted as a task');
    const other = await app.context.newPage();
    await other.goto(app.served.url);
    await settled(other);
    await other.locator('.card .state', { hasText: 'Waiting again' }).waitFor();
    await app.advance(20_000);
    await app.state('Done');
    await other.locator('#gallery-count', { hasText: '1' }).waitFor();
    await other.locator('.card .state', { hasText: 'Done' }).waitFor();
    await other.locator('.card .picture img').waitFor();
    assert.equal(await other.locator('.card .requests').count(), 0, 'the first one waited for it');
    assert.equal(app.server.counts.creates, 1);
  });

  test('take a task over from one that has left', GUARD, async () => {
    app = await studio.open();
    const first = await app.context.newPage();
    await first.goto(`${app.served.url}/#model=flux-pro&prompt=A+lemon`);
    await first.click('[name=send]');
    await first.locator('.state', { hasText: 'Accepted as a task' }).waitFor();
    await app.reload();
    assert.equal(await app.card.locator('.prompt').textContent(), 'A lemon');
    await first.close();
    await app.card.locator('.requests .request').waitFor();
    await app.advance(20_000);
    await app.state('Done');
    assert.equal(app.server.counts.creates, 1);
  });
});

describe('generations of an earlier visit', () => {
  test('are shown and not repeated, without an answer and with another relay', GUARD, async () => {
    app = await studio.open();
    await app.page.evaluate(async () => {
      const open = indexedDB.open('lemondata-studio');
      const db = await new Promise((resolve) => {
        open.onsuccess = () => resolve(open.result);
      });
      const request = { model: 'dall-e-2', prompt: 'A lemon' };
      const now = Date.now();
      const entry = {
        id: 'a',
        request,
        phase: 'sending',
        images: [],
        startedAt: now,
        sentAt: now,
        idempotencyKey: 'k',
        relay: 'another',
      };
      const transaction = db.transaction('tasks', 'readwrite');
      const tasks = transaction.objectStore('tasks');
      tasks.put(JSON.stringify({ version: 1, entries: { a: entry } }), 'lemondata-studio');
      // A reload rolls back an open transaction.
      await new Promise((resolve) => {
        transaction.oncomplete = resolve;
      });
      db.close();
    });
    await app.reload();
    await app.state('The connection was lost');
    assert.match(await app.card.locator('.problem').textContent(), /may be billed/);
    assert.equal(app.server.counts.creates, 0);
    await app.reload();
    await app.state('The connection was lost');
    assert.match(await app.card.locator('.problem').textContent(), /may be billed/, 'the warning stays');
  });

  test('stay stopped where the person has stopped the wait', GUARD, async () => {
    app = await studio.open();
    await app.generate('flux-pro');
    await app.state('Accepted as a task');
    await app.page.click('text=Stop waiting');
    await app.state('Stopped waiting');
    await app.reload();
    await app.state('Stopped waiting');
    await app.advance(30_000);
    assert.equal(app.server.counts.polls, 0);
    await app.page.click('text=Wait again');
    await app.state('Done');
    assert.equal(app.server.counts.creates, 1);
    await app.reload();
    await app.state('Done');
  });
});
