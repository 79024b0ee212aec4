/** Jest, as Babel turns imports into calls of `require`, and with modules as they are. */

import assert from 'node:assert/strict';

export const samples = {
  'sample/cover.js': 'testing/code',
  'sample/cover.test.js': 'testing/jest',
  'sample-jsdom/cover.js': 'testing/code',
  'sample-jsdom/jsdom-with-fetch.cjs': 'testing/environment',
  'sample-jsdom/jest.config.cjs': 'testing/configuration',
};

export const cells = {
  jest: {
    tool: 'jest',
    run: async ({ bin, execute, read }) => ({ result: read(await execute(bin('jest'), ['lemon.test'])) }),
  },
  'jest-modules': {
    tool: 'jest',
    async run({ bin, execute, read }) {
      const env = { NODE_OPTIONS: '--experimental-vm-modules' };
      const output = await execute(bin('jest'), ['--config', 'jest.modules.config.js', 'lemon.test'], env);
      return { result: read(output) };
    },
  },
  'jest-sample': {
    tool: 'jest',
    async run({ bin, execute }) {
      // Jest writes what it found to its standard error, which the output here has as well.
      assert.match(await execute(bin('jest'), ['sample/']), /Tests: +2 passed/);
    },
  },
  'jest-jsdom-bare': {
    tool: 'jest',
    async run({ bin, execute }) {
      assert.match(await execute(bin('jest'), ['bare-jsdom/']), /Tests: +1 passed/);
    },
  },
  'jest-jsdom-sample': {
    tool: 'jest',
    async run({ bin, path, execute }) {
      // Node's own fetch is stricter from Node 24 on.
      for (const node of [process.execPath, path('node_modules', 'node-24', 'bin', 'node')]) {
        assert.match(await execute(node, [bin('jest')], {}, 'sample-jsdom'), /Tests: +3 passed/, node);
      }
    },
  },
};
