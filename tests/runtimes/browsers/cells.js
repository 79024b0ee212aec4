/** The three engines: a page, a worker, a service worker, and pages with a content security policy. */

import assert from 'node:assert/strict';
import { checkMissing } from '../../matrix/keys.js';
import { checkMocked } from '../../matrix/mocked.js';

/** The engines, each with the package of Debian that knows its version. */
const ENGINES = { chromium: 'chromium', firefox: 'firefox-esr', webkit: 'webkit2gtk-driver' };

const PAGES = ['page', 'web-worker', 'service-worker', 'policy', 'slim'];

export const samples = { 'sample/index.html': 'browser/page' };

export const open = ({ site }) => site('.');

async function versionOf(engine, { execute }) {
  const installed = await execute('dpkg-query', ['--show', ENGINES[engine]]);
  const [version] = installed.match(/\d+(?:\.\d+)+/);
  return `${engine} ${version}`;
}

export const cells = {};
for (const engine of Object.keys(ENGINES)) {
  for (const name of PAGES) {
    cells[`${engine}-${name}`] = {
      tool: engine,
      async run(project, url) {
        const result = await project.page(`${url}${name}.html`, engine);
        return { result, tool: await versionOf(engine, project) };
      },
    };
  }
  cells[`${engine}-environment`] = {
    tool: engine,
    async run(project, url) {
      for (const result of await project.page(`${url}environment.html`, engine)) checkMissing(result);
      return { tool: await versionOf(engine, project) };
    },
  };
  cells[`${engine}-testing`] = {
    tool: engine,
    async run(project, url) {
      checkMocked(await project.page(`${url}mocked.html`, engine));
      return { tool: await versionOf(engine, project) };
    },
  };
  cells[`${engine}-sample`] = {
    tool: engine,
    async run(project) {
      // The page is where `node_modules` is, too.
      await project.picture('.', { path: 'sample/index.html', engine });
      return { tool: await versionOf(engine, project) };
    },
  };
  cells[`${engine}-policy-without`] = {
    tool: engine,
    async run(project, url) {
      const { cause, ...result } = await project.page(`${url}policy-without.html`, engine);
      assert.deepEqual(result, {
        isInternalError: true,
        message: `WebAssembly did not start (${cause}). lemondata-wasm/javascript works without WebAssembly.`,
        outcome: 'not_sent',
      });
      assert.notEqual(cause, 'undefined');
      assert.equal(project.server.counts.creates, 0);
      return { tool: await versionOf(engine, project) };
    },
  };
}
