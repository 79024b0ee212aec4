/** The page about Nuxt: built for Node and opened, and built for Cloudflare and run in workerd. */

import assert from 'node:assert/strict';
import { freePort } from '../../matrix/ports.js';
import { openWorker } from '../../matrix/worker.js';

/** The tool asks for it. */
export const node = '24';

export const samples = {
  'server/api/lemondata/[...].ts': 'nuxt/relay',
  'app/app.vue': 'nuxt/page',
};

const RELAY_SECRET = 'a secret of the tests, of 32 characters';
const build = ({ bin, execute }, NITRO_PRESET) =>
  execute(bin('nuxt'), ['build'], { NITRO_PRESET, NUXT_TELEMETRY_DISABLED: '1' });

export const cells = {
  'nuxt-sample': {
    tool: 'nuxt',
    all: true,
    async run(project) {
      await build(project, 'node-server');
      const port = await freePort();
      const env = { PORT: String(port), HOST: '127.0.0.1', RELAY_SECRET };
      await project.serve('node', ['.output/server/index.mjs'], port, env);
      const page = await project.open(`http://127.0.0.1:${port}/`);
      try {
        // A click does nothing before Vue has taken over.
        await page.until(() => {
          if (document.querySelector('p').textContent === '') document.querySelector('button').click();
          return document.querySelector('img')?.naturalWidth || undefined;
        });
      } finally {
        await page.close();
      }
      project.paidOnce();
    },
  },
  'nuxt-cloudflare': {
    tool: 'nuxt',
    all: true,
    async run(project) {
      await build(project, 'cloudflare_module');
      const worker = openWorker(project.path('.output', 'server'), 'index.mjs', project.server, {
        compatibilityFlags: ['nodejs_compat'],
        bindings: { RELAY_SECRET },
      });
      try {
        const health = await worker.ask('/api/lemondata/health', {
          headers: { 'cf-connecting-ip': '192.0.2.1' },
        });
        assert.equal(JSON.parse(health).status, 'ok');
        return { result: JSON.parse(await worker.ask('/api/picture')) };
      } finally {
        await worker.close();
      }
    },
  },
};
