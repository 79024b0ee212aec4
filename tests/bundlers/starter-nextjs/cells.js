/** The starter `examples/nextjs`: its development server, and its builds. None is opened at localhost. */

import { freePort } from '../../matrix/ports.js';
import { draw, writeSecrets } from '../../matrix/starter.js';

export const example = 'nextjs';

const ENV = { NEXT_TELEMETRY_DISABLED: '1' };
const READY = /http:\/\/127\.0\.0\.1:\d+/;

const cell = (command, build = 'build') => ({
  tool: 'next',
  all: true,
  async run(project) {
    writeSecrets(project, '.env.local');
    if (command === 'start') await project.execute('npx', ['next', ...build.split(' ')], ENV);
    const port = await freePort();
    const args = ['run', command, '--', '--hostname', '127.0.0.1', '--port', String(port)];
    await project.serve('npm', args, READY, ENV);
    await draw(project, `http://127.0.0.1:${port}/`);
  },
});

export const cells = {
  'starter-nextjs-dev': cell('dev'),
  'starter-nextjs': cell('start'),
  'starter-nextjs-webpack': cell('start', 'build --webpack'),
};
