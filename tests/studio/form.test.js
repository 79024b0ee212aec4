/** The form of the studio: one press is one create, it follows the model, and nothing that was typed is lost. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { toFormModel } from '../../www/form-model.js';
import { problemOfSize, usualSizes } from '../../www/sizes.js';
import { PROMPT, until, untilAsync, useStudio } from './studio.js';

/** Ends a test that hangs. */
const GUARD = { timeout: 300_000 };
const SEND = '[name=send]';

const studio = useStudio();
let app;

const value = (id) => app.page.inputValue(`#${id}`);
const problem = (id) => app.$(`#${id}-problem`).textContent();
const cards = (count) => app.$('.card').nth(count - 1);
/** Waits until the page has the service's list of models. */
async function listed() {
  await app.page.focus('#model');
  await app.$('#model-note', { hasText: '$0.04' }).waitFor();
}
/** The labels of the visible fields. */
const fields = () =>
  app.page.$$eval('#form [data-field]', (all) =>
    all.filter(({ hidden }) => !hidden).map(({ dataset }) => dataset.field),
  );
const tiles = (name) => app.$(`#${name}-tiles small`).allTextContents();

describe('one press is one create', GUARD, () => {
  test('of Ctrl+Enter that is held down', async () => {
    app = await studio.open();
    await app.page.fill('#prompt', PROMPT);
    await app.page.focus('#prompt');
    await app.page.keyboard.down('Control');
    for (let count = 0; count < 10; count += 1) {
      await app.page.keyboard.down('Enter');
      // Longer than a double click.
      await app.page.clock.runFor(700);
    }
    await app.page.keyboard.up('Enter');
    await app.page.keyboard.up('Control');
    await app.state('Done');
    assert.equal(app.server.counts.creates, 1);
  });

  test('of Enter that is held down on the button or in a field', async () => {
    app = await studio.open();
    await app.page.fill('#prompt', PROMPT);
    for (const [count, selector] of [SEND, '#size'].entries()) {
      await app.page.focus(selector);
      for (let presses = 0; presses < 5; presses += 1) {
        await app.page.keyboard.down('Enter');
        await app.page.clock.runFor(700);
      }
      await app.page.keyboard.up('Enter');
      await cards(count + 1).waitFor();
      await app.state('Done');
      assert.equal(app.server.counts.creates, count + 1, selector);
    }
  });

  test('of Enter that is held down, and of a double click, on any other button that buys', async () => {
    // So wide that no card moves when another one comes.
    app = await studio.open({ viewport: { width: 2000, height: 1100 } });
    const { keyboard } = app.page;
    await app.generate('dall-e-2');
    await app.state('Done');
    const vary = () => app.page.getByRole('button', { name: 'Vary' }).last();
    await vary().focus();
    for (let presses = 0; presses < 4; presses += 1) await keyboard.down('Enter');
    await keyboard.up('Enter');
    await cards(2).waitFor();
    await app.state('Done');
    await vary().dblclick();
    await cards(3).waitFor();
    await app.state('Done');
    assert.equal(app.server.counts.creates, 3);

    await app.chooseModels('dall-e-3', 'midjourney');
    await app.page.click('#race .start');
    const again = app.$('.race').getByRole('button', { name: 'Race again' });
    await app.$('.lane[data-phase=done]').waitFor();
    await app.advance(20_000);
    await again.dblclick();
    await until(() => app.server.counts.creates === 7);
    assert.equal(await app.$('.lane[data-phase=stopped]').count(), 0, 'the second click stops nothing');
    await app.advance(20_000);
  });

  test('of a double click, which the button shows, until the form changes or a moment has passed', async () => {
    app = await studio.open();
    await app.page.fill('#prompt', PROMPT);
    await app.page.dblclick(SEND);
    assert.equal(await app.$(SEND).textContent(), 'Sent');
    await app.state('Done');
    await app.page.click(SEND, { force: true });
    assert.equal(await app.$('.card').count(), 1);

    await app.page.fill('#prompt', 'Another lemon');
    assert.equal(await app.$(SEND).textContent(), 'Generate');
    await app.page.click(SEND);
    await cards(2).waitFor();
    await app.advance(600);
    assert.equal(await app.$(SEND).textContent(), 'Generate');
    await app.page.click(SEND);
    await cards(3).waitFor();
    await until(() => app.server.counts.creates === 3);
  });

  test('and the wheel changes no number', async () => {
    app = await studio.open();
    await app.page.fill('#n', '2');
    await app.page.hover('#n');
    for (const delta of [-300, 300]) await app.page.mouse.wheel(0, delta);
    await app.page.keyboard.press('ArrowUp');
    await untilAsync(async () => (await value('n')) === '3');
    await app.page.click('[aria-label="Fewer pictures"]');
    assert.equal(await value('n'), '2');
    assert.equal(await app.$('#n').getAttribute('aria-valuenow'), '2');
  });
});

