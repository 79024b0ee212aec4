/** What can be measured of the look: targets for a finger, bars that cover nothing, columns, text that is not cut. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { untilAsync, useStudio } from './studio.js';

/** Ends a test that hangs. */
const GUARD = { timeout: 300_000 };
const PHONE = { width: 390, height: 844 };
/** The least size of a target, in CSS pixels. */
const TARGET = 44;

const studio = useStudio();
let app;

/** Every width of the review, with its height. */
const WINDOWS = [
  [320, 640],
  [390, 844],
  [820, 1180],
  [1440, 900],
  [1920, 1080],
  [2560, 1440],
];

/** What is wider than the window, what is cut, and what lies on another thing. */
const misfits = () =>
  app.page.evaluate(() => {
    const { scrollWidth, clientWidth } = document.documentElement;
    const found = scrollWidth > clientWidth ? [`the page is ${scrollWidth} wide`] : [];
    const shown = (selector) =>
      [...document.querySelectorAll(selector)].filter((element) => element.checkVisibility());
    // The facts of a tile are short on purpose: its name and the viewer have the whole prompt.
    for (const element of shown('body *:not(.unseen, .stage, .facts *, svg *)')) {
      const { overflowX } = getComputedStyle(element);
      if (overflowX === 'hidden' && element.scrollWidth > element.clientWidth + 1) {
        found.push(`cut: ${element.outerHTML.slice(0, 80)}`);
      }
      const isScrolled = element.parentElement.closest('pre, .lanes');
      if (!isScrolled && element.getBoundingClientRect().right > clientWidth + 1) {
        found.push(`outside: ${element.outerHTML.slice(0, 80)}`);
      }
    }
    const box = (element) => element.getBoundingClientRect();
    for (const media of shown('.media:not(.many):has(img)')) {
      const picture = box(media.querySelector('.picture'));
      if (Math.abs(picture.width - box(media).width) > 1) found.push('a picture does not fill its card');
    }
    const copy = shown('#code .primary')[0];
    // In a window of this height, the dialog has no need to scroll.
    if (copy && innerHeight > 600 && box(copy).bottom > box(copy.closest('dialog')).bottom) {
      found.push('the button that copies the code is out of sight');
    }
    for (const pair of [
      ['.toasts', '.banner'],
      ['.toasts', '.send'],
      ['.banner', '.send'],
      ['#code-panel pre', '#code footer'],
    ]) {
      const [one, other] = pair.map((selector) => shown(selector).map(box)[0]);
      if (!one || !other) continue;
      // A message in a dialog lies on no part of the page, which is inert.
      if (pair.includes('.send') && document.querySelector('dialog:modal')) continue;
      const isApart = ([start, end]) => one[end] <= other[start] + 1 || other[end] <= one[start] + 1;
      if (
        ![
          ['left', 'right'],
          ['top', 'bottom'],
        ].some(isApart)
      )
        found.push(pair.join(' lies on '));
    }
    return found;
  });

/** The targets that a finger misses at half of their least size from the middle. */
const missed = (state, root = 'dialog[open], body') =>
  app.page.evaluate(
    ([reach, name, place]) => {
      const found = [];
      const top = [...document.querySelectorAll(place)].at(-1);
      const targets = 'button, a[href], summary, input, select, textarea, [role=option], label:has(input)';
      for (const element of top.querySelectorAll(targets)) {
        // A label stands for its button; the tile around a checkbox does the same as the checkbox.
        if (element.matches('[type=radio], .days .pick, .skip, p a') || element.disabled) continue;
        if (!element.checkVisibility({ opacityProperty: true, visibilityProperty: true })) continue;
        element.scrollIntoView({ block: 'center', inline: 'center', behavior: 'instant' });
        const { x, y, width, height } = element.getBoundingClientRect();
        const [middle, centre] = [x + width / 2, y + height / 2];
        const isHit = ([dx, dy]) => {
          const hit = document.elementFromPoint(middle + dx, centre + dy);
          return element.contains(hit) || element.closest('label')?.contains(hit);
        };
        const points = [
          [reach, 0],
          [-reach, 0],
          [0, reach],
          [0, -reach],
        ];
        if (!points.every(isHit))
          found.push(`${name}: ${width} by ${height}, ${element.outerHTML.slice(0, 90)}`);
      }
      return found;
    },
    // The last pixel may be half covered.
    [TARGET / 2 - 1, state, root],
  );

