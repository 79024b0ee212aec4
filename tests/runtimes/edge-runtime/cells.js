/** Vercel's edge runtime. */

import assert from 'node:assert/strict';

export const samples = { 'sample/lemon.js': 'vercel-edge/function' };

export const cells = {
  'edge-runtime': {
    tool: 'edge-runtime',
    run: async ({ execute, read }) => ({ result: read(await execute(process.execPath, ['serve.js'])) }),
  },
  'edge-runtime-sample': {
    tool: 'edge-runtime',
    async run({ execute, paidOnce }) {
      const output = await execute(process.execPath, ['serve.js', 'sample-route.js']);
      assert.match(output, /^RESULT .PNG/m);
      paidOnce();
    },
  },
};
