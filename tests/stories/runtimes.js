/** Where the stories are told: each runtime loads the package as its users do. */

import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { root } from '../../scripts/lib/run.js';
import { BROWSERS, openBrowser } from '../helpers/browsers.js';
import { serveSite } from '../helpers/site.js';
import { startWorker } from '../helpers/worker.js';
import { tell } from './story.js';

/**
 * @typedef {object} Runtime
 * @property {(input: object) => Promise<any>} tell
 * @property {() => unknown} close
 */

const here = (name) => fileURLToPath(new URL(name, import.meta.url));

const IMPORTS = JSON.stringify({ imports: { 'lemondata-wasm': '/lemondata.js' } });
const PAGE = `<!DOCTYPE html><title>Stories</title><script type="importmap">${IMPORTS}</script>`;

/**
 * The site of the pages.
 *
 * @param {import('hono').Handler} api answers below `/api/lemondata/`
 */
export const servePages = (api) =>
  serveSite({ '/story.js': here('story.js'), '/lemondata.js': join(root, 'dist/index.js') }, PAGE, { api });

async function openPage(name, site) {
  const browser = await openBrowser(name);
  const page = await browser.open(site.url);
  return {
    tell: (input) => page.run(async (input) => (await import('/story.js')).tell(input), input),
    close: () => browser.close(),
  };
}

async function openWorker(_site, folder) {
  const worker = await startWorker(folder, here('worker.js'), { compatibilityDate: '2026-07-01' });
  return {
    async tell(input) {
      const response = await worker.dispatchFetch('http://worker/', {
        method: 'POST',
        body: JSON.stringify(input),
      });
      if (!response.ok) throw new Error(`the worker failed: ${await response.text()}`);
      return response.json();
    },
    close: () => worker.dispose(),
  };
}

/**
 * Opens a runtime, by its name; `folder` is a project that has the package installed.
 *
 * @type {Record<string, (site: { url: string }, folder: string) => Promise<Runtime>>}
 */
export const RUNTIMES = {
  Node: async () => ({ tell, close() {} }),
  workerd: openWorker,
  ...Object.fromEntries(BROWSERS.map((name) => [name, (site) => openPage(name, site)])),
};
