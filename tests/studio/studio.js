/** The studio in Chromium, on servers of its own, with a clock that the test moves, in the page and at the server alike. */

import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { root } from '../../scripts/lib/run.js';
import { servePage } from '../../scripts/lib/serve-page.js';
import { launchChromium } from '../helpers/browsers.js';
import { startServer } from '../server/index.js';
import { atRest } from './at-rest.js';

export const KEY = 'sk-secret-of-the-page-server-42';
export const PROMPT = 'A lemon tree above a quiet sea, first light';
const TASK_MS = 12_000;
/** The longest wait for the page. Its timers are the test's, so it never has to wait itself. */
const PATIENCE_MS = 120_000;

const SCREENSHOTS = join(root, 'tests', 'studio', 'screenshots');

export const launch = launchChromium;

/**
 * The path of a screenshot for a person to look at, where one is wanted: with `SCREENSHOTS=1`. They take a third of the
 * time of a test that walks through all states.
 */
export function screenshotPath(name) {
  if (!process.env.SCREENSHOTS) return undefined;
  mkdirSync(SCREENSHOTS, { recursive: true });
  return join(SCREENSHOTS, `${name}.png`);
}

/** Waits for a condition of the server. */
export async function until(holds) {
  for (let waited = 0; !holds(); waited += 5) {
    assert.ok(waited < PATIENCE_MS, `${holds}`);
    await sleep(5);
  }
}

/** Waits for an asynchronous condition, such as one of the page, whose own timers may stand still. */
export async function untilAsync(holds) {
  for (let waited = 0; !(await holds()); waited += 5) {
    assert.ok(waited < PATIENCE_MS, `${holds}`);
    await sleep(5);
  }
}

/** Waits until the page shows the generations of earlier visits. */
export const settled = (page) => page.locator('#feed:not([aria-busy])').waitFor();

/**
 * Opens the page on servers of its own.
 *
 * @param {import('playwright-core').Browser} browser
 * @param {import('playwright-core').BrowserContextOptions & { hash?: string, taskMs?: number }} [options]
 */
