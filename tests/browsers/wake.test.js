/**
 * Browsers slow the timers of hidden pages down to one a minute: in real pages whose timers stand still, a poll
 * that is overdue happens when the page becomes visible or comes online, and none that is not.
 */

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { chromium } from 'playwright-core';
import { root } from '../../scripts/lib/run.js';
import { ensureChromium } from '../../scripts/lib/setup.js';
import { BROWSERS, openBrowser } from '../helpers/browsers.js';
import { serveSite } from '../helpers/site.js';

let site;
before(async () => {
  site = await serveSite(
    { '/lemondata.js': join(root, 'dist', 'index.js') },
    '<!DOCTYPE html><title>Wake</title>',
  );
});
after(() => site.close());

/** Puts into the page what the tests need: a service, a wall clock that can be moved, and timers that stand still. */
function prepare() {
  const state = { polls: 0, ahead: 0, hidden: false };
  const now = Date.now;
  Date.now = () => now.call(Date) + state.ahead;
  Object.defineProperty(document, 'hidden', { get: () => state.hidden });
  const { setTimeout } = window;
  window.setTimeout = () => 0;
  // Back-off is at its longest.
  Math.random = () => 0.999;

  /** Lets all happen that needs no timer of the page. */
  state.calm = () => new Promise((resolve) => setTimeout.call(window, resolve, 30));

  /** What comes of an event: how many polls there have been. */
  state.after = async (target, type) => {
    target.dispatchEvent(new Event(type));
    await state.calm();
    return state.polls;
  };

  /** A wait, whose polls are answered by `answer`. */
  state.wait = async (answer, options) => {
    const { waitForTask } = await import('/lemondata.js');
    const fetch = async () => {
      state.polls += 1;
      return Response.json(answer(state.polls));
    };
    const done = waitForTask('img_1', { baseUrl: location.origin, fetch, ...options });
    while (state.polls === 0) await state.calm();
    await state.calm();
    return { done };
  };
  window.state = state;
}

for (const name of BROWSERS) {
  describe(`in ${name}`, { timeout: 300_000 }, () => {
    let browser;
    before(async () => {
      browser = await openBrowser(name);
    });
    after(() => browser.close());

    /** Runs a function in a fresh page. */
    async function inPage(work) {
      const page = await browser.open(site.url);
      try {
        await page.run(prepare);
        return await page.run(work);
      } finally {
        await page.close();
      }
    }

    test('an overdue poll happens when the page becomes visible or comes online', async () => {
      const seen = await inPage(async () => {
        const { state } = window;
        const last = { status: 'completed', data: [{ url: 'https://x.test/1' }] };
        const { done } = await state.wait((count) => (count < 3 ? { status: 'processing' } : last), {
          pollInterval: { min: 60_000, max: 60_000 },
          maxWait: 600_000,
        });
        const polls = { first: state.polls };
        polls.early = await state.after(document, 'visibilitychange');
        polls.earlyOnline = await state.after(window, 'online');
        state.ahead += 61_000;
        state.hidden = true;
        polls.hiding = await state.after(document, 'visibilitychange');
        state.hidden = false;
        polls.visible = await state.after(document, 'visibilitychange');
        state.ahead += 61_000;
        polls.online = await state.after(window, 'online');
        const { status } = await done;
        return { ...polls, status };
      });
      assert.deepEqual(seen, {
        first: 1,
        early: 1,
        earlyOnline: 1,
        hiding: 1,
        visible: 2,
        online: 3,
        status: 'completed',
      });
    });

    test('a poll that our own back-off holds up happens as soon as the cadence allows', async () => {
      const seen = await inPage(async () => {
        const { state } = window;
        const { done } = await state.wait(
          (count) => {
            if (count < 4) throw new Error('lost');
            return { status: 'completed', data: [{ url: 'https://x.test/1' }] };
          },
          { pollInterval: { min: 5000, max: 5000 }, maxWait: 600_000 },
        );
        const polls = [state.polls];
        for (let time = 0; time < 3; time += 1) {
          state.ahead += 4000;
          polls.push(await state.after(window, 'online'));
          state.ahead += 1100;
          polls.push(await state.after(window, 'online'));
        }
        return { polls, status: (await done).status };
      });
      assert.deepEqual(seen, { polls: [1, 1, 2, 2, 3, 3, 4], status: 'completed' });
    });
  });
}

test('a real Chromium that was offline, and is back, polls at once', { timeout: 300_000 }, async () => {
  const browser = await chromium.launch({
    executablePath: ensureChromium().chromium,
    args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
  });
  try {
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(site.url);
    await page.evaluate(prepare);
    const polls = () => page.evaluate(() => window.state.polls);
    await page.evaluate(async () => {
      const { state } = window;
      const { done } = await state.wait(() => ({ status: 'processing' }), {
        pollInterval: { min: 60_000, max: 60_000 },
      });
      done.catch(() => {});
      state.ahead += 61_000;
    });
    await context.setOffline(true);
    await page.evaluate(() => window.state.calm());
    assert.equal(await polls(), 1);
    await context.setOffline(false);
    await page.waitForFunction(() => window.state.polls === 2);
  } finally {
    await browser.close();
  }
});
