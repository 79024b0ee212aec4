/** Vercel's edge runtime. */

export const cells = {
  'edge-runtime': {
    tool: 'edge-runtime',
    run: async ({ execute, read }) => ({ result: read(await execute(process.execPath, ['serve.js'])) }),
  },
};
