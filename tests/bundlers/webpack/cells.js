/** webpack with its defaults, for pages and for Node. */

import { sample } from '../../helpers/samples.js';
import { bundled, samples as shared } from '../../matrix/bundled.js';

export const samples = { ...shared, 'sample-slim/app.js': 'slim/webpack' };

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
  'webpack-sample': bundled('webpack'),
  'webpack-slim-sample': {
    tool: 'webpack',
    async run({ shell, picture, weigh }) {
      await shell('browser/webpack', 'sample-slim');
      await picture('sample-slim/dist', { page: sample('browser/html') });
      return { bytes: weigh('sample-slim/dist') };
    },
  },
};
