/** Bun, by `import`, by `require`, and by a bundle of its own. */

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
};
