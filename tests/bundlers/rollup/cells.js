/** Rollup with the plugin that finds packages, for pages and for Node. */

import { bundled } from '../../matrix/bundled.js';

const bundle = ({ bin, execute }, entry, out) =>
  execute(bin('rollup'), [entry, '--plugin', 'node-resolve', '--format=es', '--dir', out]);

export { samples } from '../../matrix/bundled.js';

export const cells = {
  rollup: {
    tool: 'rollup',
    async run(project) {
      await bundle(project, 'app.js', 'out');
      return { result: await project.page(await project.site('out')), bytes: project.weigh('out') };
    },
  },
  'rollup-node': {
    tool: 'rollup',
    async run(project) {
      await bundle(project, 'server.js', 'server');
      const output = await project.execute('node', ['server/server.js']);
      return { result: project.read(output), bytes: project.weigh('server') };
    },
  },
  'rollup-sample': bundled('rollup'),
};
