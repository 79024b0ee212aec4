/** What a person does with many pictures: filters, favourites, a selection, exports, deletions and their undo. */

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { strFromU8, unzipSync } from 'fflate';
import { PNG } from 'pngjs';
import { atRest } from './at-rest.js';
import { untilAsync, useStudio } from './studio.js';

/** Ends a test that hangs. */
const GUARD = { timeout: 300_000 };
const DAY_MS = 86_400_000;
/** Longer than a message with an action stays. */
const UNDO_MS = 25_000;

const studio = useStudio();
let app;

/** Makes pictures of these prompts, the first one first, and goes to the gallery. */
async function make(prompts, more = {}) {
  for (const prompt of prompts) {
    await app.generate('dall-e-2', { prompt, ...more });
    await app.state('Done');
    // The order is that of time.
    await app.advance(1000);
  }
  await app.page.click('nav >> text=Gallery');
  await tiles().first().waitFor();
}

/** Loads the page again, in its view of the gallery. */
async function reload() {
  await app.page.evaluate(atRest);
  await app.page.reload();
  await app.$('#tiles img[src]').first().waitFor();
}

const tiles = () => app.$('#tiles li');
const open = (name) => app.$(`#tiles .open[aria-label^="${name}"]`);
const checkbox = (name) => app.$(`#tiles [type=checkbox][aria-label="Select ${name}"]`);
const bar = (name) => app.$('.selection').getByRole('button', { name, exact: true });
/** The prompts of the tiles, in their order. */
const names = () =>
  app.$('#tiles .open').evaluateAll((all) => all.map(({ ariaLabel }) => ariaLabel.split(',')[0]));
const chosen = () =>
  app
    .$('#tiles li:has(:checked) .open')
    .evaluateAll((all) => all.map(({ ariaLabel }) => ariaLabel.split(',')[0]));
const see = (expected, read = names) =>
  untilAsync(async () => JSON.stringify(await read()) === JSON.stringify(expected));
/** The number of entries in a store of the page. */
const stored = (store) =>
  app.page.evaluate(async (name) => {
    const opening = indexedDB.open('lemondata-studio');
    const db = await new Promise((resolve) => {
      opening.onsuccess = () => resolve(opening.result);
    });
    const counting = db.transaction(name).objectStore(name).count();
    const count = await new Promise((resolve) => {
      counting.onsuccess = () => resolve(counting.result);
    });
    db.close();
    return count;
  }, store);

describe('the gallery', () => {
  test('has headings by day, and filters by model, time, word and favourite', GUARD, async () => {
    app = await studio.open();
    await make(['Old lemon']);
    await app.page.click('nav >> text=Create');
    await app.advance(DAY_MS);
    await app.generate('flux-schnell', { prompt: 'Pear' });
    await app.state('Done');
    await app.advance(DAY_MS * 8);
    await make(['New lemon']);
    const headings = () => app.$('#tiles h3').allTextContents();
    assert.deepEqual(await headings(), ['Today', 'Friday, January 2', 'Thursday, January 1']);

    await app.page.selectOption('#gallery-model', 'flux-schnell');
    await see(['Pear']);
    assert.equal(await app.$('#gallery-summary').textContent(), '1 of 3');
    await app.page.selectOption('#gallery-model', '');
    await app.page.selectOption('#gallery-time', 'Last 7 days');
    await see(['New lemon']);
    await app.page.selectOption('#gallery-time', 'January 2026');
    await see(['New lemon', 'Pear', 'Old lemon']);
    await app.page.selectOption('#gallery-time', '');
    await app.page.fill('#search', 'lemon');
    await see(['New lemon', 'Old lemon']);

    await open('Old lemon').focus();
    await app.page.keyboard.press('f');
    await app.page.click('#favourites');
    await see(['Old lemon']);
    await app.page.fill('#search', 'pear');
    await app.page.click('text=Show all pictures');
    await see(['New lemon', 'Pear', 'Old lemon']);

    await reload();
    await app.page.click('#favourites');
    await see(['Old lemon']);
    await app.$('#tiles .star').click();
    await app.$('text=No picture matches').waitFor();
  });

  test('tells the pictures of one prompt apart, and shows their facts', GUARD, async () => {
    app = await studio.open();
    await make(['A lemon'], { n: '3' });
    const labels = await app.$('#tiles .open').evaluateAll((all) => all.map(({ ariaLabel }) => ariaLabel));
    assert.equal(new Set(labels).size, 3);
    assert.match(labels[0], /^A lemon, \d of 3, dall-e-2, Jan 1, 2026, /);
    const facts = tiles().first().locator('.facts');
    const opacity = () => facts.evaluate((element) => getComputedStyle(element).opacity);
    assert.equal(await opacity(), '0');
    await tiles().first().hover();
    await untilAsync(async () => (await opacity()) === '1');
    assert.match(await facts.textContent(), /A lemon\s+dall-e-2 · 512 × 512 · less than 1 s/);
  });

  test('is where the person left it', GUARD, async () => {
    app = await studio.open({ viewport: { width: 800, height: 300 } });
    await make(['One', 'Two', 'Three', 'Four', 'Five', 'Six', 'Seven', 'Eight']);
    const scroll = () => app.page.evaluate(() => Math.round(scrollY));
    await app.page.evaluate(() => scrollTo(0, 200));
    // Playwright itself would scroll to the link.
    const go = (name) => app.$('nav a', { hasText: name }).evaluate((link) => link.click());
    await go('Create');
    assert.equal(await scroll(), 0);
    await go('Gallery');
    await untilAsync(async () => (await scroll()) === 200);
    await app.page.goBack();
    await untilAsync(async () => (await scroll()) === 0);
    await app.page.goForward();
    await untilAsync(async () => (await scroll()) === 200);
  });
});