test('a finger hits every control', GUARD, async () => {
  app = await studio.open({ viewport: PHONE, hasTouch: true, isMobile: true });
  const { page } = app;
  assert.ok(await page.evaluate(() => matchMedia('(pointer: coarse)').matches));
  const found = await missed('empty');
  await page.click('text=Reference pictures');
  await page.click('text=More settings');
  await page.click('text=Race several models');
  await app.$('.chips button').nth(1).waitFor();
  found.push(...(await missed('form')));
  for (const name of ['Reference pictures', 'More settings', 'Race several models'])
    await page.click(`text=${name}`);
  await page.click('#model + button');
  found.push(...(await missed('models', '#models')));
  await page.keyboard.press('Escape');
  await app.generate('dall-e-2', { n: '4' });
  await app.state('Done');
  await app.generate('dall-e-2', { prompt: 'One', n: '1' });
  await app.state('Done');
  found.push(...(await missed('cards')));
  await page.click('#show-code');
  await app.$('#code[open]').waitFor();
  found.push(...(await missed('code')));
  await page.keyboard.press('Escape');
  await page.click('nav >> text=Gallery');
  await app.$('#tiles img[src]').nth(3).waitFor();
  found.push(...(await missed('gallery')));
  await app.$('#tiles .open').first().click();
  await app.$('.viewer .stage img').waitFor();
  found.push(...(await missed('viewer')));
  await page.keyboard.press('f');
  await page.keyboard.press('Escape');
  await page.click('#select');
  await app.$('#tiles .open').first().click();
  await app.$('.days .star[aria-pressed=true]').waitFor({ state: 'attached' });
  found.push(...(await missed('selection')));
  assert.deepEqual(found, []);
});

test('no bar covers Generate or the focus, and no choice is cut: 320 px', GUARD, async () => {
  app = await studio.open({ viewport: { width: 320, height: 640 } });
  const { page } = app;
  for (const prompt of ['One', 'Two']) {
    await app.generate('dall-e-2', { prompt });
    await app.state('Done');
  }
  const covered = new Set();
  /** Presses a key, and notes where something else covers the focus. */
  const step = async (key) => {
    await page.keyboard.press(key);
    const focused = await page.evaluate(() => {
      const { activeElement } = document;
      if (activeElement === document.body) return undefined;
      // The text beside a radio button shows its focus.
      const shown = activeElement.matches('[type=radio]') ? activeElement.nextElementSibling : activeElement;
      const { left, top, width, height } = shown.getBoundingClientRect();
      const isSeen = [0.1, 0.3, 0.5, 0.7, 0.9].some((share) =>
        shown.contains(document.elementFromPoint(left + width / 2, top + height * share)),
      );
      return isSeen ? undefined : shown.outerHTML.slice(0, 90);
    });
    if (focused) covered.add(`${key}: ${focused}`);
  };
  await page.evaluate(() => scrollTo(0, 0));
  await page.focus('nav a');
  for (let count = 0; count < 30; count += 1) await step('Tab');
  for (let count = 0; count < 30; count += 1) await step('Shift+Tab');
  await page.click('text=Clear finished');
  await app.$('.toast').waitFor();
  const send = await app.$('[name=send]').boundingBox();
  const toast = await app.$('.toasts').boundingBox();
  assert.ok(toast.y + toast.height <= send.y, 'a message is above Generate');

  await page.click('nav >> text=Gallery');
  await app.$('#tiles img[src]').first().waitFor();
  const cut = await app.$('.gallery .tools select').evaluateAll((all) =>
    all
      .filter((select) => {
        // As wide as the chosen one of its choices.
        const copy = select.cloneNode();
        copy.removeAttribute('id');
        copy.append(new Option(select.selectedOptions[0].text));
        copy.style.cssText = 'position: absolute; flex: none; max-width: none';
        select.after(copy);
        const { width } = copy.getBoundingClientRect();
        copy.remove();
        return width > select.getBoundingClientRect().width + 1;
      })
      .map(({ id }) => id),
  );
  assert.deepEqual(cut, []);
  for (const width of [320, 820]) {
    await page.setViewportSize({ width, height: 640 });
    await page.click('#select');
    for (let count = 0; count < 10; count += 1) await step('Shift+Tab');
    await page.click('[aria-label="End the selection"]');
  }
  assert.deepEqual([...covered], []);
});

test('a wide window is used from its left, and a picture leaves its prompt in sight', GUARD, async () => {
  app = await studio.open({ viewport: { width: 2560, height: 1440 } });
  assert.ok((await app.$('.samples button').first().boundingBox()).width > 320, 'samples are large');
  const columns = () =>
    app
      .$('.column')
      .evaluateAll((all) =>
        all.map((column) => [...column.querySelectorAll('h3')].map((h3) => h3.textContent)),
      );
  const make = async (prompt, count, model = 'dall-e-2') => {
    await app.generate(model, { prompt, size: '1024x1024' });
    await untilAsync(async () => (await app.$('.card').count()) === count);
    await app.advance(1000);
  };
  await make('One', 1);
  assert.deepEqual(await columns(), [['One'], [], []]);
  await app.state('Done');
  await app.page.setViewportSize({ width: 1440, height: 900 });
  const { y, height } = await app.card.locator('h3').boundingBox();
  assert.ok(y + height < 900, `the prompt ends at ${y + height}`);
  await app.page.setViewportSize({ width: 2560, height: 1440 });
  await app.$('.column').nth(2).waitFor({ state: 'attached' });

  await make('Two', 2);
  await make('Three', 3, 'test-error-400-model-not-found');
  await app.$('[data-phase=failed]').waitFor();
  await make('Four', 4);
  // A failed card is a row, so there is room for another one in its column.
  assert.deepEqual(await columns(), [['One'], ['Two'], ['Four', 'Three']]);
  for (const name of ['Two', 'One']) {
    const card = app.page.getByRole('article', { name, exact: true });
    await card.getByRole('button', { name: 'Dismiss' }).click();
    await card.waitFor({ state: 'detached' });
  }
  assert.deepEqual(await columns(), [['Three'], ['Four'], []], 'no gap is left');
});

