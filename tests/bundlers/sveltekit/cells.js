/** The page about SvelteKit, with the adapter for Node. */

import assert from 'node:assert/strict';
import { sample } from '../../helpers/samples.js';
import { freePort } from '../../matrix/ports.js';

export const samples = {
  'src/routes/api/lemondata/[...path]/+server.ts': 'sveltekit/relay',
  'src/routes/+page.svelte': 'sveltekit/page',
};

const RELAY_SECRET = 'a secret of the tests, of 32 characters';

export const open = ({ bin, execute }) => execute(bin('vite'), ['build']);

/** Starts the build by the command that the page prints, or without the variable that it sets. */
async function start({ serve }, change) {
  const port = await freePort();
  const command = change(sample('sveltekit/start').replace('localhost:3000', `127.0.0.1:${port}`));
  await serve('sh', ['-ec', command], port, { PORT: String(port), HOST: '127.0.0.1', RELAY_SECRET });
  return `http://127.0.0.1:${port}`;
}

export const cells = {
  'sveltekit-sample': {
    tool: '@sveltejs/kit',
    all: true,
    async run(project) {
      const page = await project.open(await start(project, (command) => command));
      try {
        // A click does nothing before Svelte has taken over.
        await page.until(() => {
          if (document.querySelector('p').textContent === '') document.querySelector('button').click();
          return document.querySelector('img')?.naturalWidth || undefined;
        });
      } finally {
        await page.close();
      }
      project.paidOnce();
    },
  },
  'sveltekit-without-origin': {
    tool: '@sveltejs/kit',
    all: true,
    async run(project) {
      const origin = await start(project, (command) => command.replace(/ORIGIN=\S+ /, ''));
      const refused = await fetch(`${origin}/api/lemondata/health`, { headers: { origin } });
      const { error } = await refused.json();
      assert.equal(error.code, 'origin_not_allowed');
      assert.ok(error.hint.includes(`For SvelteKit's adapter-node, set ORIGIN=${origin};`), error.hint);
      assert.equal(project.server.counts.creates, 0);
    },
  },
};
