/** Jest, as Babel turns imports into calls of `require`, and with modules as they are. */

export const cells = {
  jest: {
    tool: 'jest',
    run: async ({ bin, execute, read }) => ({ result: read(await execute(bin('jest'), [])) }),
  },
  'jest-modules': {
    tool: 'jest',
    async run({ bin, execute, read }) {
      const env = { NODE_OPTIONS: '--experimental-vm-modules' };
      const output = await execute(bin('jest'), ['--config', 'jest.modules.config.js'], env);
      return { result: read(output) };
    },
  },
};
