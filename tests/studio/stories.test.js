/**
 * User stories of the studio in three browsers, against real servers. A task lasts until the test advances the
 * server's clock; polls follow each other quickly.
 */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { PNG } from 'pngjs';
import { servePage } from '../../scripts/lib/serve-page.js';
import { BROWSERS, openBrowser } from '../helpers/browsers.js';
import { startServer } from '../server/index.js';
import { KEY, screenshotPath, until } from './studio.js';

/** Ends a test that hangs. */
const GUARD = { timeout: 300_000 };
const TASK_MS = 30_000;

/** Pictures of one colour, as they travel into a page. */
const FILES = Object.fromEntries(
  ['lemon.png', 'lime.png'].map((name, index) => {
    const png = new PNG({ width: 32, height: 32 });
    png.data.fill(90 + 100 * index);
    return [name, PNG.sync.write(png).toString('base64')];
  }),
);
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

let clock = Date.UTC(2026, 0, 1);
let server;
let served;

const serve = (port) =>
  servePage({ upstream: { url: server.url, key: KEY }, pollInterval: { min: 40, max: 60 }, port });

before(async () => {
  server = await startServer({ apiKey: KEY, taskMs: TASK_MS, now: () => clock, retryAfter: 0 });
  served = await serve();
});
after(async () => {
  await served?.close();
  await server?.close();
});

/** Defines in the page the actions of a person. */
function prepare() {
  const visible = (element) => element.checkVisibility();
  const named = (element) => (element.getAttribute('aria-label') ?? element.textContent).trim();
  const story = {
    /** Every state that the newest card has shown. */
    states: [],
    violations: [],
    fill(id, text) {
      const field = document.getElementById(id);
      field.value = text;
      field.dispatchEvent(new Event('input', { bubbles: true }));
    },
    async press(name, within = 'body') {
      const find = () =>
        [...document.querySelectorAll(`${within} :is(button, nav a, summary)`)].find(
          (element) => visible(element) && named(element).startsWith(name),
        );
      await story.until(find, `a button ${name}`);
      find().click();
    },
    key(target, key) {
      target.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));
    },
    async generate(model, prompt, size = '512x512') {
      const { length } = document.querySelectorAll('.card');
      story.states.length = 0;
      story.fill('model', model);
      story.fill('prompt', prompt);
      story.fill('size', size);
      await story.press('Generate');
      await story.until(() => document.querySelectorAll('.card').length > length, 'a card');
    },
    /** Chooses files, as a dialog of the browser would. */
    pick(id, files) {
      const transfer = new DataTransfer();
      for (const [name, base64] of Object.entries(files)) {
        const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
        transfer.items.add(new File([bytes], name, { type: 'image/png' }));
      }
      const input = document.getElementById(id);
      input.files = transfer.files;
      for (const type of ['input', 'change']) input.dispatchEvent(new Event(type, { bubbles: true }));
    },
    /** Opens the code of the newest card for Node, reads it and closes it. */
    async code() {
      document.querySelector('.card .code').click();
      await story.until(() => document.getElementById('tab-node'), 'the code');
      document.getElementById('tab-node').click();
      const { textContent } = document.getElementById('code-text');
      await story.press('Close');
      return textContent;
    },
    state: () => document.querySelector('.card .state')?.textContent.trim().replace(/\s+/g, ' ') ?? '',
    see: (words) => story.until(() => story.state().startsWith(words), words),
    async until(holds, description) {
      for (let waited = 0; !holds(); waited += 10) {
        if (waited > 20_000) throw new Error(`never seen: ${description}; but: ${story.state()}`);
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    },
    /** The pictures of the newest card, once they are on the screen. */
    async pictures() {
      await story.until(() => document.querySelector('.card .picture img[src]'), 'a picture');
      const images = [...document.querySelectorAll('.card')][0].querySelectorAll('img');
      await Promise.all([...images].map((image) => image.decode()));
      return [...images].map(({ naturalWidth }) => naturalWidth);
    },
    count: () => Number(document.getElementById('gallery-count').textContent),
  };
  new MutationObserver(() => {
    const words = story.state().replace(/ (in|\d).*$/, '');
    if (words && story.states.at(-1) !== words) story.states.push(words);
  }).observe(document.getElementById('cards'), { childList: true, subtree: true, characterData: true });
  addEventListener('securitypolicyviolation', ({ effectiveDirective }) =>
    story.violations.push(effectiveDirective),
  );
  addEventListener('error', ({ message }) => story.violations.push(message));
  addEventListener('unhandledrejection', ({ reason }) => story.violations.push(`${reason}`));
  window.story = story;
}

