/** The page about Express: Vite in front of it for development, and what Vite has built behind it in production. */

import { freePort } from '../../matrix/ports.js';

export const samples = {
  'sample/server.js': 'express/server',
  'sample/index.html': 'express/html',
  'sample/app.js': 'express/app',
  'sample/vite.config.js': 'express/vite',
};

/** Starts the server of the page. */
async function startServer({ serve }) {
  const port = await freePort();
  const more = { PORT: String(port), RELAY_SECRET: 'a secret of the tests, of 32 characters' };
  await serve(process.execPath, ['server.js'], port, more, 'sample');
  return `http://localhost:${port}`;
}

export const cells = {
  'express-dev-sample': {
    tool: 'express',
    async run(project) {
      const RELAY_URL = await startServer(project);
      const ready = /http:\/\/localhost:\d+\//;
      const [url] = await project.serve(project.bin('vite'), [], ready, { RELAY_URL }, 'sample');
      await project.shows(url);
    },
  },
  'express-sample': {
    tool: 'express',
    async run(project) {
      await project.execute(project.bin('vite'), ['build'], {}, 'sample');
      await project.shows(await startServer(project));
    },
  },
};
