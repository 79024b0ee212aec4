/** Pages in real browsers: one browser of each engine for all cells. */

import { openBrowser } from '../helpers/browsers.js';

/** No page has to wait for anything that takes longer; a bundler that compiles on demand may. */
const PATIENCE_MS = 60_000;

const browsers = new Map();

/**
 * Opens a page and waits for what it leaves in `globalThis.result`.
 *
 * @param {'chromium' | 'firefox' | 'webkit'} engine
 * @param {string} url
 */
export async function openPage(engine, url) {
  if (!browsers.has(engine)) browsers.set(engine, await openBrowser(engine));
  const page = await browsers.get(engine).open(url);
  try {
    return await page.run(async (patience) => {
      const deadline = performance.now() + patience;
      while (!('result' in globalThis)) {
        if (performance.now() > deadline) throw new Error('The page has no result');
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      return globalThis.result;
    }, PATIENCE_MS);
  } finally {
    await page.close();
  }
}

/** Closes the browsers that were opened. */
export async function closeBrowsers() {
  for (const browser of browsers.values()) await browser.close();
  browsers.clear();
}
