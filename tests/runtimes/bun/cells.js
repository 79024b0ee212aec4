/** Bun, by `import`, by `require`, and by a bundle of its own. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { checkMocked } from '../../matrix/mocked.js';

export const samples = { 'sample/lemon.js': 'bun/program' };

export const cells = {
  'bun-import': {
    tool: 'bun',
    run: async ({ bin, execute, read }) => ({
      result: read(await execute(bin('bun'), ['run', 'server.js'])),
    }),
  },
  'bun-require': {
    tool: 'bun',
    run: async ({ bin, execute, read }) => ({
      result: read(await execute(bin('bun'), ['run', 'require.cjs'])),
    }),
  },
  'bun-build': {
    tool: 'bun',
    async run({ bin, execute, read, weigh }) {
      await execute(bin('bun'), ['build', 'server.js', '--target=bun', '--minify', '--outdir=out']);
      return { result: read(await execute(bin('bun'), ['run', 'out/server.js'])), bytes: weigh('out') };
    },
  },
  'bun-testing': {
    tool: 'bun',
    run: async ({ bin, execute, read }) =>
      checkMocked(read(await execute(bin('bun'), ['run', 'mocked-program.js']))),
  },
  'bun-sample': {
    tool: 'bun',
    async run({ shell, path, paidOnce }) {
      assert.match(await shell('bun/command'), /lemon\.png: \d+ bytes/);
      assert.equal(readFileSync(path('sample', 'lemon.png')).toString('latin1', 1, 4), 'PNG');
      paidOnce();
    },
  },
};
