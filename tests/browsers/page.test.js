/**
 * The page in a real browser, on the real package, against the embedded server. Time is the test's own, in the
 * page and at the server alike, so that a wait of a minute takes none.
 */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { after, afterEach, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { chromium } from 'playwright-core';
import { PNG } from 'pngjs';
import { servePage } from '../../scripts/lib/serve-page.js';
import { startServer } from '../server/index.js';

const KEY = 'sk-secret-of-the-page-server-42';
const PROMPT = 'A lemon tree above a quiet sea, first light';
const TASK_MS = 12_000;
/** No wait for the page may take longer: nothing in it has to wait. */
const PATIENCE_MS = 10_000;

let browser;
before(async () => {
  browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    // The sandbox of Chromium refuses to run as root.
    args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
  });
});
after(() => browser?.close());

/** What each test has opened; all of it is checked and closed behind it. */
let app;
afterEach(async () => {
  const opened = app;
  app = undefined;
  try {
    await opened?.check();
  } finally {
    await opened?.close();
  }
});

/**
 * Opens the page on servers of its own.
 *
 * @param {import('playwright-core').BrowserContextOptions} [options]
 */
async function open(options) {
  let clock = Date.UTC(2026, 0, 1);
  const server = await startServer({ apiKey: KEY, taskMs: TASK_MS, now: () => clock });
  const served = await servePage({ upstream: { url: server.url, key: KEY } });
  const context = await browser.newContext({
    viewport: { width: 1280, height: 900 },
    reducedMotion: 'reduce',
    ...options,
  });
  context.setDefaultTimeout(PATIENCE_MS);
  const page = await context.newPage();
  const requests = [];
  const finished = new Set();
  const bodies = [];
  const problems = [];
  context.on('request', (request) => requests.push(request));
  context.on('requestfailed', (request) => finished.add(request));
  context.on('requestfinished', (request) => {
    finished.add(request);
    bodies.push(
      request
        .response()
        .then((response) => response.text())
        // A redirect has none.
        .catch(() => ''),
    );
  });
  page.on('pageerror', (error) => problems.push(`${error}`));
  page.on('console', (message) => {
    // The browser itself reports every status of 400 and more.
    if (!message.text().startsWith('Failed to load resource')) problems.push(message.text());
  });
  await page.addInitScript(() => {
    globalThis.violations = [];
    addEventListener('securitypolicyviolation', (event) => {
      globalThis.violations.push(`${event.effectiveDirective} ${event.blockedURI}`);
    });
  });
  await page.clock.install({ time: clock });
  await page.goto(served.url);
  await page.clock.pauseAt(clock + 1000);

  return {
    page,
    server,
    served,
    problems,
    $: (selector, options) => page.locator(selector, options),

    /** Lets time pass, in the page and at the server. */
    async advance(ms) {
      clock += ms;
      await page.clock.runFor(ms);
    },

    /** Fills in the form and sends it. */
    async generate(model, { prompt = PROMPT, size = '512x512' } = {}) {
      await page.fill('#prompt', prompt);
      await page.fill('#model', model);
      await page.selectOption('#size', size);
      await page.click('text=Generate');
    },

    /** Waits until the page says so. */
    async state(text) {
      await page.locator('#state', { hasText: new RegExp(`^${text}$`) }).waitFor();
    },

    /** What may not happen in any test. */
    async check() {
      for (const request of requests) {
        // The browser tells all headers of a request only when it is over.
        const headers = finished.has(request) ? await request.allHeaders() : request.headers();
        const text = `${request.url()} ${JSON.stringify(headers)} ${request.postData()}`;
        assert.ok(!text.includes(KEY), `the key is in a request to ${request.url()}`);
        assert.equal(headers.authorization, undefined, request.url());
      }
      const texts = await Promise.all(bodies);
      assert.ok(texts.join('').length > 1000, 'the answers were looked at');
      for (const text of texts) assert.ok(!text.includes(KEY), 'the key is in an answer to the page');
      assert.ok(!(await page.content()).includes(KEY), 'the key is in the page');
      assert.equal(server.counts.keyLeaks, 0);
      assert.deepEqual(problems, []);
      assert.deepEqual(await page.evaluate(() => globalThis.violations), []);
    },

    async close() {
      await context.close();
      await served.close();
      await server.close();
    },
  };
}

