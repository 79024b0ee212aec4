/** Cloudflare's workerd, run by miniflare. */

import { supportedCompatibilityDate } from 'miniflare';
import { startWorker } from '../../helpers/worker.js';

/** About the oldest that there is: its parser of URLs is not yet the one that all others have. */
const OLDEST = '2021-11-03';

const cell = (compatibilityDate) => ({
  tool: 'workerd',
  async run({ path, folder, server, version }) {
    const bindings = { LEMONDATA_API_KEY: server.apiKey, LEMONDATA_BASE_URL: server.url };
    const worker = await startWorker(folder, path('worker.js'), { compatibilityDate, bindings });
    try {
      const response = await worker.dispatchFetch('http://worker/');
      if (!response.ok) throw new Error(await response.text());
      return { result: await response.json(), tool: `${version('workerd')} ${compatibilityDate}` };
    } finally {
      await worker.dispose();
    }
  },
});

export const cells = {
  'workerd-oldest': cell(OLDEST),
  'workerd-newest': cell(supportedCompatibilityDate),
};
