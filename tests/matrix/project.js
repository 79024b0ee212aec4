/** The small projects that the cells run in. */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  cpSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, delimiter, dirname, join } from 'node:path';
import { brotliCompressSync } from 'node:zlib';
import { root, run } from '../../scripts/lib/run.js';
import { cache } from '../../scripts/lib/setup.js';
import { sample } from '../helpers/samples.js';
import { serveSite } from '../helpers/site.js';
import { openPage } from './page.js';
import { execute, serve } from './processes.js';
import { startRelay } from './relay.js';

/** @typedef {ReturnType<typeof openProject>} Project */

/** The page around a script, for tools that make no pages. */
const PAGE = '<!DOCTYPE html><title>Matrix</title><script type="module" src="/app.js"></script>';

const MANIFESTS = ['package.json', 'package-lock.json'];

/**
 * Installs what the lock file of a project names: once for this machine, where no run writes to it.
 *
 * @param {string} source
 * @returns {string | undefined} the `node_modules`, where there are any
 */
export function ensureTools(source) {
  const present = MANIFESTS.filter((name) => existsSync(join(source, name)));
  if (!present.includes('package-lock.json')) return;
  const hash = createHash('sha256');
  for (const name of present) hash.update(readFileSync(join(source, name)));
  const home = join(cache, 'matrix', `${basename(source)}-${hash.digest('hex').slice(0, 12)}`);
  if (!existsSync(home)) {
    mkdirSync(dirname(home), { recursive: true });
    const fresh = mkdtempSync(`${home}-`);
    try {
      for (const name of present) copyFileSync(join(source, name), join(fresh, name));
      // Not `npm ci`, which refuses a lock file that lacks the optional binaries of some platform.
      run('npm', ['install', '--no-audit', '--no-fund'], { quiet: true, cwd: fresh });
      renameSync(fresh, home);
    } catch (error) {
      rmSync(fresh, { recursive: true, force: true });
      // Another run may have been faster.
      if (!existsSync(home)) throw error;
    }
  }
  return join(home, 'node_modules');
}

/**
 * Lays out a project in a folder of its own and installs the tarball there, as its user would.
 *
 * @param {import('./matrix.js').Suite} suite
 * @param {string} tarball
 * @returns {string} the folder
 */
function layOut({ source, example, samples = {} }, tarball) {
  const tools = ensureTools(source);
  const folder = mkdtempSync(join(tmpdir(), `lemondata-wasm-${basename(source)}-`));
  try {
    if (example) copyExample(example, source, folder);
    else cpSync(join(import.meta.dirname, 'shared'), folder, { recursive: true });
    // The manifest of a starter is its own.
    const others = ['cells.js', ...(example ? MANIFESTS : [])];
    cpSync(source, folder, {
      recursive: true,
      filter: (path) => dirname(path) !== source || !others.includes(basename(path)),
    });
    for (const [file, name] of Object.entries(samples)) {
      mkdirSync(dirname(join(folder, file)), { recursive: true });
      writeFileSync(join(folder, file), sample(name));
    }
    if (tools) link(tools, join(folder, 'node_modules'));
    run('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts', '--prefer-offline', tarball], {
      quiet: true,
      cwd: folder,
    });
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
  return folder;
}

/** Copies a starter, which names the versions that the suite has installed. */
function copyExample(example, source, folder) {
  const from = join(root, 'examples', example);
  const { dependencies, devDependencies } = readManifest(from);
  const { 'lemondata-wasm': _, ...tools } = { ...dependencies, ...devDependencies };
  assert.deepEqual(tools, readManifest(source).dependencies, `examples/${example} names other versions`);
  cpSync(from, folder, { recursive: true });
}

const readManifest = (folder) => JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));

/** Copies a tree by links to its files, which takes no time and no space. */
function link(from, to) {
  mkdirSync(to);
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) link(source, target);
    else if (entry.isSymbolicLink()) symlinkSync(readlinkSync(source), target);
    // npm writes this one in place, and through a link into the original.
    else if (entry.name !== '.package-lock.json') linkOrCopy(source, target);
  }
}

function linkOrCopy(source, target) {
  try {
    linkSync(source, target);
  } catch (error) {
    if (error.code !== 'EXDEV') throw error;
    copyFileSync(source, target);
  }
}

/**
 * Lays out the project of a suite, and gives its cells what they need to run.
 *
 * @param {import('./matrix.js').Suite} suite
 * @param {{ tarball: string, server: import('../server/index.js').Server }} options
 */
