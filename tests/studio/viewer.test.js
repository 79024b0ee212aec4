/** The viewer: zoom by click, wheel, fingers and key; swipes; pictures compared side by side and with the slider. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { untilAsync, useStudio } from './studio.js';

/** Ends a test that hangs. */
const GUARD = { timeout: 300_000 };

const studio = useStudio();
let app;

/** Makes pictures of these sizes, the first one first, and goes to the gallery. */
async function make(sizes) {
  for (const [index, size] of sizes.entries()) {
    await app.generate('flux-schnell', { prompt: `Picture ${index + 1}`, size });
    await app.state('Done');
    await app.advance(1000);
  }
  await app.page.click('nav >> text=Gallery');
  await app.$('#tiles img[src]').first().waitFor();
}

/** Opens the newest picture. */
async function view(sizes) {
  await make(sizes);
  await app.$('#tiles .open').first().click();
  await loaded(1);
}

/** Compares all pictures. */
async function compare(sizes) {
  await make(sizes);
  await app.page.click('#select');
  await app.page.click('text=Select all');
  await app.page.click('.selection >> text=Compare');
  await loaded(sizes.length);
}

const images = () => app.$('.viewer .stage img');
const stages = () => app.$('.viewer .stage');
async function loaded(count) {
  await untilAsync(() =>
    app.page.evaluate((number) => {
      const all = [...document.querySelectorAll('.viewer .stage img')];
      return all.length === number && all.every(({ naturalWidth }) => naturalWidth > 0);
    }, count),
  );
}

const boxOf = (locator) =>
  locator.evaluate((element) => {
    const { left, top, width, height } = element.getBoundingClientRect();
    return { left, top, width, height };
  });

/** The place of a point of the window in a picture, from 0 to 1. */
async function placeIn(locator, { x, y }) {
  const { left, top, width, height } = await boxOf(locator);
  return [(x - left) / width, (y - top) / height];
}

function near(actual, expected, slack, message) {
  for (const [index, value] of actual.entries()) {
    assert.ok(Math.abs(value - expected[index]) <= slack, `${message}: ${actual} is not ${expected}`);
  }
}

const place = () => app.$('.viewer .place').textContent();
const level = async () => (await app.$('.viewer .level').textContent()).trim();