/** Waits until something at the server is so. */
async function until(holds) {
  for (let waited = 0; !holds(); waited += 5) {
    assert.ok(waited < PATIENCE_MS, `${holds}`);
    await sleep(5);
  }
}

/** Checks that the picture shown is the server's, by what the browser has decoded and by what is on the screen. */
async function assertPictureIsShown(app, width, height) {
  await app.$('.frame.loaded').waitFor();
  const img = app.$('.frame img');
  assert.equal(await img.count(), 1);
  const url = await img.getAttribute('src');
  assert.ok(url.startsWith(`${app.server.url}/files/`), url);
  const png = PNG.sync.read(Buffer.from(await (await fetch(url)).arrayBuffer()));
  assert.deepEqual([png.width, png.height], [width, height]);

  const decoded = await img.evaluate(async (shown) => {
    // The one in the page came without CORS, so its pixels may be seen, not read: the same again with it.
    const copy = new Image();
    copy.crossOrigin = 'anonymous';
    copy.src = shown.src;
    await copy.decode();
    const canvas = Object.assign(document.createElement('canvas'), {
      width: copy.naturalWidth,
      height: copy.naturalHeight,
    });
    const context = canvas.getContext('2d');
    context.drawImage(copy, 0, 0);
    const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
    const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', data));
    const colours = new Set(new Uint32Array(data.buffer)).size;
    return { size: [shown.naturalWidth, shown.naturalHeight], hash: [...hash], colours };
  });
  assert.deepEqual(decoded.size, [width, height]);
  assert.ok(decoded.colours > 100, `${decoded.colours} colours`);
  assert.deepEqual(Buffer.from(decoded.hash), createHash('sha256').update(png.data).digest());

  const screen = PNG.sync.read(await app.$('.frame').screenshot());
  const expected = blocks(png);
  const seen = blocks(screen);
  const difference = Math.max(...expected.map((value, index) => Math.abs(value - seen[index])));
  assert.ok(difference < 12, `the screen differs from the picture by ${difference}`);
  assert.ok(Math.max(...expected) - Math.min(...expected) > 60, 'the picture is not all of one colour');
}

/** The mean colours of 8 by 8 parts of a picture. */
function blocks({ width, height, data }) {
  const sums = new Float64Array(8 * 8 * 3);
  const counts = new Uint32Array(8 * 8);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const block = Math.floor((y * 8) / height) * 8 + Math.floor((x * 8) / width);
      counts[block] += 1;
      for (let channel = 0; channel < 3; channel += 1) {
        sums[block * 3 + channel] += data[(y * width + x) * 4 + channel];
      }
    }
  }
  return [...sums].map((sum, index) => sum / counts[Math.floor(index / 3)]);
}

