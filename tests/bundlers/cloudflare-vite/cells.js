/** Cloudflare's plugin for Vite: its development server, and its build as workerd previews it. */

import { writeFileSync } from 'node:fs';

/** The tool asks for it. */
export const node = '24';

const ENV = { WRANGLER_SEND_METRICS: 'false' };
const URL = /http:\/\/127\.0\.0\.1:\d+\//;

/** The variables of a worker on the developer's machine stand in a file. */
export function open({ path, server }) {
  const variables = { LEMONDATA_BASE_URL: server.url, LEMONDATA_API_KEY: server.apiKey };
  const lines = Object.entries(variables).map(([name, value]) => `${name}=${value}\n`);
  writeFileSync(path('.dev.vars'), lines.join(''));
}

async function answer(url) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(await response.text());
  return response.json();
}

export const cells = {
  'cloudflare-vite-dev': {
    tool: '@cloudflare/vite-plugin',
    all: true,
    async run({ bin, serve }) {
      const [url] = await serve(bin('vite'), ['--host=127.0.0.1'], URL, ENV);
      return { result: await answer(url) };
    },
  },
  'cloudflare-vite-build': {
    tool: '@cloudflare/vite-plugin',
    all: true,
    async run({ bin, execute, serve, weigh }) {
      await execute(bin('vite'), ['build'], ENV);
      const [url] = await serve(bin('vite'), ['preview', '--host=127.0.0.1'], URL, ENV);
      return { result: await answer(url), bytes: weigh('dist') };
    },
  },
};
