/** Pages in real browsers: one browser of each engine for all cells. */

import { setTimeout as sleep } from 'node:timers/promises';
import { openBrowser } from '../helpers/browsers.js';

/** No page has to wait for anything that takes longer; a bundler that compiles on demand may. */
const PATIENCE_MS = 120_000;

const browsers = new Map();

/**
 * Opens a page.
 *
 * @param {'chromium' | 'firefox' | 'webkit'} engine
 * @param {string} url
 */
export async function openPage(engine, url) {
  if (!browsers.has(engine)) browsers.set(engine, await openBrowser(engine));
  const page = await browsers.get(engine).open(url);
  return {
    ...page,

    /**
     * Waits until a function finds something in the page, and returns that.
     *
     * @param {(argument: any) => any} look
     * @param {any} [argument]
     */
    async until(look, argument) {
      const deadline = performance.now() + PATIENCE_MS;
      for (;;) {
        const found = await page.run(look, argument);
        if (found !== undefined) return found;
        if (performance.now() > deadline) {
          const text = await page.run(() => document.body?.innerText ?? '');
          throw new Error(`The page does not have what was waited for, ${look}: ${text}`);
        }
        await sleep(20);
      }
    },
  };
}

/** Closes the browsers that were opened. */
export async function closeBrowsers() {
  for (const browser of browsers.values()) await browser.close();
  browsers.clear();
}
