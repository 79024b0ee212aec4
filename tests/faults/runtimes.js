/** The runtimes of this suite. Each of them loads the package and `jobs.js` as its users would. */

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

/**
 * @typedef {object} Runtime
 * @property {string} name
 * @property {(job: keyof typeof import('./jobs.js').JOBS, input: unknown) => Promise<any>} run
 * @property {() => string} [printed] what has come to its console so far, where that is a text
 * @property {() => unknown} close
 */

const here = (name) => fileURLToPath(new URL(name, import.meta.url));

/**
 * Opens a runtime.
 *
 * @param {string} name
 * @param {string} folder a project that has the package installed
 * @param {import('miniflare').MiniflareOptions} [worker] options, where it is a worker
 * @returns {Promise<Runtime>}
 */
export const openRuntime = async (name, folder, worker) => ({ name, ...(await OPEN[name](folder, worker)) });

const OPEN = {
  node: (folder) => openChild(folder, process.execPath, []),
  workerd: (folder, options) => openWorker(folder, { compatibilityDate: '2026-07-01', ...options }),
  // Before 2025-10-01 a redirect that is followed takes the key along.
  'workerd 2024': (folder, options) => openWorker(folder, { compatibilityDate: '2024-09-23', ...options }),
  chromium: (folder) => openPage(folder, 'chromium'),
  firefox: (folder) => openPage(folder, 'firefox'),
  webkit: (folder) => openPage(folder, 'webkit'),
  deno: (folder) => openChild(folder, tool('deno'), ['run', '--no-prompt', '--allow-net=127.0.0.1']),
  bun: (folder) => openChild(folder, tool('bun'), ['run']),
};

/** The names of the runtimes. */
export const RUNTIMES = Object.keys(OPEN);

/** What `jobs.js` consists of. */
const FILES = ['jobs.js', 'scenario.js', 'secrets.js', 'tenants.js'];

/** Puts a file of ours beside the installed package, so that its imports find that. */
function place(folder, ...names) {
  for (const name of names) copyFileSync(here(name), join(folder, name));
  return join(folder, names[0]);
}

async function openWorker(folder, options) {
  const entry = place(folder, 'worker.js', ...FILES);
  let printed = '';
  const worker = await startWorker(folder, entry, {
    ...options,
    handleRuntimeStdio(...streams) {
      for (const stream of streams) {
        stream.on('data', (text) => {
          printed += text;
        });
      }
    },
  });
  return {
    printed: () => printed,
    async run(job, input) {
      const response = await worker.dispatchFetch('http://worker/', {
        method: 'POST',
        body: JSON.stringify({ job, input }),
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
    ...Object.fromEntries(FILES.map((name) => [`/${name}`, here(name)])),
    '/pkg/': join(folder, 'node_modules/lemondata-wasm/dist'),
  };
  const html = `<!DOCTYPE html><title>Faults</title><script type="importmap">${imports}</script>`;
  const site = await serveSite(files, html);
  const browser = await openBrowser(name);
  const page = await browser.open(site.url);
  return {
    run: (...args) => page.run(async ([job, input]) => (await import('/jobs.js')).JOBS[job](input), args),
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
  const entry = place(folder, 'child.js', ...FILES);
  const child = spawn(command, [...args, entry], { cwd: folder, stdio: 'pipe' });
  // Deno and Bun complain there of the very faults, too.
  let printed = '';
  child.stderr.on('data', (text) => {
    printed += text;
  });
  const pending = new Map();
  let count = 0;
  let ended;
  const exit = new Promise((resolve) => {
    child.on('error', resolve);
    child.on('close', (code) => resolve(new Error(`${command} ended with ${code}: ${printed}`)));
  });
  exit.then((error) => {
    ended = error;
    for (const { reject } of pending.values()) reject(error);
  });
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (!line.startsWith('{"id":')) {
      printed += `${line}\n`;
      return;
    }
    const { id, result } = JSON.parse(line);
    pending.get(id)?.resolve(result);
    pending.delete(id);
  });
  // A process that died must reject the cases that wait for it, and not end this one.
  child.stdin.on('error', () => {});
  return {
    printed: () => printed,
    run: (job, input) =>
      new Promise((resolve, reject) => {
        if (ended) throw ended;
        count += 1;
        pending.set(count, { resolve, reject });
        child.stdin.write(`${JSON.stringify({ id: count, job, input })}\n`);
      }),
    async close() {
      child.stdin.end();
      const patience = setTimeout(() => child.kill('SIGKILL'), 2000);
      await exit;
      clearTimeout(patience);
    },
  };
}