describe('a picture', () => {
  test('of a model that answers at once', async () => {
    app = await open();
    await app.state('Ready');
    await app.generate('dall-e-2');
    await app.state('Done');
    await assertPictureIsShown(app, 512, 512);

    assert.equal(await app.$('.frame img').getAttribute('alt'), PROMPT);
    assert.equal(await app.$('figcaption span').textContent(), `${PROMPT}, in soft light`);
    const link = app.$('figcaption a');
    assert.equal(await link.getAttribute('href'), await app.$('.frame img').getAttribute('src'));
    assert.equal(await link.getAttribute('download'), 'picture-1');
    assert.equal(await app.$('#detail').textContent(), 'After less than a second');
    assert.equal(await app.$('#stop').isVisible(), false);
    assert.deepEqual(
      app.server.counts.requests.filter(({ method }) => method === 'POST').map(({ body }) => body),
      [{ prompt: PROMPT, model: 'dall-e-2', n: 1, size: '512x512' }],
    );
    assert.equal(app.server.counts.requests[0].headers.authorization, `Bearer ${KEY}`);
  });

  test('of a model that answers with a task', async () => {
    app = await open();
    await app.generate('flux-pro');
    await app.state('Accepted as a task');
    const room = await app.$('.frame').boundingBox();
    const foot = await app.$('footer').boundingBox();
    assert.equal(await app.$('#detail').textContent(), '0 s · next check within 5 s');

    // How long a gap is, from 3 to 5 s, is drawn by the package.
    await app.advance(2900);
    assert.equal(app.server.counts.polls, 0, 'no check before 3 s');
    assert.equal(await app.$('#detail').textContent(), '3 s · next check within 3 s');
    await app.advance(2100);
    await app.state('Processing');
    assert.equal(app.server.counts.polls, 1);
    assert.equal(await app.$('#progress').getAttribute('value'), '41');
    assert.match(await app.$('#detail').textContent(), /^41 % · 5 s · next check within [345] s$/);

    await app.advance(5000);
    await app.$('#detail', { hasText: '83 % · 10 s' }).waitFor();
    await app.advance(5000);
    await app.state('Done');
    const { creates, polls } = app.server.counts;
    assert.equal(creates, 1);
    assert.ok(polls >= 3 && polls <= 5, `${polls} checks in 15 s`);
    await assertPictureIsShown(app, 512, 512);
    assert.match(await app.$('#detail').textContent(), /^After 1\d s$/);
    assert.equal(await app.$('.frame img').getAttribute('alt'), PROMPT);
    assert.deepEqual(await app.$('.frame').boundingBox(), room, 'the picture takes the room kept for it');
    assert.deepEqual(await app.$('footer').boundingBox(), foot, 'nothing moves when the picture arrives');
  });

  test('of a task that is pending at first', async () => {
    app = await open();
    await app.generate('flux-pro');
    await app.state('Accepted as a task');
    // In the page only: at the server, no time passes.
    await app.page.clock.runFor(5000);
    await app.state('Pending');
    assert.equal(await app.$('#progress').getAttribute('value'), null);
    await app.advance(5000);
    await app.state('Processing');
  });

  test('of another shape, in a room of that shape', async () => {
    app = await open();
    await app.generate('dall-e-2');
    await app.state('Done');
    await app.generate('flux-pro', { size: '1792x1024' });
    await app.state('Accepted as a task');
    const room = await app.$('.frame').boundingBox();
    assert.ok(Math.abs(room.width / room.height - 1792 / 1024) < 0.01);
    await app.advance(15_000);
    await app.state('Done');
    await assertPictureIsShown(app, 1792, 1024);
    assert.deepEqual(await app.$('.frame').boundingBox(), room);
  });

  test('in the answer itself, one of several', async () => {
    app = await open();
    const pictures = [90, 200].map((red) => {
      const png = new PNG({ width: 16, height: 16 });
      for (let at = 0; at < png.data.length; at += 4) png.data.set([red, 40, 10, 255], at);
      return PNG.sync.write(png);
    });
    app.server.next({
      on: 'create',
      reply: { body: { created: 1, data: pictures.map((png) => ({ b64_json: png.toString('base64') })) } },
    });
    await app.generate('dall-e-2');
    await app.state('Done');
    await app.$('.frame.loaded').nth(1).waitFor();
    const alts = await app.$('.frame img').evaluateAll((all) => all.map((img) => img.alt));
    assert.deepEqual(alts, [`${PROMPT} (1 of 2)`, `${PROMPT} (2 of 2)`]);

    const [download] = await Promise.all([
      app.page.waitForEvent('download'),
      app.page.click('text=Download >> nth=1'),
    ]);
    assert.equal(download.suggestedFilename(), 'picture-2.png');
    assert.deepEqual(await readFile(await download.path()), pictures[1]);

    const urls = await app.$('.frame img').evaluateAll((all) => all.map((img) => img.src));
    await app.generate('dall-e-2');
    await assertPictureIsShown(app, 512, 512);
    for (const url of urls) {
      const found = await app.page.evaluate((src) => {
        const img = new Image();
        img.src = src;
        return img.decode().then(
          () => true,
          () => false,
        );
      }, url);
      assert.equal(found, false, 'a picture that is gone is let go of');
    }
  });

  test('that cannot be loaded is described', async () => {
    app = await open();
    app.server.next({
      on: 'create',
      reply: { body: { data: [{ url: `${app.server.url}/files/none.png` }] } },
    });
    await app.generate('dall-e-2');
    await app.$('.frame.broken').waitFor();
    assert.equal(await app.$('figcaption span').textContent(), 'The picture could not be loaded here.');
  });
});