describe('a selection', () => {
  test('is made with boxes, ranges, keys and all at once', GUARD, async () => {
    app = await studio.open();
    await make(['One', 'Two', 'Three', 'Four', 'Five']);
    await see(['Five', 'Four', 'Three', 'Two', 'One']);
    await tiles().nth(1).hover();
    await checkbox('Four').click();
    await see(['Four'], chosen);
    await checkbox('Two').click({ modifiers: ['Shift'] });
    await see(['Four', 'Three', 'Two'], chosen);
    // Backwards, and over a box that is on already.
    await checkbox('Four').click({ modifiers: ['Shift'] });
    await see(['Four', 'Three', 'Two'], chosen);
    await open('Three').click();
    await see(['Four', 'Two'], chosen);
    assert.match(await app.$('.selection p').textContent(), /^2 selected/);
    await bar('Select all').click();
    await see(['Five', 'Four', 'Three', 'Two', 'One'], chosen);
    await bar('Select none').click();
    await see([], chosen);
    await open('One').focus();
    await app.page.keyboard.press('x');
    await see(['One'], chosen);
    await app.page.keyboard.press('Control+a');
    assert.equal((await chosen()).length, 5);
    await app.page.keyboard.press('Escape');
    await app.$('.selection').waitFor({ state: 'hidden' });
    assert.deepEqual(await chosen(), []);
    await open('Two').click();
    await app.$('.viewer .place', { hasText: '4 of 5' }).waitFor();
  });

  test('is one stop of the Tab key, as a tile with its controls', GUARD, async () => {
    app = await studio.open();
    await make(['One', 'Two', 'Three']);
    await app.page.click('#select');
    await open('Two').click();
    const stops = (selector) => app.$(`${selector} :is(button, input)[tabindex="0"]`).count();
    assert.equal(await stops('.selection'), 1);
    assert.equal(await stops('#tiles'), 3, 'the picture, its box and its star');
    const focused = () => app.page.evaluate(() => document.activeElement.textContent.trim());
    await bar('Select all').focus();
    await app.page.keyboard.press('ArrowRight');
    // Compare needs a second picture.
    assert.equal(await focused(), 'Export');
    await app.page.keyboard.press('End');
    assert.equal(await focused(), 'Delete');
    assert.equal(await stops('.selection'), 1);
  });

  test('becomes a zip with the settings of each picture beside it', GUARD, async () => {
    app = await studio.open();
    await make(['A lemon', 'A lemon', 'Ein süßer Apfel']);
    await bar('Select all').isHidden();
    await app.page.click('#select');
    await bar('Select all').click();
    const downloading = app.page.waitForEvent('download');
    await bar('Export').click();
    const download = await downloading;
    assert.match(download.suggestedFilename(), /^lemondata-2026-01-01\.zip$/);
    const files = unzipSync(await readFile(await download.path()));
    assert.deepEqual(Object.keys(files).sort(), [
      'a-lemon-dall-e-2-2026-01-01-2.json',
      'a-lemon-dall-e-2-2026-01-01-2.png',
      'a-lemon-dall-e-2-2026-01-01.json',
      'a-lemon-dall-e-2-2026-01-01.png',
      'ein-süßer-apfel-dall-e-2-2026-01-01.json',
      'ein-süßer-apfel-dall-e-2-2026-01-01.png',
    ]);
    for (const [name, bytes] of Object.entries(files)) {
      if (!name.endsWith('.json')) continue;
      const record = JSON.parse(strFromU8(bytes));
      const png = PNG.sync.read(Buffer.from(files[record.file]));
      assert.deepEqual([png.width, png.height], [record.width, record.height]);
      assert.equal(record.request.model, 'dall-e-2');
      assert.equal(record.request.size, '512x512');
      assert.ok(name.startsWith(record.request.prompt[0].toLowerCase()));
      // The file holds its settings, too.
      assert.ok(files[record.file].length >= record.bytes);
    }
    await app.$('.toast', { hasText: 'Exported 3.' }).waitFor();
    await app.$('.selection').waitFor({ state: 'hidden' });
  });

  test('is deleted at once, and comes back at once', GUARD, async () => {
    app = await studio.open();
    await make(['One', 'Two', 'Three']);
    await app.page.click('#select');
    await open('One').click();
    await open('Three').click();
    await bar('Delete').click();
    await see(['Two']);
    await app.$('.toast', { hasText: 'Deleted 2 pictures.' }).waitFor();
    await app.page.click('.toast >> text=Undo');
    await see(['Three', 'Two', 'One']);
  });
});

