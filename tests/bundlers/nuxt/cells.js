/** The page about Nuxt: built for Node and opened; built for Cloudflare, without and with its option, and run in workerd. */

import assert from 'node:assert/strict';
import { readdirSync, writeFileSync } from 'node:fs';
import { sample } from '../../helpers/samples.js';
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
      assert.deepEqual(modules(project), []);
      return inWorker(project, async (worker) => {
        const health = await worker.ask('/api/lemondata/health', {
          headers: { 'cf-connecting-ip': '192.0.2.1' },
        });
        assert.equal(JSON.parse(health).status, 'ok');
        return { result: JSON.parse(await worker.ask('/api/picture')) };
      });
    },
  },
  // With the option, the client and the hub have their modules.
  'nuxt-cloudflare-wasm': {
    tool: 'nuxt',
    all: true,
    async run(project) {
      writeFileSync(project.path('nuxt.config.ts'), sample('nuxt/wasm'));
      writeFileSync(project.path('server', 'api', 'hub.get.ts'), HUB_ROUTE);
      await build(project, 'cloudflare_module');
      for (const name of [/^lemondata.*\.wasm$/m, /^hub.*\.wasm$/m])
        assert.match(modules(project).join('\n'), name);
      return inWorker(project, async (worker) => {
        assert.deepEqual(JSON.parse(await worker.ask('/api/hub')), ['function', 'function']);
        return { result: JSON.parse(await worker.ask('/api/picture')) };
      });
    },
  },
};

const HUB_ROUTE = `
import { durableHub, TaskHub } from 'lemondata-wasm/cloudflare';
export default defineEventHandler(() => [typeof durableHub, typeof TaskHub]);
`;

/** The WebAssembly modules of a build. */
const modules = ({ path }) =>
  readdirSync(path('.output', 'server'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.wasm'))
    .map(({ name }) => name);

/** Runs a build in workerd. */
async function inWorker({ path, server }, use) {
  const worker = openWorker(path('.output', 'server'), 'index.mjs', server, {
    compatibilityFlags: ['nodejs_compat'],
    bindings: { RELAY_SECRET },
  });
  try {
    return await use(worker);
  } finally {
    await worker.close();
  }
}
