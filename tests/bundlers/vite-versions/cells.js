/** Vite of former years, with a module worker: its development server, and its build. */

/** The newest of them asks for it. */
export const node = '22';

const ADDRESS = /http:\/\/127\.0\.0\.1:\d+\//;

export const cells = {};
for (const name of ['vite-5', 'vite-6', 'vite-7']) {
  cells[`${name}-worker-dev`] = {
    tool: name,
    all: true,
    async run({ path, serve, page }) {
      const args = [path('node_modules', name, 'bin', 'vite.js'), '--host', '127.0.0.1'];
      const [url] = await serve('node', args, ADDRESS);
      return { result: await page(url) };
    },
  };
  cells[`${name}-worker`] = {
    tool: name,
    all: true,
    async run({ path, execute, site, page, weigh }) {
      await execute('node', [path('node_modules', name, 'bin', 'vite.js'), 'build', '--outDir', name]);
      return { result: await page(await site(name)), bytes: weigh(name) };
    },
  };
}
