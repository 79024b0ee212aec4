/** Rolldown with its defaults, for pages and for Node. */

import { bundled } from '../../matrix/bundled.js';

export { samples } from '../../matrix/bundled.js';

export const cells = {
  rolldown: {
    tool: 'rolldown',
    async run({ bin, execute, site, page, weigh }) {
      await execute(bin('rolldown'), ['app.js', '--minify', '--dir', 'out']);
      return { result: await page(await site('out')), bytes: weigh('out') };
    },
  },
  'rolldown-node': {
    tool: 'rolldown',
    async run({ bin, execute, read, weigh }) {
      await execute(bin('rolldown'), ['server.js', '--minify', '--platform=node', '--dir', 'server']);
      return { result: read(await execute('node', ['server/server.js'])), bytes: weigh('server') };
    },
  },
  'rolldown-sample': bundled('rolldown'),
};