describe('a large create', GUARD, () => {
  test('is confirmed with its number and its price', async () => {
    app = await studio.open();
    await listed();
    await app.page.fill('#prompt', PROMPT);
    await app.page.fill('#n', '8');
    assert.equal(await app.$('#model-note').textContent(), 'List price: $0.04 a picture, $0.32 for 8.');
    const dialog = app.page.getByRole('dialog', { name: 'Make 8 pictures?' });
    await app.page.click(SEND);
    await dialog.waitFor();
    assert.match(await dialog.textContent(), /\$0\.32 for 8/);
    await app.look('form-confirm');
    await app.page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'hidden' });
    assert.equal(await app.$('.card').count(), 0);
    await app.page.click(SEND);
    await dialog.getByRole('button', { name: 'Make 8 pictures' }).click();
    await app.state('Done');
    assert.deepEqual(
      app.creates().map(({ body }) => body.n),
      [8],
    );
  });

  test('is the fifth that runs at once, too', async () => {
    app = await studio.open();
    for (let number = 1; number <= 4; number += 1) {
      await app.generate('flux-pro', { prompt: `Lemon ${number}` });
      await cards(number).waitFor();
    }
    await app.page.fill('#prompt', 'Lemon 5');
    await app.page.click(SEND);
    const dialog = app.page.getByRole('dialog', { name: 'Start generation 5?' });
    await dialog.waitFor();
    assert.match(await dialog.textContent(), /4 generations are running/);
    await dialog.getByRole('button', { name: 'Start it' }).click();
    await cards(5).waitFor();
    await until(() => app.server.counts.creates === 5);
  });
});

describe('the models', GUARD, () => {
  const active = () => app.$('#models .active span').textContent();

  test('open on click, begin at the chosen one, and Enter picks', async () => {
    app = await studio.open();
    await listed();
    await app.page.fill('#model', 'flux-schnell');
    await app.page.keyboard.press('Escape');
    await app.page.focus('#prompt');
    await app.page.fill('#model', 'flux-pro');
    await app.page.focus('#prompt');
    await app.page.click('#model');
    assert.equal(await app.$('#model').getAttribute('aria-expanded'), 'true');
    assert.equal(await app.$('#models [aria-selected=true] span').textContent(), 'flux-pro');
    await app.page.keyboard.press('Escape');
    await app.page.keyboard.press('ArrowDown');
    assert.equal(await active(), 'flux-pro', 'the arrow opens the list at the chosen one');
    const id = await app.$('#models .active').getAttribute('id');
    assert.equal(await app.$('#model').getAttribute('aria-activedescendant'), id);
    await app.page.keyboard.press('ArrowUp');
    await app.page.keyboard.press('Enter');
    assert.equal(await value('model'), 'stable-diffusion-3');
    assert.equal(await app.$('#models').isVisible(), false);
    assert.equal(app.server.counts.creates, 0);
  });

  test('match words in any order and without dashes', async () => {
    app = await studio.open();
    await listed();
    for (const [typed, found] of [
      ['gpt image', 'gpt-image-2'],
      ['pro banana', 'nano-banana-pro'],
      ['SD35 LARGE', 'sd3.5-large'],
      ['flux pro', 'flux-pro'],
    ]) {
      await app.page.fill('#model', typed);
      assert.equal(await app.$('#models .best span').textContent(), found, typed);
      await app.page.keyboard.press('Enter');
      assert.equal(await value('model'), found);
    }
    await app.page.fill('#model', 'nano banana 2');
    await app.page.focus('#prompt');
    assert.equal(await value('model'), 'nano-banana-2', 'no name has a space');
    await app.page.fill('#model', 'my-own-model');
    await app.page.focus('#prompt');
    assert.equal(await value('model'), 'my-own-model', 'another name stays');
  });

  test('come back as they were with Escape', async () => {
    app = await studio.open();
    await listed();
    await app.page.click('#model');
    await app.page.keyboard.type('dall');
    await app.page.keyboard.press('ArrowDown');
    await app.page.keyboard.press('Escape');
    assert.equal(await value('model'), 'gpt-image-2');
    assert.equal(await app.$('#models').isVisible(), false);
  });
});