describe('an error', () => {
  test('is shown with its hint, what it means and what to do next', async () => {
    app = await open();
    await app.generate('test-error-400-model-not-found');
    await app.state('Refused');
    assert.match(
      await app.$('#problem .said').textContent(),
      /status 400 \(model_not_found\): Model 'dalle3' not found\.?\s*$/,
    );
    assert.match(await app.$('#problem .hint').textContent(), /^Did you mean 'dall-e-3'\?/);
    assert.match(await app.$('#problem .next').textContent(), /^Nothing is billed\./);
    const facts = await app
      .$('#problem dl div')
      .evaluateAll((rows) =>
        Object.fromEntries(rows.map(({ children: [name, value] }) => [name.textContent, value.textContent])),
      );
    const { id } = app.server.counts.requests[0];
    assert.deepEqual(facts, {
      kind: 'invalid_request',
      outcome: 'rejected',
      status: '400',
      code: 'model_not_found',
      param: 'model',
      request: id,
    });
    assert.equal(await app.$('text=Wait again').count(), 0, 'there is no task to wait for');
    assert.equal(await app.$('.frame').isVisible(), false);

    await app.generate('dall-e-2');
    await app.state('Done');
    assert.equal(await app.$('#problem').isVisible(), false);
    await assertPictureIsShown(app, 512, 512);
  });

  test('of a wait leads to waiting again for the same task', async () => {
    app = await open();
    app.server.next({
      on: 'poll',
      reply: { status: 403, body: { error: { message: 'Not now', type: 'access_denied' } } },
    });
    await app.generate('flux-pro');
    await app.state('Accepted as a task');
    await app.advance(5000);
    await app.state('The wait has ended');
    assert.match(
      await app.$('#problem dl').textContent(),
      /task\s*t_[\w-]+\.[\w-]+/,
      'the relay names tasks',
    );
    assert.match(await app.$('#problem dl').textContent(), /outcome\s*accepted/);

    await app.advance(10_000);
    await app.page.click('text=Wait again');
    await app.state('Done');
    assert.equal(app.server.counts.creates, 1);
    await assertPictureIsShown(app, 512, 512);
  });

  test('of a task that has failed leads nowhere', async () => {
    app = await open();
    await app.generate('test-task-failed-object');
    await app.state('Accepted as a task');
    await app.advance(5000);
    await app.state('Processing');
    await app.advance(10_000);
    await app.state('The task has failed');
    assert.match(await app.$('#problem .said').textContent(), /The provider rejected the prompt/);
    assert.equal(await app.$('text=Wait again').count(), 0);
  });

  test('that the wait survives is told meanwhile', async () => {
    app = await open();
    await app.generate('test-poll:error-503-bare:1');
    await app.state('Accepted as a task');
    await app.advance(5000);
    await app.$('#detail', { hasText: 'status 503, trying again' }).waitFor();
    await app.advance(15_000);
    await app.state('Done');
  });

  test('tells when to try again', async () => {
    app = await open();
    app.server.next({
      on: 'create',
      reply: {
        status: 429,
        headers: { 'retry-after': '90' },
        body: { error: { message: 'Slow down.', type: 'rate_limit_exceeded', code: 'rate_limit_exceeded' } },
      },
    });
    await app.generate('dall-e-2');
    await app.state('Refused');
    assert.equal(await app.$('#problem .next').textContent(), 'Generate again in 1 min 30 s.');
  });

  test('is told apart from an unknown outcome', async () => {
    app = await open();
    let creates = 0;
    for (const scenario of ['error-500', 'redirect', 'reset']) {
      await app.generate(`test-${scenario}`);
      creates += 1;
      await until(() => app.server.counts.creates === creates);
      // The client asks again for what may have got lost on the way; the relay does not.
      for (let waited = 0; (await app.$('#state').textContent()) === 'Sent'; waited += 1000) {
        assert.ok(waited < 60_000, scenario);
        await app.advance(1000);
      }
      await app.state('Not known how it went');
      assert.match(await app.$('#problem .next').textContent(), /may be billed/);
    }
    assert.equal(app.server.counts.creates, creates);
  });

  test('of the account is told to the person at the server, without the key', async (t) => {
    app = await open();
    const said = t.mock.method(console, 'error', () => {});
    await app.generate('test-error-401-echo');
    await app.state('Refused');
    assert.match(await app.$('#problem .said').textContent(), /refused the account of this relay/);
    await app.generate('test-error-402');
    await app.state('Refused');
    assert.deepEqual(
      said.mock.calls.map(({ arguments: [line] }) => line),
      [
        'LemonData refused the account: 401 invalid_api_key',
        'LemonData refused the account: 402 insufficient_balance',
      ],
    );
  });

  test('is text, whatever it holds', async () => {
    app = await open();
    const evil = '<img src="x" onerror="document.title = 1"><b>bold</b>';
    app.server.next({
      on: 'create',
      reply: { status: 400, body: { error: { message: evil, type: evil, code: evil, hint: evil } } },
    });
    await app.generate(evil, { prompt: evil });
    await app.state('Refused');
    assert.equal(await app.$('#problem img, #problem b').count(), 0);
    assert.ok((await app.$('#problem .hint').textContent()).includes(evil));

    app.server.next({ on: 'create', reply: { body: { data: [{ url: 'javascript:document.title=1' }] } } });
    await app.generate('dall-e-2', { prompt: evil });
    await app.$('.frame.broken').waitFor();
    assert.equal(await app.$('figcaption a').count(), 0);
    assert.equal(await app.$('.frame img').getAttribute('alt'), evil);
    // That this was stopped is the one violation that is meant.
    assert.deepEqual(await app.page.evaluate(() => globalThis.violations.splice(0)), ['img-src javascript']);
    app.problems.length = 0;
  });

  test('of a result that is no picture says so', async () => {
    app = await open();
    await app.generate('test-task-video');
    await app.state('Accepted as a task');
    await app.advance(15_000);
    await app.state('Done');
    assert.match(await app.$('#problem .said').textContent(), /not a picture/);
  });
});

