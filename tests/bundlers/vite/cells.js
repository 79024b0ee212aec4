/** Vite: its development server, its build for pages, and its build for servers. */

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
};
