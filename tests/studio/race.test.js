/** Races of models, fallbacks, samples and settings from pictures, in Chromium with a clock that the test moves. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { after, before, describe, test } from 'node:test';
import { PNG } from 'pngjs';
import { servePage } from '../../scripts/lib/serve-page.js';
import { fallbackWords, modelIn, modelsTried } from '../../www/fallback.js';
import { priceOfAll } from '../../www/form-model.js';
import { settingsIn, withSettings } from '../../www/picture-settings.js';
import { fitTo } from '../../www/race-request.js';
import { requestOf, settingsOf } from '../../www/settings.js';
import { startServer } from '../server/index.js';
import { KEY, launch, PROMPT, untilAsync, useStudio } from './studio.js';

/** Ends a test that hangs. */
const GUARD = { timeout: 300_000 };
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** A model that takes a seed, and answers at once. */
const SEEDED = 'flux-schnell';

const studio = useStudio();
let app;

/** @param {Parameters<typeof studio.open>[0]} [options] */
async function open(options) {
  app = await studio.open(options);
}

const lanes = () => app.$('.race').first().locator('.lane');
/** @param {string} model */
const lane = (model) => app.$('.race').first().locator(`.lane[aria-label="${model}"]`);
const texts = async (locator) =>
  (await locator.allTextContents()).map((text) => text.trim().replace(/\s+/g, ' '));

/** Starts a race. */
async function race(...models) {
  await app.page.fill('#prompt', PROMPT);
  await app.page.fill('#size', '512x512');
  await app.chooseModels(...models);
  await app.page.click('#race .start');
  if (models.length >= 5) await app.page.click(`#confirm >> text="Make ${models.length} pictures"`);
  await app.$('.race').first().waitFor();
}

