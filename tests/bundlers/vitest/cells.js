/** Vitest with its defaults. */

import assert from 'node:assert/strict';

/** The tool asks for it. */
export const node = '24';

export const samples = {
  'sample/cover.js': 'testing/code',
  'sample/cover.test.js': 'testing/vitest',
  'sample/cover.msw.test.js': 'testing/msw',
};

export const cells = {
  vitest: {
    tool: 'vitest',
    run: async ({ bin, execute, read }) => ({
      result: read(await execute(bin('vitest'), ['run', 'lemon.test'])),
    }),
  },
  'vitest-sample': {
    tool: 'vitest',
    async run({ bin, execute }) {
      assert.match(await execute(bin('vitest'), ['run', 'sample']), /Tests +3 passed/);
    },
  },
};
