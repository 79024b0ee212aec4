/** Astro: a script of a page and an endpoint, with the adapters for Node and for Cloudflare, and the sample. */

import { freePort } from '../../matrix/ports.js';

/** The tools ask for it. */
export const node = '24';

export const samples = {
  'src/pages/api/lemondata/[...path].ts': 'frameworks/astro-relay',
  'src/pages/lemon.astro': 'frameworks/astro-page',
};

const ENV = { ASTRO_TELEMETRY_DISABLED: '1', WRANGLER_SEND_METRICS: 'false' };

async function json(url) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
  return response.json();
}

const build = ({ bin, execute }, ADAPTER) => execute(bin('astro'), ['build'], { ...ENV, ADAPTER });

export const cells = {
  'astro-page': {
    tool: 'astro',
    all: true,
    async run(project, opened) {
      return { result: await project.page(`${opened.url}/`) };
    },
  },
  'astro-relay': {
    tool: 'astro',
    all: true,
    async run({ shows }, opened) {
      await shows(`${opened.url}/lemon`, 'chromium', { clicks: true });
    },
  },
  'astro-node': {
    tool: 'astro',
    all: true,
    async run(_project, opened) {
      return { result: await json(`${opened.url}/api/picture`) };
    },
  },
  'astro-cloudflare': {
    tool: 'astro',
    all: true,
    async run(project) {
      await build(project, 'cloudflare');
      const { bin, serve, server } = project;
      const variables = { LEMONDATA_API_KEY: server.apiKey, LEMONDATA_BASE_URL: server.url };
      const settings = Object.entries(variables).flatMap(([name, value]) => ['--var', `${name}:${value}`]);
      const args = ['dev', '--ip=127.0.0.1', '--port=0', ...settings];
      const [, url] = await serve(bin('wrangler'), args, /Ready on (http:\/\/127\.0\.0\.1:\d+)/, ENV);
      return { result: await json(`${url}/api/picture`) };
    },
  },
};

export async function open(project) {
  await build(project, 'node');
  const port = await freePort();
  const env = {
    HOST: '127.0.0.1',
    PORT: String(port),
    RELAY_SECRET: 'a secret of the tests, of 32 characters',
  };
  await project.serve('node', ['dist/server/entry.mjs'], port, env);
  return { url: `http://127.0.0.1:${port}` };
}