for (const name of BROWSERS) {
  describe(`in ${name}`, () => {
    let browser;
    let page;
    const run = (work, argument) => page.run(work, argument);
    const look = async (title) => {
      // The document is painted a frame later.
      await run(() => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve, 60))));
      await writeFile(screenshotPath(`${name}-${title}`), await page.screenshot());
    };

    /** Waits until the page shows the generations of earlier visits. */
    async function begin() {
      await run(prepare);
      await run(() => window.story.until(() => !document.querySelector('#feed').ariaBusy, 'it is ready'));
    }

    before(async () => {
      browser = await openBrowser(name);
      page = await browser.open(served.url);
      await begin();
    });
    after(() => browser?.close());

    /** Clears cards, tasks and counts; the gallery stays. */
    async function fresh() {
      await run(async () => {
        const { story } = window;
        if (document.querySelector('nav [aria-current]').dataset.view !== 'create')
          await story.press('Create');
        if (document.querySelector('.card')) await story.press('Clear finished');
        await story.until(() => !document.querySelector('.card'), 'no card');
      });
      server.reset();
    }

    const advance = (ms) => {
      clock += ms;
    };

    test('a person generates a picture inline', GUARD, async () => {
      await fresh();
      const seen = await run(async () => {
        const { story } = window;
        const before = story.count();
        await story.generate('flux-schnell', 'A lemon on a beach');
        await story.see('Done');
        return { widths: await story.pictures(), kept: story.count() - before, problems: story.violations };
      });
      assert.deepEqual(seen, { widths: [512], kept: 1, problems: [] });
      assert.equal(server.counts.creates, 1);
      assert.equal(server.counts.keyLeaks, 0);
      await look('1-inline');
    });

    test('waits for a task and sees its progress', GUARD, async () => {
      await fresh();
      await run(() => window.story.generate('flux-pro', 'A lemon tree above a quiet sea'));
      await run(() => window.story.see('Pending'));
      advance(TASK_MS / 2);
      const progress = await run(async () => {
        const { story } = window;
        await story.see('Processing');
        const ring = document.querySelector('.card .ring.real');
        return { text: ring.textContent.trim(), percent: ring.getAttribute('aria-valuenow') };
      });
      assert.match(progress.text, new RegExp(`^${progress.percent} %`));
      await look('2-task');
      advance(TASK_MS);
      const seen = await run(async () => {
        const { story } = window;
        await story.see('Done');
        await story.pictures();
        const rows = [...document.querySelectorAll('.card .requests .request')].map(
          ({ textContent }) => textContent,
        );
        return { states: story.states, first: rows.at(-1), second: rows.at(-2), problems: story.violations };
      });
      assert.deepEqual(
        seen.states.filter((state) => !/^(Waiting for the answer|Accepted as a task|Fetching)/.test(state)),
        ['Pending', 'Processing', 'Done'],
      );
      assert.deepEqual([seen.first, seen.second, seen.problems], ['Create', 'Poll 1', []]);
      assert.equal(server.counts.creates, 1);
    });

    test('stops waiting, reads what that means, and waits again', GUARD, async () => {
      await fresh();
      const note = await run(async () => {
        const { story } = window;
        await story.generate('midjourney', 'A purple mountain');
        await story.see('Pending');
        await story.press('Stop waiting');
        await story.see('Stopped waiting');
        return document.querySelector('.card .note').textContent;
      });
      assert.match(note, /may still complete and be billed/);
      const { polls } = server.counts;
      advance(2 * TASK_MS);
      await run(async () => {
        const { story } = window;
        await story.press('Wait again');
        await story.see('Done');
      });
      assert.equal(server.counts.polls, polls + 1);
      assert.equal(server.counts.creates, 1);
    });

    test('reloads the page while a task runs, and keeps the task', GUARD, async () => {
      await fresh();
      await run(async () => {
        const { story } = window;
        await story.generate('ideogram-v3', 'A desert at sunset');
        await story.see('Pending');
      });
      await page.reload();
      await begin();
      await run(() => window.story.see('Pending'));
      assert.equal(
        await run(() => document.querySelector('.card .prompt').textContent),
        'A desert at sunset',
      );
      advance(2 * TASK_MS);
      await run(async () => {
        await window.story.see('Done');
        await window.story.pictures();
      });
      assert.equal(server.counts.creates, 1);

      const { polls } = server.counts;
      await page.reload();
      await begin();
      await run(async () => {
        await window.story.see('Done');
        await window.story.pictures();
      });
      assert.equal(await run(() => document.querySelectorAll('.card').length), 1, 'it keeps its card');
      assert.deepEqual([server.counts.creates, server.counts.polls], [1, polls], 'and is not continued');
    });

    test('reloads it before the first answer, and pays once', GUARD, async () => {
      await fresh();
      await run(() => window.story.generate('test-slow:1500', 'A forest in autumn'));
      await until(() => server.counts.creates === 1);
      await page.reload();
      await begin();
      await run(async () => {
        await window.story.see('Done');
        await window.story.pictures();
      });
      assert.equal(server.counts.creates, 1);
    });

    test('has three at once', GUARD, async () => {
      await fresh();
      await run(async () => {
        const { story } = window;
        await story.generate('flux-pro', 'A lake in winter', '1792x1024');
        await story.generate('midjourney', 'A city of glass', '1024x1792');
        await story.generate('ideogram-v3', 'A golden lemon');
        await story.until(() => document.querySelectorAll('.ring').length === 3, 'three rings');
        await story.see('Pending');
      });
      await look('3-three');
      advance(2 * TASK_MS);
      const words = await run(async () => {
        const { story } = window;
        const all = () =>
          [...document.querySelectorAll('.card .state')].map(({ textContent }) => textContent.trim());
        await story.until(() => all().every((state) => state.startsWith('Done')), 'three done');
        const announced = () => document.getElementById('announcer').textContent;
        await story.until(() => announced().split('Done').length === 4, 'three announcements');
        return announced();
      });
      assert.equal(server.counts.creates, 3);
      for (const prompt of ['A lake in winter', 'A city of glass', 'A golden lemon']) {
        assert.match(words, new RegExp(`Done after [^:]*: ${prompt}`), 'it is announced');
      }
    });

    test('follows the hint of an error', GUARD, async () => {
      await fresh();
      const problem = await run(async () => {
        const { story } = window;
        await story.generate('test-error-400-model-not-found', 'A lake');
        await story.see('Refused');
        return document.querySelector('.card .problem').textContent;
      });
      assert.match(problem, /Did you mean 'dall-e-3'/);
      assert.match(problem, /Nothing is billed/);
      await look('4-error');
      await run(async () => {
        const { story } = window;
        await story.press('Use dall-e-3');
        await story.see('Done');
      });
    });

    test('goes offline and comes back', GUARD, async () => {
      await fresh();
      await run(async () => {
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
      assert.equal(server.counts.creates, 0);
      await look('5-offline');
      await run(async () => {
        const { story } = window;
        story.online(true);
        await story.see('Done');
        await story.until(() => document.getElementById('banner').textContent === '', 'no banner');
      });
      assert.equal(server.counts.creates, 1);
    });

    test('waits while the server is down', GUARD, async () => {
      await fresh();
      await run(async () => {
        await window.story.generate('flux-pro', 'A wave of rain');
        await window.story.see('Pending');
      });
      const { port } = served;
      await served.close();
      await run(async () => {
        const { story } = window;
        await story.see('Connection lost');
        await story.until(
          () => /cannot be reached/.test(document.getElementById('banner').textContent),
          'banner',
        );
      });
      advance(2 * TASK_MS);
      served = await serve(port);
      await run(async () => {
        const { story } = window;
        await story.see('Done');
        await story.until(() => document.getElementById('banner').textContent === '', 'no banner');
      });
      assert.equal(server.counts.creates, 1, 'another process of the same server knows the task');
    });

    test('looks through the gallery', GUARD, async () => {
      await fresh();
      const seen = await run(async () => {
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
      await look('6-compare');
      await run(() => window.story.press('Close'));
      await look('7-gallery');
      assert.deepEqual(await run(() => window.story.violations), []);
    });

    for (const [title, action, pictures, masks, path] of [
      ['edits pictures of theirs', 'edit', ['lemon.png', 'lime.png'], ['lime.png'], 'edits'],
      ['draws from a picture of theirs', 'generate', ['lime.png'], [], 'generations'],
    ]) {
      test(`${title}, and reads the exact call`, GUARD, async () => {
        await fresh();
        const filesOf = (names) => Object.fromEntries(names.map((name) => [name, FILES[name]]));
        const seen = await run(
          async ({ action, pictures, mask }) => {
            const { story } = window;
            document.getElementById('sources').open = true;
            story.pick('pictures', pictures);
            document.querySelector(`[name=action][value=${action}]`).click();
            story.pick('mask', mask);
            const previews = document.querySelectorAll('#previews img').length;
            await story.generate('gpt-image-2', 'It’s a "lime"', '1024x1024');
            await story.see('Done');
            const widths = await story.pictures();
            const code = await story.code();
            for (const id of ['pictures', 'mask']) story.pick(id, {});
            return { previews, widths, code, problems: story.violations };
          },
          { action, pictures: filesOf(pictures), mask: filesOf(masks) },
        );
        assert.deepEqual([seen.previews, seen.widths, seen.problems], [pictures.length, [1024], []]);
        const creates = server.counts.requests.filter(({ method }) => method === 'POST');
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
        await look(`8-${action}`);
      });
    }
  });
}
