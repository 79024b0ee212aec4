/** The starter `examples/sveltekit-cloudflare`: its development server, and its build in wrangler's. */

import { draw, writeSecrets } from '../../matrix/starter.js';

/** The tools ask for it. */
export const node = '24';
export const example = 'sveltekit-cloudflare';

const ENV = { WRANGLER_SEND_METRICS: 'false' };

export const cells = {
  'starter-sveltekit-dev': {
    tool: '@sveltejs/kit',
    all: true,
    async run(project) {
      writeSecrets(project, '.env');
      const [url] = await project.serve(
        'npm',
        ['run', 'dev', '--', '--host=127.0.0.1'],
        /http:\/\/127\.0\.0\.1:\d+\//,
        ENV,
      );
      await draw(project, url);
    },
  },
  'starter-sveltekit': {
    tool: '@sveltejs/kit',
    all: true,
    async run(project) {
      await project.execute('npm', ['run', 'build'], ENV);
      writeSecrets(project, '.dev.vars');
      const args = ['run', 'preview', '--', '--ip=127.0.0.1', '--port=0'];
      const [, url] = await project.serve('npm', args, /Ready on (http:\/\/127\.0\.0\.1:\d+)/, ENV);
      await draw(project, url);
    },
  },
};
