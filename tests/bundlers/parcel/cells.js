/** Parcel, which reads `main` and `module` where others read `exports`. */

import { bundled } from '../../matrix/bundled.js';

export { samples } from '../../matrix/bundled.js';

export const cells = {
  parcel: {
    tool: 'parcel',
    async run({ bin, execute, site, page, weigh }) {
      await execute(bin('parcel'), ['build', 'index.html', '--dist-dir', 'out', '--no-source-maps']);
      return { result: await page(await site('out')), bytes: weigh('out') };
    },
  },
  // Parcel puts it beside the `package.json`.
  'parcel-sample': bundled('parcel', 'dist'),
};
