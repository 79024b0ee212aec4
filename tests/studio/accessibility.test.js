/** Accessibility: axe in each state, the keyboard, screen readers, every width, no layout shifts. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { describe, test } from 'node:test';
import { PROMPT, untilAsync, useStudio } from './studio.js';

/** Ends a test that hangs. */
const GUARD = { timeout: 600_000 };
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
/** A file that is no picture. */
const TEXT_FILE = { name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('x') };
const LONG =
  'A small town at night, rain on the street, and a cat that watches it all from a windowsill '.repeat(4);

const studio = useStudio();
let app;

/** The rules of axe that another colour scheme can break. */
const COLOUR_RULES = ['color-contrast', 'link-in-text-block'];

/** The violations that axe finds: WCAG up to 2.2 AA, and its best practices. In dark, those of the colours. */
async function findings(state, colorScheme) {
  await app.page.emulateMedia({ colorScheme });
  // The debugger bypasses the page's policy.
  if (!(await app.page.evaluate(() => Boolean(window.axe)))) await app.page.evaluate(axe);
  const running = app.page.evaluate(
    async (runOnly) => {
      const { violations } = await window.axe.run(document, { resultTypes: ['violations'], runOnly });
      return violations.map(
        ({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(' | ')}`,
      );
    },
    colorScheme === 'dark' ? COLOUR_RULES : undefined,
  );
  // axe waits for timers of the page.
  let found;
  running.then((value) => {
    found = value;
  });
  while (found === undefined) {
    await app.page.clock.runFor(20);
    await Promise.race([running, new Promise((resolve) => setTimeout(resolve, 20))]);
  }
  return found.map((finding) => `${state}, ${colorScheme}: ${finding}`);
}

/** Every state that a person can reach, in turn. */
async function* states() {
  const { page } = app;
  yield 'empty';
  await page.click('text=Reference pictures');
  await page.click('text=More settings');
  await page.click('text=What can go wrong');
  await page.fill('#size', '12');
  await page.fill('#extra', '{');
  await page.setInputFiles('#pictures', TEXT_FILE);
  yield 'form, with problems';
  await page.fill('#extra', '');
  await page.setInputFiles('#pictures', []);
  await page.click('text=Reference pictures');
  await page.click('text=More settings');
  await page.click('text=What can go wrong');
  await page.click('#model + button');
  yield 'models';
  await page.keyboard.press('Escape');
  await app.generate('dall-e-2');
  await app.state('Done');
  await app.generate('test-error-400-model-not-found', { prompt: 'A lake in winter' });
  await app.state('Refused');
  await app.page.click('text=Details');
  yield 'error';
  await app.generate('midjourney', { prompt: 'A purple mountain', size: '1792x1024' });
  await app.state('Accepted as a task');
  await page.click('text=Stop waiting');
  await app.state('Stopped waiting');
  await app.generate('flux-pro', { prompt: LONG, size: '1024x1792' });
  await app.state('Accepted as a task');
  yield 'busy';
  await app.advance(5000);
  await app.state('Processing');
  yield 'progress';
  await app.context.setOffline(true);
  await app.$('#banner', { hasText: 'offline' }).waitFor();
  yield 'offline';
  await app.context.setOffline(false);
  await app.$('#banner').waitFor({ state: 'hidden' });
  await app.advance(10_000);
  await app.state('Done');
  await app.generate('dall-e-2', { prompt: 'Four lemons', n: '4' });
  await app.state('Done');
  await page.evaluate(() => scrollTo(0, 0));
  yield 'full';
  await page.click('#show-code');
  await page.click('text=Worker');
  yield 'code';
  await page.keyboard.press('Escape');
  await page.click('nav >> text=Gallery');
  await app.$('#tiles img[src]').first().waitFor();
  yield 'gallery';
  await page.fill('#search', 'nowhere');
  yield 'gallery, nothing found';
  await page.fill('#search', '');
  await app.$('#tiles .open').first().click();
  await app.$('.viewer .stage img').waitFor();
  yield 'viewer';
  await page.keyboard.press('+');
  await page.keyboard.press('Delete');
  await app.$('.toast', { hasText: 'Deleted' }).waitFor();
  yield 'deleted';
  await page.click('text=Undo');
  await page.click('.viewer [aria-label=Close]');
  await page.click('#select');
  await app.$('#tiles .open').nth(0).click();
  yield 'selection';
  await app.$('#tiles .open').nth(4).click();
  await page.click('.selection >> text=Compare');
  await app.$('.viewer .stage img').nth(1).waitFor();
  yield 'compare';
  await page.click('text=Slider');
  await app.$('.slider').waitFor();
  yield 'slider';
}

/** Overflows: a page wider than the window, or a text that is cut off where nothing scrolls. */
const misfits = () =>
  app.page.evaluate(async () => {
    // Observers are called in the order in which they were made: the page has its new size by then.
    await new Promise((resolve) => new ResizeObserver(resolve).observe(document.body));
    const { scrollWidth, clientWidth } = document.documentElement;
    const found = scrollWidth > clientWidth ? [`the page is ${scrollWidth} wide`] : [];
    const modal = document.querySelector('dialog[open]');
    for (const element of (modal ?? document.body).querySelectorAll('*')) {
      if (!element.checkVisibility() || element.closest('.unseen, svg')) continue;
      const { overflowX } = getComputedStyle(element);
      const isCut = element.scrollWidth > element.clientWidth + 1 && overflowX === 'hidden';
      // The facts of a tile are short on purpose: its name and the viewer have the whole prompt.
      if (isCut && !element.matches('.stage, .facts *')) found.push(`cut: ${element.outerHTML.slice(0, 80)}`);
      const { right, left, width } = element.getBoundingClientRect();
      const scrolls = element.parentElement.closest('pre, .stage');
      if (width > 0 && !scrolls && (right > clientWidth + 1 || left < -1)) {
        found.push(`outside: ${element.outerHTML.slice(0, 80)}`);
      }
    }
    return found;
  });

/** The windows in which a state has to fit, and those that the same state is then resized to. */
const WINDOWS = {
  desktop: {
    viewport: { width: 1440, height: 900 },
    // In two columns, the newest card is not always the first one, where the states look for it.
    resized: { wide: { width: 1920, height: 1080 }, 'very-wide': { width: 2560, height: 1440 } },
    hasAxe: true,
  },
  phone: {
    viewport: { width: 390, height: 844 },
    resized: { narrow: { width: 320, height: 640 } },
    hasAxe: true,
  },
  tablet: { viewport: { width: 820, height: 1180 } },
  // A window of 1280 by 1024 pixels at 400 %.
  low: { viewport: { width: 320, height: 256 } },
};

describe('every state', () => {
  for (const [size, { viewport, resized, hasAxe }] of Object.entries(WINDOWS)) {
    const sizes = Object.values({ viewport, ...resized }).map(({ width, height }) => `${width} by ${height}`);
    const fits = `fits into ${sizes.join(', ')} px`;
    test(hasAxe ? `is clean for axe in light and dark, and ${fits}` : fits, GUARD, async () => {
      app = await studio.open({ viewport });
      const found = [];
      let number = 0;
      for await (const state of states()) {
        number += 1;
        const name = `${String(number).padStart(2, '0')}-${state.replace(/\W+/g, '-')}`;
        for (const colorScheme of hasAxe ? ['light', 'dark'] : []) {
          found.push(...(await findings(state, colorScheme)));
          await app.look(`${size}-${colorScheme}-${name}`);
        }
        for (const [window, other] of Object.entries({ [size]: viewport, ...resized })) {
          await app.page.setViewportSize(other);
          found.push(...(await misfits()).map((misfit) => `${state}, ${other.width} px: ${misfit}`));
          if (!hasAxe || window !== size) await app.look(`${window}-${name}`);
        }
        if (resized) await app.page.setViewportSize(viewport);
      }
      assert.equal(number, 16);
      assert.deepEqual(found, []);
    });
  }

  test('fits with text twice as large', GUARD, async () => {
    app = await studio.open({ viewport: { width: 640, height: 900 } });
    await app.page.evaluate(() => {
      document.documentElement.style.fontSize = '32px';
    });
    const found = [];
    for await (const state of states()) {
      found.push(...(await misfits()).map((misfit) => `${state}: ${misfit}`));
      await app.look(`large-text-${state.replace(/\W+/g, '-')}`);
    }
    assert.deepEqual(found, []);
  });

  test('says in forced colours what is focused, chosen and done', GUARD, async () => {
    app = await studio.open({ forcedColors: 'active' });
    /** The colour of a system word in the present theme, as computed styles name it. */
    const system = (word) =>
      app.page.evaluate((color) => {
        const probe = document.body.appendChild(document.createElement('i'));
        probe.style.color = color;
        const computed = getComputedStyle(probe).color;
        probe.remove();
        return computed;
      }, word);
    const style = (selector, property) =>
      app
        .$(selector)
        .first()
        .evaluate((element, name) => getComputedStyle(element)[name], property);
    let seen = 0;
    for await (const state of states()) {
      for (const colorScheme of ['light', 'dark']) {
        await app.page.emulateMedia({ colorScheme });
        await app.look(`forced-${colorScheme}-${state.replace(/\W+/g, '-')}`);
        const highlight = await system('Highlight');
        if (state === 'empty') {
          assert.notEqual(highlight, await system('Canvas'));
          assert.equal(await style('nav [aria-current]', 'backgroundColor'), highlight);
          await app.page.focus('#prompt');
          assert.equal(await style('#prompt', 'outlineColor'), highlight);
        }
        if (state === 'progress') assert.equal(await style('.ring .value', 'stroke'), highlight);
        if (state === 'selection') {
          assert.equal(await style('.picked .open', 'outlineColor'), highlight);
          assert.equal(await style('.picked .open', 'outlineStyle'), 'solid');
        }
        if (state === 'slider') {
          assert.equal(await style('.viewer header [aria-pressed=true]', 'backgroundColor'), highlight);
        }
        seen += 1;
      }
    }
    assert.equal(seen, 32);
  });
});

describe('with the keyboard alone', () => {
  const focused = () =>
    app.page.evaluate(() => {
      const { activeElement } = document;
      return (
        activeElement.getAttribute('aria-label') ??
        (activeElement.id || activeElement.textContent)
      ).trim();
    });

  /** Presses Tab until the focus is on a control, and checks that it is visible on the way. */
  async function tabTo(name, key = 'Tab') {
    for (let count = 0; count < 60; count += 1) {
      await app.page.keyboard.press(key);
      if ((await focused()).startsWith(name)) return;
      const isVisible = await app.page.evaluate(() => {
        const { activeElement } = document;
        if (activeElement === document.body || activeElement.matches('dialog, .choice input')) return true;
        const { outlineStyle, outlineWidth } = getComputedStyle(activeElement);
        return outlineStyle !== 'none' && Number.parseFloat(outlineWidth) > 0;
      });
      assert.ok(isVisible, `the focus is not visible on ${await focused()}`);
    }
    assert.fail(`Tab never came to ${name}`);
  }

  test('a person generates, stops, waits again, dismisses', GUARD, async () => {
    app = await studio.open();
    const { keyboard } = app.page;
    await tabTo('prompt');
    await keyboard.type(PROMPT);
    await tabTo('model');
    await keyboard.press('Control+A');
    await keyboard.type('flux-p');
    await keyboard.press('ArrowDown');
    await keyboard.press('Enter');
    assert.equal(await app.page.inputValue('#model'), 'flux-pro');
    await tabTo('Generate');
    await keyboard.press('Enter');
    await app.state('Accepted as a task');
    await tabTo('Stop waiting');
    await keyboard.press('Enter');
    await app.state('Stopped waiting');
    await tabTo('Wait again', 'Shift+Tab');
    await keyboard.press('Space');
    await app.advance(20_000);
    await app.state('Done');
    await tabTo('Dismiss', 'Shift+Tab');
    await keyboard.press('Enter');
    await app.$('#empty').waitFor();
  });

  test('looks at pictures, zooms, deletes, restores, and returns to its place', GUARD, async () => {
    app = await studio.open();
    const { keyboard } = app.page;
    for (const prompt of ['One', 'Two', 'Three']) {
      await app.generate('dall-e-2', { prompt });
      await app.state('Done');
      // The order is that of time.
      await app.advance(1000);
    }
    await app.page.focus('nav a');
    await tabTo('Gallery');
    await keyboard.press('Enter');
    await tabTo('Three, dall-e-2, ');
    await keyboard.press('ArrowRight');
    assert.match(await focused(), /^Two, dall-e-2, /);
    await keyboard.press('End');
    assert.match(await focused(), /^One, /);
    await keyboard.press('ArrowRight');
    assert.match(await focused(), /^One, /, 'the last one has no next');
    await keyboard.press('Home');
    await keyboard.press('Enter');
    const place = app.$('.viewer .place');
    await place.filter({ hasText: '1 of 3' }).waitFor();
    await keyboard.press('ArrowRight');
    await place.filter({ hasText: '2 of 3' }).waitFor();
    await keyboard.press('+');
    await app.$('.stage.zoomed').waitFor();
    await tabTo('Picture, to be moved');
    const before = await app.$('.stage').evaluate(({ scrollTop }) => scrollTop);
    await keyboard.press('ArrowDown');
    const after = () => app.$('.stage').evaluate(({ scrollTop }) => scrollTop);
    await untilAsync(async () => (await after()) > before);
    await place.filter({ hasText: '2 of 3' }).waitFor();
    await keyboard.press('0');
    await keyboard.press('Delete');
    await place.filter({ hasText: '2 of 2' }).waitFor();
    await tabTo('Undo');
    await keyboard.press('Enter');
    await keyboard.press('Escape');
    await app.$('#tiles li').nth(2).waitFor();
    // The last shown picture, where the browser itself would return to the first.
    await untilAsync(async () => (await focused()).startsWith('One, '));
    await keyboard.press('Delete');
    await app.$('#tiles li').nth(2).waitFor({ state: 'detached' });
    await untilAsync(async () => (await focused()).startsWith('Two, '));
  });

  test('copies the code, and stays inside the panel', GUARD, async () => {
    app = await studio.open();
    await app.context.grantPermissions(['clipboard-read', 'clipboard-write']);
    const { keyboard } = app.page;
    await app.page.fill('#prompt', PROMPT);
    await app.page.focus('#show-code');
    await keyboard.press('Enter');
    // Its script comes with the first press.
    await app.$('#code[open]').waitFor();
    await tabTo('tab-browser');
    await keyboard.press('ArrowRight');
    await keyboard.press('ArrowRight');
    assert.equal(await focused(), 'tab-node');
    await tabTo('Copy');
    await keyboard.press('Enter');
    await app.$('.toast', { hasText: 'Copied' }).waitFor();
    const copied = await app.page.evaluate(() => navigator.clipboard.readText());
    assert.match(copied, /apiKey: process\.env\.LEMONDATA_API_KEY/);
    assert.ok(copied.includes(PROMPT));
    for (let count = 0; count < 12; count += 1) {
      await keyboard.press('Tab');
      const isInside = await app.page.evaluate(
        () => document.activeElement === document.body || Boolean(document.activeElement.closest('dialog')),
      );
      assert.ok(isInside, await focused());
    }
    await keyboard.press('Escape');
    assert.equal(await focused(), 'show-code', 'the focus is back');
  });
});

describe('for screen readers', () => {
  test('states are announced, and seconds are not', GUARD, async () => {
    app = await studio.open();
    const announced = () => app.$('#announcer p').allTextContents();
    await app.generate('flux-pro');
    await app.state('Accepted as a task');
    await app.advance(20_000);
    await app.state('Done');
    await app.$('#announcer p').nth(1).waitFor({ state: 'attached' });
    const [first, last] = await announced();
    assert.equal(first, `Started: ${PROMPT}`);
    assert.match(last, new RegExp(`^Done after \\d+ s: ${PROMPT}$`));
    assert.equal(await app.$('#announcer').getAttribute('aria-live'), 'polite');
  });

  test('every control has a name, and the page its parts', GUARD, async () => {
    app = await studio.open();
    for (const [role, name] of [
      ['textbox', 'Prompt'],
      ['combobox', 'Model'],
      ['textbox', 'Size'],
      ['spinbutton', 'Pictures'],
      ['button', 'Generate'],
      ['form', 'Picture'],
      ['region', 'Generations'],
      ['navigation', 'Views'],
    ]) {
      assert.equal(await app.page.getByRole(role, { name, exact: true }).count(), 1, name);
    }
  });
});

describe('nothing moves', () => {
  for (const viewport of [
    { width: 1440, height: 900 },
    { width: 390, height: 844 },
  ]) {
    test(`by itself, from the first paint to the last picture: ${viewport.width} px`, GUARD, async () => {
      app = await studio.open({ viewport });
      for (const size of ['512x512', '1024x1792', '1792x1024']) await app.generate('flux-pro', { size });
      await app.state('Accepted as a task');
      for (let passed = 0; passed < 25_000; passed += 1000) await app.advance(1000);
      await app.$('.card[data-phase=done]').nth(2).waitFor();
      await app.$('.picture img[src]').nth(2).waitFor();
      const shifts = await app.page.evaluate(() => globalThis.shifts);
      const total = shifts.reduce((sum, { value }) => sum + value, 0);
      // A longer word moves its neighbour a little, and the more on a busy machine, which draws several at once. A card
      // that moves by 20 pixels counts for 0.01; the usual limit for a good page is 0.1.
      assert.ok(total < 0.005, JSON.stringify(shifts));
    });
  }

  for (const [reducedMotion, behavior] of [
    ['reduce', 'auto'],
    ['no-preference', 'smooth'],
  ]) {
    test(`smoothly but where a person allows it: ${reducedMotion}`, GUARD, async () => {
      app = await studio.open({ viewport: { width: 390, height: 844 }, reducedMotion });
      await app.page.evaluate(() => {
        // Scripts ask for smooth scrolls past the style sheet.
        globalThis.behaviors = [];
        document.getElementById('feed').scrollIntoView = (options) =>
          globalThis.behaviors.push(options?.behavior);
      });
      await app.generate('flux-pro');
      await app.state('Accepted as a task');
      assert.deepEqual(await app.page.evaluate(() => globalThis.behaviors), [behavior]);
    });
  }

  test('at all, where a person wants no motion', GUARD, async () => {
    app = await studio.open();
    const begun = () => app.page.evaluate(() => globalThis.begun);
    await app.page.evaluate(() => {
      globalThis.begun = 0;
      for (const type of ['animationstart', 'transitionrun'])
        addEventListener(type, () => globalThis.begun++);
    });
    await app.generate('flux-schnell');
    await app.state('Done');
    assert.equal(await begun(), 0);
    await app.page.emulateMedia({ reducedMotion: 'no-preference' });
    await app.generate('flux-schnell');
    await untilAsync(async () => (await begun()) > 0);
  });
});
