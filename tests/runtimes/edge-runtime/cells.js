/** Vercel's edge runtime. */

import assert from 'node:assert/strict';
import { checkMissing, KEYS } from '../../matrix/keys.js';

export const samples = { 'sample/lemon.js': 'vercel-edge/function' };

export const cells = {
  'edge-runtime': {
    tool: 'edge-runtime',
    run: async ({ execute, read }) => ({ result: read(await execute(process.execPath, ['serve.js'])) }),
  },
  'edge-environment': {
    tool: 'edge-runtime',
    async run({ execute, read }) {
      const output = await execute(process.execPath, ['serve.js', 'environment-route.js'], KEYS);
      const { isSet, result } = read(output);
      assert.ok(isSet);
      checkMissing(result);
    },
  },
  'edge-runtime-sample': {
    tool: 'edge-runtime',
    async run({ execute, read, paidOnce }) {
      const { first, last } = read(await execute(process.execPath, ['serve.js', 'sample-route.js']));
      assert.equal(first.status, 'pending');
      assert.match(last.data[0].url, /^http/);
      paidOnce();
    },
  },
};
