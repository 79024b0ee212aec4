/** Deno, with no permission but the network. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { checkMocked } from '../../matrix/mocked.js';

export const samples = { 'sample/lemon.js': 'deno/program' };

export const cells = {
  deno: {
    tool: 'deno',
    async run({ bin, execute, read, server }) {
      const permissions = ['--no-prompt', '--allow-net=127.0.0.1'];
      const args = ['run', ...permissions, 'main.js', server.url, server.apiKey];
      return { result: read(await execute(bin('deno'), args)) };
    },
  },
  'deno-testing': {
    tool: 'deno',
    run: async ({ bin, execute, read }) =>
      checkMocked(read(await execute(bin('deno'), ['run', '--no-prompt', 'mocked-program.js']))),
  },
  'deno-sample': {
    tool: 'deno',
    async run({ shell, path, paidOnce }) {
      assert.match(await shell('deno/command'), /lemon\.png: \d+ bytes/);
      assert.equal(readFileSync(path('sample', 'lemon.png')).toString('latin1', 1, 4), 'PNG');
      paidOnce();
    },
  },
};
