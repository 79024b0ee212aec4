/** Next.js, built and started: a component of the page, one of the server, and a route of each kind. */

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { sample } from '../../helpers/samples.js';
import { freePort } from '../../matrix/ports.js';
import { serve } from '../../matrix/processes.js';

export const samples = {
  'app/api/lemondata/[...path]/route.js': 'nextjs/relay',
  'app/picture/page.jsx': 'nextjs/page',
  'app/api/picture/route.js': 'nextjs/route',
  'app/generations/providers.jsx': 'react/providers',
};

const ENV = { NEXT_TELEMETRY_DISABLED: '1', NODE_ENV: 'production' };

export async function open({ bin, path, server, execute, serve }) {
  const port = await freePort();
  // The file of the page, filled in.
  const settings = sample('nextjs/environment')
    .replace('sk-…', server.apiKey)
    .replace('…', 'a-secret-of-the-tests-with-32-characters');
  writeFileSync(path('.env.local'), settings);
  await execute(bin('next'), ['build'], ENV);
  const args = ['start', '--hostname', '127.0.0.1', '--port', String(port)];
  const [url] = await serve(bin('next'), args, /http:\/\/127\.0\.0\.1:\d+/, ENV);
  return url;
}

async function text(url) {
  const response = await fetch(url);
  const text = await response.text();
  if (!response.ok) throw new Error(`${response.status} ${text}`);
  return text;
}

const route = (path) => ({
  tool: 'next',
  all: true,
  run: async (_project, url) => ({ result: JSON.parse(await text(url + path)) }),
});

/**
 * The development server at a name other than localhost, with the settings that the page asks for there: behind
 * `proxy.js`, the relay draws for a page, and a server action draws by itself.
 */
const dev = (...options) => ({
  tool: 'next',
  all: true,
  async run({ bin, path, folder, open, server, paidOnce }) {
    const port = await freePort();
    const origin = `http://127.0.0.1:${port}`;
    writeFileSync(path('next.config.mjs'), sample('nextjs/dev'));
    const args = ['dev', '--hostname', '127.0.0.1', '--port', String(port), ...options];
    // It ends with the cell: a folder has one development server.
    const { stop } = await serve(bin('next'), args, {
      ready: /http:\/\/127\.0\.0\.1:\d+/,
      cwd: folder,
      env: { NEXT_TELEMETRY_DISABLED: '1', SITE_ORIGIN: origin, LEMONDATA_BASE_URL: server.url },
    });
    try {
      for (const name of ['picture', 'action']) {
        // The first request has it compile the page, which takes longer than a browser waits.
        await text(`${origin}/${name}`);
        server.reset();
        const page = await open(`${origin}/${name}`);
        try {
          await page.until(() => {
            const button = document.querySelector('button');
            if (!button?.disabled && !document.querySelector('p')?.textContent) button?.click();
            return document.querySelector('img')?.naturalWidth || undefined;
          });
        } finally {
          await page.close();
        }
        paidOnce();
      }
      const health = await fetch(`${origin}/api/lemondata/health`);
      assert.equal(health.headers.get('x-proxy'), 'passed');
    } finally {
      await stop();
    }
  },
});

export const cells = {
  'next-client': {
    tool: 'next',
    all: true,
    run: async ({ page }, url) => ({ result: await page(`${url}/`) }),
  },
  'next-component': {
    tool: 'next',
    all: true,
    async run(_project, url) {
      const [, result] = (await text(`${url}/component`)).match(/data-result="(.*?)"/);
      return { result: JSON.parse(decodeURIComponent(result)) };
    },
  },
  'next-node': route('/api/node'),
  'next-edge': {
    ...route('/api/edge'),
    async run({ path }, url) {
      // Started here, Next.js lets a route compile bytes, which its real platform refuses.
      const manifest = readFileSync(path('.next', 'server', 'middleware-manifest.json'), 'utf8');
      const { wasm } = JSON.parse(manifest).functions['/api/edge/route'];
      assert.equal(wasm.length, 1, 'the route imports the module');
      return { result: JSON.parse(await text(`${url}/api/edge`)) };
    },
  },
  'next-sample': {
    tool: 'next',
    all: true,
    async run({ open, paidOnce }, url) {
      const page = await open(`${url}/picture`);
      try {
        // A click does nothing before React has taken over.
        await page.until(() => {
          if (document.querySelector('p').textContent === '') document.querySelector('button').click();
          return document.querySelector('img')?.naturalWidth || undefined;
        });
      } finally {
        await page.close();
      }
      paidOnce();
    },
  },
  'next-generations': {
    tool: 'next',
    all: true,
    async run({ shows }, url) {
      assert.match(await text(`${url}/generations`), /<h1>function<\/h1><p>…<\/p>/);
      await shows(`${url}/generations`);
    },
  },
  'next-route-sample': {
    tool: 'next',
    all: true,
    async run({ paidOnce }, url) {
      const response = await fetch(`${url}/api/picture`, { method: 'POST' });
      assert.equal(Buffer.from(await response.arrayBuffer()).toString('latin1', 1, 4), 'PNG');
      paidOnce();
    },
  },
  'next-action': {
    tool: 'next',
    all: true,
    async run({ open, paidOnce }, url) {
      const page = await open(`${url}/action`);
      try {
        // A click does nothing before React has taken over, and a disabled button takes none.
        await page.until(() => {
          document.querySelector('button')?.click();
          return document.querySelector('img')?.naturalWidth || undefined;
        });
      } finally {
        await page.close();
      }
      paidOnce();
    },
  },
  // The pages and the relay of the other cells lie behind it, too.
  'next-proxy': {
    tool: 'next',
    all: true,
    async run(_project, url) {
      const response = await fetch(`${url}/api/lemondata/health`);
      assert.equal(response.headers.get('x-proxy'), 'passed');
      assert.deepEqual(await response.json(), { status: 'ok' });
    },
  },
  'next-dev': dev(),
  'next-dev-webpack': dev('--webpack'),
  'next-pages-api': {
    tool: 'next',
    all: true,
    async run({ paidOnce }, url) {
      const response = await fetch(`${url}/api/pages/v1/images/generations`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', origin: url },
        body: '{"model":"flux-schnell","prompt":"A lemon"}',
      });
      assert.equal(response.status, 200, await response.text());
      paidOnce();
    },
  },
};
