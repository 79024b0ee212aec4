/** What a person does with pictures: edits, favourites, exports, deletions, a close look. In three browsers. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { strFromU8, unzipSync } from 'fflate';
import { PNG } from 'pngjs';
import { GUARD, plainPicture, tellStories } from './story.js';

const RED = plainPicture(200, 40, 10);
const GREEN = plainPicture(20, 180, 40);
const BLUE = plainPicture(30, 60, 220);

/** Defines in the page what a person does with pictures. */
function prepare() {
  const { story } = window;
  const viewer = document.getElementById('viewer');
  Object.assign(story, {
    tiles: () => [...document.querySelectorAll('#tiles .open')],
    seeTiles: (count) => story.until(() => story.tiles().length === count, `${count} tiles`),
    chosen: () => document.querySelectorAll('#tiles :checked').length,
    level: () => story.text('#viewer .level'),
    place: () => story.text('#viewer .place'),
    rect: (selector) => document.querySelector(selector).getBoundingClientRect().toJSON(),
    /** Waits for pictures in the viewer. */
    async seePictures(count) {
      await story.until(() => viewer.querySelectorAll('.stage').length === count, `${count} stages`);
      await story.widths('#viewer .stage', count);
    },
    /** Goes to the gallery, once it has as many pictures as the person has made. */
    async openGallery(count) {
      await story.press('Gallery', 'nav');
      await story.seeTiles(count);
      await story.widths('#tiles', count);
    },
  });
}

const pixels = (base64) => PNG.sync.read(Buffer.from(base64, 'base64'));

