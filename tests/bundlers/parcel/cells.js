/** Parcel, which reads `main` and `module` where others read `exports`. */

export const cells = {
  parcel: {
    tool: 'parcel',
    async run({ bin, execute, site, page, weigh }) {
      await execute(bin('parcel'), ['build', 'index.html', '--dist-dir', 'out', '--no-source-maps']);
      return { result: await page(await site('out')), bytes: weigh('out') };
    },
  },
};
