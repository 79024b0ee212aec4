/** The starter `examples/react-worker`: Vite's development server with workerd, and its build as Vite previews it. */

import { draw, writeSecrets } from '../../matrix/starter.js';

/** The tools ask for it. */
export const node = '24';
export const example = 'react-worker';

const ENV = { WRANGLER_SEND_METRICS: 'false' };
const READY = /http:\/\/127\.0\.0\.1:\d+\//;

export const open = (project) => writeSecrets(project, '.dev.vars');

export const cells = {
  'starter-react-worker-dev': {
    tool: '@cloudflare/vite-plugin',
    all: true,
    async run(project) {
      const [url] = await project.serve('npm', ['run', 'dev', '--', '--host=127.0.0.1'], READY, ENV);
      await draw(project, url);
    },
  },
  'starter-react-worker': {
    tool: '@cloudflare/vite-plugin',
    all: true,
    async run(project) {
      await project.execute('npm', ['run', 'build'], ENV);
      const [url] = await project.serve(project.bin('vite'), ['preview', '--host=127.0.0.1'], READY, ENV);
      await draw(project, url);
    },
  },
};
