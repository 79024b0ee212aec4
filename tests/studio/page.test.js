/** The studio in Chromium, on the real package, against the embedded server, under a clock of the test's own. */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { PNG } from 'pngjs';
import { PROMPT, until, untilAsync, useStudio } from './studio.js';

const studio = useStudio();
/** The studio of the current test. */
let app;

/** The text of a part of the newest card. */
const text = (selector) => app.card.locator(selector).first().textContent();

/** The requests that the newest card shows, the latest first, without their times. */
const rows = () =>
  app.card
    .locator('.requests li:not(.next)')
    .evaluateAll((all) =>
      all.map((row) =>
        [...row.querySelectorAll('.request, .answer')]
          .map(({ textContent }) => textContent.trim())
          .join(': '),
      ),
    );

/** Checks that the picture that is shown is the server's, pixel by pixel. */
async function assertPicture(width, height) {
  await app.card.locator('.picture img').first().waitFor();
  const { path } = app.server.counts.requests.findLast(({ path }) => path.startsWith('/files/'));
  const bytes = Buffer.from(await (await fetch(app.server.url + path)).arrayBuffer());
  const png = PNG.sync.read(bytes);
  assert.deepEqual([png.width, png.height], [width, height]);
  const img = app.card.locator('.picture img').first();
  const decoded = await img.evaluate(async (shown) => {
    await shown.decode();
    const canvas = Object.assign(document.createElement('canvas'), {
      width: shown.naturalWidth,
      height: shown.naturalHeight,
    });
    const context = canvas.getContext('2d');
    context.drawImage(shown, 0, 0);
    const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
    const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', data));
    return { size: [shown.naturalWidth, shown.naturalHeight], hash: [...hash] };
  });
  assert.deepEqual(decoded.size, [width, height]);
  assert.deepEqual(Buffer.from(decoded.hash), createHash('sha256').update(png.data).digest());
}