describe('the form follows the model', GUARD, () => {
  test('with its fields, its ratios and its sizes as tiles', async () => {
    app = await studio.open();
    await listed();
    await app.page.click('text=More settings');
    assert.deepEqual(await fields(), [
      'size',
      'quality',
      'background',
      'output_format',
      'output_compression',
      'moderation',
      'async',
      'fallback',
      'response_format',
    ]);
    assert.deepEqual(await tiles('size'), ['Auto', '1:1', '3:2', '2:3', '16:9', '9:16']);
    await app.page.click('#size-tiles label:has-text("16:9")');
    assert.equal(await value('size'), '2048x1152');

    await app.page.fill('#model', 'nano-banana-2');
    assert.deepEqual(await fields(), ['aspect_ratio', 'resolution', 'fallback', 'response_format']);
    await app.page.click('#aspect_ratio-tiles label:has-text("9:16")');
    await app.page.fill('#prompt', PROMPT);
    await app.page.click(SEND);
    await app.state('Done');
    assert.deepEqual(app.creates()[0].body, {
      prompt: PROMPT,
      model: 'nano-banana-2',
      aspect_ratio: '9:16',
      n: 1,
    });

    await app.page.fill('#model', 'dall-e-3');
    assert.deepEqual(await tiles('size'), ['1:1', '7:4', '4:7']);
    assert.equal(await problem('size'), 'dall-e-3 draws 1024x1024, 1792x1024 and 1024x1792.');

    await app.page.fill('#model', 'my-model');
    assert.equal((await fields()).length, 15, 'a model that is not listed may take everything');
    await app.page.click('[aria-label="Random seed"]');
    const seed = await value('seed');
    assert.match(seed, /^\d+$/);
    await app.page.click('[aria-label="Random seed"]');
    assert.notEqual(await value('seed'), seed);
  });

  test('checks sizes as the documents say', () => {
    const wrong = {
      'gpt-image-2': ['1000x1000', '4096x1024', '3840x1264', '512x512', '3840x3840'],
      'dall-e-3': ['512x512', 'auto'],
      'dall-e-2': ['1792x1024'],
      'my-model': ['12', '0x12', '1024X1024'],
    };
    for (const [model, sizes] of Object.entries(wrong)) {
      for (const size of sizes) assert.ok(problemOfSize(size, model), `${model} ${size}`);
      for (const size of usualSizes(model)) assert.equal(problemOfSize(size, model), undefined, size);
    }
    assert.equal(
      problemOfSize('1000x1000', 'gpt-image-2'),
      'Both sides are multiples of 16: 1008x1008, for example.',
    );
    for (const size of ['3840x2160', '1024x640', '2048x688']) {
      assert.equal(problemOfSize(size, 'gpt-image-2'), undefined, size);
    }
  });

  test('reads models in each view of the service', () => {
    const contract = { public_operations: ['image-edit'], supported_parameters: ['seed'] };
    const details = { request_format_summary: contract, pricing: { per_request: '0.003' } };
    const model = { id: 'm', operations: ['image-edit'], price: 0.003 };
    const none = { ratios: undefined, resolutions: undefined };
    for (const name of ['tokenlab', 'lemondata']) {
      assert.deepEqual(toFormModel({ id: 'm', owned_by: 'o', [name]: details }), {
        ...model,
        ...none,
        parameters: ['seed'],
        note: 'o, edits, $0.003',
      });
    }
    const compact = { id: 'm', provider: 'p', supported_operations: ['image-edit'], pricing: {} };
    assert.deepEqual(toFormModel(compact), {
      ...model,
      ...none,
      price: undefined,
      parameters: undefined,
      note: 'p, edits',
    });
  });
});