/** Advances the clocks until the first race has come to its end. */
async function finish() {
  for (let passed = 0; passed < 60_000; passed += 2500) {
    if ((await app.$('.race').first().getAttribute('data-phase')) === 'ended') return;
    await app.advance(2500);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await app.$('.race[data-phase=ended]').first().waitFor();
}

const phases = () => lanes().evaluateAll((all) => all.map(({ dataset }) => dataset.phase));

describe('a race', GUARD, () => {
  test('starts all models at one press, and shows their times side by side', async () => {
    await open();
    await race('dall-e-2', 'flux-pro', 'midjourney');
    await lanes().nth(2).waitFor();
    await untilAsync(() => app.creates().length === 3);
    const bodies = app.creates().map(({ body }) => body);
    assert.deepEqual(bodies.map(({ model }) => model).sort(), ['dall-e-2', 'flux-pro', 'midjourney']);
    assert.ok(bodies.every(({ prompt, size }) => prompt === PROMPT && size === '512x512'));
    assert.equal(await app.$('.card').count(), 1, 'a race is one card');
    await lane('dall-e-2').locator('img').waitFor();
    assert.match((await texts(app.$('.race .state')))[0], /^Race of 3 models 1 of 3 done$/);
    await lane('flux-pro').locator('.ring').waitFor();

    await finish();
    assert.deepEqual(await phases(), ['done', 'done', 'done']);
    assert.deepEqual(await texts(app.$('.race .badge')), ['First']);
    assert.match((await texts(lane('dall-e-2').locator('.result')))[0], /^\d+\.\d s First$/);
    assert.match((await texts(app.$('.race .state')))[0], /dall-e-2 was first, after \d+\.\d s$/);
    assert.equal(app.creates().length, 3);
    assert.equal(await app.$('#gallery-count').textContent(), '3', 'each lane has its place in the gallery');

    // Every row of the chart ends at its own time on the same axis.
    const rows = await app.$('.chart p:not(.axis)').evaluateAll((all) =>
      all.map((row) => ({
        creates: row.querySelectorAll('.create').length,
        polls: row.querySelectorAll('.poll').length,
        end: Number.parseFloat(row.querySelector('.end').getAttribute('x')),
        time: Number.parseFloat(row.querySelector('.time').textContent),
      })),
    );
    assert.deepEqual(
      rows.map(({ creates }) => creates),
      [1, 1, 1],
    );
    assert.equal(rows[0].polls, 0);
    assert.equal(rows[1].polls + rows[2].polls, app.server.counts.polls);
    const axis = (await texts(app.$('.chart .axis text'))).at(-1);
    const seconds = Number.parseInt(axis, 10);
    for (const { end, time } of rows) assert.ok(Math.abs(end - (time / seconds) * 100) < 1, `${end} ${time}`);
  });

  test('counts the download of a picture in, in its lane and in the viewer', async () => {
    await open();
    const downloads = [];
    await app.context.route(/\/files\//, (route) => downloads.push(route));
    await race('dall-e-2', SEEDED);
    await untilAsync(() => downloads.length === 2);
    await app.advance(3000);
    for (const download of downloads) await download.continue();
    await app.$('.race[data-phase=ended]').waitFor();
    for (const name of ['dall-e-2', SEEDED]) {
      const [time] = (await texts(lane(name).locator('.result')))[0].split(' s');
      assert.ok(time >= 3, time);
      await lane(name).locator('.picture').click();
      const whole = Math.round(time);
      await app.$('#viewer', { hasText: `made in ${whole} s` }).waitFor();
      await app.page.keyboard.press('Escape');
    }
  });

  test('says before how many pictures it buys, of two to six models', async () => {
    await open();
    await app.page.fill('#prompt', PROMPT);
    await app.page.click('text=Race several models');
    const start = app.$('#race .start');
    assert.deepEqual(
      await texts(app.$('.chips [aria-pressed=true]')),
      ['gpt-image-2'],
      'the model of the form',
    );
    assert.ok(await start.isDisabled());
    await untilAsync(async () => (await app.$('.chips button').count()) === 17);
    await app.$('.chips button', { hasText: /^nano-banana$/ }).click();
    assert.equal(await start.textContent(), 'Race 2 models');
    assert.match(await app.$('#race .note').textContent(), /^2 pictures\./);
    // The size of the form's model is no problem of a race.
    await app.page.fill('#size', '512x512');
    assert.equal(await app.$('#size-problem').textContent(), '');
    await app.$('.chips button', { hasText: /^nano-banana$/ }).click();
    assert.match(await app.$('#size-problem').textContent(), /^Too small/);
    await app.$('.chips button', { hasText: /^nano-banana$/ }).click();
    assert.equal(await app.$('#size-problem').textContent(), '');
    await app.page.fill('#n', '3');
    assert.equal(
      await app.$('#race .note').textContent(),
      '6 pictures. List price: $0.24 in all. The test server bills nothing.',
    );
    await app.page.fill('#race-filter', 'banana pro');
    assert.deepEqual(await texts(app.$('.chips button')), ['gpt-image-2', 'nano-banana', 'nano-banana-pro']);
    await app.page.fill('#race-filter', 'My-Own-Model');
    await app.page.press('#race-filter', 'Enter');
    for (const name of ['flux-pro', 'midjourney', 'dall-e-2', 'dall-e-3']) {
      await app.page.fill('#race-filter', name);
      await app.page.press('#race-filter', 'Enter');
    }
    assert.equal(await start.textContent(), 'Race 6 models');
    assert.match(
      await app.$('#race .note').textContent(),
      /^18 pictures\. List price: \$\d\.\d\d in all, unknown for 1 model\./,
    );
    assert.equal(await app.$('.chips [aria-pressed=true]').count(), 6);
    assert.equal(await app.$('.chips button:not([aria-pressed=true]):enabled').count(), 0);
    await app.page.fill('#prompt', '');
    await start.click();
    assert.equal(await app.$('#prompt-problem').textContent(), 'Say what to draw.');
    assert.equal(app.creates().length, 0, 'keys in the picker send nothing');
    // A refused race must not turn the next press into one.
    await app.page.fill('#prompt', PROMPT);
    await app.page.fill('#n', '1');
    await app.page.fill('#size', '1024x1024');
    await app.page.click('text=Generate >> visible=true');
    await app.state('Done');
    assert.equal(app.creates().length, 1);
  });

  test('is confirmed with its number and its price, and so is the next one', async () => {
    await open();
    const lists = [];
    app.page.on('request', (request) => request.url().includes('/models') && lists.push(request));
    await app.page.fill('#prompt', PROMPT);
    await app.page.fill('#size', '1024x1024');
    await app.page.fill('#n', '3');
    await app.chooseModels('gpt-image-2', 'nano-banana');
    await app.$('#race .note', { hasText: '$0.24' }).waitFor();
    const dialog = app.page.getByRole('dialog', { name: 'Make 6 pictures?' });
    const start = app.$('#race .start');
    await start.click();
    await dialog.locator('text=List price: $0.24 in all.').waitFor();
    assert.match(await dialog.textContent(), /These are 2 requests, for 6 pictures\./);
    await app.look('race-confirm');
    await dialog.getByRole('button', { name: 'Cancel' }).click();
    await dialog.waitFor({ state: 'hidden' });
    assert.equal(await app.$('.card').count(), 0);
    // A refused race must not turn a failure of the test server into one.
    await app.page.click('#scenarios summary');
    await app.page.click('#scenarios button >> nth=0');
    await app.$('.card').waitFor();
    assert.equal(await app.$('.race').count(), 0);

    await start.click();
    await dialog.getByRole('button', { name: 'Make 6 pictures' }).click();
    await app.$('.race').waitFor();
    await finish();
    const before = app.creates().length;
    await app.$('.race button', { hasText: 'Race again' }).click();
    await dialog.locator('text=List price: $0.24 in all.').waitFor();
    await app.page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'hidden' });
    assert.equal(await app.$('.race').count(), 1);
    await app.$('.race button', { hasText: 'Race again' }).click();
    await dialog.getByRole('button', { name: 'Make 6 pictures' }).click();
    await app.$('.race').nth(1).waitFor();
    await untilAsync(() => app.creates().length === before + 2);
    assert.equal(lists.length, 1, 'the form and the picker share one list of the models');
  });

  test('with reference pictures begins again with them after a reload', async () => {
    await open();
    const picture = (name, side) => ({
      name,
      mimeType: 'image/png',
      buffer: PNG.sync.write(new PNG({ width: side, height: side })),
    });
    await app.page.setInputFiles('#pictures', [picture('one.png', 8), picture('two.png', 12)]);
    await race('gpt-image-2', 'nano-banana');
    await finish();
    await app.reload();
    await lane('nano-banana').locator('img').waitFor();
    await app.advance(2000);
    await app.$('.race button', { hasText: 'Race again' }).click();
    await app.$('.race').nth(1).waitFor();
    await finish();
    const sent = app.creates().map(({ path, body }) => [path, body.image?.map(({ size }) => size)]);
    const sizes = [8, 12].map((side) => picture('', side).buffer.length);
    assert.deepEqual(sent, Array(4).fill(['/v1/images/edits', sizes]));
  });

  test('sends the reference pictures of an earlier visit with a new attempt of a lane', async () => {
    await open();
    const buffer = PNG.sync.write(new PNG({ width: 8, height: 8 }));
    await app.page.setInputFiles('#pictures', { name: 'one.png', mimeType: 'image/png', buffer });
    await race('gpt-image-2', 'test-task-failed-object');
    await finish();
    await app.reload();
    const failed = lane('test-task-failed-object');
    await failed.locator('button', { hasText: 'Try again' }).evaluate((button) => {
      for (let presses = 0; presses < 3; presses += 1) button.click();
    });
    await untilAsync(() => app.creates().length === 3);
    await finish();
    const { path, body } = app.creates().at(-1);
    assert.deepEqual([path, body.image.map(({ size }) => size)], ['/v1/images/edits', [buffer.length]]);
    // The pictures of the old one have gone with it, and those of the new one stay.
    await failed.locator('button', { hasText: 'Try again' }).click();
    await untilAsync(() => app.creates().length === 4);
    assert.equal(app.creates().at(-1).body.image.length, 1);
    assert.equal(await app.$('.card').count(), 1);
  });

  test('has a place for failures and stops, and one create for each new attempt', async () => {
    await open();
    await race('dall-e-2', 'test-error-400-model-not-found', 'test-task-failed-object', 'midjourney');
    await lane('midjourney').locator('text=Pending').waitFor();
    await lane('midjourney').locator('button', { hasText: 'Stop' }).click();
    await finish();
    assert.deepEqual(await phases(), ['done', 'failed', 'failed', 'stopped']);
    assert.match((await texts(lane('test-task-failed-object').locator('.result')))[0], /^The task failed$/);
    assert.match(
      await lane('test-task-failed-object').locator('.reason').textContent(),
      /rejected the prompt/,
    );
    assert.match((await texts(lane('midjourney').locator('.result')))[0], /may still be billed$/);
    assert.deepEqual(await texts(app.$('.race .badge')), ['First']);
    const ends = await app
      .$('.chart p:not(.axis) svg[role=img]')
      .evaluateAll((all) => all.map(({ dataset }) => dataset.phase));
    assert.deepEqual(ends, ['done', 'failed', 'failed', 'stopped']);
    await app.look('race-failures');

    await app.advance(20_000);
    await lane('midjourney').locator('button', { hasText: 'Wait again' }).click();
    await lane('midjourney').locator('img').waitFor();
    assert.equal(app.creates().length, 4, 'a wait buys nothing');
    await lane('test-error-400-model-not-found').locator('button', { hasText: 'Try again' }).click();
    await untilAsync(() => app.creates().length === 5);
    await finish();
    assert.equal(await app.$('.card').count(), 1, 'the new attempt is in its lane');
    assert.equal(app.creates().at(-1).body.model, 'test-error-400-model-not-found');
  });

  test('opens and compares its pictures, begins again, fills in the form, and goes', async () => {
    await open();
    await race('dall-e-2', 'dall-e-3', 'flux-schnell');
    await finish();
    await lane('dall-e-3').locator('.picture').click();
    const shown = app.$('#viewer .stage img').first();
    await shown.waitFor();
    await app.page.keyboard.press('Escape');
    await app.$('#viewer:not([open])').waitFor({ state: 'attached' });

    assert.equal(await app.$('.race .actions button').first().textContent(), 'Compare 3');
    for (const model of ['dall-e-2', 'flux-schnell']) await lane(model).locator('.pick').click();
    await app.$('.race .actions button', { hasText: 'Compare 2' }).click();
    await app.$('#viewer[open]').waitFor();
    await app.$('#viewer .stage img').nth(1).waitFor();
    assert.equal(await app.$('.differences .prompt').count(), 1, 'the prompt of both stands once');
    const dialog = await app.$('#viewer').textContent();
    assert.ok(dialog.includes('dall-e-2') && dialog.includes('flux-schnell'));
    await app.page.keyboard.press('Escape');

    await app.page.fill('#prompt', 'Something else');
    await app.$('.race button', { hasText: 'Use settings' }).click();
    assert.equal(await app.page.inputValue('#prompt'), PROMPT);
    assert.deepEqual(await texts(app.$('.chips [aria-pressed=true]')), [
      'dall-e-2',
      'dall-e-3',
      'flux-schnell',
    ]);

    // At once, as where each model answers within a second.
    const again = app.$('.race button', { hasText: 'Race again' });
    await again.evaluate((button) => {
      for (let presses = 0; presses < 3; presses += 1) button.click();
    });
    await app.$('.race').nth(1).waitFor();
    await finish();
    assert.equal(app.creates().length, 6, 'presses at once are one');
    await app.$('.race').first().locator('button[aria-label=Dismiss]').click();
    assert.equal(await app.$('.race').count(), 1);
    await app.page.click('text=Clear finished');
    await app.$('#empty').waitFor();
    await app.reload();
    assert.equal(await app.$('.card').count(), 0, 'a cleared race stays away');
    assert.equal(await app.$('#gallery-count').textContent(), '6', 'its pictures stay');
  });

  test('survives a reload while it runs, and after its end', async () => {
    await open();
    await race('dall-e-2', 'flux-pro', 'test-task-failed-object');
    await lane('dall-e-2').locator('img').waitFor();
    await app.advance(5000);
    await lane('flux-pro').locator('text=Processing').waitFor();
    await app.reload();
    await lane('dall-e-2').locator('img').waitFor();
    assert.equal(await app.$('.card').count(), 1);
    await finish();
    assert.deepEqual(await phases(), ['done', 'done', 'failed']);
    assert.equal(await app.$('.chart p').nth(1).locator('.create').count(), 1, 'its create is on the axis');
    const before = await texts(app.$('.race .result'));

    await app.reload();
    await lane('flux-pro').locator('img').waitFor();
    assert.deepEqual(await phases(), ['done', 'done', 'failed']);
    assert.deepEqual(await texts(app.$('.race .result')), before, 'the times stay');
    assert.deepEqual(await texts(app.$('.race .badge')), ['First']);
    assert.equal(app.creates().length, 3);
    await lane('test-task-failed-object').locator('button', { hasText: 'Try again' }).click();
    await untilAsync(() => app.creates().length === 4);
  });

  test('keeps lanes whose pictures came in the answer', async () => {
    await open();
    await app.page.click('text=More settings');
    await app.page.click('text=In the answer');
    await race('dall-e-2', 'dall-e-3');
    await finish();
    await app.reload();
    await lane('dall-e-3').locator('img').waitFor();
    assert.deepEqual(await phases(), ['done', 'done']);
  });

  test('names the model of a lane that a hub has gone on with, after a reload as well', async () => {
    await open();
    const picture = { b64_json: PNG.sync.write(new PNG({ width: 4, height: 4 })).toString('base64') };
    const error = { kind: 'task_failed', outcome: 'failed' };
    let view = { status: 'pending', data: [] };
    const answer = (route) => route.fulfill({ json: { created: 1, task_id: 'img_hub', ...view } });
    await app.context.route('**/v1/images/generations', (route) =>
      route.request().postDataJSON().model === 'flux-pro' ? answer(route) : route.fallback(),
    );
    await app.context.route('**/v1/{tasks,images/generations}/img_hub', answer);
    await app.page.click('text=More settings');
    await app.page.fill('#fallback', 'midjourney');
    await race('dall-e-2', 'flux-pro');
    // The ring is there before the answer is: the clock moves on from the answer.
    await lane('flux-pro').locator('.result', { hasText: 'Pending' }).waitFor();
    view = { ...view, model: 'midjourney', skipped_models: [{ model: 'flux-pro', error }] };
    await app.advance(5000);
    const words = 'flux-pro: the task failed; ';
    await lane('midjourney')
      .locator('.note', { hasText: `${words}trying midjourney.` })
      .waitFor();
    view = { ...view, status: 'completed', data: [picture] };
    await finish();
    for (let visit = 0; visit < 2; visit += 1) {
      await lane('midjourney')
        .locator('.note', { hasText: `${words}midjourney answered.` })
        .waitFor();
      assert.equal(await lane('midjourney').locator('h4').textContent(), 'midjourney');
      await app.reload();
    }
  });

  test('of another tab is one card there, too', async () => {
    await open();
    const other = await app.context.newPage();
    await other.goto(`${app.served.url}/`);
    await other.locator('#feed:not([aria-busy])').waitFor();
    await race('dall-e-2', 'dall-e-3');
    await finish();
    await other.locator('.race .lane').nth(1).waitFor();
    assert.equal(await other.locator('.card').count(), 1);
    await other.close();
  });

  test('says of a lane that its picture cannot be loaded, and loads it without a create', async () => {
    await open();
    const isFile = /\/files\//;
    let isHanging = true;
    await app.context.route(isFile, (route) => !isHanging && route.fulfill({ status: 404, body: 'gone' }));
    await race('dall-e-2', 'dall-e-3');
    await lane('dall-e-2').getByRole('button', { name: 'Stop' }).click();
    await lane('dall-e-2').locator('text=This file cannot be loaded').waitFor();
    isHanging = false;
    await app.advance(121_000);
    await lane('dall-e-3').locator('text=This file cannot be loaded').waitFor();
    await app.reload();
    await lane('dall-e-3').locator('text=This file cannot be loaded').waitFor();
    await app.context.unroute(isFile);
    for (const model of ['dall-e-2', 'dall-e-3']) {
      await lane(model).getByRole('button', { name: 'Load again' }).click();
      await lane(model).locator('img').waitFor();
    }
    assert.equal(app.creates().length, 2);
  });

  test('says of a lane that its picture was deleted, and offers nothing that would buy it again', async () => {
    await open();
    await race('dall-e-2', 'dall-e-3');
    await finish();
    await lane('dall-e-3').locator('.picture').click();
    await app.$('#viewer .stage img').waitFor();
    await app.page.keyboard.press('Delete');
    await lane('dall-e-3').locator('text=This picture has been deleted').waitFor({ state: 'attached' });
    await app.page.keyboard.press('Escape');
    await app.$('#viewer').waitFor({ state: 'hidden' });
    await app.reload();
    await lane('dall-e-3').locator('text=This picture has been deleted').waitFor();
    await lane('dall-e-2').locator('img').waitFor();
    assert.equal(await lane('dall-e-3').getByRole('button').count(), 0);
    await app.look('race-deleted');
  });

  test('that begins offline survives a reload, and is created once', async () => {
    await open();
    await app.context.setOffline(true);
    await race('dall-e-2', 'dall-e-3');
    await untilAsync(async () => `${await phases()}` === 'held,held');
    await app.leave();
    await app.context.setOffline(false);
    assert.equal(app.creates().length, 0);
    await app.page.goto(`${app.served.url}/`);
    await lanes().locator('img').nth(1).waitFor();
    assert.equal(await app.$('.card').count(), 1);
    assert.deepEqual(
      app
        .creates()
        .map(({ body }) => body.model)
        .sort(),
      ['dall-e-2', 'dall-e-3'],
    );
  });

  test('goes on in another tab where one of its lanes is stopped there', async () => {
    await open();
    const other = await app.context.newPage();
    await other.goto(`${app.served.url}/`);
    await other.locator('#feed:not([aria-busy])').waitFor();
    await race('flux-pro', 'midjourney');
    await lane('midjourney').locator('text=Pending').waitFor();
    const theirs = (model) => other.locator(`.lane[aria-label="${model}"]`);
    await theirs('midjourney').getByRole('button', { name: 'Stop' }).click();
    await untilAsync(async () => `${await phases()}` === 'waiting,stopped');
    await theirs('midjourney').locator('text=may still be billed').waitFor();
    await finish();
    assert.deepEqual(await phases(), ['done', 'stopped']);
    await theirs('flux-pro').locator('img').waitFor();
    assert.equal(app.creates().length, 2);
  });

  test('works where nothing can be stored', async () => {
    await open();
    await app.page.addInitScript(() => {
      const refuse = () => {
        throw new DOMException('Blocked.', 'SecurityError');
      };
      IDBFactory.prototype.open = refuse;
      Object.defineProperty(globalThis, 'localStorage', { get: refuse });
    });
    await app.reload();
    await app.page.fill('#prompt', PROMPT);
    await race('dall-e-2', 'flux-pro', 'test-task-failed-object');
    await finish();
    assert.deepEqual(await phases(), ['done', 'done', 'failed']);
    await lane('flux-pro')
      .locator('img')
      .evaluate((img) => img.decode());
    await lane('test-task-failed-object').getByRole('button', { name: 'Try again' }).click();
    await untilAsync(() => app.creates().length === 4);
    assert.equal(await app.$('.card').count(), 1);
    app.problems.length = 0;
  });

  test('folds a long prompt, from right to left', async () => {
    await open({ viewport: { width: 390, height: 844 } });
    const prompt = `شجرة ليمون فوق بحر هادئ\n${'كلمة طويلة '.repeat(60)}`;
    await race('dall-e-2', 'dall-e-3');
    await app.page.fill('#prompt', prompt);
    await app.advance(1200);
    await app.page.click('#race .start');
    await app.$('.race').nth(1).waitFor();
    const title = app.$('.race').first().locator('.prompt h3');
    assert.equal(await title.textContent(), prompt);
    assert.equal(await title.evaluate((element) => getComputedStyle(element).direction), 'rtl');
    const height = () => title.evaluate((element) => element.clientHeight);
    const folded = await height();
    await app.$('.race').first().locator('.prompt summary').click();
    await untilAsync(async () => (await height()) > folded * 2);
    await app.look('race-rtl');
  });

  for (const width of [320, 820, 1440]) {
    test(`fits ${width} pixels, and has no finding of axe`, async () => {
      await open({ viewport: { width, height: 900 } });
      await race('dall-e-2', 'flux-pro', 'dall-e-3', 'test-error-402', 'midjourney', 'flux-schnell');
      await lane('flux-schnell').locator('img').waitFor();
      await app.advance(5000);
      await lane('flux-pro').locator('text=Processing').waitFor();
      await app.look(`race-${width}`, { fullPage: true });
      const sideways = () =>
        app.page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      assert.equal(await sideways(), 0);
      await app.page.evaluate(axe);
      const running = app.page.evaluate(async () => {
        const { violations } = await window.axe.run(document, { resultTypes: ['violations'] });
        return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' | ')}`);
      });
      let found;
      running.then((value) => {
        found = value;
      });
      // axe waits for timers of the page.
      await untilAsync(async () => {
        await app.page.clock.runFor(20);
        return found;
      });
      assert.deepEqual(found, []);
      await finish();
      assert.equal(await sideways(), 0);
      assert.deepEqual((await phases()).sort(), ['done', 'done', 'done', 'done', 'done', 'failed']);
    });
  }
});

describe('the request of a lane', () => {
  const models = [{ id: 'known', parameters: ['aspect_ratio', 'seed'], ratios: ['3:2'] }, { id: 'unknown' }];
  const request = { prompt: 'x', model: 'a', size: '1536x1024', n: 2, quality: 'high', seed: 7 };

  test('has what the model takes, and the shape in its words', () => {
    assert.deepEqual(fitTo(request, 'known', models), {
      prompt: 'x',
      model: 'known',
      n: 2,
      seed: 7,
      aspect_ratio: '3:2',
    });
    assert.deepEqual(fitTo({ ...request, size: '1024x1024' }, 'known', models), {
      prompt: 'x',
      model: 'known',
      n: 2,
      seed: 7,
    });
    for (const model of ['unknown', 'missing']) {
      assert.deepEqual(fitTo(request, model, models), { ...request, model });
    }
  });

  test('has its part in the price of the race', () => {
    const priced = [
      { id: 'a', price: 0.04 },
      { id: 'b', price: 0.002 },
      { id: 'c', price: 0 },
    ];
    const words = (...names) =>
      priceOfAll(
        names.map((model) => ({ prompt: 'x', model, n: 3 })),
        priced,
      );
    assert.equal(words('a', 'b', 'c'), 'List price: $0.126 in all.');
    assert.equal(words('a', 'x'), 'List price: $0.12 in all, unknown for 1 model.');
    assert.equal(words('a', 'x', 'y'), 'List price: $0.12 in all, unknown for 2 models.');
    assert.equal(words('x', 'y'), undefined);
    assert.equal(words('a'), 'List price: $0.04 a picture, $0.12 for 3.');
  });

  test('falls back to other models than its own', () => {
    const fallback = ['known', 'unknown'];
    assert.deepEqual(fitTo({ ...request, fallback }, 'known', models).fallback, ['unknown']);
    assert.deepEqual(fitTo({ ...request, fallback }, 'third', models).fallback, fallback);
    assert.ok(!('fallback' in fitTo({ ...request, fallback: ['known'] }, 'known', models)));
  });

  test('goes to the server so', GUARD, async () => {
    await open();
    await app.page.fill('#prompt', PROMPT);
    await app.page.click('text=Race several models');
    await untilAsync(async () => (await app.$('.chips button').count()) === 17);
    await app.chooseModels('gpt-image-2', 'nano-banana');
    await app.page.click('#race .start');
    await finish();
    const bodies = Object.fromEntries(app.creates().map(({ body: { model, ...rest } }) => [model, rest]));
    const shared = { prompt: PROMPT, n: 1 };
    assert.deepEqual(bodies, {
      'gpt-image-2': { ...shared, size: '1024x1024' },
      'nano-banana': { ...shared, aspect_ratio: '1:1' },
    });
  });
});

describe('a fallback', GUARD, () => {
  const create = (model, more) => ({ kind: 'create', at: 0, model, ...more });

  test('is told in words', () => {
    assert.equal(fallbackWords([], 'sending'), undefined);
    assert.equal(
      fallbackWords([create('a', { status: 429 }), create('a', { status: 200 })], 'done'),
      undefined,
    );
    const rows = [create('a', { status: 429 }), create('b', { status: 404 }), create('c', { status: 200 })];
    assert.equal(fallbackWords(rows, 'done'), 'a: rate-limited; b: refused with 404; c answered.');
    assert.equal(fallbackWords(rows, 'waiting'), 'a: rate-limited; b: refused with 404; trying c.');
    assert.equal(fallbackWords(rows, 'failed'), 'a: rate-limited; b: refused with 404; c failed as well.');
    const task = [create('a', { status: 200 }), { kind: 'poll', at: 1, status: 200 }, create('b')];
    assert.equal(fallbackWords(task, 'sending'), 'a: the task failed; trying b.');
    assert.equal(modelsTried([{ kind: 'poll', at: 0 }]).length, 0, 'a wait after a reload names no model');
    const form = new FormData();
    form.append('model', 'b');
    assert.deepEqual(
      [modelIn('{"model":"a"}'), modelIn(form), modelIn('x'), modelIn(null)],
      ['a', 'b', undefined, undefined],
    );
  });

  test('is a setting, and comes back out of a request', () => {
    const request = requestOf({ prompt: 'x', fallback: ' flux-pro,dall-e-3  midjourney, ' });
    assert.deepEqual(request.fallback, ['flux-pro', 'dall-e-3', 'midjourney']);
    assert.deepEqual(requestOf(settingsOf(request)), request);
  });

  test('goes on with the next model, and the card and the gallery name it', async () => {
    await open();
    await app.page.click('text=More settings');
    await app.page.fill('#fallback', 'test-task-failed-object, dall-e-2');
    await app.generate('test-error-400-model-not-found');
    await app.card.locator('text=trying test-task-failed-object').waitFor();
    for (let passed = 0; passed < 20_000; passed += 2500) await app.advance(2500);
    await app.state('Done');
    assert.equal(
      await app.card.locator('.fallback').textContent(),
      'test-error-400-model-not-found: refused with 400; test-task-failed-object: the task failed; dall-e-2 answered.',
    );
    assert.ok(
      app.creates().every(({ body }) => !('fallback' in body)),
      'the service gets no such field',
    );
    await app.card.locator('.picture').click();
    await app.$('#viewer .meta', { hasText: 'dall-e-2' }).waitFor();
    await app.page.keyboard.press('Escape');
    await app.card.locator('.code').click();
    await app.page.click('#tab-node');
    const code = await app.$('#code-text').textContent();
    assert.match(code, /\{ apiKey: .*, fallback: \['test-task-failed-object', 'dall-e-2'\] \}/);
  });

  test('has its place in a lane', async () => {
    await open();
    await app.page.click('text=More settings');
    await app.page.fill('#fallback', 'dall-e-2');
    await race('flux-schnell', 'test-error-400-model-not-found');
    await finish();
    assert.deepEqual(await phases(), ['done', 'done']);
    const words = 'test-error-400-model-not-found: refused with 400; dall-e-2 answered.';
    assert.deepEqual(await texts(app.$('.lane .note')), [words]);
    assert.equal(await app.$('.chart p').nth(1).locator('.create').count(), 2);
    await app.reload();
    await app.$('.lane .note').waitFor();
    assert.deepEqual(await texts(app.$('.lane .note')), [words]);
  });
});

describe('samples', GUARD, () => {
  test('are remixed: nothing is sent and nothing is kept', async () => {
    await open();
    const samples = app.$('.samples button');
    assert.equal(await samples.count(), 6);
    await untilAsync(() =>
      app.$('.samples img').evaluateAll((all) => all.every(({ naturalWidth }) => naturalWidth === 384)),
    );
    assert.deepEqual(await texts(app.$('.samples .badge')), Array(6).fill('Sample'));
    await samples.nth(1).click();
    assert.equal(await app.page.inputValue('#prompt'), 'A small town at night, rain on the street');
    assert.equal(await app.page.inputValue('#model'), 'flux-2-pro');
    assert.equal(await app.page.inputValue('#size'), '1536x1024');
    assert.equal(app.server.counts.creates, 0);
    assert.equal(await app.$('#gallery-count').textContent(), '');
    await app.generate('dall-e-2');
    await app.state('Done');
    assert.ok(!(await samples.first().isVisible()));
  });

  describe('with the real service', () => {
    let server;
    let served;
    let browser;
    before(async () => {
      server = await startServer({ apiKey: KEY });
      // Any other address than that of the embedded server.
      served = await servePage({ upstream: { url: server.url.replace('127.0.0.1', '127.0.0.2'), key: KEY } });
      browser = await launch();
    });
    after(async () => {
      await browser.close();
      await served.close();
      await server.close();
    });

    test('are not there; the prompts are', async () => {
      const page = await browser.newPage();
      const paths = [];
      page.on('request', (request) => paths.push(new URL(request.url()).pathname));
      await page.goto(served.url, { waitUntil: 'networkidle' });
      assert.equal(await page.locator('[data-prompt]:visible').count(), 3);
      assert.equal(await page.locator('#samples:visible, #samples li').count(), 0);
      assert.deepEqual(paths.sort(), ['/', '/chunk.js']);
      assert.equal((await fetch(`${served.url}/samples/0.png`)).status, 404);
      await page.click('text=Race several models');
      await page.fill('#race-filter', 'flux-pro');
      await page.press('#race-filter', 'Enter');
      assert.equal(await page.locator('#race .note').textContent(), 'One press buys 2 pictures.');
    });
  });
});

describe('a picture', GUARD, () => {
  /** Drops a file on the page. */
  const drop = (bytes, target = 'body') =>
    app.page.evaluate(
      ([base64, selector]) => {
        const transfer = new DataTransfer();
        const content = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
        transfer.items.add(new File([content], 'picture.png', { type: 'image/png' }));
        const init = { dataTransfer: transfer, bubbles: true, cancelable: true };
        const element = document.querySelector(selector);
        return ['dragover', 'drop'].map((type) => !element.dispatchEvent(new DragEvent(type, init)));
      },
      [Buffer.from(bytes).toString('base64'), target],
    );

  test('carries its settings out of the studio and back', async () => {
    await open();
    await app.page.click('text=More settings');
    await app.page.fill('#model', SEEDED);
    await app.generate(SEEDED, { seed: '7' });
    await app.state('Done');
    await app.card.locator('.picture img').waitFor();
    const [download] = await Promise.all([
      app.page.waitForEvent('download'),
      app.card.getByRole('button', { name: 'Download' }).click(),
    ]);
    const file = await readFile(await download.path());
    assert.deepEqual(settingsIn(file), { model: SEEDED, prompt: PROMPT, size: '512x512', seed: 7 });

    await app.page.fill('#prompt', 'Something else');
    await app.page.fill('#seed', '8');
    assert.deepEqual(await drop(file), [true, true], 'the page does not leave for the file');
    await app.$('#toast', { hasText: PROMPT.slice(0, 20) }).waitFor();
    assert.equal(await app.page.inputValue('#prompt'), 'Something else', 'nothing changes by itself');
    await app.$('#toast button', { hasText: 'Use its settings' }).click();
    for (const [name, value] of Object.entries({
      prompt: PROMPT,
      model: SEEDED,
      size: '512x512',
      seed: '7',
    })) {
      assert.equal(await app.page.inputValue(`#${name}`), value);
    }
    assert.equal(app.creates().length, 1);

    // Two of the same prompt: the button of each gives its own settings.
    for (const seed of [1, 2]) {
      const blank = new Blob([PNG.sync.write(new PNG({ width: 2, height: 2 }))]);
      const marked = await withSettings(blank, { model: SEEDED, prompt: PROMPT, seed });
      await drop(await marked.arrayBuffer());
      await untilAsync(async () => (await app.$('.toast', { hasText: 'Made from' }).count()) === seed);
    }
    await app.$('.toast').last().getByRole('button', { name: 'Use its settings' }).click();
    assert.equal(await app.page.inputValue('#seed'), '2');
  });

  test('of a stranger offers nothing', async () => {
    await open();
    await drop(PNG.sync.write(new PNG({ width: 2, height: 2 })));
    await app.$('#toast', { hasText: 'This file carries no settings of the studio.' }).waitFor();
    assert.equal(await app.$('#toast button').count(), 0);
  });
});
