/** The cards: no paid picture is lost, files that do not come, tabs, clocks, and a picture in the first place. */

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { LemonDataError } from 'lemondata-wasm';
import { PNG } from 'pngjs';
import { costOf, explain } from '../../www/words.js';
import { PROMPT, settled, until, untilAsync, useStudio } from './studio.js';

/** Ends a test that hangs. */
const GUARD = { timeout: 300_000 };

const studio = useStudio();
/** The studio of the current test. */
let app;

const png = PNG.sync.write(new PNG({ width: 16, height: 16 }));
/** An answer with pictures in it, which have no address. */
const inline = (count = 1, more = {}) => ({
  on: 'create',
  reply: { body: { created: 1, data: Array(count).fill({ b64_json: png.toString('base64') }), ...more } },
});

/** The text of a part of the newest card. */
const text = (selector, card = app.card) => card.locator(selector).first().textContent();
const button = (name, place = app.card) => place.getByRole('button', { name, exact: true });
const archive = () => app.$('.archive');

/** Has the database of the page refuse pictures, as where the disk is full. */
const fillDisk = (page = app.page) =>
  page.evaluate(() => {
    const { put } = IDBObjectStore.prototype;
    IDBObjectStore.prototype.put = function (...values) {
      if (globalThis.isDiskFull && this.name !== 'tasks') {
        throw new DOMException('The disk is full.', 'QuotaExceededError');
      }
      return put.apply(this, values);
    };
    globalThis.isDiskFull = true;
  });
const freeDisk = () =>
  app.page.evaluate(() => {
    globalThis.isDiskFull = false;
  });
/** Whether the browser would ask before it leaves the page. */
const asksBeforeLeaving = () =>
  app.page.evaluate(() => !dispatchEvent(new Event('beforeunload', { cancelable: true })));

