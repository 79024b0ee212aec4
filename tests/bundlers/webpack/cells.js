/** webpack with its defaults, for pages and for Node. */

export const cells = {
  webpack: {
    tool: 'webpack',
    async run({ bin, execute, site, page, weigh }) {
      await execute(bin('webpack'), [
        './app.js',
        '--mode=production',
        '-o',
        'out',
        '--output-filename=app.js',
      ]);
      return { result: await page(await site('out')), bytes: weigh('out') };
    },
  },
  'webpack-slim': {
    tool: 'webpack',
    async run({ bin, execute, site, page, weigh }) {
      await execute(bin('webpack'), [
        './slim.js',
        '--mode=production',
        '-o',
        'slim',
        '--output-filename=app.js',
      ]);
      return { result: await page(await site('slim')), bytes: weigh('slim') };
    },
  },
  'webpack-node': {
    tool: 'webpack',
    async run({ bin, execute, read, weigh }) {
      const args = ['--mode=production', '--target=node', '-o', 'server', '--output-filename=server.cjs'];
      await execute(bin('webpack'), ['./server.js', ...args]);
      return { result: read(await execute('node', ['server/server.cjs'])), bytes: weigh('server') };
    },
  },
};
