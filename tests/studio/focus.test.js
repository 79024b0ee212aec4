/** The focus of the keyboard is never lost: after each action it is on the next sensible control. In three browsers. */

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { servePage } from '../../scripts/lib/serve-page.js';
import { BROWSERS, openBrowser } from '../helpers/browsers.js';
import { startServer } from '../server/index.js';
import { KEY } from './studio.js';

/** Ends a test that hangs. */
const GUARD = { timeout: 300_000 };
const TASK_MS = 30_000;

const clock = Date.UTC(2026, 0, 1);
let server;
let served;

before(async () => {
  server = await startServer({ apiKey: KEY, taskMs: TASK_MS, now: () => clock, retryAfter: 0 });
  served = await servePage({ upstream: { url: server.url, key: KEY }, pollInterval: { min: 40, max: 60 } });
});
after(async () => {
  await served?.close();
  await server?.close();
});

/** Defines in the page what a person at a keyboard does. */
function prepare() {
  const named = (element) => element.getAttribute('aria-label') ?? element.textContent.trim();
  const person = {
    async until(holds, description) {
      for (let waited = 0; !holds(); waited += 10) {
        if (waited > 20_000) throw new Error(`never seen: ${description}; the focus is on ${person.focus()}`);
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    },
    /** Presses a control, as Enter does: it has the focus before. */
    async press(name, within = 'body') {
      const find = () =>
        [...document.querySelectorAll(`${within} :is(button, a)`)].find(
          (each) => each.checkVisibility() && named(each).startsWith(name),
        );
      await person.until(find, name);
      find().focus();
      find().click();
    },
    async generate(model, prompt) {
      for (const [id, value] of Object.entries({ model, prompt, size: '512x512' })) {
        const field = document.getElementById(id);
        field.value = value;
        for (const type of ['input', 'change']) field.dispatchEvent(new Event(type, { bubbles: true }));
      }
      document.activeElement.blur();
      document.querySelector('[name=send]').click();
      await person.until(() => document.querySelector('.card h3')?.textContent.trim() === prompt, 'the card');
    },
    state: (text) =>
      person.until(() => document.querySelector('.card .state').textContent.includes(text), text),
    /** Where the focus is: the card or the part of the page, and the control. */
    focus() {
      const { activeElement: active } = document;
      if (active === document.body) return 'lost';
      const part = active.closest('.card')?.querySelector('h3').textContent ?? active.closest('[id]')?.id;
      return `${part}: ${named(active).split(',')[0]}`;
    },
    settle: (place) => person.until(() => person.focus() === place, place),
    key: (key) =>
      document.activeElement.dispatchEvent(
        new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }),
      ),
  };
  window.person = person;
}

for (const name of BROWSERS) {
  describe(`in ${name}, the focus is kept`, () => {
    let browser;
    let page;
    const run = (work, argument) => page.run(work, argument);

    before(async () => {
      browser = await openBrowser(name);
      page = await browser.open(served.url);
      await run(prepare);
      await run(() => window.person.until(() => !document.querySelector('#feed').ariaBusy, 'it is ready'));
    });
    after(() => browser?.close());

    test('after stop, wait, dismiss, retry and clear', GUARD, async () => {
      await run(async () => {
        const { person } = window;
        await person.generate('flux-pro', 'A lemon');
        await person.state('Accepted as a task');
        await person.press('Stop waiting');
        await person.until(() => /^A lemon: (?!Stop)/.test(person.focus()), 'a control of the same card');
        await person.press('Wait again');
        await person.until(() => /^A lemon: (?!Wait)/.test(person.focus()), 'a control of the same card');
        await person.press('Stop waiting');
        await person.generate('test-error-400-model-not-found', 'A pear');
        await person.state('Refused');
        await person.press('Dismiss', '.card');
        await person.settle('A lemon: Dismiss');
        await person.press('Generate again');
        await person.until(() => /^A lemon: ./.test(person.focus()), 'the new card');
        await person.state('Accepted as a task');
        await person.press('Stop waiting');
        await person.press('Clear finished');
        await person.until(() => !document.querySelector('.card'), 'no card');
        await person.until(
          () => document.getElementById('feed').contains(document.activeElement),
          'the feed',
        );
      });
    });

    test('after a deletion, its undo, and in the viewer', GUARD, async () => {
      await run(async () => {
        const { person } = window;
        for (const prompt of ['One', 'Two', 'Three']) {
          await person.generate('dall-e-2', prompt);
          await person.state('Done');
        }
        await person.press('Gallery');
        await person.until(() => document.querySelectorAll('#tiles img[src]').length === 3, 'three tiles');
        const tile = (index) => document.querySelector(`#tiles .open[data-index="${index}"]`);
        tile(1).focus();
        person.key('Delete');
        await person.settle('tiles: One');
        await person.press('Undo', '.toast:last-child');
        await person.until(() => document.querySelectorAll('#tiles li').length === 3, 'three tiles');
        await person.settle('tiles: One');
        // The last tile goes: the one before it is the next sensible one.
        person.key('Delete');
        await person.settle('tiles: Two');
        await person.press('Undo', '.toast:last-child');
        await person.until(() => document.querySelectorAll('#tiles li').length === 3, 'three tiles again');

        await person.press('Select', '.tools');
        await person.until(() => person.focus().startsWith('tiles: '), 'a tile');
        person.key('x');
        await person.press('Delete', '.selection');
        await person.until(() => document.querySelectorAll('#tiles li').length === 2, 'two tiles');
        await person.until(() => person.focus().startsWith('tiles: '), 'a tile');
        await person.press('Undo', '.toast:last-child');
        await person.until(() => document.querySelectorAll('#tiles li').length === 3, 'three tiles');

        tile(0).click();
        await person.until(() => document.querySelector('.viewer .stage img'), 'the picture');
        await person.press('Zoom in', '.viewer');
        await person.press('Zoom out', '.viewer');
        await person.until(
          () => document.activeElement !== document.body && !document.activeElement.matches(':disabled'),
          'a control that can be pressed',
        );
        await person.press('Delete', '.viewer');
        await person.until(
          () => document.querySelector('.viewer').contains(document.activeElement),
          'the viewer',
        );
        person.key('Delete');
        await person.until(
          () => /of 1$/.test(document.querySelector('.viewer .place').textContent),
          'one left',
        );
        person.key('Delete');
        await person.until(() => !document.querySelector('.viewer').open, 'the gallery');
        await person.until(() => person.focus() !== 'lost', 'a control');
      });
    });

    test('by the link past the head of the page', GUARD, async () => {
      const found = await run(async () => {
        const { person } = window;
        const [first] = document.querySelectorAll('a, button, input');
        first.focus();
        const isSeen = getComputedStyle(first).clipPath === 'none';
        const before = location.href;
        await person.press('Skip to the content');
        return [first.className, isSeen, document.activeElement.id, location.href === before];
      });
      assert.deepEqual(found, ['skip', true, 'main', true]);
    });
  });
}
