/** The starter `examples/vite-express`, built and started. */

import { freePort } from '../../matrix/ports.js';
import { draw, writeSecrets } from '../../matrix/starter.js';

/** The oldest that takes a file of secrets, if there is one. */
export const node = '22';
export const example = 'vite-express';

export const cells = {
  'starter-vite-express': {
    tool: 'express',
    async run(project) {
      await project.execute('npm', ['run', 'build']);
      writeSecrets(project, '.env');
      const port = await freePort();
      await project.serve('npm', ['start'], port, { PORT: String(port) });
      await draw(project, `http://127.0.0.1:${port}/`);
    },
  },
};