describe('a picture', { timeout: 300_000 }, () => {
  test('of a model that answers at once', async () => {
    app = await studio.open();
    await app.generate('dall-e-2');
    await app.state('Done');
    assert.equal(app.server.counts.files, 1, 'it is downloaded once');
    await assertPicture(512, 512);
    assert.equal(await app.card.locator('img').getAttribute('alt'), PROMPT);
    assert.equal(await text('.meta'), 'dall-e-2 · 512 × 512');
    assert.deepEqual(await rows(), ['Create: 200 · picture in the answer']);
    assert.deepEqual(
      app.creates().map(({ body }) => body),
      [{ prompt: PROMPT, model: 'dall-e-2', n: 1, size: '512x512' }],
    );
  });

  test('that is kept is done, also where its journal cannot be written', async () => {
    app = await studio.open();
    await app.page.evaluate(() => {
      const { put } = IDBObjectStore.prototype;
      IDBObjectStore.prototype.put = function (...values) {
        if (this.name === 'tasks') throw new Error('The disk is full.');
        return put.apply(this, values);
      };
    });
    await app.generate('dall-e-2');
    await app.state('Done');
    assert.match(app.problems.splice(0).join(), /The disk is full/);
  });

  test('has its card before anything is stored or sent', async () => {
    app = await studio.open();
    await app.page.evaluate(() => {
      navigator.locks.request = () => new Promise(() => {});
    });
    await app.generate('dall-e-2');
    await app.state('Waiting for the answer');
    assert.equal(app.server.counts.creates, 0);
  });

  test('of a model that answers with a task: each poll, its answer, and when the next is due', async () => {
    app = await studio.open();
    await app.generate('flux-pro');
    await app.state('Accepted as a task');
    assert.equal(await text('.requests .next'), 'Next poll in 3–5 s');
    assert.match(await text('.ring'), /0 s\s*usually 30–120 s/);
    assert.equal(await app.page.title(), '(1) Studio · lemondata-wasm');

    // How long a gap is, from 3 to 5 s, is drawn by the package.
    await app.advance(2900);
    assert.equal(app.server.counts.polls, 0, 'no poll before 3 s');
    assert.match(await text('.requests .next'), /^Next poll in (about )?1?–?3? ?s?|within/);
    await app.advance(2100);
    await app.state('Processing');
    assert.equal(app.server.counts.polls, 1);
    // From the first poll on, the package reports when the next one is due.
    assert.match(await text('.requests .next'), /^Next poll in about [3-5] s$/);
    assert.match(await text('.ring'), /^\s*\d+ %\s*5 s/);
    const percent = Number(await app.$('[role=progressbar]').getAttribute('aria-valuenow'));
    assert.ok(percent > 0 && percent < 100, 'it is the server’s figure');

    await app.advance(10_000);
    await app.state('Done');
    await assertPicture(512, 512);
    const shown = await rows();
    assert.equal(shown[0], `Poll ${app.server.counts.polls}: 200 · completed`);
    assert.match(shown.at(-2), /^Poll 1: 200 · processing, \d+ %$/);
    assert.equal(shown.at(-1), 'Create: 200 · accepted as a task');
    assert.equal(await app.page.title(), 'Studio · lemondata-wasm');
  });

  test('of a task without progress: an estimate by time', async () => {
    app = await studio.open({ taskMs: 1_000_000 });
    await app.generate('flux-pro');
    await app.state('Accepted as a task');
    await app.page.clock.runFor(30_000);
    const dash = () => app.$('.ring .value').getAttribute('stroke-dasharray');
    assert.equal(await dash(), '25 100');
    assert.equal(await app.$('[role=progressbar]').getAttribute('aria-valuenow'), null);
    await app.page.clock.runFor(120_000);
    assert.equal(await dash(), '95 100', 'never full before it is done');
    assert.match(await text('.ring'), /longer than usual/);
  });

  test('several in one answer, in base64', async () => {
    app = await studio.open();
    const pictures = [90, 200].map((red) => {
      const png = new PNG({ width: 16, height: 16 });
      for (let offset = 0; offset < png.data.length; offset += 4) png.data.set([red, 40, 10, 255], offset);
      return PNG.sync.write(png);
    });
    app.server.next({
      on: 'create',
      reply: { body: { created: 1, data: pictures.map((png) => ({ b64_json: png.toString('base64') })) } },
    });
    await app.generate('dall-e-2');
    await app.state('Done');
    await app.card.locator('.picture img').nth(1).waitFor();
    const alts = await app.card.locator('img').evaluateAll((all) => all.map((img) => img.alt));
    assert.deepEqual(alts, [`${PROMPT} (1 of 2)`, `${PROMPT} (2 of 2)`]);

    await app.card.locator('.picture').nth(1).click();
    const [download] = await Promise.all([
      app.page.waitForEvent('download'),
      app.page.click('text=Download'),
    ]);
    assert.equal(
      download.suggestedFilename(),
      'a-lemon-tree-above-a-quiet-sea-first-light-dall-e-2-2026-01-01-2.png',
    );
    const file = await readFile(await download.path());
    assert.ok(PNG.sync.read(file).data.equals(PNG.sync.read(pictures[1]).data));
  });

  test('that a page may not read is still shown', async () => {
    app = await studio.open();
    const url = 'https://pictures.example/lemon.png';
    const body = PNG.sync.write(new PNG({ width: 16, height: 16 }));
    await app.context.route(url, (route) =>
      route.request().resourceType() === 'image'
        ? route.fulfill({ body, contentType: 'image/png' })
        : route.abort(),
    );
    app.server.next({ on: 'create', reply: { body: { data: [{ url }] } } });
    await app.generate('dall-e-2');
    await app.state('Done');
    const img = app.card.locator('.picture img');
    assert.equal(await img.getAttribute('src'), url);
    assert.equal(await img.evaluate((shown) => shown.decode().then(() => shown.naturalWidth)), 16);
  });

  test('that is none is described', async () => {
    app = await studio.open();
    app.server.next({
      on: 'create',
      reply: { body: { data: [{ b64_json: Buffer.from('not a picture').toString('base64') }] } },
    });
    await app.generate('dall-e-2');
    await app.state('Done');
    assert.match(await text('.media'), /Not a picture that can be shown/);
  });
});