describe('the wait', () => {
  test('stops when asked to, and goes on when asked to', async () => {
    app = await open();
    await app.generate('midjourney');
    await app.state('Accepted as a task');
    await app.advance(2000);
    await app.page.focus('#stop');
    await app.page.keyboard.press('Enter');
    await app.state('Stopped waiting');
    assert.equal(
      await app.$('#problem .said').textContent(),
      'The task goes on at LemonData, and it may be billed.',
    );
    assert.equal(await app.page.evaluate(() => document.activeElement.id), 'generate');

    await app.advance(60_000);
    assert.equal(app.server.counts.polls, 0, 'it has really stopped');

    await app.page.click('text=Wait again');
    await app.state('Done');
    assert.equal(app.server.counts.polls, 1);
    assert.equal(app.server.counts.creates, 1);
    await assertPictureIsShown(app, 512, 512);
  });

  test('for the first answer stops, too, and says that it may be billed', async () => {
    app = await open();
    await app.generate('test-hang');
    await until(() => app.server.counts.creates === 1);
    await app.state('Sent');
    await app.advance(70_000);
    assert.equal(await app.$('#detail').textContent(), '1 min 10 s · waiting for the answer');
    await app.page.click('text=Stop waiting');
    await app.state('Stopped waiting');
    assert.match(await app.$('#problem .said').textContent(), /billed all the same/);
    assert.equal(await app.$('text=Wait again').count(), 0);
    assert.equal(app.server.counts.aborted, 0, 'the relay waits for what may be billed');
  });

  test('is begun by Ctrl+Enter, and only once', async () => {
    app = await open();
    await app.page.fill('#model', 'flux-pro');
    await app.page.focus('#prompt');
    await app.page.keyboard.press('Control+Enter');
    await app.state('Accepted as a task');
    await app.page.keyboard.press('Control+Enter');
    await app.page.click('text=Generate', { force: true });
    await app.advance(15_000);
    await app.state('Done');
    assert.equal(app.server.counts.creates, 1);
  });

  test('is not begun without a prompt', async () => {
    app = await open();
    await app.generate('dall-e-2', { prompt: '' });
    await app.state('Ready');
    assert.equal(app.server.counts.creates, 0);
  });
});

