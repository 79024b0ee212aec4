/** What a person does with the form, the money and the code. In three browsers. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GUARD, plainPicture, TASK_MS, tellStories } from './story.js';
import { until } from './studio.js';

const TABS = ['browser', 'worker', 'node', 'react', 'ai', 'curl', 'python'];

/** Defines in the page what a person does with the form and its dialogs. */
function prepare() {
  const { story } = window;
  Object.assign(story, {
    isOpen: (selector) => Boolean(document.querySelector(`${selector}[open]`)),
    seeOpen: (selector) => story.until(() => story.isOpen(selector), `${selector} is open`),
    seeClosed: (selector) => story.until(() => !story.isOpen(selector), `${selector} is closed`),
    seeValue: (id, value) => story.until(() => story.value(id) === value, `${id} is ${value}`),
    fields: () =>
      [...document.querySelectorAll('#form [data-field]')]
        .filter(({ hidden }) => !hidden)
        .map(({ dataset }) => dataset.field),
  });
}

tellStories((person) => {
  const value = (id) => person.run((name) => window.story.value(name), id);

  test('finds a model by typing, and its fields', GUARD, async () => {
    await person.click('#model');
    // The list of the service takes the place of the documented one.
    await person.run(() =>
      window.story.until(() => window.story.text('#model-note').includes('$'), 'a price'),
    );
    const open = () => person.run(() => window.story.element('#model').ariaExpanded);
    assert.equal(await open(), 'true');
    await person.input.type('pro banana');
    await person.run(() =>
      window.story.until(() => window.story.text('#models .best span') === 'nano-banana-pro', 'the match'),
    );
    await person.input.press('Enter');
    assert.deepEqual([await value('model'), await open()], ['nano-banana-pro', 'false']);
    await person.input.press('ArrowDown');
    await person.input.press('ArrowDown');
    await person.run(() => window.story.until(() => window.story.element('#models .active'), 'a suggestion'));
    await person.input.press('Escape');
    assert.deepEqual([await value('model'), await open()], ['nano-banana-pro', 'false']);

    const seen = await person.run(async () => {
      const { story } = window;
      document.getElementById('more').open = true;
      const pick = (field, ratio) =>
        [...document.querySelectorAll(`#${field}-tiles label`)]
          .find(({ textContent }) => textContent.includes(ratio))
          .click();
      const found = [story.fields().join()];
      story.fill('model', 'gpt-image-2');
      pick('size', '16:9');
      found.push(story.value('size'));
      story.fill('model', 'dall-e-3');
      found.push(story.text('#size-problem'));
      story.fill('model', 'my-model');
      await story.press('Random seed');
      const seed = story.value('seed');
      await story.press('Random seed');
      found.push(/^\d+$/.test(seed) && seed !== story.value('seed'));
      story.fill('seed', '');
      story.fill('model', 'nano-banana-2');
      pick('aspect_ratio', '9:16');
      story.fill('prompt', 'A tall lemon');
      await story.press('Generate');
      await story.see('Done');
      return found;
    });
    assert.deepEqual(seen, [
      'aspect_ratio,resolution,async,fallback,response_format',
      '2048x1152',
      'dall-e-3 draws 1024x1024, 1792x1024 and 1024x1792.',
      true,
    ]);
    assert.deepEqual(
      person.creates().map(({ body }) => body),
      [{ model: 'nano-banana-2', prompt: 'A tall lemon', aspect_ratio: '9:16', n: 1 }],
    );
  });

  test('gets earlier words back, and Back closes a dialog', GUARD, async () => {
    await person.fresh();
    await person.run(async () => {
      const { story } = window;
      story.fill('aspect_ratio', '');
      for (const prompt of ['One lemon', 'Two lemons']) {
        await story.generate('dall-e-2', prompt, { size: '256x256' });
        await story.see('Done');
      }
      story.fill('prompt', '');
      story.element('#prompt').focus();
    });
    for (const [key, prompt] of [
      ['ArrowUp', 'Two lemons'],
      ['ArrowUp', 'One lemon'],
      ['ArrowDown', 'Two lemons'],
      ['ArrowDown', ''],
    ]) {
      await person.input.press(key);
      assert.equal(await value('prompt'), prompt, key);
    }
    await person.input.type('My own words?');
    assert.equal(await value('prompt'), 'My own words?', 'a question mark in a field is text');
    await person.run(async () => {
      const { story } = window;
      await story.press('Earlier prompts');
      await story.press('One lemon', '#prompts');
      await story.seeValue('prompt', 'One lemon');
      await story.press('Undo', '.toast:last-child');
      await story.seeValue('prompt', 'My own words?');
      await story.press('Use settings', '.card');
      await story.seeValue('prompt', 'Two lemons');
      await story.press('Undo', '.toast:last-child');
      await story.seeValue('prompt', 'My own words?');
      story.element('[name=send]').focus();
    });
    await person.input.press('?');
    await person.run(async () => {
      const { story } = window;
      await story.seeOpen('#shortcuts');
      history.back();
      await story.seeClosed('#shortcuts');
      await story.until(() => history.state.dialogs === 0, 'the entry of the page');
      await story.press('Gallery', 'nav');
      await story.press('Two lemons', '#tiles');
      await story.seeOpen('#viewer');
      await story.press('Code', '#viewer');
      await story.seeOpen('#code');
      history.back();
      await story.seeClosed('#code');
      if (!story.isOpen('#viewer')) throw new Error('Back closes one dialog at a time.');
      history.back();
      await story.seeClosed('#viewer');
      history.back();
      await story.until(() => story.element('#create').checkVisibility(), 'the form');
      await story.seeValue('prompt', 'My own words?');
    });
  });

  test('pays once for a key that is held, and confirms many pictures', GUARD, async () => {
    await person.fresh();
    await person.run(() => {
      const { story } = window;
      for (const [id, text] of Object.entries({ model: 'dall-e-2', prompt: 'A held lemon', size: '256x256' }))
        story.fill(id, text);
      story.element('#prompt').focus();
    });
    await person.input.hold('Control');
    await person.input.hold('Enter');
    await person.run(async () => {
      const { story } = window;
      await story.see('Done');
      // No driver repeats a key that is held, so these events come from a script, after the time of a double click.
      await story.until(() => story.text('[name=send]') === 'Generate', 'the button');
      for (let count = 0; count < 10; count += 1) {
        story.key(story.element('#prompt'), 'Enter', { ctrlKey: true, repeat: true });
      }
    });
    await person.input.release('Enter');
    await person.input.release('Control');
    await person.run(async () => {
      const { story } = window;
      story.fill('n', '5');
      await story.press('Generate');
      await story.seeOpen('#confirm');
      if (!story.text('#confirm').includes('Make 5 pictures?')) throw new Error(story.text('#confirm'));
    });
    await person.look('form-confirm');
    await person.input.press('Escape');
    await person.run(async () => {
      const { story } = window;
      await story.seeClosed('#confirm');
      if (document.querySelectorAll('.card').length !== 1) throw new Error('It was not confirmed.');
      await story.press('Generate');
      await story.press('Make 5 pictures', '#confirm');
      await story.until(() => document.querySelectorAll('.card').length === 2, 'the card');
      await story.see('Done');
      await story.pictures(5);
      story.fill('n', '1');
    });
    assert.deepEqual(
      person.creates().map(({ body }) => body.n),
      [1, 5],
    );
  });

  test('loses no picture where storage is full or a file is gone', GUARD, async () => {
    await person.fresh();
    person.server.next({ on: 'create', reply: { body: { data: [{ b64_json: plainPicture(90) }] } } });
    await person.run(async () => {
      const { story } = window;
      const { put } = IDBObjectStore.prototype;
      let isFull = true;
      IDBObjectStore.prototype.put = function (...values) {
        if (isFull && this.name !== 'tasks') throw new DOMException('It is full.', 'QuotaExceededError');
        return put.apply(this, values);
      };
      const before = story.count();
      await story.generate('dall-e-2', 'A lemon in memory');
      await story.see('Done');
      await story.pictures();
      await story.until(() => /no space for the picture/.test(story.text('.card .in-memory')), 'the warning');
      if (dispatchEvent(new Event('beforeunload', { cancelable: true }))) throw new Error('No question.');
      await story.press('Store it', '.card');
      await story.until(() => /still no space/.test(story.text('.toast:last-child')), 'no space');
      isFull = false;
      await story.press('Store it', '.card');
      await story.until(() => !document.querySelector('.in-memory'), 'it is stored');
      if (!dispatchEvent(new Event('beforeunload', { cancelable: true }))) throw new Error('A question.');
      window.name = `${before + 1}`;
    });
    // Its card has gone with the page, which has no room for the picture in its journal.
    await person.reload();
    await person.run(async () => {
      const { story } = window;
      await story.until(() => `${story.count()}` === window.name, 'it is in the gallery');
      await story.press('Gallery', 'nav');
      await story.widths('#tiles', story.count());
      await story.press('Create', 'nav');
    });

    person.server.next({ on: 'file', reply: { status: 404, body: 'gone' } });
    await person.run(() => window.story.generate('flux-pro', 'A lost lemon'));
    await person.run(() => window.story.see('Pending'));
    person.advance(2 * TASK_MS);
    await person.run(() => window.story.see('The picture’s file cannot be loaded'));
    const { creates, polls } = person.server.counts;
    await person.look('form-lost-file');
    await person.run(async () => {
      const { story } = window;
      await story.press('Try again', '.card');
      await story.see('Done');
      await story.pictures();
    });
    assert.deepEqual([person.server.counts.creates, person.server.counts.polls], [creates, polls + 1]);
  });

  test('stops a task, clears it away, and goes on from the archive', GUARD, async () => {
    await person.fresh();
    await person.run(async () => {
      const { story } = window;
      await story.generate('midjourney', 'A patient lemon');
      await story.see('Pending');
      await story.press('Stop waiting');
      await story.see('Stopped waiting');
      await story.press('Clear finished');
      await story.until(() => story.text('.archive .count') === '1', 'the archive');
      await story.press('Undo', '.toast:last-child');
      await story.see('Stopped waiting');
      await story.press('Clear finished');
      await story.until(() => story.text('.archive .count') === '1', 'the archive');
      // A browser writes no more once the page is left.
      await story.until(async () => {
        const [archive, journal] = await Promise.all(['archive', 'lemondata-studio'].map(story.stored));
        return archive?.length === 1 && /"phase":"stopped"/.test(journal);
      }, 'the stored archive');
    });
    await person.reload();
    const { polls } = person.server.counts;
    person.advance(2 * TASK_MS);
    await person.run(async () => {
      const { story } = window;
      await story.press('Stopped, may still be billed');
      await story.press('Wait again', '.archive');
      await story.see('Done');
      await story.pictures();
      await story.until(() => !document.querySelector('.archive'), 'an empty archive');
    });
    assert.deepEqual([person.server.counts.creates, person.server.counts.polls], [1, polls + 1]);
  });

  test('closes the tab that waits, and another one takes over', GUARD, async () => {
    await person.fresh();
    await person.run(() => {
      // Browsers open a tab for a real click alone.
      document.querySelector('h1').addEventListener(
        'click',
        () => {
          window.second = window.open('/');
        },
        { once: true },
      );
    });
    await person.click('h1');
    await person.run(async () => {
      const { story } = window;
      const inSecond = (selector) => window.second.document.querySelector(selector);
      await story.until(() => inSecond('#feed:not([aria-busy])'), 'the second tab');
      const { Event } = window.second;
      for (const [id, text] of Object.entries({
        model: 'flux-pro',
        prompt: 'A shared lemon',
        size: '512x512',
      })) {
        inSecond(`#${id}`).value = text;
        inSecond(`#${id}`).dispatchEvent(new Event('input', { bubbles: true }));
      }
      inSecond('[name=send]').click();
      await story.until(() => story.text('.card h3') === 'A shared lemon', 'the card in the first tab');
      await story.until(() => inSecond('.card[data-phase=waiting]'), 'the task');
      window.second.close();
      await story.until(() => window.second.closed, 'the tab is gone');
    });
    const { polls } = person.server.counts;
    await until(() => person.server.counts.polls > polls + 1);
    person.advance(2 * TASK_MS);
    await person.run(async () => {
      const { story } = window;
      await story.see('Done');
      await story.pictures();
    });
    assert.equal(person.server.counts.creates, 1);
  });

  test('takes the code home, and reads what was exchanged', GUARD, async () => {
    await person.run(async () => {
      const { story } = window;
      story.fill('model', 'dall-e-2');
      story.fill('size', '512x512');
      await story.press('Code', '.send');
      await story.until(() => story.element('#code-text'), 'the code');
      story.element('#tab-browser').focus();
    });
    const shown = [];
    for (const prompt of TABS.map((tab) => `A lemon for ${tab}`)) {
      shown.push(
        await person.run(async (text) => {
          const { story } = window;
          // The form is behind the drawer where the window is narrow.
          story.fill('prompt', text);
          await story.until(() => story.text('#code-text').includes(text), text);
          return document.activeElement.id;
        }, prompt),
      );
      await person.input.press('ArrowRight');
    }
    assert.deepEqual(
      shown,
      TABS.map((tab) => `tab-${tab}`),
    );
    assert.equal(
      await person.run(() => document.activeElement.id),
      'tab-browser',
      'the last leads to the first',
    );
    await person.look('form-code');
    const exchange = await person.run(async () => {
      const { story } = window;
      await story.press('Close', '#code');
      await story.press('JSON', '.card');
      await story.until(() => /completed/.test(story.text('#code-text')), 'the answer');
      const text = story.text('#code-text');
      await story.press('Close', '#code');
      return text;
    });
    assert.match(exchange, /POST \S*\/v1\/images\/generations/);
    assert.match(exchange, /A shared lemon/);
    assert.doesNotMatch(exchange, /t_[\w-]+\.[\w-]+|\bsk-/);
  });
}, prepare);
