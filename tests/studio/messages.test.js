/** The short messages of the studio: equal ones are one, few stand at once, and none covers a control of a dialog. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { PROMPT, untilAsync, useStudio } from './studio.js';

/** Ends a test that hangs. */
const GUARD = { timeout: 300_000 };

const studio = useStudio();
let app;

const toasts = () => app.$('.toast p').allTextContents();
const undo = () => app.$('.toast').last().getByRole('button', { name: 'Undo' }).click();
const dismiss = () => app.card.getByRole('button', { name: 'Dismiss' }).click();
const cards = async (count) => untilAsync(async () => (await app.$('.card').count()) === count);

async function fail(...prompts) {
  for (const prompt of prompts) {
    await app.generate('test-error-400-model-not-found', { prompt });
    await app.card.locator('.prompt', { hasText: prompt }).waitFor();
    await app.state('Refused');
  }
}

describe('a message', GUARD, () => {
  test('of several dismissals is one, and brings all of them back', async () => {
    app = await studio.open();
    await fail('One', 'Two', 'Three');
    await dismiss();
    assert.deepEqual(await toasts(), ['Dismissed.']);
    await dismiss();
    await dismiss();
    await cards(0);
    assert.deepEqual(await toasts(), ['Dismissed 3.']);
    await undo();
    await cards(3);
    assert.deepEqual(await toasts(), []);
    assert.match((await app.$('#announcer p').allTextContents()).join(), /Dismissed 3\. Undo: press F8\./);
    // What was brought back is no part of the next one.
    await dismiss();
    assert.deepEqual(await toasts(), ['Dismissed.']);
    await app.advance(21_000);
    assert.deepEqual(await toasts(), []);
    await dismiss();
    assert.deepEqual(await toasts(), ['Dismissed.']);
    await undo();
    await cards(2);
    await app.reload();
    await cards(2);
  });

  test('of “Clear finished” counts the cards, and brings back a race as one', async () => {
    app = await studio.open();
    await fail('One', 'Two');
    await app.page.fill('#prompt', PROMPT);
    await app.page.fill('#size', '512x512');
    await app.chooseModels('dall-e-2', 'midjourney');
    await app.page.click('#race .start');
    await app.$('.lane[data-phase=done]').waitFor();
    // A lane that has ended stays in a race that goes on.
    await app.page.click('text=Clear finished');
    await cards(1);
    assert.deepEqual(await toasts(), ['Cleared 2.']);
    assert.equal(await app.$('.lane[data-phase=done] img').count(), 1);
    await undo();
    await cards(3);
    await app.$('.race button', { hasText: 'Stop all' }).click();
    await app.page.click('text=Clear finished');
    await cards(0);
    assert.deepEqual(await toasts(), ['Cleared 3. 1 may still be billed: see below.']);
    await undo();
    await cards(3);
    assert.equal(await app.$('.race .lane').count(), 2);
    await app.$('.race').getByRole('button', { name: 'Dismiss' }).click();
    assert.deepEqual(await toasts(), ['Moved to the stopped ones below.']);
    await undo();
    await cards(3);
    await app.reload();
    await cards(3);
  });

  test('is one of three at most, and an offer to undo outlasts the others', async () => {
    app = await studio.open();
    await fail('One', 'Two');
    await dismiss();
    await app.page.click('#share');
    await app.$('.toast', { hasText: /Link copied|address of this page/ }).waitFor();
    await app.page.click('text=Clear finished');
    await app.page.fill('#prompt', 'Something else');
    const suggestion = app.$('[data-prompt]').first();
    await suggestion.evaluate((button) => button.click());
    assert.deepEqual(await toasts(), ['Dismissed.', 'Cleared 1.', 'The settings were replaced.']);
    await app.page.click('#share');
    await app.$('.toast', { hasText: /Link copied|address of this page/ }).waitFor();
    assert.equal(await app.$('.toast').count(), 3);
    assert.ok((await toasts())[0].startsWith('Cleared'));

    // Equal offers are one, and it goes back to the beginning.
    await app.page.fill('#prompt', 'Something new');
    await suggestion.evaluate((button) => button.click());
    assert.equal((await toasts()).filter((text) => text.startsWith('The settings')).length, 1);
    await app.$('.toast', { hasText: 'The settings' }).getByRole('button').click();
    assert.equal(await app.page.inputValue('#prompt'), 'Something else');
  });

  /** The controls of the open dialog that a message covers. */
  const covered = () =>
    app.page.evaluate(() => {
      const dialog = document.querySelector('dialog[open]');
      const messages = [...dialog.querySelectorAll('.toast')].map((toast) => toast.getBoundingClientRect());
      if (messages.length === 0) return ['there is no message'];
      const controls = [...dialog.querySelectorAll('button, input, summary, pre')].filter(
        (control) => !control.closest('.toasts') && control.checkVisibility(),
      );
      return controls
        .filter((control) => {
          const { left, right, top, bottom } = control.getBoundingClientRect();
          return messages.some(
            (box) => box.left < right && box.right > left && box.top < bottom && box.bottom > top,
          );
        })
        .map((control) => control.getAttribute('aria-label') ?? control.textContent);
    });

  for (const [width, height] of [
    [1280, 900],
    [390, 844],
  ]) {
    test(`covers no control of the viewer, of a question or of the code, at ${width} pixels`, async () => {
      app = await studio.open({ viewport: { width, height } });
      await app.generate('dall-e-2', { n: '2' });
      await app.state('Done');
      await app.card.locator('.picture').first().click();
      await app.$('#viewer .stage img').waitFor();
      await app.page.keyboard.press('Delete');
      await app.$('.viewer .place', { hasText: '1 of 1' }).waitFor();
      await app.$('.viewer .toast', { hasText: 'Deleted' }).waitFor();
      assert.deepEqual(await covered(), []);
      const [message, stage] = await app.page.evaluate(() =>
        ['.viewer .toast', '.viewer .stages'].map((name) => {
          const { top, bottom, height } = document.querySelector(name).getBoundingClientRect();
          return { top, bottom, height };
        }),
      );
      // The picture keeps its place: the message lies over the lower part of it.
      assert.ok(stage.height > height / 3, `${stage.height}`);
      assert.ok(message.top > stage.top + stage.height / 2 && message.bottom < stage.bottom);
      await app.look(`messages-viewer-${width}`);
      await app.page.keyboard.press('Escape');
      await app.$('.viewer').waitFor({ state: 'hidden' });

      await app.page.fill('#n', '8');
      await app.page.click('[name=send]');
      await app.$('#confirm .toast').waitFor();
      assert.deepEqual(await covered(), []);
      await app.look(`messages-question-${width}`);
      await app.page.keyboard.press('Escape');
      await app.$('#confirm').waitFor({ state: 'hidden' });

      await app.page.click('#show-code');
      await app.$('#code-text').waitFor();
      await app.$('#code').getByRole('button', { name: 'Copy' }).click();
      await app.$('#code .toast', { hasText: /Copied|Selected/ }).waitFor();
      assert.deepEqual(await covered(), []);
      await app.look(`messages-code-${width}`);
    });
  }
});
