/** The race, the remix and the drop as a person meets them, in three browsers. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PNG } from 'pngjs';
import { withSettings } from '../../www/picture-settings.js';
import { GUARD, TASK_MS, tellStories } from './story.js';

/** Defines in the page what a person does with a race. */
function prepare() {
  const { story } = window;
  Object.assign(story, {
    lanes: () => [...document.querySelectorAll('.lane')],
    phases: () => story.lanes().map(({ dataset }) => dataset.phase),
    /** Waits until the lanes are in these phases. */
    seeLanes: (...phases) => story.until(() => `${story.phases()}` === `${phases}`, phases),
    async race(models) {
      await story.press('Race several models');
      await story.until(() => document.getElementById('race-filter'), 'the picker');
      for (const chip of document.querySelectorAll('.chips [aria-pressed=true]')) chip.click();
      for (const model of models) {
        story.fill('race-filter', model);
        story.key(document.getElementById('race-filter'), 'Enter');
      }
      await story.press(`Race ${models.length} models`);
      await story.until(() => story.lanes().length === models.length, 'the lanes');
    },
  });
}

tellStories((person) => {
  test('a person remixes a sample', GUARD, async () => {
    const seen = await person.run(async () => {
      const { story } = window;
      const samples = [...document.querySelectorAll('.samples img')];
      await Promise.all(samples.map((image) => image.decode()));
      const widths = samples.map(({ naturalWidth }) => naturalWidth);
      document.querySelectorAll('.samples button')[1].click();
      const values = ['prompt', 'model', 'size'].map(story.value);
      return { widths, values, kept: story.text('#gallery-count') };
    });
    assert.deepEqual(seen.widths, Array(6).fill(384));
    assert.deepEqual(seen.values, ['A small town at night, rain on the street', 'flux-2-pro', '1536x1024']);
    assert.equal(seen.kept, '');
    assert.deepEqual(person.creates(), []);
    await person.look('race-1-samples');
  });

  test('races three models, reloads meanwhile, and compares the pictures', GUARD, async () => {
    await person.run(async () => {
      const { story } = window;
      story.fill('prompt', 'A lemon tree above a quiet sea');
      story.fill('size', '512x512');
      await story.race(['dall-e-2', 'flux-pro', 'test-error-400-model-not-found']);
      await story.seeLanes('done', 'waiting', 'failed');
    });
    assert.equal(person.server.counts.creates, 3);
    person.advance(TASK_MS / 2);
    await person.run(() =>
      window.story.until(() => /Processing, \d+ %/.test(window.story.lanes()[1].textContent), 'progress'),
    );
    await person.look('race-2-running');
    await person.reload();
    await person.run(async () => {
      const { story } = window;
      await story.seeLanes('done', 'waiting', 'failed');
      const polls = () => document.querySelectorAll('.chart p:nth-child(2) .poll');
      await story.until(() => polls().length > 2, 'the polls of the second model');
    });
    person.advance(TASK_MS);
    const seen = await person.run(async () => {
      const { story } = window;
      await story.seeLanes('done', 'done', 'failed');
      const widths = await story.widths('.lane', 2);
      const first = story.lanes().findIndex((lane) => lane.querySelector('.badge'));
      const ends = [...document.querySelectorAll('.chart .end')].map((end) =>
        Number.parseFloat(end.getAttribute('x')),
      );
      await story.press('Compare 2');
      await story.widths('#viewer .stage', 2);
      await story.press('Close');
      return { widths, first, ends };
    });
    assert.deepEqual([seen.widths, seen.first], [[512, 512], 0]);
    assert.equal(seen.ends.length, 3);
    assert.ok(seen.ends[0] < seen.ends[1], 'the faster one ends earlier on the axis');
    assert.equal(person.server.counts.creates, 3);
    await person.look('race-3-done');
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
    const seen = await person.run(async (content) => {
      const { story } = window;
      story.drop('#feed', { 'lemon.png': content });
      await story.press('Use its settings');
      return ['model', 'prompt', 'size', 'seed'].map(story.value);
    }, base64);
    assert.deepEqual(seen, Object.values({ ...request, seed: '42' }));
    await person.look('race-4-drop');
  });
}, prepare);
