/**
 * The race, the remix and the drop as a person meets them, in three browsers and against real servers. A task lasts until
 * the test advances the server's clock; polls follow each other quickly.
 */

import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { PNG } from 'pngjs';
import { servePage } from '../../scripts/lib/serve-page.js';
import { withSettings } from '../../www/picture-settings.js';
import { BROWSERS, openBrowser } from '../helpers/browsers.js';
import { startServer } from '../server/index.js';
import { KEY, screenshotPath } from './studio.js';

/** Ends a test that hangs. */
const GUARD = { timeout: 120_000 };
const TASK_MS = 30_000;

let clock = Date.UTC(2026, 0, 1);
let server;
let served;

before(async () => {
  server = await startServer({ apiKey: KEY, taskMs: TASK_MS, now: () => clock, retryAfter: 0 });
  served = await servePage({
    upstream: { url: server.url, key: KEY },
    pollInterval: { min: 40, max: 60 },
  });
});
after(async () => {
  await served?.close();
  await server?.close();
});

/** Defines in the page the actions of a person. */
function prepare() {
  const named = (element) => (element.getAttribute('aria-label') ?? element.textContent).trim();
  const story = {
    violations: [],
    fill(id, text) {
      const field = document.getElementById(id);
      field.value = text;
      field.dispatchEvent(new Event('input', { bubbles: true }));
    },
    async press(name) {
      const find = () =>
        [...document.querySelectorAll('button, nav a, summary')].find(
          (element) => element.checkVisibility() && !element.disabled && named(element).startsWith(name),
        );
      await story.until(find, `a button ${name}`);
      find().click();
    },
    async until(holds, description) {
      for (let waited = 0; !holds(); waited += 10) {
        if (waited > 40_000) {
          const shown = document.getElementById('feed').innerText.replace(/\s+/g, ' ');
          throw new Error(`never seen: ${description}; but: ${shown}`);
        }
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    },
    ready: () => story.until(() => !document.querySelector('#feed').ariaBusy, 'it is ready'),
    lanes: () => [...document.querySelectorAll('.lane')],
    phases: () => story.lanes().map(({ dataset }) => dataset.phase),
    /** Waits until the lanes are in these phases. */
    see: (...phases) => story.until(() => `${story.phases()}` === `${phases}`, phases),
    /** The pictures of the lanes, once they are on the screen. */
    async pictures() {
      const images = [...document.querySelectorAll('.lane img')];
      await Promise.all(images.map((image) => story.until(() => image.src, 'a picture')));
      await Promise.all(images.map((image) => image.decode()));
      return images.map(({ naturalWidth }) => naturalWidth);
    },
    async race(models) {
      await story.press('Race several models');
      await story.until(() => document.getElementById('race-filter'), 'the picker');
      for (const chip of document.querySelectorAll('.chips [aria-pressed=true]')) chip.click();
      for (const model of models) {
        story.fill('race-filter', model);
        const init = { key: 'Enter', bubbles: true, cancelable: true };
        document.getElementById('race-filter').dispatchEvent(new KeyboardEvent('keydown', init));
      }
      await story.press(`Race ${models.length} models`);
      await story.until(() => story.lanes().length === models.length, 'the lanes');
    },
  };
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
    async function begin() {
      await run(prepare);
      await run(() => window.story.ready());
    }

    before(async () => {
      server.reset();
      browser = await openBrowser(name);
      page = await browser.open(served.url);
      await begin();
    });
    after(() => browser?.close());

    test('a person remixes a sample', GUARD, async () => {
      const seen = await run(async () => {
        const { story } = window;
        const samples = [...document.querySelectorAll('.samples img')];
        await Promise.all(samples.map((image) => image.decode()));
        const widths = samples.map(({ naturalWidth }) => naturalWidth);
        document.querySelectorAll('.samples button')[1].click();
        const values = ['prompt', 'model', 'size'].map((id) => document.getElementById(id).value);
        return { widths, values, kept: document.getElementById('gallery-count').textContent, ...story };
      });
      assert.deepEqual(seen.widths, Array(6).fill(384));
      assert.deepEqual(seen.values, ['A small town at night, rain on the street', 'flux-2-pro', '1536x1024']);
      assert.deepEqual([seen.kept, seen.violations], ['', []]);
      assert.equal(server.counts.requests.length, 0);
      await look('race-1-samples');
    });

    test('races three models, reloads meanwhile, and compares the pictures', GUARD, async () => {
      await run(async () => {
        const { story } = window;
        story.fill('prompt', 'A lemon tree above a quiet sea');
        story.fill('size', '512x512');
        await story.race(['dall-e-2', 'flux-pro', 'test-error-400-model-not-found']);
        await story.see('done', 'waiting', 'failed');
      });
      assert.equal(server.counts.creates, 3);
      clock += TASK_MS / 2;
      await run(() =>
        window.story.until(() => /Processing, \d+ %/.test(window.story.lanes()[1].textContent), 'progress'),
      );
      await look('race-2-running');
      await page.reload();
      await begin();
      await run(() => window.story.see('done', 'waiting', 'failed'));
      clock += TASK_MS;
      const seen = await run(async () => {
        const { story } = window;
        await story.see('done', 'done', 'failed');
        const widths = await story.pictures();
        const first = story.lanes().findIndex((lane) => lane.querySelector('.badge'));
        const ends = [...document.querySelectorAll('.chart .end')].map((end) =>
          Number.parseFloat(end.getAttribute('x')),
        );
        const polls = document.querySelectorAll('.chart p:nth-child(2) .poll').length;
        await story.press('Compare 2');
        const viewer = document.getElementById('viewer');
        await story.until(() => viewer.querySelectorAll('.stage img').length === 2, 'two');
        const compared = [...viewer.querySelectorAll('.stage img')];
        await Promise.all(compared.map((image) => image.decode()));
        await story.press('Close');
        return { widths, first, ends, polls, violations: story.violations };
      });
      assert.deepEqual([seen.widths, seen.first, seen.violations], [[512, 512], 0, []]);
      assert.equal(seen.ends.length, 3);
      assert.ok(seen.ends[0] < seen.ends[1], 'the faster one ends earlier on the axis');
      assert.ok(seen.polls > 2);
      assert.equal(server.counts.creates, 3);
      assert.equal(server.counts.keyLeaks, 0);
      await look('race-3-done');
    });

    test('drops a picture of the studio, and goes on with its settings', GUARD, async () => {
      const request = {
        model: 'ideogram-v3',
        prompt: 'Ein Zitronenbaum – レモン',
        size: '512x512',
        seed: 42,
      };
      const png = new Blob([PNG.sync.write(new PNG({ width: 4, height: 4 }))], { type: 'image/png' });
      const marked = await withSettings(png, request);
      const base64 = Buffer.from(await marked.arrayBuffer()).toString('base64');
      const seen = await run(async (content) => {
        const { story } = window;
        const transfer = new DataTransfer();
        const bytes = Uint8Array.from(atob(content), (char) => char.charCodeAt(0));
        transfer.items.add(new File([bytes], 'lemon.png', { type: 'image/png' }));
        for (const type of ['dragover', 'drop']) {
          const event = new DragEvent(type, { bubbles: true, cancelable: true, dataTransfer: transfer });
          document.getElementById('feed').dispatchEvent(event);
        }
        await story.press('Use its settings');
        const values = ['model', 'prompt', 'size', 'seed'].map((id) => document.getElementById(id).value);
        return { values, violations: story.violations };
      }, base64);
      assert.deepEqual(seen, { values: Object.values({ ...request, seed: '42' }), violations: [] });
      await look('race-4-drop');
    });
  });
}
