/** esbuild with its defaults, for pages and for Node. */

import { sample } from '../../helpers/samples.js';
import { bundled, samples as shared } from '../../matrix/bundled.js';

export const samples = { ...shared, 'sample-slim/app.js': 'slim/esbuild' };

export const cells = {
  esbuild: {
    tool: 'esbuild',
    async run({ bin, execute, site, page, weigh }) {
      await execute(bin('esbuild'), ['app.js', '--bundle', '--minify', '--outdir=out']);
      return { result: await page(await site('out')), bytes: weigh('out') };
    },
  },
  'esbuild-slim': {
    tool: 'esbuild',
    async run({ bin, execute, site, page, weigh }) {
      const args = ['--bundle', '--minify', '--format=esm', '--loader:.wasm=file', '--outfile=slim/app.js'];
      await execute(bin('esbuild'), ['slim.js', ...args]);
      return { result: await page(await site('slim')), bytes: weigh('slim') };
    },
  },
  'esbuild-node': {
    tool: 'esbuild',
    async run({ bin, execute, read, weigh }) {
      const args = ['--bundle', '--minify', '--platform=node', '--format=esm', '--outdir=server'];
      await execute(bin('esbuild'), ['server.js', ...args]);
      return { result: read(await execute('node', ['server/server.js'])), bytes: weigh('server') };
    },
  },
  'esbuild-sample': bundled('esbuild'),
  'esbuild-slim-sample': {
    tool: 'esbuild',
    async run({ shell, picture, weigh }) {
      await shell('slim/esbuild-command', 'sample-slim');
      await picture('sample-slim/dist', { page: sample('browser/html') });
      return { bytes: weigh('sample-slim/dist') };
    },
  },
};