describe('an error', { timeout: 300_000 }, () => {
  /** The facts of the newest card's error. */
  const facts = () =>
    app.card
      .locator('.problem dl div')
      .evaluateAll((all) =>
        Object.fromEntries(all.map(({ children: [name, value] }) => [name.textContent, value.textContent])),
      );

  test('is shown with its hint, its cost and the next step, which is one click', async () => {
    app = await studio.open();
    await app.generate('test-error-400-model-not-found');
    await app.state('Refused');
    assert.match(await text('.problem p'), /^Model 'dalle3' not found/);
    assert.match(await text('.problem .hint'), /^Did you mean 'dall-e-3'\?/);
    assert.match(await text('.problem .next'), /^Nothing is billed\./);
    const [{ id }] = app.creates();
    assert.deepEqual(await facts(), {
      kind: 'invalid_request',
      outcome: 'rejected',
      status: '400',
      code: 'model_not_found',
      param: 'model',
      request: id,
    });
    assert.equal(await app.$('text=Wait again').count(), 0, 'there is no task to wait for');

    await app.page.click('text=Use dall-e-3');
    await app.state('Done');
    assert.equal(await app.$('.card').count(), 1, 'it takes the place of the failed one');
    assert.equal(app.creates()[1].body.model, 'dall-e-3');
  });

  test('of a wait leads to waiting again for the same task', async () => {
    app = await studio.open();
    app.server.next({
      on: 'poll',
      reply: { status: 422, body: { error: { message: 'Not now', type: 'odd' } } },
    });
    await app.generate('flux-pro');
    await app.state('Accepted as a task');
    await app.advance(5000);
    await app.state('The wait has ended');
    assert.equal((await facts()).outcome, 'accepted');
    assert.doesNotMatch(await text('.summary'), /t_[\w-]+\.[\w-]+/, 'it shows no signed reference');

    await app.advance(10_000);
    await app.page.click('text=Wait again');
    await app.state('Done');
    assert.equal(app.server.counts.creates, 1);
  });

  test('of a task that has failed leads to a new one', async () => {
    app = await studio.open();
    await app.generate('test-task-failed-object');
    await app.state('Accepted as a task');
    await app.advance(5000);
    await app.advance(10_000);
    await app.state('The task failed');
    assert.match(await text('.problem'), /The provider rejected the prompt/);
    assert.equal(await app.$('text=Wait again').count(), 0);
    await app.page.click('text=Generate again');
    await app.state('Accepted as a task');
    assert.equal(app.server.counts.creates, 2);
  });

  test('that the wait survives is shown meanwhile', async () => {
    app = await studio.open();
    await app.generate('test-poll:error-503-bare:1');
    await app.state('Accepted as a task');
    await app.advance(5000);
    await app.state('The server has a problem');
    assert.match(await text('.requests .next'), /^Trying again/);
    await app.advance(30_000);
    await app.state('Done');
    assert.ok((await rows()).some((row) => row.startsWith('Poll 1: 503')));
  });

  test('of the rate limit is waited out', async () => {
    app = await studio.open();
    app.server.next({
      on: 'create',
      reply: {
        status: 429,
        headers: { 'retry-after': '20' },
        body: { error: { message: 'Slow down.', type: 'rate_limit_exceeded', code: 'rate_limit_exceeded' } },
      },
    });
    await app.generate('dall-e-2');
    await app.state('Rate-limited');
    assert.equal(await text('.requests .next'), 'Trying again in 20 s or more');
    await app.advance(25_000);
    await app.state('Done');
    assert.deepEqual(await rows(), ['Create: 200 · picture in the answer', 'Create: 429']);
  });

  test('with an unknown outcome says that it may be billed', async () => {
    app = await studio.open();
    for (const scenario of ['error-500', 'reset']) {
      const cards = await app.$('.card').count();
      await app.generate(`test-${scenario}`);
      await app.$('.card').nth(cards).waitFor();
      for (let waited = 0; !/Outcome unknown/.test(await text('.state')); waited += 1000) {
        assert.ok(waited < 90_000, scenario);
        await app.advance(1000);
      }
      assert.match(await text('.problem'), /may be billed/);
    }
    const models = app.creates().map(({ body }) => body.model);
    for (const scenario of ['error-500', 'reset']) {
      const sent = models.filter((model) => model === `test-${scenario}`);
      assert.equal(sent.length, 1, `${scenario}: the create may be billed, so it is not repeated`);
    }
  });

  test('of the account is shown on the page and in the terminal, without the key', async (t) => {
    app = await studio.open();
    const printed = t.mock.method(console, 'error', () => {});
    await app.generate('test-error-401-echo');
    await app.state('The key is not accepted');
    await app.generate('test-error-402');
    await app.state('The balance is used up');
    assert.match(await text('.problem .next'), /Nothing is billed\. Top up/);
    assert.equal((await facts()).code, 'insufficient_balance');
    await app.look('error-balance');
    assert.deepEqual(
      printed.mock.calls.map(({ arguments: [line] }) => line),
      [
        'LemonData refused the account: 401 invalid_api_key',
        'LemonData refused the account: 402 insufficient_balance',
      ],
    );
  });

  test('is text, whatever it holds', async () => {
    app = await studio.open();
    const evil = '<img src="x" onerror="document.title = 1"><b>bold</b>';
    app.server.next({
      on: 'create',
      reply: { status: 400, body: { error: { message: evil, type: evil, code: evil, hint: evil } } },
    });
    await app.generate(evil, { prompt: evil });
    await app.state('Refused');
    assert.equal(await app.$('.problem img, .problem b').count(), 0);
    assert.ok((await text('.problem .hint')).includes(evil));

    app.server.next({ on: 'create', reply: { body: { data: [{ url: 'javascript:document.title=1' }] } } });
    await app.generate('dall-e-2', { prompt: evil });
    await app.state('Done');
    assert.match(await text('.media'), /Not a picture/);
    assert.equal(await app.$('a[href^=javascript], img[src^=javascript]').count(), 0);
    // The policy refuses the download of such an address: the one violation that this test expects.
    const violations = await app.page.evaluate(() => globalThis.violations.splice(0));
    assert.ok(
      violations.every((violation) => violation.startsWith('connect-src')),
      `${violations}`,
    );
    app.problems.length = 0;
  });
});