async function openStudio(browser, { hash = '', taskMs = TASK_MS, ...options } = {}) {
  let clock = Date.UTC(2026, 0, 1);
  const server = await startServer({ apiKey: KEY, taskMs, now: () => clock });
  const served = await servePage({ upstream: { url: server.url, key: KEY }, now: () => clock });
  const context = await browser.newContext({
    viewport: { width: 1280, height: 900 },
    reducedMotion: 'reduce',
    ...options,
  });
  context.setDefaultTimeout(PATIENCE_MS);
  const requests = [];
  const finished = new Set();
  const bodies = [];
  const problems = [];
  context.on('request', (request) => requests.push(request));
  context.on('requestfailed', (request) => finished.add(request));
  context.on('requestfinished', (request) => {
    finished.add(request);
    // A file of the page itself, which its policy lets no script fetch.
    if (request.url().startsWith('blob:')) return;
    bodies.push(
      request
        .response()
        .then((response) => response.text())
        // A redirect has no body.
        .catch(() => ''),
    );
  });
  await context.addInitScript(() => {
    globalThis.violations = [];
    addEventListener('securitypolicyviolation', (event) => {
      globalThis.violations.push(`${event.effectiveDirective} ${event.blockedURI}`);
    });
    // Layout shifts, without those within half a second of a click.
    globalThis.shifts = [];
    new PerformanceObserver((list) => {
      for (const shift of list.getEntries()) {
        if (shift.hadRecentInput) continue;
        const moved = shift.sources.map(({ node }) => node?.outerHTML?.slice(0, 80) ?? '');
        globalThis.shifts.push({ value: shift.value, moved });
      }
    }).observe({ type: 'layout-shift', buffered: true });
  });
  const page = await context.newPage();
  page.on('pageerror', (error) => problems.push(`${error.stack}`));
  page.on('console', (message) => {
    // The browser itself reports every status of 400 and more, and every lost connection.
    if (!message.text().startsWith('Failed to load resource')) problems.push(message.text());
  });
  await page.clock.install({ time: clock });
  await page.goto(`${served.url}/${hash}`);
  await settled(page);
  // Later than any time that passed during the load, however slow the machine is.
  clock += 600_000;
  await page.clock.pauseAt(clock);

  return {
    page,
    context,
    server,
    served,
    problems,
    $: (selector, options) => page.locator(selector, options),
    /** The creates that the server received, edits included. */
    creates: () => server.counts.requests.filter(({ method }) => method === 'POST'),
    /** The newest card. */
    card: page.locator('.card').first(),

    /** Advances the clocks of the page and the server. */
    async advance(ms) {
      clock += ms;
      await page.clock.runFor(ms);
    },

    /** Fills in the form and sends it. */
    async generate(model, options = {}) {
      const { prompt = PROMPT, size = model === 'gpt-image-2' ? '1024x1024' : '512x512', ...more } = options;
      await page.fill('#prompt', prompt);
      await page.fill('#model', model);
      // Without a check of its visibility: a model may take no size.
      await page.$eval(
        '#size',
        (field, text) => {
          field.value = text;
          field.dispatchEvent(new Event('input', { bubbles: true }));
        },
        size,
      );
      for (const [name, value] of Object.entries(more)) await page.fill(`#${name}`, value);
      // The list of the models closes.
      await page.focus('[name=send]');
      // The same form twice: the button says for a moment that it was sent.
      if ((await page.locator('[name=send][aria-disabled]').count()) > 0) await page.clock.runFor(600);
      await page.click('text=Generate >> visible=true');
    },

    /** Chooses the models of a race: these, and no others. */
    async chooseModels(...models) {
      if ((await page.locator('#race[open]').count()) === 0) {
        await page.click('text=Race several models');
        // The form's model is chosen as soon as the picker has opened.
        await page.locator('.chips [aria-pressed=true]').first().waitFor();
      }
      for (const chip of await page.locator('.chips [aria-pressed=true]').all()) await chip.click();
      for (const model of models) {
        await page.fill('#race-filter', model);
        await page.press('#race-filter', 'Enter');
      }
    },

    /** Waits until the newest card shows a state. */
    async state(text) {
      const card = page.locator('.card').first();
      await card.locator('.state', { hasText: new RegExp(`^\\s*${text}(\\s|$)`) }).waitFor();
    },

    async reload() {
      await page.evaluate(atRest);
      await page.reload();
      await settled(page);
    },

    /** Goes to another page, as if the tab was closed. */
    async leave() {
      await page.evaluate(atRest);
      await page.goto('about:blank');
    },

    /** Waits for the pictures, and writes a screenshot where one is wanted. */
    async look(name, more = {}) {
      await page.evaluate(() =>
        Promise.all(
          [...document.images].filter(({ src }) => src).map((image) => image.decode().catch(() => {})),
        ),
      );
      const path = screenshotPath(name);
      if (path) await page.screenshot({ path, ...more });
    },

    /** Checks the promises that hold in every test. */
    async check() {
      for (const request of requests) {
        // The browser reports all headers of a request only when it is over.
        const headers = finished.has(request) ? await allHeaders(request) : request.headers();
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

const allHeaders = (request) =>
  request.allHeaders().catch((error) => {
    // It does not report those of a closed tab.
    if (!/has been closed/.test(error)) throw error;
    return request.headers();
  });

/** A browser for the tests of a file. Each test opens one studio, which is checked and closed after it. */
export function useStudio() {
  let browser;
  let app;
  before(async () => {
    browser = await launch();
  });
  after(() => browser?.close());
  afterEach(async () => {
    const opened = app;
    app = undefined;
    try {
      await opened?.check();
    } finally {
      await opened?.close();
    }
  });
  return {
    /** @param {Parameters<typeof openStudio>[1]} [options] */
    async open(options) {
      app = await openStudio(browser, options);
      return app;
    },
  };
}
