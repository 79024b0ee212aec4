/** The runtimes that cases run in. Each of them loads the package and `scenario.js` as its users would. */

import { spawn } from 'node:child_process';
import { copyFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { run, step } from '../../scripts/lib/run.js';
import { cache } from '../../scripts/lib/setup.js';
import { openBrowser } from '../helpers/browsers.js';
import { serveSite } from '../helpers/site.js';
import { startWorker } from '../helpers/worker.js';

/** @typedef {{ name: string, run(input: import('./scenario.js').Input): Promise<import('./scenario.js').Result>, close(): unknown }} Runtime */

const here = (name) => fileURLToPath(new URL(name, import.meta.url));

/**
 * Opens a runtime.
 *
 * @param {string} name
 * @param {string} folder a project that has the package installed
 * @returns {Promise<Runtime>}
 */
export const openRuntime = async (name, folder) => ({ name, ...(await OPEN[name](folder)) });

const OPEN = {
  node: async () => {
    const { perform } = await import('./scenario.js');
    return { run: perform, close() {} };
  },
  workerd: (folder) => openWorker(folder, '2026-07-01'),
  // Before 2025-10-01 a redirect that is followed takes the key along.
  'workerd 2024': (folder) => openWorker(folder, '2024-09-23'),
  chromium: (folder) => openPage(folder, 'chromium'),
  firefox: (folder) => openPage(folder, 'firefox'),
  webkit: (folder) => openPage(folder, 'webkit'),
  deno: (folder) => openChild(folder, tool('deno'), ['run', '--no-prompt', '--allow-net=127.0.0.1']),
  bun: (folder) => openChild(folder, tool('bun'), ['run']),
};

/** Puts a file of ours beside the installed package, so that its imports find that. */
function place(folder, ...names) {
  for (const name of names) copyFileSync(here(name), join(folder, name));
  return join(folder, names[0]);
}

async function openWorker(folder, compatibilityDate) {
  const entry = place(folder, 'worker.js', 'scenario.js');
  const worker = await startWorker(folder, entry, { compatibilityDate });
  return {
    async run(input) {
      const response = await worker.dispatchFetch('http://worker/', {
        method: 'POST',
        body: JSON.stringify(input),
      });
      if (!response.ok) throw new Error(`the worker failed: ${await response.text()}`);
      return response.json();
    },
    close: () => worker.dispose(),
  };
}

/** A page of another origin than the service, with the package as a module. */
async function openPage(folder, name) {
  const imports = JSON.stringify({ imports: { 'lemondata-wasm': '/pkg/index.js' } });
  const files = {
    '/scenario.js': here('scenario.js'),
    '/pkg/': join(folder, 'node_modules/lemondata-wasm/dist'),
  };
  const html = `<!DOCTYPE html><title>Faults</title><script type="importmap">${imports}</script>`;
  const site = await serveSite(files, html);
  const browser = await openBrowser(name);
  const page = await browser.open(site.url);
  return {
    run: (input) => page.run(async (given) => (await import('/scenario.js')).perform(given), input),
    async close() {
      await browser.close();
      await site.close();
    },
  };
}

const TOOLS = { deno: '2.9.6', bun: '1.4.5' };

/** Installs Deno and Bun where that has not been done: once, and outside of the repository. */
function tool(name) {
  const folder = join(cache, 'runtimes');
  const installed = Object.entries(TOOLS).every(([each, version]) => {
    const manifest = join(folder, 'node_modules', each, 'package.json');
    return existsSync(manifest) && JSON.parse(readFileSync(manifest, 'utf8')).version === version;
  });
  if (!installed) {
    const wanted = Object.entries(TOOLS).map(([each, version]) => `${each}@${version}`);
    step(`install ${wanted.join(' and ')}, once for this machine`);
    run('npm', ['install', '--prefix', folder, '--no-audit', '--no-fund', ...wanted]);
  }
  return join(folder, 'node_modules', '.bin', name);
}

/** A process that is driven line by line. */
async function openChild(folder, command, args) {
  const entry = place(folder, 'child.js', 'scenario.js');
  const child = spawn(command, [...args, entry], { cwd: folder, stdio: 'pipe' });
  // Deno and Bun complain there of the very faults; it matters only where the process dies.
  let complaints = '';
  child.stderr.on('data', (text) => {
    complaints += text;
  });
  const pending = new Map();
  let count = 0;
  let ended;
  const exit = new Promise((resolve) => {
    child.on('error', resolve);
    child.on('close', (code) => resolve(new Error(`${command} ended with ${code}: ${complaints}`)));
  });
  exit.then((error) => {
    ended = error;
    for (const { reject } of pending.values()) reject(error);
  });
  createInterface({ input: child.stdout }).on('line', (line) => {
    const { id, result } = JSON.parse(line);
    pending.get(id)?.resolve(result);
    pending.delete(id);
  });
  // A process that died must reject the cases that wait for it, and not end this one.
  child.stdin.on('error', () => {});
  return {
    run: (input) =>
      new Promise((resolve, reject) => {
        if (ended) throw ended;
        count += 1;
        pending.set(count, { resolve, reject });
        child.stdin.write(`${JSON.stringify({ id: count, input })}\n`);
      }),
    async close() {
      child.stdin.end();
      const patience = setTimeout(() => child.kill('SIGKILL'), 2000);
      await exit;
      clearTimeout(patience);
    },
  };
}