test('a dialog closes by a click beside it, and not by one on its own edge', GUARD, async () => {
  app = await studio.open();
  await app.page.click('#show-code');
  const code = app.$('#code');
  const { x, y } = await code.boundingBox();
  await app.page.mouse.click(x + 8, y + 8);
  assert.ok(await code.isVisible());
  await app.page.mouse.click(x - 8, y - 8);
  await code.waitFor({ state: 'hidden' });
});

test(
  'the address holds what was typed faster than Safari takes it, and dialogs open meanwhile',
  GUARD,
  async () => {
    app = await studio.open();
    await app.page.evaluate(() => {
      history.replaceState = () => {
        throw new DOMException('Attempt to use history.replaceState() more than 100 times', 'SecurityError');
      };
      history.pushState = history.replaceState;
    });
    await app.page.fill('#prompt', PROMPT);
    await app.page.click('#show-code');
    await app.$('#code').waitFor();
    await app.page.keyboard.press('Escape');
    await app.$('#code').waitFor({ state: 'hidden' });
    await app.page.evaluate(() => {
      delete history.replaceState;
      delete history.pushState;
    });
    await app.advance(1000);
    await app.reload();
    assert.equal(await value('prompt'), PROMPT);
  },
);

describe('Back', GUARD, () => {
  test('closes one dialog after the other, and then leaves the view', async () => {
    app = await studio.open();
    await app.generate('dall-e-2');
    await app.state('Done');
    await app.page.click('nav >> text=Gallery');
    await app.$('#tiles button').first().click();
    const viewer = app.page.locator('#viewer');
    await viewer.locator('.stage img').waitFor();
    await viewer.getByRole('button', { name: 'Code' }).click();
    const code = app.page.locator('#code');
    await code.waitFor();
    await app.page.goBack();
    await code.waitFor({ state: 'hidden' });
    assert.ok(await viewer.isVisible());
    await app.page.goBack();
    await viewer.waitFor({ state: 'hidden' });
    assert.ok(await app.page.locator('#gallery').isVisible());
    await app.page.goBack();
    await app.page.locator('#create').waitFor();
    assert.equal(await value('prompt'), PROMPT);
  });

  test('and Forward between the views leave the form as the person has filled it in', async () => {
    app = await studio.open();
    const gallery = app.$('#gallery');
    await app.page.fill('#prompt', 'A first thought');
    await app.page.click('nav >> text=Gallery');
    await app.page.click('nav >> text=Create');
    await app.page.fill('#prompt', PROMPT);
    await app.page.goBack();
    await gallery.waitFor();
    await app.page.goBack();
    await gallery.waitFor({ state: 'hidden' });
    assert.equal(await value('prompt'), PROMPT);
    await app.reload();
    assert.equal(await value('prompt'), PROMPT);
    await app.page.goForward();
    await gallery.waitFor();
    // A link that is followed in the same tab is no step back. What it replaces can be had again.
    await app.page.evaluate(() => {
      location.hash = 'prompt=A+link';
    });
    await gallery.waitFor({ state: 'hidden' });
    assert.equal(await value('prompt'), 'A link');
    await app.$('#toast').getByRole('button', { name: 'Undo' }).click();
    assert.equal(await value('prompt'), PROMPT);
  });

  test('needs no further step after a dialog that was closed otherwise', async () => {
    app = await studio.open();
    const steps = () => app.page.evaluate(() => history.state?.dialogs);
    await app.page.fill('#prompt', PROMPT);
    await app.page.click('nav >> text=Gallery');
    await app.page.click('#show-shortcuts');
    assert.equal(await steps(), 1);
    await app.page.keyboard.press('Escape');
    await untilAsync(async () => (await steps()) === 0);
    await app.page.goBack();
    await app.page.locator('#create').waitFor();
  });

  for (const way of ['its button', 'Back']) {
    test(`leads to the page from a dialog that opened as another one was closed by ${way}`, async () => {
      app = await studio.open();
      await app.page.click('nav >> text=Gallery');
      await app.page.click('nav >> text=Create');
      await app.page.click('#show-shortcuts');
      await app.page.locator('#shortcuts button').waitFor();
      await app.page.evaluate((isBack) => {
        const shortcuts = document.getElementById('shortcuts');
        // Before the event of the dialog that closes.
        new MutationObserver((_, observer) => {
          observer.disconnect();
          document.getElementById('show-code').click();
        }).observe(shortcuts, { attributeFilter: ['open'] });
        if (isBack) history.back();
        else shortcuts.querySelector('button').click();
      }, way === 'Back');
      const code = app.page.locator('#code');
      await code.waitFor();
      await untilAsync(() => app.page.evaluate(() => history.state?.dialogs === 1));
      await app.page.goBack();
      await code.waitFor({ state: 'hidden' });
      assert.ok(await app.page.locator('#create').isVisible());
      await app.page.goBack();
      await app.page.locator('#gallery').waitFor();
    });
  }
});