tellStories((person) => {
  /** The pictures that the server has made, as the files that it serves. */
  async function files() {
    const paths = person.server.counts.requests.filter(({ path }) => path.startsWith('/files/'));
    return Promise.all(
      paths.map(async ({ path }) => {
        const answer = await fetch(person.server.url + path);
        return PNG.sync.read(Buffer.from(await answer.arrayBuffer()));
      }),
    );
  }

  test(
    'picks, pastes and drops pictures, paints a mask with pointer and keys, and sees the edit',
    GUARD,
    async () => {
      const previews = await person.run(
        async ([red, green, blue]) => {
          const { story } = window;
          document.getElementById('sources').open = true;
          story.pick('pictures', { 'picked.png': red });
          story.paste('#prompt', { 'pasted.png': green });
          story.drop('#prompt', { 'dropped.png': blue });
          await story.widths('#previews', 3);
          await story.press('Paint the mask');
          await story.until(
            () => document.activeElement.matches('[role=application]'),
            'the focus on the sheet',
          );
          return [...document.querySelectorAll('#previews img')].map(({ alt }) => alt);
        },
        [RED, GREEN, BLUE],
      );
      assert.deepEqual(previews, ['picked.png', 'pasted.png', 'dropped.png']);

      // A stroke by the pointer in the upper half, and one by keys from the end of it.
      const sheet = '#mask-brush [role=application]';
      const points = [];
      for (const across of [0.25, 0.4, 0.55]) points.push(await person.point(sheet, across, 0.3));
      await person.input.drag(...points);
      await person.input.hold('Shift');
      for (let count = 0; count < 3; count += 1) await person.input.press('ArrowDown');
      await person.input.hold(' ');
      await person.input.press('ArrowDown');
      await person.input.release(' ');
      await person.input.release('Shift');
      const label = () => person.run(() => window.story.element('#mask-brush canvas:last-child').ariaLabel);
      assert.equal(await label(), 'The picture to paint on. Mask: 2 strokes');
      await person.input.press('Enter');
      assert.equal(await label(), 'The picture to paint on. Mask: 3 strokes');
      await person.input.press('Control', 'z');
      assert.equal(await label(), 'The picture to paint on. Mask: 2 strokes');
      await person.look('edit-1-mask');

      const shown = await person.run(async () => {
        const { story } = window;
        await story.press('Use the mask');
        await story.widths('#mask-preview', 1);
        await story.generate('dall-e-2', 'A lemon', { size: '256x256' });
        await story.see('Done');
        await story.pictures();
        const image = document.querySelector('.card img');
        const canvas = Object.assign(document.createElement('canvas'), { width: 100, height: 100 });
        const context = canvas.getContext('2d');
        context.drawImage(image, 0, 0, 100, 100);
        const { data } = context.getImageData(0, 0, 100, 100);
        const at = (x, y) => [...data.slice((y * 100 + x) * 4, (y * 100 + x) * 4 + 3)].join();
        return { kept: [at(80, 45), at(20, 75), at(55, 45)], changed: [at(40, 30), at(55, 65)] };
      });
      assert.deepEqual(shown.kept, Array(3).fill('200,40,10'), 'the first picture stays');
      for (const colour of shown.changed)
        assert.notEqual(colour, '200,40,10', 'where there is paint, it is new');
      const [{ path, body }] = person.creates();
      assert.deepEqual([path, body.image.length, body.mask.length], ['/v1/images/edits', 3, 1]);
      await person.look('edit-2-done');
    },
  );

  test('chooses from a contact sheet: a favourite, a file, a variation', GUARD, async () => {
    await person.fresh();
    const { name, base64, seed } = await person.run(async () => {
      const { story } = window;
      await story.generate('dall-e-2', 'Four lemons', { size: '256x256', n: '4' });
      await story.see('Done');
      await story.pictures(4);
      await story.press('Favourite picture 2');
      await story.until(() => story.element('.card .star[aria-pressed=true]'), 'a star');
      await story.press('Download picture 3');
      const file = await story.download(0);
      await story.press('Vary picture 1');
      await story.until(() => document.querySelectorAll('.card').length === 2, 'a second card');
      await story.see('Done');
      await story.pictures(4);
      story.fill('n', '1');
      return { ...file, seed: Number(story.value('seed')) };
    });
    assert.match(name, /^four-lemons-dall-e-2-.*-3\.png$/);
    const { data } = pixels(base64);
    assert.ok(
      (await files()).some((file) => file.data.equals(data)),
      'it is the server’s picture',
    );
    const [first, second] = person.creates().map(({ body }) => body);
    assert.deepEqual(second, { ...first, seed });
    await person.look('pictures-1-sheet');
  });

  test('finds pictures by star, model and word, and comes back to the same place', GUARD, async () => {
    await person.fresh();
    const seen = await person.run(async () => {
      const { story } = window;
      await story.generate('flux-schnell', 'A pear', { seed: '' });
      await story.see('Done');
      await story.openGallery(10);
      const found = [];
      const note = async (count) => {
        await story.seeTiles(count);
        found.push(story.text('#gallery-summary'));
      };
      document.getElementById('favourites').click();
      await note(1);
      document.getElementById('favourites').click();
      story.fill('gallery-model', 'flux-schnell');
      await note(1);
      story.fill('gallery-model', '');
      story.fill('search', 'four lemons');
      await note(8);
      story.fill('search', '');
      await story.seeTiles(10);

      // Higher than any window.
      document.getElementById('tiles').style.marginBottom = '3000px';
      scrollTo(0, 250);
      await story.press('Create', 'nav');
      await story.press('Gallery', 'nav');
      await story.until(() => scrollY === 250, 'the same place');
      document.getElementById('tiles').style.marginBottom = '';
      return found;
    });
    assert.deepEqual(seen, ['1 of 10', '1 of 10', '8 of 10']);
  });

  test('selects a range, and exports it with its settings', GUARD, async () => {
    await person.run(() => window.story.press('Select', '.tools'));
    await person.click('#tiles [data-index="1"]');
    await person.input.hold('Shift');
    await person.click('#tiles [data-index="5"]');
    await person.input.release('Shift');
    const { name, base64 } = await person.run(async () => {
      const { story } = window;
      await story.until(() => story.chosen() === 5, 'five');
      story.downloads.length = 0;
      await story.press('Export', '#selection');
      return story.download(0);
    });
    assert.match(name, /^lemondata-\d{4}-\d\d-\d\d\.zip$/);
    const entries = unzipSync(Buffer.from(base64, 'base64'));
    const records = Object.keys(entries).filter((each) => each.endsWith('.json'));
    assert.deepEqual([Object.keys(entries).length, records.length], [10, 5]);
    for (const each of records) {
      const { file, request, width, height } = JSON.parse(strFromU8(entries[each]));
      const png = PNG.sync.read(Buffer.from(entries[file]));
      assert.deepEqual([png.width, png.height, width, height], Array(4).fill(256), file);
      assert.deepEqual([request.model, request.prompt, request.n], ['dall-e-2', 'Four lemons', 4]);
    }
    await person.run(() => window.story.until(() => document.getElementById('selection').hidden));
  });

  test('deletes by key, and takes each deletion back', GUARD, async () => {
    const names = () => person.run(() => window.story.tiles().map(({ ariaLabel }) => ariaLabel));
    const before = await names();
    const see = (count) => person.run((number) => window.story.seeTiles(number), count);
    await person.run(() => window.story.tiles()[0].focus());
    for (const left of [9, 8, 7]) {
      await person.input.press('Delete');
      await see(left);
    }
    assert.deepEqual(await names(), before.slice(3));
    await person.input.press('Control', 'z');
    await see(8);
    assert.deepEqual(await names(), before.slice(2), 'the last one comes first');
    await person.run(() => window.story.press('Undo all 2', '.toast:last-child'));
    await see(10);
    assert.deepEqual(await names(), before);
    await person.run(async () => {
      const { story } = window;
      await story.press('Select', '.tools');
      for (const tile of story.tiles().slice(0, 2)) tile.click();
      await story.press('Delete', '#selection');
      await story.seeTiles(8);
      await story.press('Undo', '.toast:last-child');
      await story.seeTiles(10);
    });
    assert.deepEqual(await names(), before);
  });

  test('looks closely: by wheel, key, drag and swipe', GUARD, async () => {
    await person.run(async () => {
      const { story } = window;
      story.tiles()[0].click();
      await story.seePictures(1);
      await story.until(() => story.place() === '1 of 10' && story.level() === 'Fit', 'the first picture');
    });
    const image = '#viewer .stage img';
    const at = await person.point(image, 0.7, 0.4);
    // Messages of the deletions may still lie above the picture in a small window.
    await person.run(
      ([x, y]) => window.story.until(() => document.elementFromPoint(x, y)?.matches('img'), 'the picture'),
      at,
    );
    /** The place of that point in the picture, and the width of the picture. */
    const place = () =>
      person.run(([x, y]) => {
        const { left, top, width, height } = window.story.rect('#viewer .stage img');
        return [(x - left) / width, (y - top) / height, width];
      }, at);
    const [x, y, width] = await place();
    // A busy WebKit may drop a turn of the wheel. A person turns again.
    do await person.input.wheel(at, -500);
    while (!(await person.run(() => window.story.soon(() => window.story.level() !== 'Fit'))));
    const [zoomedX, zoomedY, zoomedWidth] = await place();
    assert.ok(zoomedWidth > 4 * width, `${zoomedWidth} is not much more than ${width}`);
    assert.ok(
      Math.abs(zoomedX - x) < 0.02 && Math.abs(zoomedY - y) < 0.02,
      'the point stays under the pointer',
    );
    await person.look('pictures-2-zoom');

    await person.input.press('1');
    await person.run(() => window.story.until(() => window.story.level() === '100 %', 'real pixels'));
    const pixel = await person.run(() => {
      const shown = window.story.element('#viewer .stage img');
      return (shown.getBoundingClientRect().width * devicePixelRatio) / shown.naturalWidth;
    });
    assert.ok(Math.abs(pixel - 1) < 0.01, 'a pixel for a pixel');
    await person.input.press('0');
    await person.run(() => window.story.until(() => window.story.level() === 'Fit', 'it fits'));

    // A mouse swipes as a finger does: Zoom listens to pointers, and only Chromium's driver has fingers.
    const middle = await person.point('#viewer .stage');
    const swipe = ([left, top], by) =>
      person.input.drag([left, top], [left + by / 2, top], [left + by, top + 5]);
    const seePlace = (text) =>
      person.run(async (expected) => {
        await window.story.until(() => window.story.place() === expected, expected);
        await window.story.seePictures(1);
      }, text);
    await swipe(middle, -120);
    await seePlace('2 of 10');
    await swipe(middle, -30);
    await seePlace('2 of 10');
    await swipe(middle, 120);
    await seePlace('1 of 10');
    await person.input.press('ArrowRight');
    await seePlace('2 of 10');
    await person.run(() => window.story.press('Close', '#viewer'));
  });

  test('compares two with the slider, and four side by side', GUARD, async () => {
    const choose = (count) =>
      person.run(async (number) => {
        const { story } = window;
        await story.until(() => !document.getElementById('viewer').open, 'the gallery');
        await story.press('Select', '.tools');
        for (const tile of story.tiles().slice(0, number)) tile.click();
        await story.press('Compare', '#selection');
        await story.seePictures(number);
      }, count);
    await choose(2);
    await person.run(async () => {
      const { story } = window;
      await story.press('Slider', '#viewer');
      await story.until(() => story.element('.slider'), 'the slider');
      await story.seePictures(2);
      story.element('.slider').focus();
    });
    const value = () => person.run(() => Number(window.story.element('.slider').ariaValueNow));
    const values = [await value()];
    for (const key of ['ArrowLeft', 'End', 'Home', 'ArrowRight']) {
      await person.input.press(key);
      values.push(await value());
    }
    assert.deepEqual(values, [50, 48, 100, 0, 2]);
    const from = await person.point('.slider');
    await person.input.drag(from, [from[0] + 40, from[1]], await person.point('#viewer .stages', 0.75, 0.5));
    assert.ok(Math.abs((await value()) - 75) <= 1, `${await value()} %`);
    await person.look('pictures-3-slider');
    await person.run(() => window.story.press('Close', '#viewer'));

    await choose(4);
    const boxes = await person.run(() =>
      [...document.querySelectorAll('#viewer .stage')].map((stage) => stage.getBoundingClientRect().toJSON()),
    );
    for (const [index, one] of boxes.entries()) {
      for (const other of boxes.slice(index + 1)) {
        const isApart = one.right <= other.left + 1 || one.bottom <= other.top + 1;
        assert.ok(isApart, 'no stage covers another one');
      }
    }
    await person.look('pictures-4-four');
    await person.run(() => window.story.press('Close', '#viewer'));
  });
}, prepare);