describe('one picture', () => {
  for (const deviceScaleFactor of [1, 2]) {
    test(
      `is clicked to real pixels, where one clicked, and back: ${deviceScaleFactor} to 1`,
      GUARD,
      async () => {
        app = await studio.open({ viewport: { width: 700, height: 600 }, deviceScaleFactor });
        await view(['1792x1792']);
        const fitting = await boxOf(images());
        const point = { x: fitting.left + fitting.width * 0.4, y: fitting.top + fitting.height * 0.6 };
        const before = await placeIn(images(), point);
        assert.equal(await level(), 'Fit');
        await app.page.mouse.click(point.x, point.y);
        assert.equal(await level(), '100 %');
        const zoomed = await boxOf(images());
        near([zoomed.width], [1792 / deviceScaleFactor], 0.5, 'a pixel for a pixel');
        near(await placeIn(images(), point), before, 0.005, 'the point stays');
        // A drag moves the picture, and is no click.
        await app.page.mouse.move(point.x, point.y);
        await app.page.mouse.down();
        await app.page.mouse.move(point.x + 40, point.y + 30, { steps: 4 });
        await app.page.mouse.up();
        const dragged = await boxOf(images());
        near([dragged.left, dragged.top], [zoomed.left + 40, zoomed.top + 30], 1.5, 'it follows');
        assert.equal(await level(), '100 %');
        await app.page.mouse.click(point.x, point.y);
        assert.equal(await level(), 'Fit');
        near(Object.values(await boxOf(images())), Object.values(fitting), 0.5, 'it fits again');
      },
    );
  }

  test('is zoomed by the wheel at the pointer, and moved by keys', GUARD, async () => {
    app = await studio.open({ viewport: { width: 900, height: 600 } });
    await view(['1024x1024']);
    const fitting = await boxOf(images());
    const point = { x: fitting.left + fitting.width * 0.7, y: fitting.top + fitting.height * 0.4 };
    const before = await placeIn(images(), point);
    await app.page.mouse.move(point.x, point.y);
    await app.page.mouse.wheel(0, -600);
    await untilAsync(async () => (await boxOf(images())).width > fitting.width * 5);
    near(await placeIn(images(), point), before, 0.01, 'the point stays');
    const { left, top } = await boxOf(images());
    await app.page.keyboard.press('ArrowRight');
    await app.page.keyboard.press('ArrowDown');
    await untilAsync(async () => (await boxOf(images())).top < top);
    const moved = await boxOf(images());
    near([moved.left, moved.top], [left - 80, top - 80], 1.5, 'the arrows move');
    await app.page.keyboard.press('1');
    assert.equal(await level(), '100 %');
    await app.page.keyboard.press('0');
    assert.equal(await level(), 'Fit');
    await app.page.keyboard.press('-');
    assert.equal(await level(), 'Fit', 'it never gets smaller than that');
  });

  test('gives way to the next one by a swipe, and is pinched and tapped', GUARD, async () => {
    app = await studio.open({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
    await view(['512x512', '512x512', '512x512']);
    const client = await app.context.newCDPSession(app.page);
    const touch = (type, ...points) =>
      client.send('Input.dispatchTouchEvent', {
        type,
        touchPoints: points.map(([x, y], id) => ({ x, y, id })),
      });
    const { left, top, width, height } = await boxOf(stages());
    const [x, y] = [left + width / 2, top + height / 2];
    const swipe = async (by, down = 0) => {
      await touch('touchStart', [x, y]);
      for (let step = 1; step <= 5; step += 1)
        await touch('touchMove', [x + (by * step) / 5, y + (down * step) / 5]);
      await touch('touchEnd');
    };
    await swipe(-120, 10);
    await untilAsync(async () => (await place()) === '2 of 3');
    await loaded(1);
    await swipe(-30);
    assert.equal(await place(), '2 of 3', 'too short');
    await swipe(120);
    await untilAsync(async () => (await place()) === '1 of 3');
    await loaded(1);

    const fitting = await boxOf(images());
    await touch('touchStart', [x - 40, y], [x + 40, y]);
    for (let step = 1; step <= 5; step += 1)
      await touch('touchMove', [x - 40 - step * 8, y], [x + 40 + step * 8, y]);
    await touch('touchEnd');
    await untilAsync(async () => (await boxOf(images())).width > fitting.width * 1.7);
    near(
      [(await boxOf(images())).width],
      [fitting.width * 2],
      fitting.width * 0.15,
      'the fingers part to twice the way',
    );
    assert.equal(await place(), '1 of 3');
    await swipe(-100);
    assert.equal(await place(), '1 of 3', 'a zoomed picture moves');
    await app.page.touchscreen.tap(x, y);
    await app.page.touchscreen.tap(x, y);
    await untilAsync(async () => (await level()) === 'Fit');
  });

  test('is on a dark stage in both themes, with the way out beside it', GUARD, async () => {
    app = await studio.open({ viewport: { width: 1920, height: 1080 } });
    await view(['1024x1792']);
    for (const colorScheme of ['light', 'dark']) {
      await app.page.emulateMedia({ colorScheme });
      const colour = await app.$('.viewer').evaluate((dialog) => getComputedStyle(dialog).backgroundColor);
      assert.equal(colour, 'rgb(15, 16, 19)');
    }
    const picture = await boxOf(images());
    const close = await boxOf(app.$('.viewer .close'));
    const gap = close.left - (picture.left + picture.width);
    assert.ok(gap >= 0 && gap < 24, `${gap} px`);
    await app.page.keyboard.press('1');
    const { right } = await stages().evaluate((stage) => stage.getBoundingClientRect());
    const zoomed = await boxOf(app.$('.viewer .close'));
    assert.ok(zoomed.left + zoomed.width <= right, 'it stays inside');
    await app.page.click('.viewer .close');
    await app.$('.viewer').waitFor({ state: 'hidden' });
  });

  test('keeps messages in sight, however often it is opened', GUARD, async () => {
    app = await studio.open();
    await make(['512x512', '512x512', '512x512']);
    for (let left = 2; left > 0; left -= 1) {
      await app.$('#tiles .open').first().click();
      await app.page.keyboard.press('Delete');
      await app.$('.viewer .place', { hasText: `of ${left}` }).waitFor();
      await app.$('.viewer .toast', { hasText: 'Deleted' }).waitFor();
      await app.page.keyboard.press('Escape');
      await app.$('.viewer').waitFor({ state: 'hidden' });
      await app.$('body > .toasts .toast').waitFor();
    }
  });
});

test('a picture in the viewer goes into the form to be edited', GUARD, async () => {
  app = await studio.open();
  await view(['512x512', '1024x1024']);
  await app.page.click('.viewer >> text=Edit');
  await app.$('#previews img').waitFor();
  assert.ok(!(await app.$('.viewer').isVisible()));
  assert.equal(await app.page.evaluate(() => document.activeElement.id), 'prompt');
  // The next one takes its place.
  await app.page.click('text=Draw a new picture');
  await app.page.click('nav >> text=Gallery');
  await app.$('#tiles .open').nth(1).click();
  await loaded(1);
  await app.page.click('.viewer >> text=Edit');
  await app.$('#previews img[alt^=picture-1]').waitFor();
  assert.equal(await app.$('#previews img').count(), 1);
  await app.generate('gpt-image-2', { prompt: 'At night' });
  await app.state('Done');
  assert.equal(app.server.counts.edits, 1);
  assert.equal(app.creates().at(-1).body.image.length, 1);
});

describe('pictures compared', () => {
  test('are up to four, and show the same part', GUARD, async () => {
    app = await studio.open();
    await compare(['512x512', '1024x1024', '1792x1024', '1024x1792']);
    const shares = async () => {
      const all = [];
      for (let index = 0; index < 4; index += 1) {
        const { left, top, width, height } = await boxOf(stages().nth(index));
        all.push(await placeIn(images().nth(index), { x: left + width / 2, y: top + height / 2 }));
      }
      return all;
    };
    for (const share of await shares()) near(share, [0.5, 0.5], 0.01, 'each is in the middle');
    const { left, top, width, height } = await boxOf(stages().nth(1));
    await app.page.mouse.move(left + width * 0.6, top + height * 0.6);
    await app.page.mouse.wheel(0, -600);
    await untilAsync(async () => (await level()) !== 'Fit');
    const [, middle] = await shares();
    assert.ok(middle[0] > 0.55);
    for (const share of await shares()) near(share, middle, 0.02, 'after the wheel');
    await stages().nth(3).hover();
    await stages()
      .nth(3)
      .evaluate((stage) => stage.scrollBy(60, 90));
    await untilAsync(async () => (await shares())[0][1] > middle[1] + 0.01);
    const [, , , last] = await shares();
    for (const share of await shares()) near(share, last, 0.02, 'after a scroll');
    await app.look('compare-four');
  });

  test('lie one over the other, with a line that keys and pointers move', GUARD, async () => {
    app = await studio.open();
    await compare(['512x512', '1024x1024']);
    const [one, other] = [await boxOf(stages().nth(0)), await boxOf(stages().nth(1))];
    assert.ok(other.left >= one.left + one.width, 'side by side at first');
    await app.page.click('text=Slider');
    await app.$('.slider').waitFor();
    await loaded(2);
    const stage = await boxOf(stages().nth(0));
    assert.deepEqual(await boxOf(stages().nth(1)), stage);
    /** The stage that is seen at a share of the width: 0 for the first. */
    const seen = (share) =>
      app.page.evaluate(
        ([x, y]) => {
          const found = document.elementsFromPoint(x, y).find((element) => element.matches('.stage'));
          return [...document.querySelectorAll('.stage')].indexOf(found);
        },
        [stage.left + stage.width * share, stage.top + 100],
      );
    const value = () => app.$('.slider').getAttribute('aria-valuenow');
    assert.deepEqual([await seen(0.45), await seen(0.55)], [0, 1]);
    await app.$('.slider').focus();
    for (let count = 0; count < 5; count += 1) await app.page.keyboard.press('ArrowRight');
    assert.equal(await value(), '60');
    assert.deepEqual([await seen(0.55), await seen(0.65)], [0, 1]);
    await app.page.keyboard.press('Home');
    assert.equal(await seen(0.05), 1);
    await app.page.keyboard.press('End');
    await app.page.keyboard.press('PageDown');
    assert.equal(await value(), '90');
    const y = stage.top + stage.height / 2;
    await app.page.mouse.move(stage.left + stage.width * 0.9, y);
    await app.page.mouse.down();
    await app.page.mouse.move(stage.left + stage.width * 0.25, y, { steps: 5 });
    await app.page.mouse.up();
    assert.equal(await value(), '25');
    assert.deepEqual([await seen(0.2), await seen(0.3)], [0, 1]);
    await app.page.keyboard.press('+');
    assert.notEqual(await level(), 'Fit');
    assert.equal(await value(), '25', 'zoom leaves the line');
    const scrolled = () =>
      stages()
        .first()
        .evaluate(({ scrollTop }) => scrollTop);
    const before = await scrolled();
    assert.ok(before > 0);
    await app.$('.slider').focus();
    await app.page.keyboard.press('ArrowUp');
    assert.deepEqual([await value(), await scrolled()], ['27', before], 'the arrows move one thing');
    await app.page.click('text=Slider');
    await app.$('.slider').waitFor({ state: 'detached' });
  });

  test('are no fewer than two and no more than four', GUARD, async () => {
    app = await studio.open();
    await make(['512x512', '512x512', '512x512', '512x512', '512x512']);
    await app.page.click('#select');
    const button = app.$('.selection').getByRole('button', { name: 'Compare' });
    const states = [];
    for (let index = 0; index < 5; index += 1) {
      await app.$('#tiles .open').nth(index).click();
      states.push(await button.isEnabled());
    }
    assert.deepEqual(states, [false, true, true, true, false]);
  });

  test('begin with the one in the viewer', GUARD, async () => {
    app = await studio.open();
    await view(['512x512', '512x512']);
    await app.$('.viewer').getByRole('button', { name: 'Compare' }).click();
    await app.$('.selection', { hasText: '1 selected' }).waitFor();
    await app.$('#tiles .open').nth(1).click();
    await app.page.click('.selection >> text=Compare');
    await loaded(2);
  });
});
