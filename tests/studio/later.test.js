/** The script that a visit does not load: it comes with the first press, and nothing is lost where it does not. */

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { until, useStudio } from './studio.js';

/** Ends a test that hangs. */
const GUARD = { timeout: 300_000 };

const studio = useStudio();
let app;

describe('the script on demand', GUARD, () => {
  test('is no part of a visit, and comes with the first press', async () => {
    app = await studio.open();
    // The page's own list of what it has loaded is empty under the clock of a test.
    const loaded = [];
    app.page.on('request', (request) => loaded.push(new URL(request.url()).pathname));
    await app.reload();
    assert.ok(loaded.includes('/chunk.js'));
    assert.ok(!loaded.includes('/extras.js'));
    await app.page.click('#prompt');
    await until(() => loaded.includes('/extras.js'));
    await app.page.click('#show-shortcuts');
    await app.$('#shortcuts dl').first().waitFor();
  });

  test('may be out of reach: a picture is downloaded all the same, the rest says so', async () => {
    app = await studio.open();
    await app.context.route('**/extras.js', (route) => route.abort());
    await app.generate('dall-e-2');
    await app.state('Done');
    const [download] = await Promise.all([
      app.page.waitForEvent('download'),
      app.card.getByRole('button', { name: 'Download' }).click(),
    ]);
    const bytes = await readFile(await download.path());
    assert.equal(bytes.subarray(1, 4).toString(), 'PNG');
    await app.page.click('#show-code');
    await app.$('.toast', { hasText: 'This part of the page cannot be loaded' }).waitFor();
    assert.equal(await app.$('#code').isVisible(), false);

    await app.context.unroute('**/extras.js');
    await app.page.click('#show-code');
    await app.$('#code-text').waitFor();
  });
});