describe('the wait', { timeout: 300_000 }, () => {
  test('stops, says what that means, and continues', async () => {
    app = await studio.open();
    await app.generate('midjourney');
    await app.state('Accepted as a task');
    await app.advance(2000);
    await app.page.focus('text=Stop waiting');
    await app.page.keyboard.press('Enter');
    await app.state('Stopped waiting');
    assert.match(
      await text('.note'),
      /^The task continues at LemonData: it may still complete and be billed\.$/,
    );
    await app.advance(60_000);
    assert.equal(app.server.counts.polls, 0, 'it has really stopped');

    await app.page.click('text=Wait again');
    await app.state('Done');
    assert.equal(app.server.counts.polls, 1);
    assert.equal(app.server.counts.creates, 1);
  });

  test('for the first answer stops, too, and can look for that answer', async () => {
    app = await studio.open();
    await app.generate('test-hang');
    await until(() => app.server.counts.creates === 1);
    await app.state('Waiting for the answer');
    await app.advance(70_000);
    assert.match(await text('.elapsed'), /1 min 10 s/);
    await app.page.click('text=Stop waiting');
    await app.state('Stopped waiting');
    assert.match(await text('.note'), /still be carried out and billed/);
    assert.equal(app.server.counts.aborted, 0, 'the relay waits for an answer that may be billed');
    await app.page.click('text=Look for the answer');
    await app.state('Waiting for the answer');
    assert.equal(app.server.counts.creates, 1, 'with the same key, the relay sends no second create');
  });

  test('begins with Ctrl+Enter', async () => {
    app = await studio.open();
    await app.page.fill('#prompt', PROMPT);
    await app.page.focus('#prompt');
    await app.page.keyboard.press('Control+Enter');
    await app.state('Done');
    assert.equal(app.server.counts.creates, 1);
  });

  test('explains the time in which the page was hidden', async () => {
    app = await studio.open();
    await app.generate('flux-pro');
    await app.state('Accepted as a task');
    const hide = (hidden) =>
      app.page.evaluate((value) => {
        Object.defineProperty(document, 'hidden', { value, configurable: true });
        document.dispatchEvent(new Event('visibilitychange'));
      }, hidden);
    await hide(true);
    await app.advance(60_000);
    await until(() => app.server.counts.files === 1);
    await untilAsync(async () => (await app.page.title()).startsWith('✓'));
    await app.generate('flux-pro');
    await hide(true);
    await app.advance(2500);
    await app.advance(2500);
    await hide(false);
    await app.card.locator('.remark', { hasText: 'tab hidden for' }).waitFor();
    assert.equal(await app.page.title(), '(1) Studio · lemondata-wasm');
  });
});

