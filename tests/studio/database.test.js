/** The database of the page: one that never answers, one of a newer version, and one that the browser has cleared. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { PROMPT, settled, until, untilAsync, useStudio } from './studio.js';

/** Ends a test that hangs. */
const GUARD = { timeout: 180_000 };
const NAME = 'lemondata-studio';

const studio = useStudio();
let app;

const count = () => app.$('#gallery-count').textContent();

/** Opens another page whose database does not answer, and whose waits for it the test ends. */
async function openStuck() {
  const page = await app.context.newPage();
  await page.addInitScript(() => {
    const waits = [];
    const { timeout } = AbortSignal;
    AbortSignal.timeout = (ms) => {
      if (ms !== 20_000) return timeout.call(AbortSignal, ms);
      const controller = new AbortController();
      waits.push(controller);
      return controller.signal;
    };
    globalThis.endWaits = () => {
      for (const wait of waits) wait.abort(new DOMException('Late.', 'TimeoutError'));
    };
    const { open } = IDBFactory.prototype;
    IDBFactory.prototype.open = function () {
      const request = open.call(this, 'another');
      const hide = (event) => event.stopImmediatePropagation();
      for (const type of ['success', 'upgradeneeded']) request.addEventListener(type, hide);
      return request;
    };
  });
  return page;
}

describe('the database', GUARD, () => {
  test('that never opens holds back no create, and the picture is shown', async () => {
    app = await studio.open();
    const page = await openStuck();
    await page.goto(app.served.url);
    await page.fill('#prompt', PROMPT);
    await page.fill('#model', 'dall-e-2');
    await page.fill('#size', '512x512');
    await page.click('button[name=send]');
    await page.locator('.card').waitFor();
    assert.equal(app.creates().length, 0, 'it waits a while');
    await untilAsync(async () => {
      await page.evaluate(() => globalThis.endWaits());
      return (await page.locator('.card .state', { hasText: 'Done' }).count()) > 0;
    });
    await settled(page);
    assert.equal(app.creates().length, 1);
    await page.locator('.card .picture img').evaluate((img) => img.decode());
    await page.locator('.notice', { hasText: 'is forgotten when the page is closed' }).waitFor();
  });

  test('of a newer version is used as it is', async () => {
    app = await studio.open();
    await app.generate('flux-pro');
    await app.state('Accepted as a task');
    const isUpgraded = await app.page.evaluate(
      (name) =>
        new Promise((resolve, reject) => {
          const opening = indexedDB.open(name, 2);
          opening.onupgradeneeded = () => opening.result.createObjectStore('more');
          opening.onblocked = reject;
          opening.onsuccess = () => {
            opening.result.close();
            resolve(true);
          };
        }),
      NAME,
    );
    assert.ok(isUpgraded, 'the open page does not block it');
    await app.advance(15_000);
    await app.state('Done');
    await app.reload();
    await app.state('Done');
    await app.card.locator('.picture img').evaluate((img) => img.decode());
    assert.equal(app.creates().length, 1);
    assert.equal(await count(), '1');
  });

  test('that the browser clears is made again, and what runs is kept', async () => {
    app = await studio.open();
    await app.generate('flux-pro');
    await app.state('Accepted as a task');
    await app.page.evaluate(
      (name) =>
        new Promise((resolve, reject) => {
          const deletion = indexedDB.deleteDatabase(name);
          deletion.onsuccess = resolve;
          deletion.onblocked = reject;
        }),
      NAME,
    );
    // The next poll writes the journal.
    await app.generate('dall-e-2', { prompt: 'A lime' });
    await app.state('Done');
    await app.reload();
    await until(() => app.creates().length === 2);
    await app.advance(15_000);
    await untilAsync(async () => (await count()) === '2');
    assert.equal(app.creates().length, 2);
  });
});