export function openProject(suite, { tarball, server }) {
  const folder = layOut(suite, tarball);
  const closing = [];
  const paths = [join(folder, 'node_modules', '.bin'), process.env.PATH];
  if (suite.node) paths.unshift(dirname(nodeOf(suite.node)));
  const PATH = paths.join(delimiter);
  const env = { PATH, LEMONDATA_BASE_URL: server.url, LEMONDATA_API_KEY: server.apiKey };

  const project = {
    folder,
    server,

    /** The path of something in the project. */
    path: (...names) => join(folder, ...names),

    /** The path of a command that one of its packages brings. */
    bin: (name) => join(folder, 'node_modules', '.bin', name),

    /** A package with its version, or the text as it is where there is no such package. */
    version(tool) {
      const manifest = [folder, root]
        .map((place) => join(place, 'node_modules', tool, 'package.json'))
        .find(existsSync);
      return manifest ? `${tool} ${JSON.parse(readFileSync(manifest, 'utf8')).version}` : tool;
    },

    /** Runs a command in the project, to its end. */
    execute: (command, args, more, place = '.') =>
      execute(command, args, { cwd: join(folder, place), env: { ...env, ...more } }),

    /** Runs the commands that a page prints, in a folder of the project. */
    shell: (name, place = 'sample', more = {}) =>
      execute('sh', ['-ec', sample(name)], { cwd: join(folder, place), env: { ...env, ...more } }),

    /** Starts a command that serves, until the project is closed. `ready` is what it prints by then, or its port. */
    async serve(command, args, ready, more, place = '.') {
      const cwd = join(folder, place);
      const { match, stop } = await serve(command, args, { ready, cwd, env: { ...env, ...more } });
      closing.push(stop);
      return match;
    },

    /** Serves a folder of the project to browsers until the project is closed: its page, or its script in ours. */
    async site(name, { page = PAGE, ...more } = {}) {
      const own = existsSync(join(folder, name, 'index.html'));
      const { url, close } = await serveSite({ '/': join(folder, name) }, own ? undefined : page, more);
      closing.push(close);
      return `${url}/`;
    },

    /** A relay to the server, for the `api` of a site. */
    relay: (scenario, options) => startRelay(folder, server, scenario, options),

    /** Opens a page, for a cell that does more than wait for its result. */
    open: (url, engine = 'chromium') => openPage(engine, url),

    /** Opens a page, with what it needs in its query, and returns its `result`. */
    async page(url, engine = 'chromium') {
      const query = new URLSearchParams({ baseUrl: server.url, apiKey: server.apiKey });
      const page = await openPage(engine, `${url}?${query}`);
      try {
        return await page.until(() => globalThis.result);
      } finally {
        await page.close();
      }
    },

    /** Serves what is in a folder as the page of a sample, with a relay, and waits for its picture. */
    async picture(name, { path = '', engine = 'chromium', ...more } = {}) {
      const { handle } = await project.relay();
      const url = await project.site(name, { api: handle, ...more });
      await project.shows(`${url}${path}`, engine);
    },

    /** Serves what is in a folder as the page of a sample, with a relay, and clicks for a picture. */
    async draws(name, { path = '' } = {}) {
      const { handle } = await project.relay();
      await project.shows(`${await project.site(name, { api: handle })}${path}`, 'chromium', {
        clicks: true,
      });
    },

    /** Opens the page of a sample and waits for its picture, which it may have paid for once. */
    async shows(url, engine = 'chromium', { clicks = false } = {}) {
      const page = await openPage(engine, url);
      try {
        if (clicks) {
          await page.until(() => document.querySelector('button') && true);
          await page.run(() => document.querySelector('button').click());
        }
        await page.until(() => document.querySelector('img')?.naturalWidth || undefined);
      } finally {
        await page.close();
      }
      project.paidOnce();
    },

    /** What the server has to have seen of a sample. */
    paidOnce() {
      const { creates, rejected, keyLeaks } = server.counts;
      assert.deepEqual({ creates, rejected, keyLeaks }, { creates: 1, rejected: 0, keyLeaks: 0 });
    },

    /** What `print` of `exercise.js` has told. */
    read(output) {
      const [, result] = output.match(/^\s*RESULT (.*)$/m) ?? [];
      if (!result) throw new Error(`There is no result in what was printed:\n${output}`);
      return JSON.parse(result);
    },

    /** What the scripts and modules of a folder weigh, compressed one by one. */
    weigh(name) {
      const files = readdirSync(join(folder, name), { recursive: true });
      const code = files.filter((file) => /\.(?:[cm]?js|wasm)$/.test(file));
      const sizes = code.map((file) => brotliCompressSync(readFileSync(join(folder, name, file))).length);
      return sizes.reduce((total, size) => total + size, 0);
    },

    async close() {
      for (const close of closing.reverse()) await close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  return project;
}

/**
 * @param {string} version
 * @returns {string} the path of that major version of Node
 */
function nodeOf(version) {
  return join(ensureTools(join(root, 'tests', 'runtimes', 'node')), `node-${version}`, 'bin', 'node');
}
