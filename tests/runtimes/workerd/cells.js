/** Cloudflare's workerd, run by miniflare. */

import assert from 'node:assert/strict';
import { supportedCompatibilityDate } from 'miniflare';
import { startWorker } from '../../helpers/worker.js';
import { checkMocked } from '../../matrix/mocked.js';

/** About the oldest that there is: its parser of URLs is not yet the one that all others have. */
const OLDEST = '2021-11-03';

export const samples = {
  'sample/worker.js': 'cloudflare-workers/worker',
  'sample-pictures/worker.js': 'pictures/worker',
};

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

/** A worker that answers with the picture. */
const shows = (file) => ({
  tool: 'workerd',
  async run({ path, folder, server, version, paidOnce }) {
    const bindings = { LEMONDATA_API_KEY: server.apiKey, LEMONDATA_BASE_URL: server.url };
    const options = { compatibilityDate: supportedCompatibilityDate, bindings };
    const worker = await startWorker(folder, path(file), options);
    try {
      const response = await worker.dispatchFetch('http://worker/');
      assert.equal(Buffer.from(await response.arrayBuffer()).toString('latin1', 1, 4), 'PNG');
    } finally {
      await worker.dispose();
    }
    paidOnce();
    return { tool: `${version('workerd')} ${supportedCompatibilityDate}` };
  },
});

export const cells = {
  'workerd-oldest': cell(OLDEST),
  'workerd-newest': cell(supportedCompatibilityDate),
  'workerd-testing': {
    tool: 'workerd',
    async run({ path, folder, version }) {
      for (const compatibilityDate of [OLDEST, supportedCompatibilityDate]) {
        const worker = await startWorker(folder, path('mocked-worker.js'), { compatibilityDate });
        try {
          const response = await worker.dispatchFetch('http://worker/');
          if (!response.ok) throw new Error(await response.text());
          checkMocked(await response.json());
        } finally {
          await worker.dispose();
        }
      }
      return { tool: `${version('workerd')} ${supportedCompatibilityDate}` };
    },
  },
  'workerd-sample': shows('sample/worker.js'),
  'workerd-pictures-sample': {
    tool: 'workerd',
    async run({ path, folder, server, version, paidOnce }) {
      const bindings = { LEMONDATA_API_KEY: server.apiKey, LEMONDATA_BASE_URL: server.url };
      const options = { compatibilityDate: supportedCompatibilityDate, bindings, r2Buckets: ['PICTURES'] };
      const worker = await startWorker(folder, path('sample-pictures/worker.js'), options);
      try {
        const { key } = await (await worker.dispatchFetch('http://worker/')).json();
        const kept = await (await worker.getR2Bucket('PICTURES')).get(key);
        assert.equal(kept.httpMetadata.contentType, 'image/png');
        assert.equal(Buffer.from(await kept.arrayBuffer()).toString('latin1', 1, 4), 'PNG');
      } finally {
        await worker.dispose();
      }
      paidOnce();
      return { tool: `${version('workerd')} ${supportedCompatibilityDate}` };
    },
  },
};
