/** Angular, built by its command line. Its compiler checks the declarations, too. */

/** The tool asks for it. */
export const node = '24';

export const cells = {
  angular: {
    tool: '@angular/core',
    all: true,
    async run({ bin, execute, site, page, weigh }) {
      await execute(bin('ng'), ['build'], { NG_CLI_ANALYTICS: 'false' });
      return { result: await page(await site('dist')), bytes: weigh('dist') };
    },
  },
};
