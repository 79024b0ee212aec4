/** Wrangler: what it would deploy, run by workerd, and its development server. */

import assert from 'node:assert/strict';
import { askWorker, runWorker } from '../../matrix/worker.js';

/** The tool asks for it. */
export const node = '24';

export const samples = {
  'sample/worker.js': 'cloudflare-workers/worker',
  'sample/wrangler.json': 'cloudflare-workers/config',
};

const ENV = { WRANGLER_SEND_METRICS: 'false' };

export const cells = {
  'wrangler-deploy': {
    tool: 'wrangler',
    async run({ bin, execute, path, server, weigh }) {
      await execute(bin('wrangler'), ['deploy', '--dry-run', '--minify', '--outdir=out'], ENV);
      return { result: await runWorker(path('out'), 'worker.js', server), bytes: weigh('out') };
    },
  },
  'wrangler-dev': {
    tool: 'wrangler',
    async run({ bin, serve, server }) {
      const variables = [`LEMONDATA_BASE_URL:${server.url}`, `LEMONDATA_API_KEY:${server.apiKey}`];
      const args = ['dev', '--ip=127.0.0.1', '--port=0', ...variables.flatMap((text) => ['--var', text])];
      const [url] = await serve(bin('wrangler'), args, /http:\/\/127\.0\.0\.1:\d+/, ENV);
      const response = await fetch(url);
      if (!response.ok) throw new Error(await response.text());
      return { result: await response.json() };
    },
  },
  'wrangler-sample': {
    tool: 'wrangler',
    async run({ bin, execute, path, server, paidOnce }) {
      await execute(bin('wrangler'), ['deploy', '--dry-run', '--outdir=out'], ENV, 'sample');
      const picture = await askWorker(path('sample', 'out'), 'worker.js', server);
      assert.equal(picture.subarray(1, 4).toString(), 'PNG');
      paidOnce();
    },
  },
  'wrangler-dev-sample': {
    tool: 'wrangler',
    async run({ bin, serve, shell, paidOnce }) {
      await shell('cloudflare-workers/secrets');
      const args = ['dev', '--ip=127.0.0.1', '--port=0'];
      const [url] = await serve(bin('wrangler'), args, /http:\/\/127\.0\.0\.1:\d+/, ENV, 'sample');
      const picture = Buffer.from(await (await fetch(url)).arrayBuffer());
      assert.equal(picture.toString('latin1', 1, 4), 'PNG');
      paidOnce();
    },
  },
};
