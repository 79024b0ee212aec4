/** Reference pictures and masks in the form: dropped, pasted, removed, and painted. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { PNG } from 'pngjs';
import { problemOfOperation } from '../../www/sources.js';
import { untilAsync, useStudio } from './studio.js';

/** Ends a test that hangs. */
const GUARD = { timeout: 300_000 };
const WIDTH = 640;
const HEIGHT = 320;

const studio = useStudio();
let app;

/** A picture of one colour. */
function picture(name) {
  const png = new PNG({ width: WIDTH, height: HEIGHT });
  for (let offset = 0; offset < png.data.length; offset += 4) png.data.set([200, 40, 10, 255], offset);
  return { name, mimeType: 'image/png', buffer: PNG.sync.write(png) };
}

const LEMON = picture('lemon.png');

/** Dispatches an event with files, as the browser does when they are dropped or pasted. */
const bring = (type, selector, files, text) =>
  app.page.$eval(
    selector,
    (target, [name, all, words]) => {
      const data = new DataTransfer();
      for (const { file, mime, base64 } of all) {
        const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
        data.items.add(new File([bytes], file, { type: mime }));
      }
      if (words) data.setData('text/plain', words);
      const options = { bubbles: true, cancelable: true, composed: true };
      const event =
        name === 'paste'
          ? new ClipboardEvent(name, { ...options, clipboardData: data })
          : new DragEvent(name, { ...options, dataTransfer: data });
      return !target.dispatchEvent(event);
    },
    [
      type,
      files.map(({ name, mimeType, buffer }) => ({
        file: name,
        mime: mimeType,
        base64: buffer.toString('base64'),
      })),
      text,
    ],
  );

const previews = () => app.$('#previews img').evaluateAll((all) => all.map(({ alt }) => alt));
const chosen = () => app.page.$eval('#pictures', ({ files }) => [...files].map(({ name }) => name));

describe('reference pictures', GUARD, () => {
  test('are dropped anywhere on the form, pasted, and removed', async () => {
    app = await studio.open();
    assert.ok(await bring('dragover', '#prompt', [LEMON]), 'the form takes the files');
    assert.equal(await app.$('form.dropping').count(), 1);
    assert.ok(await bring('drop', '#prompt', [LEMON]));
    assert.equal(await app.$('form.dropping').count(), 0);
    assert.deepEqual(await previews(), ['lemon.png'], 'the section opens');

    assert.ok(await bring('paste', '#prompt', [{ ...LEMON, name: 'pasted.png' }]));
    assert.equal(await bring('paste', '#prompt', [LEMON], 'a text'), false, 'a text is pasted as a text');
    const note = { name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('x') };
    await bring('drop', '#prompt', [note]);
    assert.deepEqual(await previews(), ['lemon.png', 'pasted.png']);
    assert.deepEqual(await chosen(), ['lemon.png', 'pasted.png']);
    await app.$('#announcer p', { hasText: 'Reference pictures: 2' }).waitFor({ state: 'attached' });

    await app.page.click('[aria-label="Remove lemon.png"]');
    assert.deepEqual(await previews(), ['pasted.png']);
    await app.page.click('nav >> text=Gallery');
    assert.equal(await bring('paste', 'body', [LEMON]), false, 'there is no form to paste into');
  });

  test('have a problem with a model that edits none', async () => {
    app = await studio.open();
    await app.page.focus('#model');
    await app.$('#model-note', { hasText: '$' }).waitFor();
    await bring('drop', '#prompt', [LEMON]);
    const problem = () => app.$('#pictures-problem').textContent();
    assert.equal(await problem(), '');
    await app.page.fill('#model', 'dall-e-3');
    assert.equal(await problem(), 'dall-e-3 edits no pictures.');
    await app.page.fill('#prompt', 'A lime');
    await app.page.click('[name=send]');
    assert.equal(await app.page.evaluate(() => document.activeElement.id), 'pictures');
    assert.equal(app.server.counts.creates, 0);
    await app.page.fill('#model', 'my-model');
    assert.equal(await problem(), '');
    assert.match(problemOfOperation('m', ['image-edit'], 'generate'), /takes no reference/);
    assert.equal(problemOfOperation('m', ['image-edit'], 'edit'), undefined);
    assert.equal(problemOfOperation('m', undefined, 'edit'), undefined);
  });
});

