/** The starter `examples/vite-express`: Vite's development server with the server behind it; built and started. */

import { freePort } from '../../matrix/ports.js';
import { draw, writeSecrets } from '../../matrix/starter.js';

/** The oldest that takes a file of secrets, if there is one. */
export const node = '22';
export const example = 'vite-express';

export const cells = {
  'starter-express-dev': {
    tool: 'vite',
    all: true,
    async run(project) {
      writeSecrets(project, '.env');
      const port = String(await freePort());
      const env = { PORT: port, RELAY_URL: `http://localhost:${port}`, NO_COLOR: '1' };
      const [url] = await project.serve('npm', ['run', 'dev'], /http:\/\/localhost:\d+\//, env);
      await draw(project, url);
    },
  },
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