test(
  'facts of compared pictures stand like the pictures, and the way out is on none of them',
  GUARD,
  async () => {
    app = await studio.open({ viewport: { width: 1440, height: 900 } });
    await app.generate('dall-e-2', { n: '4' });
    await app.state('Done');
    await app.page.click('nav >> text=Gallery');
    await app.page.click('#select');
    for (let index = 0; index < 4; index += 1) await app.$('#tiles .open').nth(index).click();
    await app.page.click('.selection >> text=Compare');
    await app.$('.viewer .stage img').nth(3).waitFor();
    const left = (selector) =>
      app.$(selector).evaluateAll((all) => all.map((each) => each.getBoundingClientRect().left));
    const [stages, facts] = [await left('.stage'), await left('.differences > div')];
    const order = (all) => all.map((x) => all.filter((other) => other < x).length);
    assert.deepEqual(order(facts), order(stages));
    for (const viewport of [PHONE, { width: 1440, height: 900 }]) {
      await app.page.setViewportSize(viewport);
      const [way, first] = await Promise.all(
        ['.over.close', '.stages'].map((selector) => app.$(selector).boundingBox()),
      );
      assert.ok(way.y + way.height <= first.y + 1, `${way.y + way.height} ${first.y}`);
    }
  },
);

test('nothing is cut or covered, from 320 to 2560 px', GUARD, async () => {
  app = await studio.open({ viewport: { width: 1440, height: 900 } });
  const { page } = app;
  const found = [];
  const look = async (state) => {
    for (const [width, height, size = ''] of [...WINDOWS, [390, 844, '200 %']]) {
      await page.setViewportSize({ width, height });
      await page.evaluate((fontSize) => {
        document.documentElement.style.fontSize = fontSize.replace(' ', '');
      }, size);
      let seen = await misfits();
      // The page itself arranges what depends on its width, a moment later.
      for (let tries = 0; seen.length > 0 && tries < 20; tries += 1) {
        await app.advance(50);
        seen = await misfits();
      }
      found.push(...seen.map((misfit) => `${state}, ${width} px ${size}: ${misfit}`));
    }
    await page.evaluate(() => document.documentElement.removeAttribute('style'));
    await page.setViewportSize({ width: 1440, height: 900 });
  };
  await page.fill('#prompt', 'A lemon tree');
  await page.click('text=Race several models');
  const start = await app.$('#race .start').boundingBox();
  assert.ok(start.y + start.height <= 900, 'the button of the race is in sight');
  for (const model of ['flux-pro', 'test-error-400-model-not-found']) {
    await page.fill('#race-filter', model);
    await page.keyboard.press('Enter');
  }
  await look('choice of models');
  await page.click('#race .start');
  await app.$('.lane img').waitFor();
  await look('race');
  await app.generate('dall-e-2', { size: '1024x1024' });
  await app.state('Done');
  await app.generate('midjourney', { size: '1024x1024' });
  await app.state('Accepted as a task');
  await page.click('text=Stop waiting');
  await app.state('Stopped waiting');
  await app.card.getByRole('button', { name: 'Dismiss' }).click();
  await app.$('.toast').waitFor();
  await app.context.setOffline(true);
  await app.$('#banner', { hasText: 'offline' }).waitFor();
  await look('messages');
  await app.context.setOffline(false);
  await page.click('#show-code');
  await app.$('#code-text').waitFor();
  await look('code');
  await page.keyboard.press('Escape');
  await page.keyboard.press('?');
  await app.$('#shortcuts[open]').waitFor();
  await look('shortcuts');
  await page.keyboard.press('Escape');
  await page.click('nav >> text=Gallery');
  await app.$('#tiles img[src]').first().waitFor();
  await page.click('#select');
  await app.$('#tiles .open').first().click();
  await look('selection');
  await page.emulateMedia({ media: 'print' });
  const printed = ['#create', '#gallery', '#show-shortcuts'].map((selector) => app.$(selector).isVisible());
  assert.deepEqual(await Promise.all(printed), [false, true, false], 'the shown view alone is printed');
  assert.deepEqual(found, []);
});