describe('what was typed', GUARD, () => {
  test('before the script runs stays', async () => {
    app = await studio.open();
    let release;
    const isReleased = new Promise((resolve) => {
      release = resolve;
    });
    const page = await app.context.newPage();
    await page.route('**/chunk.js', async (route) => {
      await isReleased;
      await route.continue();
    });
    await page.goto(`${app.served.url}/#prompt=From+the+link&model=flux-pro`, { waitUntil: 'commit' });
    await page.locator('#prompt').fill(PROMPT);
    release();
    await page.locator('#feed:not([aria-busy])').waitFor();
    assert.equal(await page.inputValue('#prompt'), PROMPT);
    assert.equal(await page.inputValue('#model'), 'flux-pro', 'the link fills in the rest');
  });

  test('comes back after a suggestion, and after the settings of a card', async () => {
    app = await studio.open();
    await app.page.fill('#prompt', 'My own words');
    await app.page.click('#samples button >> nth=0');
    assert.notEqual(await value('prompt'), 'My own words');
    await app.page.click('.toast >> text=Undo');
    assert.equal(await value('prompt'), 'My own words');
    assert.match(app.page.url(), /My\+own\+words/);

    await app.generate('dall-e-2', { prompt: 'A lime' });
    await app.state('Done');
    await app.page.fill('#prompt', 'Other words');
    await app.page.click('text=Use settings');
    assert.equal(await value('prompt'), 'A lime');
    await app.page.click('.toast >> text=Undo');
    assert.equal(await value('prompt'), 'Other words');
  });

  test('is in the history of prompts: by arrow keys, and as a list', async () => {
    app = await studio.open();
    assert.equal(await app.$('#earlier').isVisible(), false);
    for (const prompt of ['One', 'Two', 'One']) {
      await app.generate('dall-e-2', { prompt });
      await app.state('Done');
    }
    await app.reload();
    const press = async (key, prompt) => {
      await app.page.keyboard.press(key);
      assert.equal(await value('prompt'), prompt, key);
    };
    await app.page.fill('#prompt', '');
    await press('ArrowUp', 'One');
    await press('ArrowUp', 'Two');
    await press('ArrowUp', 'Two');
    await press('ArrowDown', 'One');
    await press('ArrowDown', '');
    await app.page.fill('#prompt', 'My own words');
    await press('ArrowUp', 'My own words');

    await app.page.click('#earlier');
    assert.deepEqual(await app.$('#prompts button').allTextContents(), ['One', 'Two']);
    await app.look('form-history');
    await app.page.click('#prompts >> text=Two');
    assert.equal(await value('prompt'), 'Two');
    await app.page.click('.toast >> text=Undo');
    assert.equal(await value('prompt'), 'My own words');
  });
});

describe('the shortcuts', GUARD, () => {
  test('are listed by a button and by ?, except in a field', async () => {
    app = await studio.open();
    const dialog = app.page.getByRole('dialog', { name: 'Keyboard shortcuts' });
    await app.page.focus('#prompt');
    await app.page.keyboard.type('?');
    assert.equal(await value('prompt'), '?');
    assert.equal(await dialog.count(), 0);
    await app.page.focus(SEND);
    await app.page.keyboard.press('?');
    await dialog.waitFor();
    await app.look('form-shortcuts');
    await dialog.getByRole('button', { name: 'Close' }).click();
    await dialog.waitFor({ state: 'hidden' });
    await app.page.click('#show-shortcuts');
    await dialog.waitFor();
  });
});