describe('storage', GUARD, () => {
  test('that is full loses no picture: it is shown, downloaded and stored later', async () => {
    app = await studio.open();
    await fillDisk();
    app.server.next(inline());
    await app.generate('dall-e-2');
    await app.state('Done');
    await app.card.locator('.picture img').evaluate((img) => img.decode());
    assert.match(await text('.in-memory'), /no space for the picture/);
    assert.equal(await app.$('#gallery-count').textContent(), '1');
    assert.equal(await asksBeforeLeaving(), true);
    const [download] = await Promise.all([app.page.waitForEvent('download'), button('Download').click()]);
    const file = await readFile(await download.path());
    assert.ok(PNG.sync.read(file).data.equals(PNG.sync.read(png).data));

    await button('Store it').click();
    await app.$('.toast', { hasText: 'still no space' }).waitFor();
    await freeDisk();
    await button('Store it').click();
    await app.card.locator('.in-memory').waitFor({ state: 'detached' });
    assert.equal(await asksBeforeLeaving(), false);
    await app.reload();
    await untilAsync(async () => (await app.$('#gallery-count').textContent()) === '1');
    assert.match(app.problems.splice(0).join(), /A picture is not stored/);
  });

  test('that is full keeps the address of a picture, which shows it after a reload', async () => {
    app = await studio.open();
    await fillDisk();
    await app.page.evaluate(() => {
      const { put } = IDBObjectStore.prototype;
      IDBObjectStore.prototype.put = function (...values) {
        globalThis.isDiskFull = this.name !== 'pictures';
        return put.apply(this, values);
      };
    });
    await app.generate('dall-e-2');
    await app.state('Done');
    await app.reload();
    await app.state('Done');
    const img = app.card.locator('.picture img');
    assert.match(await img.getAttribute('src'), /^http.*\/files\//);
    assert.equal(await img.evaluate((shown) => shown.decode().then(() => shown.naturalWidth)), 512);
    assert.equal(app.server.counts.creates, 1);
    app.problems.length = 0;
  });

  test('that is full for the whole of a picture has it loaded again after a reload', async () => {
    app = await studio.open();
    await fillDisk();
    await app.generate('dall-e-2');
    await app.state('Done');
    await app.card.locator('.picture img').evaluate((img) => img.decode());
    await app.reload();
    await app.state('The picture’s file cannot be loaded');
    await button('Try again').click();
    await app.state('Done');
    await app.card.locator('.picture img').evaluate((img) => img.decode());
    assert.equal(await app.$('#gallery-count').textContent(), '1');
    assert.equal(app.server.counts.creates, 1);
    app.problems.length = 0;
  });

  test('that is blocked altogether shows the picture from memory', async () => {
    app = await studio.open();
    const page = await app.context.newPage();
    await page.addInitScript(() => {
      const refuse = () => {
        throw new DOMException('Blocked.', 'SecurityError');
      };
      IDBFactory.prototype.open = refuse;
      Object.defineProperty(globalThis, 'localStorage', { get: refuse });
    });
    await page.goto(app.served.url);
    await settled(page);
    await page.fill('#prompt', PROMPT);
    await page.fill('#model', 'dall-e-2');
    await page.click('button[name=send]');
    const card = page.locator('.card');
    await card.locator('.state', { hasText: 'Done' }).waitFor();
    await card.locator('.picture img').evaluate((img) => img.decode());
    assert.match(await text('.in-memory', card), /lost when this page is closed/);
    await page.locator('.notice', { hasText: 'is forgotten when the page is closed' }).waitFor();
    await page.click('nav >> text=Gallery');
    await page.locator('#tiles img[src]').waitFor();
    await page.locator('.storage .warning').waitFor();
  });

  test('is asked to persist with the first picture, and its use is shown in the gallery', async () => {
    app = await studio.open();
    await app.page.evaluate(() => {
      globalThis.asked = 0;
      StorageManager.prototype.persist = async () => Boolean(++globalThis.asked);
      StorageManager.prototype.estimate = async () => ({ usage: 1_900_000_000, quota: 2_000_000_000 });
    });
    await app.generate('dall-e-2');
    await app.state('Done');
    assert.equal(await app.page.evaluate(() => globalThis.asked), 1);
    await app.page.click('nav >> text=Gallery');
    const foot = app.$('.storage');
    await foot.filter({ hasText: '1.9 GB of 2.0 GB are used' }).waitFor();
    assert.match(await foot.textContent(), /delete what you do not/);
    assert.equal(await foot.locator('meter').evaluate(({ value }) => value), 95);
  });
});

describe('a file', GUARD, () => {
  const isFile = /\/files\//;

  test('that is gone is a state of its own, and comes by another try without another create', async () => {
    app = await studio.open();
    await app.context.route(isFile, (route) => route.fulfill({ status: 404, body: 'gone' }));
    await app.generate('flux-pro');
    await app.state('Accepted as a task');
    await app.advance(20_000);
    await app.state('The picture’s file cannot be loaded');
    assert.equal(await app.card.locator('img').count(), 0);
    assert.match(await text('.placeholder'), /cannot be loaded/);
    assert.equal(await app.$('#gallery-count').textContent(), '', 'no broken tile is in the gallery');

    await app.reload();
    await app.state('The picture’s file cannot be loaded');
    await app.context.unroute(isFile);
    const { polls } = app.server.counts;
    await button('Try again').click();
    await app.state('Done');
    await app.card.locator('.picture img').evaluate((img) => img.decode());
    assert.equal(app.server.counts.polls, polls + 1, 'the task is asked for an address that works');
    assert.equal(app.server.counts.creates, 1);
  });

  test('that hangs can be stopped', async () => {
    app = await studio.open();
    await app.context.route(isFile, () => {});
    await app.generate('dall-e-2');
    await app.state('Fetching the picture');
    await button('Stop').click();
    await app.state('The picture’s file cannot be loaded');
    await button('Try again').click();
    await app.state('Fetching the picture');
    // No stop: the time for a file ends it as well.
    await app.advance(121_000);
    await app.state('The picture’s file cannot be loaded');
    await app.context.unroute(isFile);
    await button('Try again').click();
    await app.state('Done');
    assert.equal(app.server.counts.creates, 1);
  });

  test('among several leaves the others', async () => {
    app = await studio.open();
    let count = 0;
    await app.context.route(isFile, (route) =>
      ++count === 2 ? route.fulfill({ status: 404, body: 'gone' }) : route.continue(),
    );
    await app.generate('dall-e-2', { n: '3' });
    await app.state('1 of 3 files cannot be loaded');
    await app.card.locator('.picture img').nth(1).waitFor();
    const { files } = app.server.counts;
    await button('Try again').click();
    await app.state('Done');
    await app.card.locator('.picture img').nth(2).waitFor();
    assert.equal(app.server.counts.files, files + 1, 'the others are not loaded again');
  });

  test('that its server shows no more is no broken picture', async () => {
    app = await studio.open();
    const url = 'https://pictures.example/lemon.png';
    let isThere = true;
    await app.context.route(url, (route) =>
      isThere && route.request().resourceType() === 'image'
        ? route.fulfill({ body: png, contentType: 'image/png' })
        : route.abort(),
    );
    app.server.next({ on: 'create', reply: { body: { data: [{ url }] } } });
    await app.generate('dall-e-2');
    await app.state('Done');
    isThere = false;
    await app.reload();
    await app.state('The picture’s file cannot be loaded');
    assert.equal(await app.card.locator('img').count(), 0);
  });

  test('that has been deleted says so', async () => {
    app = await studio.open();
    await app.generate('dall-e-2');
    await app.state('Done');
    await app.card.locator('.picture').click();
    await app.page.keyboard.press('Delete');
    await untilAsync(async () => (await app.$('#gallery-count').textContent()) === '');
    await app.card.locator('.placeholder', { hasText: 'has been deleted' }).waitFor({ state: 'attached' });
  });

  test('that never was: a task without a picture has failed and says why', async () => {
    app = await studio.open();
    app.server.next({
      on: 'poll',
      reply: { body: { status: 'completed', data: [], error: 'The picture was filtered.' } },
    });
    await app.generate('flux-pro');
    await app.state('Accepted as a task');
    await app.advance(6000);
    await app.state('The task failed');
    assert.match(await text('.problem'), /The picture was filtered/);
    app.server.next({
      on: 'poll',
      reply: { body: { status: 'completed', video_url: 'https://x.test/1.mp4' } },
    });
    await app.generate('flux-pro', { prompt: 'A film' });
    await app.state('Accepted as a task');
    await app.advance(6000);
    await app.state('No picture');
    assert.match(await text('.problem'), /completed without a picture/);
    assert.match(await text('.problem .next'), /may be billed/);
  });
});

describe('what may still be billed', GUARD, () => {
  async function stopOne(prompt = PROMPT) {
    await app.generate('midjourney', { prompt });
    await app.state('Accepted as a task');
    await button('Stop waiting').click();
    await app.state('Stopped waiting');
  }

  test('is archived by “Clear finished”, with undo, and its wait goes on from there', async () => {
    app = await studio.open();
    await app.generate('dall-e-2', { prompt: 'Done already' });
    await app.state('Done');
    await stopOne();
    await app.page.click('text=Clear finished');
    await app.card.waitFor({ state: 'detached' });
    assert.equal(await archive().locator('li').count(), 1);
    await app.page.click('.toast >> text=Undo');
    await untilAsync(async () => (await app.$('.card').count()) === 2);
    assert.equal(await archive().count(), 0);

    await app.page.click('text=Clear finished');
    await app.card.waitFor({ state: 'detached' });
    await app.reload();
    assert.equal(await app.card.count(), 0);
    await archive().locator('summary').click();
    assert.match(await archive().textContent(), /may still complete and be billed/);
    await app.advance(30_000);
    await button('Wait again', archive()).click();
    await app.state('Done');
    assert.equal(await archive().count(), 0);
    assert.equal(app.server.counts.creates, 2);
  });

  test('is archived by “Generate again”, and forgotten only there, with undo', async () => {
    app = await studio.open();
    await stopOne();
    await button('Generate again').click();
    await app.state('Accepted as a task');
    assert.equal(await app.$('.card').count(), 1);
    assert.equal(app.server.counts.creates, 2);
    await archive().locator('summary').click();
    await button('Forget', archive()).click();
    await archive().waitFor({ state: 'detached' });
    await app.page.click('.toast >> text=Undo');
    await archive().waitFor();
    await app.reload();
    await archive().locator('summary').click();
    await button('Forget', archive()).click();
    await archive().waitFor({ state: 'detached' });
    await app.reload();
    assert.equal(await archive().count(), 0);
  });

  test('is not what has failed without a bill', async () => {
    app = await studio.open();
    await app.generate('test-error-400-model-not-found');
    await app.state('Refused');
    await button('Dismiss').click();
    await app.$('#empty').waitFor();
    assert.equal(await archive().count(), 0);
    await app.page.click('.toast >> text=Undo');
    await app.state('Refused');
  });
});

describe('a reload', GUARD, () => {
  test('keeps the cards that have ended, with their pictures and warnings', async (t) => {
    app = await studio.open();
    t.mock.method(console, 'error', () => {});
    app.server.next(inline(2));
    await app.generate('dall-e-2');
    await app.state('Done');
    await app.generate('test-error-402', { prompt: 'Too dear' });
    await app.state('The balance is used up');
    await app.generate('test-error-500', { prompt: 'Lost' });
    const lost = async () => {
      const card = app.$('.card', { hasText: 'Outcome unknown' });
      for (let waited = 0; (await card.count()) === 0; waited += 1000) {
        assert.ok(waited < 90_000);
        await app.advance(1000);
      }
    };
    await lost();
    const texts = () => app.$('.card .state, .card .problem > p').allTextContents();
    const before = await texts();
    assert.ok(before.some((line) => /may be billed/.test(line)));
    await app.reload();
    // The relay is asked for its answer once more.
    await lost();
    assert.deepEqual(await texts(), before);
    const done = app.$('.card[data-phase=done]');
    await done
      .locator('.picture img')
      .nth(1)
      .evaluate((img) => img.decode());
    assert.equal(app.creates().length, 3);
  });

  test('sends what was held offline, also where its tab was closed', async () => {
    app = await studio.open();
    await app.context.setOffline(true);
    await app.generate('dall-e-2');
    await app.state('Waiting for the connection');
    await app.leave();
    await app.context.setOffline(false);
    assert.equal(app.server.counts.creates, 0);
    await app.page.goto(app.served.url);
    await app.state('Done');
    assert.equal(app.server.counts.creates, 1);
  });
});

describe('two tabs', GUARD, () => {
  async function openSecond() {
    const page = await app.context.newPage();
    await page.goto(app.served.url);
    await settled(page);
    return page;
  }
  const see = (page, words) => page.locator('.card .state', { hasText: words }).first().waitFor();

  test('show what one of them starts, and one polls', async () => {
    app = await studio.open();
    const second = await openSecond();
    await app.generate('flux-pro');
    await app.state('Accepted as a task');
    await see(second, /Accepted as a task|Waiting again/);
    await app.advance(5000);
    await app.state('Processing');
    await see(second, 'Processing');
    assert.match(await text('.requests .next', second.locator('.card')), /^Next poll in about [3-5] s$/);
    assert.equal(app.server.counts.polls, 1);
    await app.advance(15_000);
    await app.state('Done');
    await see(second, 'Done');
    await second.locator('.card .picture img').evaluate((img) => img.decode());
    assert.equal(app.server.counts.creates, 1);
    assert.equal(app.server.counts.files, 1);

    await second.locator('.card').getByRole('button', { name: 'Dismiss' }).click();
    await app.card.waitFor({ state: 'detached' });
  });

  test('go on with the work of one that is closed, also where it began later', async () => {
    app = await studio.open();
    const second = await openSecond();
    await second.fill('#prompt', PROMPT);
    await second.fill('#model', 'flux-pro');
    await second.click('button[name=send]');
    await see(second, 'Accepted as a task');
    await see(app.page, /Accepted as a task|Waiting again/);
    assert.equal(app.server.counts.polls, 0);
    await second.close();
    // At once, without a move of the clock.
    await until(() => app.server.counts.polls === 1);
    await app.advance(20_000);
    await app.state('Done');
    assert.equal(app.server.counts.creates, 1);
  });
});

describe('one press', GUARD, () => {
  test('that repeats a large create is confirmed like the first', async () => {
    app = await studio.open();
    const dialog = app.$('#confirm');
    const answer = async (name) => {
      await dialog.getByRole('button', { name }).click();
      await dialog.waitFor({ state: 'hidden' });
    };
    await app.generate('test-task', { n: '6' });
    await answer('Make 6 pictures');
    await app.state('Accepted as a task');
    await button('Stop waiting').click();
    await button('Generate again').click();
    await answer('Cancel');
    assert.equal(app.creates().length, 1);
    await button('Generate again').click();
    await answer('Make 6 pictures');
    await until(() => app.creates().length === 2);

    await app.generate('dall-e-2', { n: '5' });
    await answer('Make 5 pictures');
    await app.state('Done');
    await app.page.fill('#prompt', 'Something else');
    await button('Vary picture 1').click();
    await answer('Cancel');
    assert.equal(await app.page.inputValue('#prompt'), 'Something else');
    assert.equal(app.creates().length, 3);
    await button('Vary picture 1').click();
    await answer('Make 5 pictures');
    await until(() => app.creates().length === 4);
    assert.equal(await app.page.inputValue('#prompt'), PROMPT);
  });

  test('is one create', async () => {
    app = await studio.open();
    await app.page.fill('#prompt', PROMPT);
    await app.page.evaluate(() => {
      const form = document.getElementById('form');
      for (let count = 0; count < 3; count += 1) {
        form.dispatchEvent(new SubmitEvent('submit', { bubbles: true, cancelable: true }));
      }
    });
    await app.state('Done');
    assert.equal(app.server.counts.creates, 1);
    // The same request is another one by another press.
    await app.page.clock.runFor(600);
    await app.page.click('button[name=send]');
    await until(() => app.server.counts.creates === 2);
  });
});

describe('the price', GUARD, () => {
  test('is on the card where the service says it, after a reload as well', async () => {
    app = await studio.open();
    app.server.next(inline(1, { usage: { total_tokens: 1068, cost: 0.042 } }));
    await app.generate('dall-e-2');
    await app.state('Done');
    assert.equal(await text('.cost'), '$0.042');
    await app.reload();
    await app.state('Done');
    assert.equal(await text('.cost'), '$0.042');
  });

  test('is in dollars, else in tokens', () => {
    assert.equal(costOf({ cost_usd: 0.04 }), '$0.04');
    assert.equal(costOf({ usage: { cost_usd: 1.5 } }), '$1.50');
    assert.equal(costOf({ usage: { total_tokens: 1068 } }), '1,068 tokens');
    for (const answer of [{}, { usage: null }, { usage: 'x', cost: '1' }])
      assert.equal(costOf(answer), undefined);
  });
});

describe('a clock that is set', GUARD, () => {
  /** Sets the wall clock of the page, which goes on from there. */
  const setClock = (ms) =>
    app.page.evaluate((shift) => {
      const Before = Date;
      globalThis.Date = class extends Before {
        constructor(...values) {
          super(...(values.length > 0 ? values : [Before.now() + shift]));
        }
        static now() {
          return Before.now() + shift;
        }
      };
    }, ms);

  for (const [title, shift] of [
    ['back', -7_200_000],
    ['forward', 7_200_000],
  ]) {
    test(`${title} leaves times and waits right`, async () => {
      app = await studio.open({ taskMs: 60_000 });
      await app.generate('flux-pro');
      await app.state('Accepted as a task');
      await app.advance(5000);
      await app.state('Pending');
      await setClock(shift);
      await app.advance(5000);
      await untilAsync(async () => /^1[01] s$/.test((await text('.elapsed')).trim()));
      assert.match(await text('.requests .next'), /^Next poll (in about [1-5] s|any moment)|^Polling/);
      await app.generate('dall-e-2', { prompt: 'Later' });
      await app.state('Done');
      assert.equal(await text('.prompt'), 'Later', 'the newest is the first');
      for (let passed = 0; passed < 60_000; passed += 5000) await app.advance(5000);
      const task = app.$('.card').nth(1);
      await task.locator('.state', { hasText: 'Done' }).waitFor();
      assert.match(await text('.state', task), /Done\s+in 1 min \d+ s/);
      assert.equal(app.server.counts.creates, 2);
    });
  }

  test('is no reason to wait on where it was left alone', async () => {
    app = await studio.open({ taskMs: 1_000_000 });
    await app.generate('flux-pro');
    await app.state('Accepted as a task');
    const isOver = async () => (await app.card.getAttribute('data-phase')) === 'failed';
    for (let passed = 0; passed < 400_000 && !(await isOver()); passed += 10_000) await app.advance(10_000);
    await app.state('Still not finished');
    const { polls } = app.server.counts;
    await app.advance(10_000);
    assert.equal(app.server.counts.polls, polls);
  });
});

describe('an error', GUARD, () => {
  test('of the prompt leads to the prompt, and not to the same request', async () => {
    app = await studio.open();
    app.server.next({
      on: 'create',
      reply: {
        status: 400,
        body: {
          error: { message: 'The prompt is refused.', type: 'invalid_request_error', param: 'prompt' },
        },
      },
    });
    await app.generate('dall-e-2');
    await app.state('Refused');
    for (const name of ['Try again', 'Generate again']) assert.equal(await button(name).count(), 0);
    await app.page.fill('#prompt', 'Something else');
    await button('Change the prompt').click();
    assert.equal(await app.page.inputValue('#prompt'), PROMPT);
    assert.equal(await app.page.evaluate(() => document.activeElement.id), 'prompt');
  });

  test('says what can help', () => {
    const remedy = (fields) => explain(new LemonDataError({ message: 'x', ...fields })).remedy;
    assert.equal(remedy({ kind: 'invalid_request', outcome: 'rejected', param: 'size' }), 'settings');
    assert.equal(remedy({ kind: 'invalid_request', outcome: 'not_sent', param: 'prompt' }), 'prompt');
    assert.equal(
      remedy({ kind: 'task_failed', outcome: 'failed', code: 'content_policy_violation' }),
      'prompt',
    );
    assert.equal(remedy({ kind: 'task_failed', outcome: 'failed', code: 'upstream_error' }), 'again');
    assert.equal(remedy({ kind: 'rate_limit', outcome: 'rejected' }), 'again');
    assert.equal(remedy({ kind: 'connection', outcome: 'unknown' }), 'again');
    assert.equal(remedy({ kind: 'server', outcome: 'accepted', param: 'prompt' }), 'again');
  });

  test('shows no signed reference and no API talk', () => {
    const reference = 't_eyJ0YXNrIjoiaW1nXzEifQ.c2lnbmF0dXJl';
    const shown = (fields) => JSON.stringify(explain(new LemonDataError(fields)));
    for (const [kind, message] of [
      ['wait_timeout', `The task ${reference} was still running when maxWait ended.`],
      ['server', 'POST /v1/images/generations was answered with status 500.'],
      ['task_not_found', `The task ${reference} is gone.`],
    ]) {
      const words = shown({ kind, outcome: 'accepted', message, task: { task_id: reference } });
      assert.doesNotMatch(words, /t_eyJ|maxWait|POST|\/v1\//, words);
      assert.match(words, /"message":"[A-Z][^"]{10,}\."/, words);
    }
    const hint = 'Did you mean ‘a’? Use GET /v1/models to list all models.';
    assert.equal(
      explain(new LemonDataError({ kind: 'invalid_request', outcome: 'rejected', message: 'x', hint })).hint,
      'Did you mean ‘a’?',
    );
  });
});

describe('a card', GUARD, () => {
  test('shows the prompt as it was written, and what the model made of it', async () => {
    app = await studio.open();
    const prompt = 'לימון על אדן החלון\nin the morning';
    app.server.next({
      on: 'create',
      reply: { body: { data: [{ b64_json: png.toString('base64'), revised_prompt: 'A lemon.\nMorning.' }] } },
    });
    await app.generate('dall-e-2', { prompt });
    await app.state('Done');
    const title = app.card.locator('.prompt h3');
    assert.equal(await title.textContent(), prompt);
    for (const place of [title, app.$('#prompt')])
      assert.equal(await place.evaluate((element) => getComputedStyle(element).direction), 'rtl');
    assert.ok((await title.evaluate((h3) => h3.offsetHeight)) > 40, 'it has two lines');
    await app.page.click('text=Revised prompt');
    assert.equal(await app.card.locator('.revised p').innerText(), 'A lemon.\nMorning.');
    await app.reload();
    assert.equal(await text('.revised p'), 'A lemon.\nMorning.');
  });

  test('of several pictures is a contact sheet: each has a star, a download and variations', async () => {
    app = await studio.open();
    await app.generate('dall-e-2', { n: '4' });
    await app.state('Done');
    await app.card.locator('.picture img').nth(3).waitFor();
    const star = button('Favourite picture 2');
    await star.focus();
    await app.page.keyboard.press('Enter');
    await untilAsync(async () => (await star.getAttribute('aria-pressed')) === 'true');
    const [download] = await Promise.all([
      app.page.waitForEvent('download'),
      button('Download picture 3').click(),
    ]);
    assert.match(download.suggestedFilename(), /-3\.png$/);
    await app.look('contact-sheet');

    await button('Vary picture 1').click();
    await until(() => app.server.counts.creates === 2);
    const [first, second] = app.creates().map(({ body }) => body);
    const { seed, ...same } = second;
    assert.deepEqual(same, first);
    assert.ok(Number.isInteger(seed));
    assert.equal(await app.page.inputValue('#seed'), `${seed}`);
    await app.reload();
    const stars = app.$('.star[aria-pressed=true]');
    await stars.waitFor();
    assert.equal(await stars.getAttribute('aria-label'), 'Favourite picture 2');
  });

  test('keeps the focus where its button goes', async () => {
    app = await studio.open();
    const focused = () => app.page.evaluate(() => document.activeElement.textContent.trim());
    await app.generate('midjourney');
    await app.state('Accepted as a task');
    await button('Stop waiting').focus();
    await app.page.keyboard.press('Enter');
    await app.state('Stopped waiting');
    assert.equal(await focused(), 'Wait again');
    await app.generate('dall-e-2', { prompt: 'Another one' });
    await app.state('Done');
    await button('Dismiss').focus();
    await app.page.keyboard.press('Enter');
    await untilAsync(async () => (await app.$('.card').count()) === 1);
    // The same button of the card that took its place.
    assert.equal(await app.page.evaluate(() => document.activeElement.ariaLabel), 'Dismiss');
  });
});

describe('the page', GUARD, () => {
  test('puts the picture first, in columns where the window is wide', async () => {
    app = await studio.open({ viewport: { width: 1440, height: 900 } });
    for (const prompt of ['One', 'Two', 'Three']) {
      await app.generate('dall-e-2', { prompt, size: '1024x1024' });
      await app.state('Done');
      await app.advance(1000);
    }
    const boxes = async (selector) =>
      Promise.all((await app.$(selector).all()).map((element) => element.boundingBox()));
    for (const [width, columns] of [
      [1440, 1],
      [1920, 2],
      [2560, 3],
    ]) {
      await app.page.setViewportSize({ width, height: 900 });
      await untilAsync(async () => (await app.$('.column').count()) === columns);
      const pictures = await boxes('.card .picture');
      assert.equal(new Set(pictures.map(({ x }) => x)).size, columns);
      for (const box of pictures) assert.ok(box.width >= 520 && box.width <= 720, `${width}: ${box.width}`);
      const [{ x, width: wide }] = (await boxes('.card')).sort((a, b) => b.x - a.x);
      if (columns > 1)
        assert.ok(x + wide > width - 60, `the page is ${width} wide, its cards end at ${x + wide}`);
    }
  });

  for (const viewport of [
    { width: 1440, height: 600 },
    { width: 390, height: 844 },
  ]) {
    test(`keeps Generate in sight: ${viewport.width} px`, async () => {
      app = await studio.open({ viewport });
      for (const prompt of ['One', 'Two', 'Three']) {
        await app.generate('dall-e-2', { prompt, size: '1024x1024' });
        await app.state('Done');
      }
      await app.page.click('text=More settings');
      for (const top of [0, 400, 99_999]) {
        await app.page.evaluate((y) => scrollTo(0, y), top);
        const { y, height } = await app.$('button[name=send]').boundingBox();
        assert.ok(y >= 0 && y + height <= viewport.height, `${top}: ${y}`);
      }
    });
  }

  test('prints pictures and prompts alone', async () => {
    app = await studio.open();
    await app.generate('dall-e-2');
    await app.state('Done');
    await app.page.emulateMedia({ media: 'print' });
    assert.equal(await app.$('#form').isVisible(), false);
    assert.equal(await button('Dismiss').isVisible(), false);
    assert.equal(await app.card.locator('.picture img').isVisible(), true);
    assert.equal(await app.card.locator('h3').isVisible(), true);
  });
});
