/** The files that a visit does not load: they come when they are needed, and nothing is lost where they do not. */

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { useStudio } from './studio.js';

/** Ends a test that hangs. */
const GUARD = { timeout: 60_000 };
const LATER = ['code-samples', 'exchange', 'mask-brush', 'picture-settings', 'shortcut-list', 'zip-format'];

const studio = useStudio();
let app;

describe('files that come later', GUARD, () => {
  test('are served, and not part of a visit', async () => {
    app = await studio.open();
    const loaded = await app.page.evaluate(() =>
      performance.getEntriesByType('resource').map(({ name }) => new URL(name).pathname),
    );
    for (const name of LATER) {
      assert.ok(!loaded.includes(`/${name}.js`), name);
      const answer = await fetch(`${app.served.url}/${name}.js`);
      assert.equal(answer.status, 200, name);
      assert.match(answer.headers.get('content-type'), /^text\/javascript/);
    }
  });

  test('may be out of reach: a picture is downloaded all the same, the rest says so', async () => {
    app = await studio.open();
    await app.generate('dall-e-2');
    await app.state('Done');
    for (const name of LATER) await app.context.route(`**/${name}.js`, (route) => route.abort());
    const [download] = await Promise.all([
      app.page.waitForEvent('download'),
      app.card.getByRole('button', { name: 'Download' }).click(),
    ]);
    const bytes = await readFile(await download.path());
    assert.equal(bytes.subarray(1, 4).toString(), 'PNG');

    await app.page.click('#show-code');
    await app.$('.toast', { hasText: 'The code cannot be loaded' }).waitFor();
    assert.equal(await app.$('#code').isVisible(), false);
    await app.page.click('#show-shortcuts');
    await app.$('.toast', { hasText: 'The list cannot be loaded' }).waitFor();

    for (const name of LATER) await app.context.unroute(`**/${name}.js`);
    await app.page.click('#show-code');
    await app.$('#code-text').waitFor();
    assert.match(app.problems.splice(0).join(), /picture-settings/);
  });
});