describe('the form', { timeout: 300_000 }, () => {
  test('shows problems as one types, and sends nothing while there are any', async () => {
    app = await studio.open();
    const problem = (name) => app.$(`#${name}-problem`).textContent();
    await app.page.click('text=Generate >> visible=true');
    assert.equal(await problem('prompt'), 'Say what to draw.');
    assert.equal(await app.page.evaluate(() => document.activeElement.id), 'prompt');
    assert.equal(await app.$('#prompt').getAttribute('aria-invalid'), 'true');
    await app.page.fill('#prompt', 'x'.repeat(4001));
    assert.equal(await problem('prompt'), '4,001 characters; at most 4,000.');
    await app.page.fill('#prompt', PROMPT);
    assert.equal(await problem('prompt'), '');
    // A name that the service does not list: it may take every field.
    await app.page.fill('#model', 'my-model');
    await app.page.fill('#size', '12');
    assert.equal(await problem('size'), 'Write it as 1024x1024, or auto.');
    await app.page.fill('#size', '640x480');
    await app.page.fill('#n', '11');
    assert.equal(await problem('n'), 'A number from 1 to 10.');
    await app.page.fill('#n', '2');
    await app.page.click('text=More settings');
    await app.page.fill('#extra', '{"tone": ');
    assert.match(await problem('extra'), /^Not JSON yet/);
    await app.page.fill('#extra', '{"model": "x"}');
    assert.match(await problem('extra'), /field of its own/);
    await app.page.fill('#extra', '{"tone": "warm"}');
    await app.page.fill('#seed', '-1');
    assert.equal(await problem('seed'), 'A number from 0 to 4,294,967,295.');
    await app.page.fill('#seed', '7');
    await app.page.fill('#aspect_ratio', '4:3');
    await app.page.fill('#quality', 'hd');
    await app.page.check('[name=expand_prompt][value=false]', { force: true });
    await app.page.check('[name=style][value=vivid]', { force: true });
    await app.page.check('[name=response_format][value=b64_json]', { force: true });
    assert.equal(app.server.counts.creates, 0);
    await app.page.click('text=Generate >> visible=true');
    await until(() => app.server.counts.creates === 1);
    assert.deepEqual(app.creates()[0].body, {
      prompt: PROMPT,
      model: 'my-model',
      n: 2,
      size: '640x480',
      quality: 'hd',
      style: 'vivid',
      response_format: 'b64_json',
      seed: 7,
      aspect_ratio: '4:3',
      expand_prompt: false,
      tone: 'warm',
    });
  });

  test('is written into the address and read from it', async () => {
    app = await studio.open();
    await app.page.fill('#prompt', 'Zwei Zitronen & mehr');
    await app.page.fill('#model', 'my-model');
    await app.page.click('text=More settings');
    await app.page.fill('#extra', '{"tone":"warm"}');
    await app.page.fill('#seed', '7');
    const address = await app.page.evaluate(() => location.href);
    assert.ok(!new URL(address).search, 'a server could log the prompt');
    const other = await app.context.newPage();
    await other.goto(address);
    assert.equal(await other.inputValue('#prompt'), 'Zwei Zitronen & mehr');
    assert.equal(await other.inputValue('#model'), 'my-model');
    assert.equal(await other.inputValue('#extra'), '{"tone":"warm"}');
    assert.equal(await other.inputValue('#seed'), '7');
    assert.equal(await other.inputValue('#size'), '1024x1024');
    await app.context.grantPermissions(['clipboard-read', 'clipboard-write']);
    await app.page.click('text=Share');
    await app.$('.toast', { hasText: 'Link copied' }).waitFor();
    assert.equal(await app.page.evaluate(() => navigator.clipboard.readText()), address);
  });

  test('lists the models of the service, and takes any other name', async () => {
    app = await studio.open();
    const names = () => app.$('#models [role=option]:visible span').allTextContents();
    assert.equal(app.server.counts.models, 0, 'a visit does not load them');
    await app.page.click('#model + button');
    await app
      .$('#models small', { hasText: /^bytedance|^black-forest-labs/ })
      .first()
      .waitFor();
    const listed = await names();
    const { data } = await (await fetch(`${app.server.url}/v1/models?category=image`)).json();
    assert.deepEqual(
      listed,
      data.map(({ id }) => id),
    );
    assert.ok(listed.includes('midjourney') && listed.includes('gpt-image-2'));
    assert.match(await app.$('#models [data-value=gpt-image-2] small').textContent(), /edits/);
    await app.look('models');
    await app.page.click('#models >> text=midjourney');
    assert.equal(await app.page.inputValue('#model'), 'midjourney');
    assert.equal(await app.$('#models').isVisible(), false);
    await app.page.fill('#model', '');
    await app.page.type('#model', 'dall');
    assert.deepEqual((await names()).sort(), ['dall-e-2', 'dall-e-3']);
    const [, second] = await names();
    await app.page.keyboard.press('ArrowDown');
    await app.page.keyboard.press('ArrowDown');
    await app.page.keyboard.press('Enter');
    assert.equal(await app.page.inputValue('#model'), second);
    assert.equal(app.server.counts.creates, 0, 'Enter has chosen, not sent');
    assert.equal(app.server.counts.models, 2, 'this test, and the page once');
  });

  test('lists the documented models where the service lists none, and asks again', async () => {
    app = await studio.open();
    app.server.next({ on: 'models', reply: { status: 500, body: { error: { message: 'x', type: 'x' } } } });
    await app.page.focus('#model');
    await app.$('#model-note', { hasText: 'cannot be loaded' }).waitFor();
    const names = app.$('#models [role=option] span');
    const listed = await names.allTextContents();
    for (const name of ['gpt-image-2', 'dall-e-3', 'dall-e-2', 'flux-schnell', 'flux-pro', 'midjourney']) {
      assert.ok(listed.includes(name), name);
    }
    assert.ok(!listed.includes('sd3.5-large'));
    await app.page.focus('#prompt');
    await app.page.focus('#model');
    await names.filter({ hasText: 'sd3.5-large' }).waitFor({ state: 'attached' });
    await app.$('#model-note', { hasText: '$0.04 a picture' }).waitFor();
    await app.page.fill('#model', 'my-model');
    await app.$('#model-note', { hasText: 'Any name that LemonData knows' }).waitFor();
  });

  test('offers the test server’s scenarios, but not for the real service', async (t) => {
    app = await studio.open();
    await app.page.click('text=What can go wrong');
    assert.equal(await app.$('#scenarios li').count(), 9);
    await app.page.fill('#prompt', PROMPT);
    await app.page.dblclick('text=Failed task');
    await app.state('Accepted as a task');
    assert.deepEqual(
      app.creates().map(({ body }) => body.model),
      ['test-task-failed-object'],
    );
    const form = [await app.page.inputValue('#prompt'), await app.page.inputValue('#model')];
    assert.deepEqual(form, [PROMPT, 'gpt-image-2'], 'the form stays as it was');
    const { servePage } = await import('../../scripts/lib/serve-page.js');
    const real = await servePage({ upstream: { url: 'https://lemondata.example', key: 'sk-1' } });
    t.after(real.close);
    const page = await app.context.newPage();
    await page.goto(real.url);
    assert.equal(await page.locator('#scenarios').isVisible(), false);
    assert.match(await page.locator('.upstream:visible').textContent(), /every picture is billed/);
  });
});

describe('the policy', { timeout: 300_000 }, () => {
  test('is checked by a recorder that records violations', async () => {
    app = await studio.open();
    await app.page.evaluate(() => document.body.setAttribute('style', 'color: red'));
    await untilAsync(() => app.page.evaluate(() => globalThis.violations.length > 0));
    assert.deepEqual(await app.page.evaluate(() => globalThis.violations.splice(0)), [
      'style-src-attr inline',
    ]);
    assert.equal(app.problems.length, 1);
    app.problems.length = 0;
  });
});
