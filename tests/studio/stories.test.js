/** Ten stories of the studio, in three browsers. */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { GUARD, plainPicture, TASK_MS, tellStories } from './story.js';
import { until } from './studio.js';

const FILES = { 'lemon.png': plainPicture(90), 'lime.png': plainPicture(190) };
/** A file as the server notes it. The relay gives files names of its own. */
const noted = (filename, name) => {
  const bytes = Buffer.from(FILES[name], 'base64');
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return { filename, type: 'image/png', size: bytes.length, sha256 };
};

const AsyncFunction = Object.getPrototypeOf(async () => {}).constructor;
/** The request in the code for Node, with the names of its files. */
function requestIn(code) {
  const [, request] = /AndWait\(\n {2}({[\s\S]*?\n {2}}),\n/.exec(code);
  return new AsyncFunction('openAsBlob', `return ${request}`)((name) => name);
}

tellStories((person) => {
  test('a person generates a picture inline', GUARD, async () => {
    await person.fresh();
    const seen = await person.run(async () => {
      const { story } = window;
      const before = story.count();
      await story.generate('flux-schnell', 'A lemon on a beach');
      await story.see('Done');
      return { widths: await story.pictures(), kept: story.count() - before };
    });
    assert.deepEqual(seen, { widths: [512], kept: 1 });
    assert.equal(person.server.counts.creates, 1);
    await person.look('1-inline');
  });

  test('waits for a task and sees its progress', GUARD, async () => {
    await person.fresh();
    await person.run(() => window.story.generate('flux-pro', 'A lemon tree above a quiet sea'));
    await person.run(() => window.story.see('Pending'));
    person.advance(TASK_MS / 2);
    const progress = await person.run(async () => {
      const { story } = window;
      await story.see('Processing');
      const ring = document.querySelector('.card .ring.real');
      return { text: ring.textContent.trim(), percent: ring.getAttribute('aria-valuenow') };
    });
    assert.match(progress.text, new RegExp(`^${progress.percent} %`));
    await person.look('2-task');
    person.advance(TASK_MS);
    const seen = await person.run(async () => {
      const { story } = window;
      await story.see('Done');
      await story.pictures();
      const rows = [...document.querySelectorAll('.card .requests .request')].map(
        ({ textContent }) => textContent,
      );
      return { states: story.states, first: rows.at(-1), second: rows.at(-2) };
    });
    assert.deepEqual(
      seen.states.filter((state) => !/^(Waiting for the answer|Accepted as a task|Fetching)/.test(state)),
      ['Pending', 'Processing', 'Done'],
    );
    assert.deepEqual([seen.first, seen.second], ['Create', 'Poll 1']);
    assert.equal(person.server.counts.creates, 1);
  });

  test('stops waiting, reads what that means, and waits again', GUARD, async () => {
    await person.fresh();
    const note = await person.run(async () => {
      const { story } = window;
      await story.generate('midjourney', 'A purple mountain');
      await story.see('Pending');
      await story.press('Stop waiting');
      await story.see('Stopped waiting');
      return document.querySelector('.card .note').textContent;
    });
    assert.match(note, /may still complete and be billed/);
    const { polls } = person.server.counts;
    person.advance(2 * TASK_MS);
    await person.run(async () => {
      const { story } = window;
      await story.press('Wait again');
      await story.see('Done');
    });
    assert.equal(person.server.counts.polls, polls + 1);
    assert.equal(person.server.counts.creates, 1);
  });

  test('reloads the page while a task runs, and keeps the task', GUARD, async () => {
    await person.fresh();
    await person.run(async () => {
      const { story } = window;
      await story.generate('ideogram-v3', 'A desert at sunset');
      await story.see('Pending');
    });
    await person.reload();
    await person.run(() => window.story.see('Pending'));
    assert.equal(
      await person.run(() => document.querySelector('.card .prompt').textContent),
      'A desert at sunset',
    );
    person.advance(2 * TASK_MS);
    await person.run(async () => {
      await window.story.see('Done');
      await window.story.pictures();
    });
    assert.equal(person.server.counts.creates, 1);

    const { polls } = person.server.counts;
    await person.reload();
    await person.run(async () => {
      await window.story.see('Done');
      await window.story.pictures();
    });
    assert.equal(await person.run(() => document.querySelectorAll('.card').length), 1, 'it keeps its card');
    assert.deepEqual(
      [person.server.counts.creates, person.server.counts.polls],
      [1, polls],
      'and is not continued',
    );
  });

  test('reloads it before the first answer, and pays once', GUARD, async () => {
    await person.fresh();
    await person.run(() => window.story.generate('test-slow:1500', 'A forest in autumn'));
    await until(() => person.server.counts.creates === 1);
    await person.reload();
    await person.run(async () => {
      await window.story.see('Done');
      await window.story.pictures();
    });
    assert.equal(person.server.counts.creates, 1);
  });

  test('has three at once', GUARD, async () => {
    await person.fresh();
    await person.run(async () => {
      const { story } = window;
      await story.generate('flux-pro', 'A lake in winter', { size: '1792x1024' });
      await story.generate('midjourney', 'A city of glass', { size: '1024x1792' });
      await story.generate('ideogram-v3', 'A golden lemon');
      await story.until(() => document.querySelectorAll('.ring').length === 3, 'three rings');
      await story.see('Pending');
    });
    await person.look('3-three');
    person.advance(2 * TASK_MS);
    const words = await person.run(async () => {
      const { story } = window;
      const all = () =>
        [...document.querySelectorAll('.card .state')].map(({ textContent }) => textContent.trim());
      await story.until(() => all().every((state) => state.startsWith('Done')), 'three done');
      const announced = () => document.getElementById('announcer').textContent;
      await story.until(() => announced().split('Done').length === 4, 'three announcements');
      return announced();
    });
    assert.equal(person.server.counts.creates, 3);
    for (const prompt of ['A lake in winter', 'A city of glass', 'A golden lemon']) {
      assert.match(words, new RegExp(`Done after [^:]*: ${prompt}`), 'it is announced');
    }
  });

  test('follows the hint of an error', GUARD, async () => {
    await person.fresh();
    const problem = await person.run(async () => {
      const { story } = window;
      await story.generate('test-error-400-model-not-found', 'A lake');
      await story.see('Refused');
      return document.querySelector('.card .problem').textContent;
    });
    assert.match(problem, /Did you mean 'dall-e-3'/);
    assert.match(problem, /Nothing is billed/);
    await person.look('4-error');
    await person.run(async () => {
      const { story } = window;
      await story.press('Use dall-e-3');
      await story.see('Done');
    });
  });

  test('goes offline and comes back', GUARD, async () => {
    await person.fresh();
    await person.run(async () => {
      const { story } = window;
      story.online = (isOnline) => {
        Object.defineProperty(navigator, 'onLine', { value: isOnline, configurable: true });
        dispatchEvent(new Event(isOnline ? 'online' : 'offline'));
      };
      story.online(false);
      await story.generate('flux-schnell', 'Written on a train');
      await story.see('Waiting for the connection');
      await story.until(
        () => /You are offline/.test(document.getElementById('banner').textContent),
        'banner',
      );
    });
    assert.equal(person.server.counts.creates, 0);
    await person.look('5-offline');
    await person.run(async () => {
      const { story } = window;
      story.online(true);
      await story.see('Done');
      await story.until(() => document.getElementById('banner').textContent === '', 'no banner');
    });
    assert.equal(person.server.counts.creates, 1);
  });

  test('waits while the server is down', GUARD, async () => {
    await person.fresh();
    await person.run(async () => {
      await window.story.generate('flux-pro', 'A wave of rain');
      await window.story.see('Pending');
    });
    await person.served.close();
    await person.run(async () => {
      const { story } = window;
      await story.see('Connection lost');
      await story.until(
        () => /cannot be reached/.test(document.getElementById('banner').textContent),
        'banner',
      );
    });
    person.advance(2 * TASK_MS);
    await person.serve();
    await person.run(async () => {
      const { story } = window;
      await story.see('Done');
      await story.until(() => document.getElementById('banner').textContent === '', 'no banner');
    });
    assert.equal(person.server.counts.creates, 1, 'another process of the same server knows the task');
  });

  test('looks through the gallery', GUARD, async () => {
    await person.fresh();
    const seen = await person.run(async () => {
      const { story } = window;
      const viewer = document.getElementById('viewer');
      const place = () => viewer.querySelector('.place')?.textContent;
      const total = story.count();
      await story.press('Gallery');
      const tiles = () => [...document.querySelectorAll('#tiles .open')];
      // A low window has only some of them in the document.
      await story.until(() => tiles().length > 1, 'tiles');
      await story.until(() => document.querySelector('#tiles img[src]'), 'thumbnails');
      const found = { tiles: tiles().length <= total };

      tiles()[0].click();
      await story.until(() => place() === `1 of ${total}`, 'full view');
      await story.until(() => viewer.querySelector('.stage img')?.naturalWidth > 0, 'the picture');
      story.key(viewer, 'ArrowRight');
      await story.until(() => place() === `2 of ${total}`, 'the next one');
      story.key(viewer, '+');
      await story.until(() => viewer.querySelector('.stage.zoomed'), 'zoom');
      found.zoomed =
        viewer.querySelector('.stage').scrollHeight > viewer.querySelector('.stage').clientHeight;
      story.key(viewer, '0');

      story.key(viewer, 'Delete');
      await story.until(() => story.count() === total - 1, 'one less');
      await story.press('Undo', '.toast:last-child');
      await story.until(() => story.count() === total, 'it is back');
      await story.press('Close');

      await story.press('Select');
      tiles()[0].click();
      tiles()[1].click();
      await story.press('Compare');
      await story.until(() => viewer.querySelectorAll('.stage img').length === 2, 'two');
      const images = [...viewer.querySelectorAll('.stage img')];
      await Promise.all(images.map((image) => image.decode()));
      found.compared = images.every(({ naturalWidth }) => naturalWidth > 0);
      return found;
    });
    assert.deepEqual(seen, { tiles: true, zoomed: true, compared: true });
    await person.look('6-compare');
    await person.run(() => window.story.press('Close'));
    await person.look('7-gallery');
  });

  for (const [title, action, pictures, masks, path] of [
    ['edits pictures of theirs', 'edit', ['lemon.png', 'lime.png'], ['lime.png'], 'edits'],
    ['draws from a picture of theirs', 'generate', ['lime.png'], [], 'generations'],
  ]) {
    test(`${title}, and reads the exact call`, GUARD, async () => {
      await person.fresh();
      const filesOf = (names) => Object.fromEntries(names.map((name) => [name, FILES[name]]));
      const seen = await person.run(
        async ({ action, pictures, mask }) => {
          const { story } = window;
          document.getElementById('sources').open = true;
          story.pick('pictures', pictures);
          document.querySelector(`[name=action][value=${action}]`).click();
          story.pick('mask', mask);
          const previews = document.querySelectorAll('#previews img').length;
          await story.generate('gpt-image-2', 'It’s a "lime"', { size: '1024x1024' });
          await story.see('Done');
          const widths = await story.pictures();
          const code = await story.code();
          for (const id of ['pictures', 'mask']) story.pick(id, {});
          return { previews, widths, code };
        },
        { action, pictures: filesOf(pictures), mask: filesOf(masks) },
      );
      assert.deepEqual([seen.previews, seen.widths], [pictures.length, [1024]]);
      const creates = person.creates();
      assert.deepEqual(
        creates.map(({ path }) => path),
        [`/v1/images/${path}`],
      );
      const { image, mask = [], n: _, ...texts } = creates[0].body;
      assert.deepEqual(
        image,
        pictures.map((name, index) => noted(`image-${index}.png`, name)),
      );
      assert.deepEqual(
        mask,
        masks.map((name) => noted(`mask-${pictures.length}.png`, name)),
      );
      assert.match(seen.code, action === 'edit' ? /\beditAndWait\(/ : /\bgenerateAndWait\(/);
      const { image: named, mask: namedMask, ...request } = await requestIn(seen.code);
      assert.deepEqual([[named].flat(), [namedMask ?? []].flat()], [pictures, masks]);
      assert.deepEqual(request, texts);
      await person.look(`8-${action}`);
    });
  }
});
