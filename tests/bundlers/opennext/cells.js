/** Next.js on Cloudflare: what OpenNext makes of a build, in workerd. */

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { sample } from '../../helpers/samples.js';

/** The tool asks for it. */
export const node = '24';

const ENV = { NEXT_TELEMETRY_DISABLED: '1', NODE_ENV: 'production', WRANGLER_SEND_METRICS: 'false' };

export async function open({ bin, execute, serve, server }) {
  const tool = bin('opennextjs-cloudflare');
  await execute(tool, ['build'], ENV);
  const variables = { LEMONDATA_API_KEY: server.apiKey, LEMONDATA_BASE_URL: server.url };
  const settings = Object.entries(variables).flatMap(([name, value]) => ['--var', `${name}:${value}`]);
  const args = ['preview', '--ip=127.0.0.1', '--port=0', ...settings];
  const [, url] = await serve(tool, args, /Ready on (http:\/\/127\.0\.0\.1:\d+)/, ENV);
  return url;
}

/** They come through the package's client: in the route itself, and in the relay. */
export const cells = {
  opennext: {
    tool: '@opennextjs/cloudflare',
    all: true,
    async run(_project, url) {
      const response = await fetch(`${url}/api/picture`, { method: 'POST' });
      return { result: await json(response) };
    },
  },
  'opennext-relay': {
    tool: '@opennextjs/cloudflare',
    all: true,
    async run({ paidOnce }, url) {
      // The page's own origin, which the URL of a route does not name.
      const headers = { origin: url, 'content-type': 'application/json' };
      const body = JSON.stringify({ model: 'flux-pro', prompt: 'A lemon' });
      const made = await fetch(`${url}/api/lemondata/v1/images/generations`, {
        method: 'POST',
        headers,
        body,
      });
      const { poll_url } = await json(made);
      await json(await fetch(`${url}/api/lemondata${poll_url}`, { headers }));
      paidOnce();
    },
  },
  // The option of the page about Next.js, with which the module itself runs.
  'opennext-external': {
    tool: '@opennextjs/cloudflare',
    all: true,
    async run(project) {
      writeFileSync(project.path('next.config.mjs'), sample('nextjs/external'));
      const url = await open(project);
      const worker = readFileSync(
        project.path('.open-next', 'server-functions', 'default', 'handler.mjs'),
        'utf8',
      );
      assert.match(worker, /lemondata\.wasm/, 'the module is part of the worker');
      const response = await fetch(`${url}/api/picture`, { method: 'POST' });
      return { result: await json(response) };
    },
  },
};

async function json(response) {
  if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
  return response.json();
}
