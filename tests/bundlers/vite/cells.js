/** Vite: its development server, its build for pages, and its build for servers. */

import assert from 'node:assert/strict';
import { sample } from '../../helpers/samples.js';
import { bundled, samples as shared } from '../../matrix/bundled.js';

/** The README has a sample for a page, and the page about policies one of a header. */
export const samples = {
  ...shared,
  'sample-readme/index.html': 'browser/html',
  'sample-readme/app.js': 'README/browser',
  'sample-pictures/index.html': 'browser/html',
  'sample-pictures/app.js': 'pictures/page',
  'sample-picker/index.html': 'browser/html',
  'sample-picker/app.js': 'models/picker',
  'sample-slim/index.html': 'browser/html',
  'sample-slim/app.js': 'slim/vite',
  'header.txt': 'content-security-policy/header',
};

const ADDRESS = /http:\/\/127\.0\.0\.1:\d+\//;

export const cells = {
  'vite-dev': {
    tool: 'vite',
    async run({ bin, serve, page }) {
      const [url] = await serve(bin('vite'), ['--host', '127.0.0.1'], ADDRESS);
      return { result: await page(url) };
    },
  },
  'vite-build': {
    tool: 'vite',
    async run({ bin, execute, site, page, weigh }) {
      await execute(bin('vite'), ['build']);
      return { result: await page(await site('dist')), bytes: weigh('dist') };
    },
  },
  'vite-slim-dev': {
    tool: 'vite',
    async run({ bin, serve, page }) {
      const [url] = await serve(bin('vite'), ['--host', '127.0.0.1'], ADDRESS);
      return { result: await page(`${url}slim.html`) };
    },
  },
  'vite-slim-build': {
    tool: 'vite',
    async run({ bin, execute, site, page, weigh }) {
      await execute(bin('vite'), ['build', '--config', 'vite.slim.config.js']);
      return { result: await page(`${await site('slim')}slim.html`), bytes: weigh('slim') };
    },
  },
  'vite-ssr': {
    tool: 'vite',
    async run({ bin, execute, read, weigh }) {
      // Bundled, too, where Vite would leave packages outside.
      const config = ['--config', 'vite.server.config.js'];
      await execute(bin('vite'), ['build', ...config, '--ssr', 'server.js', '--outDir', 'server']);
      return { result: read(await execute('node', ['server/server.js'])), bytes: weigh('server') };
    },
  },
  'vite-sample': bundled('vite'),
  'vite-readme-sample': {
    tool: 'vite',
    async run({ shell, picture }) {
      await shell('browser/vite', 'sample-readme');
      await picture('sample-readme/dist');
    },
  },
  'vite-pictures-sample': {
    tool: 'vite',
    async run({ shell, picture }) {
      await shell('browser/vite', 'sample-pictures');
      await picture('sample-pictures/dist');
    },
  },
  'vite-picker-sample': {
    tool: 'vite',
    async run({ shell, site, relay, open }) {
      await shell('browser/vite', 'sample-picker');
      const { handle } = await relay();
      const page = await open(await site('sample-picker/dist', { api: handle }));
      try {
        const models = await page.until(() => {
          const { options = [] } = document.querySelector('select') ?? {};
          return options.length > 0 ? [...options].map(({ value }) => value) : undefined;
        });
        assert.ok(models.includes('gpt-image-2'), models.join());
      } finally {
        await page.close();
      }
    },
  },
  'vite-slim-sample': {
    tool: 'vite',
    async run({ shell, picture }) {
      await shell('browser/vite', 'sample-slim');
      await picture('sample-slim/dist');
    },
  },
  'vite-policy-sample': {
    tool: 'vite',
    async run({ shell, picture }) {
      const [name, policy] = sample('content-security-policy/header')
        .trim()
        .split(/: (.*)/);
      await shell('browser/vite');
      await picture('sample/dist', { headers: { [name]: policy } });
    },
  },
};