describe('the page', () => {
  for (const colorScheme of ['light', 'dark']) {
    test(`fits into 320 px in every state, ${colorScheme}`, async () => {
      app = await open({ viewport: { width: 320, height: 640 }, colorScheme });
      const fits = async () => {
        const { wide, clipped } = await app.page.evaluate(() => ({
          wide: document.documentElement.scrollWidth,
          clipped: [...document.querySelectorAll('body *')]
            .filter(
              (node) =>
                node.scrollWidth > node.clientWidth + 1 && getComputedStyle(node).overflowX !== 'visible',
            )
            .map((node) => node.outerHTML.slice(0, 80)),
        }));
        assert.equal(wide, 320);
        assert.deepEqual(clipped, []);
      };
      await fits();
      const background = await app.page.evaluate(() => getComputedStyle(document.body).backgroundColor);
      assert.equal(background, colorScheme === 'dark' ? 'rgb(21, 22, 26)' : 'rgb(251, 250, 246)');
      await app.generate('flux-pro', { prompt: 'lemon'.repeat(60) });
      await app.state('Accepted as a task');
      await fits();
      const { y } = await app.$('.frame').boundingBox();
      await app.advance(5000);
      await app.state('Processing');
      // The longest line there is: time passes in the page only.
      await app.page.clock.runFor(75_000);
      await app.$('#detail', { hasText: /^41 % · 1 min 20 s · next check within \d s$/ }).waitFor();
      await fits();
      assert.equal((await app.$('.frame').boundingBox()).y, y, 'nothing moves when the line is full');
      await app.advance(10_000);
      await app.state('Done');
      await app.$('.frame.loaded').waitFor();
      await fits();
      assert.equal((await app.$('.frame').boundingBox()).y, y, 'nothing moves when the picture arrives');
      await app.generate('test-error-422');
      await app.state('Refused');
      await fits();
    });
  }

  test('gives every control a name, and announces what changes', async () => {
    app = await open();
    for (const [role, name] of [
      ['textbox', 'Prompt'],
      ['combobox', 'Model'],
      ['combobox', 'Size'],
      ['button', 'Generate'],
    ]) {
      assert.equal(await app.page.getByRole(role, { name, exact: true }).count(), 1, name);
    }
    assert.equal(await app.page.getByRole('status').textContent(), 'Ready');
    await app.generate('test-error-400-model-not-found');
    await app.page.getByRole('alert').filter({ hasText: 'Did you mean' }).waitFor();
    assert.equal(await app.page.getByRole('status').textContent(), 'Refused');
  });

  test('is checked by a recorder that records', async () => {
    app = await open();
    await app.page.evaluate(() => document.body.setAttribute('style', 'color: red'));
    await app.page.waitForFunction(() => globalThis.violations.length > 0);
    assert.deepEqual(await app.page.evaluate(() => globalThis.violations.splice(0)), [
      'style-src-attr inline',
    ]);
    assert.equal(app.problems.length, 1);
    app.problems.length = 0;
  });
});