describe('the mask', GUARD, () => {
  const dialog = () => app.page.getByRole('dialog', { name: 'Paint the mask' });
  const button = (name) => dialog().getByRole('button', { name, exact: true });

  /** Paints a line across the picture, from one share of its width to another, at the half of its height. */
  async function stroke(from, to) {
    const { x, y, width, height } = await dialog().locator('canvas').nth(1).boundingBox();
    await app.page.mouse.move(x + width * from, y + height / 2);
    await app.page.mouse.down();
    await app.page.mouse.move(x + width * to, y + height / 2, { steps: 4 });
    await app.page.mouse.up();
  }

  /** The mask in the form. */
  async function mask() {
    const base64 = await app.page.$eval('#mask', async ({ files: [file] }) => {
      const bytes = new Uint8Array(await file.arrayBuffer());
      return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
    });
    return PNG.sync.read(Buffer.from(base64, 'base64'));
  }
  const alpha = ({ data }, x, y) => data[(y * WIDTH + x) * 4 + 3];

  for (const viewport of [
    { width: 1280, height: 900 },
    { width: 390, height: 844 },
  ]) {
    test(`is transparent where it was painted, in the picture’s own size: ${viewport.width} px`, async () => {
      app = await studio.open({ viewport });
      await bring('drop', '#prompt', [LEMON]);
      await app.page.click('text=Paint the mask');
      assert.ok(await button('Use the mask').isDisabled());
      await dialog().getByLabel('Brush').fill('10');
      await stroke(0.1, 0.3);
      await stroke(0.7, 0.9);
      await app.look(`mask-${viewport.width}`);
      await button('Undo').click();
      await button('Use the mask').click();
      await app.$('#mask-preview img').waitFor();
      const png = await mask();
      assert.deepEqual([png.width, png.height], [WIDTH, HEIGHT]);
      const at = (x, y = HEIGHT / 2) => alpha(png, x, y);
      assert.deepEqual([at(128), at(70), at(185)], [0, 0, 0], 'along the stroke');
      assert.deepEqual([at(128, 135), at(128, 120)], [0, 255], 'as wide as the brush');
      assert.deepEqual([at(512), at(320)], [255, 255], 'the second stroke was undone');

      await app.generate('gpt-image-2');
      await app.state('Done');
      assert.equal(app.server.counts.edits, 1);
      assert.equal(app.creates()[0].body.mask.length, 1);
      await app.page.click('[aria-label="Remove the mask"]');
      assert.equal(await app.page.$eval('#mask', ({ files }) => files.length), 0);
    });
  }

  test('is cleared, undone by a key, and left by Escape', async () => {
    app = await studio.open();
    await bring('drop', '#prompt', [LEMON]);
    await app.page.click('text=Paint the mask');
    await stroke(0.1, 0.3);
    await stroke(0.5, 0.6);
    await app.page.keyboard.press('Control+z');
    assert.ok(await button('Undo').isEnabled());
    await app.page.keyboard.press('Control+z');
    assert.ok(await button('Undo').isDisabled());
    await stroke(0.1, 0.3);
    await button('Clear').click();
    assert.ok(await button('Use the mask').isDisabled());
    await stroke(0.1, 0.3);
    await app.page.keyboard.press('Escape');
    await dialog().waitFor({ state: 'hidden' });
    assert.equal(await app.page.$eval('#mask', ({ files }) => files.length), 0);
    // The paint is still there, and so it is after its mask was made: to add to it.
    for (const strokes of [1, 2]) {
      await app.page.click('text=Paint the mask');
      await stroke(0.4, 0.5);
      await dialog()
        .getByRole('application', { name: `Mask: ${strokes + 1} strokes` })
        .waitFor();
      await button('Use the mask').click();
      await app.$('#mask-preview img').waitFor();
    }
    const png = await mask();
    assert.deepEqual(
      [0.2, 0.45].map((share) => alpha(png, Math.round(WIDTH * share), HEIGHT / 2)),
      [0, 0],
    );
    await app.page.check('[name=action][value=generate]', { force: true });
    assert.equal(await app.$('#mask-preview button').count(), 0);
  });

  test('takes nothing of a second finger', async () => {
    app = await studio.open({ hasTouch: true });
    await bring('drop', '#prompt', [LEMON]);
    await app.page.click('text=Paint the mask');
    const { x, y, width, height } = await dialog().locator('canvas').nth(1).boundingBox();
    const touch = await app.context.newCDPSession(app.page);
    const fingers = (type, ...shares) =>
      touch.send('Input.dispatchTouchEvent', {
        type,
        touchPoints: shares.map(([across, down], id) => ({
          id,
          x: x + width * across,
          y: y + height * down,
        })),
      });
    await fingers('touchStart', [0.2, 0.1]);
    await fingers('touchStart', [0.2, 0.1], [0.8, 0.9]);
    await fingers('touchMove', [0.3, 0.1], [0.7, 0.9]);
    await fingers('touchEnd');
    await dialog()
      .getByRole('application', { name: /Mask: 1 stroke$/ })
      .waitFor();
    await button('Use the mask').click();
    await app.$('#mask-preview img').waitFor();
    const png = await mask();
    const at = (across, down) => alpha(png, Math.round(WIDTH * across), Math.round(HEIGHT * down));
    assert.deepEqual([at(0.25, 0.1), at(0.5, 0.5), at(0.75, 0.9)], [0, 255, 255]);
  });

  test('is painted by keys alone, beside a deletion that stays', async () => {
    app = await studio.open();
    await app.generate('dall-e-2', { prompt: 'A pear' });
    await app.state('Done');
    await app.page.click('nav >> text=Gallery');
    await app.$('#tiles .open').focus();
    const { keyboard } = app.page;
    await keyboard.press('Delete');
    await app.$('.toast', { hasText: 'Deleted' }).waitFor();
    await app.page.click('nav >> text=Create');
    await bring('drop', '#prompt', [LEMON]);
    await app.$('text=Paint the mask').focus();
    await keyboard.press('Enter');
    const sheet = dialog().getByRole('application');
    const label = () => sheet.getAttribute('aria-label');
    await untilAsync(() => sheet.evaluate((canvas) => canvas === document.activeElement));
    assert.equal(await label(), 'The picture to paint on. Mask: no paint');
    assert.match(
      await app.$(`#${await sheet.getAttribute('aria-describedby')}`).textContent(),
      /^Arrow keys move the brush/,
    );
    const heard = () => app.$('#announcer p').last().textContent();
    // The ring around the brush, from the middle of the picture to the right.
    const radius = Math.round((WIDTH * 0.08) / 2);
    const ring = await sheet.evaluate(
      (canvas, [x, y, length]) =>
        [...canvas.getContext('2d').getImageData(x, y, length, 1).data].filter((_, at) => at % 4 === 3),
      [WIDTH / 2, HEIGHT / 2, radius + 1],
    );
    assert.deepEqual([ring[0], ring[radius]], [0, 255], 'the brush is seen');

    // A dot, a large step from the middle.
    await keyboard.press('Shift+ArrowLeft');
    await keyboard.press('ArrowLeft');
    assert.equal(await heard(), '39 % across, 50 % down.');
    await keyboard.press('Enter');
    assert.equal(await heard(), 'Painted: 1 stroke. 39 % across, 50 % down.');
    // A stroke while the key is held, which repeats.
    for (let count = 0; count < 3; count += 1) await keyboard.press('Shift+ArrowRight');
    await keyboard.press('[');
    assert.equal(await heard(), 'Brush: 7 %.');
    assert.equal(await dialog().getByLabel('Brush').inputValue(), '7');
    await keyboard.down(' ');
    await keyboard.down(' ');
    await keyboard.press('Shift+ArrowRight');
    await keyboard.press('ArrowDown');
    await keyboard.up(' ');
    assert.equal(await heard(), 'Painted: 2 strokes. 79 % across, 52 % down.');
    await keyboard.press(']');
    await keyboard.press(']');
    for (let count = 0; count < 4; count += 1) await keyboard.press('Shift+ArrowRight');
    assert.equal(await heard(), '100 % across, 52 % down.', 'it stays on the picture');
    await keyboard.press(' ');
    assert.equal(await label(), 'The picture to paint on. Mask: 3 strokes');
    await app.look('mask-keys');
    await keyboard.press('Control+z');
    assert.equal(await heard(), 'Mask: 2 strokes.');
    await button('Use the mask').focus();
    await keyboard.press('Enter');

    await app.$('#mask-preview img').waitFor();
    const png = await mask();
    const at = (share, y = HEIGHT / 2) => alpha(png, Math.round(WIDTH * share), y);
    assert.deepEqual([at(0.39), at(0.69), at(0.74), at(0.79)], [0, 0, 0, 0], 'a dot and a stroke');
    assert.deepEqual([at(0.5), at(0.95)], [255, 255], 'between them, and where it was undone');
    assert.deepEqual([at(0.39, 160 + 24), at(0.69, 160 - 24)], [0, 255], 'each as wide as its brush');
    assert.equal(await app.$('#gallery-count').textContent(), '', 'the undo was of the stroke alone');
  });
});
