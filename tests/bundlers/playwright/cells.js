/** Playwright's own runner, whose page is answered by the service in memory. */

import assert from 'node:assert/strict';
import { ensureChromium } from '../../../scripts/lib/setup.js';

export const samples = { 'index.html': 'browser/page', 'cover.spec.js': 'testing/playwright' };

export const cells = {
  'playwright-sample': {
    tool: '@playwright/test',
    async run({ bin, execute, site, server }) {
      const env = { PAGE: await site('.'), CHROMIUM: ensureChromium().chromium };
      assert.match(await execute(bin('playwright'), ['test'], env), /1 passed/);
      assert.equal(server.counts.requests.length, 0);
    },
  },
};