describe('a deletion', () => {
  test('can be undone, each in its turn, or all of them', GUARD, async () => {
    app = await studio.open();
    await make(['One', 'Two', 'Three', 'Four']);
    await open('Four').focus();
    for (let count = 0; count < 3; count += 1) await app.page.keyboard.press('Delete');
    await see(['One']);
    const toast = app.$('.toast');
    await toast.filter({ hasText: 'Deleted “Two”.' }).waitFor();
    assert.equal(await toast.count(), 1);
    assert.deepEqual(
      (await app.$('#announcer p').allTextContents()).slice(-3),
      ['Four', 'Three', 'Two'].map((name) => `Deleted “${name}”. Undo: press F8.`),
    );
    // From the keyboard, wherever the focus is.
    await app.page.keyboard.press('F8');
    const focused = () => app.page.evaluate(() => document.activeElement.textContent.trim());
    await untilAsync(async () => (await focused()).startsWith('Undo'));
    await app.page.keyboard.press('Shift+Tab');
    assert.equal(await focused(), 'Undo');
    // The message waits while the focus is on it.
    await app.advance(UNDO_MS);
    await app.page.keyboard.press('Enter');
    await see(['Two', 'One']);
    await toast.filter({ hasText: 'Restored “Two”.' }).waitFor();
    await app.page.keyboard.press('Enter');
    await see(['Three', 'Two', 'One']);
    await open('One').focus();
    await app.page.keyboard.press('Control+z');
    await see(['Four', 'Three', 'Two', 'One']);
    await toast.waitFor({ state: 'detached' });
    for (const name of ['Four', 'Three']) {
      await open(name).focus();
      await app.page.keyboard.press('Delete');
    }
    await see(['Two', 'One']);
    await app.page.click('text=Undo all 2');
    await see(['Four', 'Three', 'Two', 'One']);
    assert.equal(await stored('files'), 4);
  });

  test('frees the storage when its time is over, or when the person leaves', GUARD, async () => {
    app = await studio.open();
    await make(['One', 'Two', 'Three']);
    await open('Three').focus();
    await app.page.keyboard.press('Delete');
    await see(['Two', 'One']);
    assert.equal(await stored('files'), 3, 'it can come back');
    await app.advance(UNDO_MS);
    for (const store of ['files', 'thumbnails', 'pictures']) {
      await untilAsync(async () => (await stored(store)) === 2);
    }
    await app.page.keyboard.press('Delete');
    await see(['One']);
    await reload();
    await untilAsync(async () => (await stored('files')) === 1);
    await see(['One']);
  });

  test('is finished by no other tab while its own can undo it', GUARD, async () => {
    app = await studio.open();
    await make(['One', 'Two']);
    await open('Two').focus();
    await app.page.keyboard.press('Delete');
    await see(['One']);
    const other = await app.context.newPage();
    await other.goto(`${app.served.url}/#view=gallery`);
    await other.locator('#feed:not([aria-busy])').waitFor({ state: 'attached' });
    assert.equal(await other.locator('#tiles .open').count(), 1);
    // A third one asks for the lock after the second one.
    await other.evaluate(() =>
      navigator.locks.request('lemondata-studio deletions', { mode: 'shared' }, () => {}),
    );
    assert.equal(await stored('files'), 2);
    await app.page.keyboard.press('Control+z');
    await see(['Two', 'One']);
    await other.locator('#tiles .open').nth(1).waitFor();
  });

  test('is told wherever the picture is still shown', GUARD, async () => {
    app = await studio.open();
    await app.generate('dall-e-2', { prompt: 'A lemon' });
    await app.state('Done');
    const other = await app.context.newPage();
    await other.goto(`${app.served.url}/#view=gallery`);
    await other.locator('#tiles img[src]').waitFor();
    await app.card.locator('.picture').click();
    await app.$('.viewer .stage img').waitFor();
    await other.locator('#tiles .open').focus();
    await other.keyboard.press('Delete');
    await app.$('.viewer', { hasText: 'This picture has been deleted.' }).waitFor();
    assert.ok(await app.$('.viewer').getByRole('button', { name: 'Download' }).isDisabled());
    await app.page.keyboard.press('Delete');
    await app.page.keyboard.press('Escape');
    await app.card.getByText('This picture has been deleted').waitFor();
    await other.keyboard.press('Control+z');
    await app.$('#gallery-count', { hasText: '1' }).waitFor();
  });
});
