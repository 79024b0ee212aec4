/** Vitest with its defaults. */

/** The tool asks for it. */
export const node = '24';

export const cells = {
  vitest: {
    tool: 'vitest',
    run: async ({ bin, execute, read }) => ({ result: read(await execute(bin('vitest'), ['run'])) }),
  },
};
