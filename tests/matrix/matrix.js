/** Finds the cells, runs them one by one, and prints the matrix. */

import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { inspect } from 'node:util';
import { root } from '../../scripts/lib/run.js';
import { pack } from '../helpers/pack.js';
import { startServer } from '../server/index.js';
import { check } from './check.js';
import { closeBrowsers } from './page.js';
import { openProject } from './project.js';

/**
 * @typedef {object} Cell
 * @property {string} tool the npm package whose version the matrix shows, or what to show in its place
 * @property {boolean} [all] whether it is left out of `npm test`
 * @property {(project: import('./project.js').Project, opened: any) => Promise<Outcome | void>} run
 *
 * @typedef {object} Outcome
 * @property {any} [result] what `exercise` returned; without one the cell has done its own checks
 * @property {string} [tool] what to show as the tool, where only running it tells
 * @property {number} [bytes] of the bundle, compressed
 *
 * @typedef {object} Suite the `cells.js` of a folder, whose cells share one project
 * @property {string} source the folder
 * @property {[string, Cell][]} cells
 * @property {Record<string, string>} [samples] files that the pages in `docs` print: where in the project, and which
 * @property {string} [example] the folder of `examples` that it tries
 * @property {string} [node] the major version of Node that its tools ask for
 * @property {(project: import('./project.js').Project) => Promise<any>} [open] runs once, before the first cell
 */

const TASK_MS = 3000;

/**
 * The server, whose clock each poll moves on by a third of a task's time: a task is pending when it is created,
 * however long the machine takes to say so, and done at the third poll.
 */
function start() {
  let clock = 1_706_000_000_000;
  return startServer({
    cors: true,
    taskMs: TASK_MS,
    now: () => clock,
    onRequest({ method, path }) {
      if (method === 'GET' && path.startsWith('/v1/')) clock += TASK_MS / 3;
    },
  });
}

const DAY_MS = 86_400_000;
/** Of the folders that `npm test` leaves out, so many have their turn each day. */
const FOLDERS_A_DAY = 2;

/**
 * @param {string[]} names of cells or folders; none for those that belong to `npm test`
 * @param {boolean} all
 * @param {number} [day] since 1970, which decides whose turn it is
 * @returns {Promise<Suite[]>} what is to run
 */
export async function choose(names, all, day = Math.floor(Date.now() / DAY_MS)) {
  const suites = [];
  const others = [];
  const known = new Set();
  for (const kind of ['runtimes', 'bundlers']) {
    const parent = join(root, 'tests', kind);
    for (const folder of readdirSync(parent).sort()) {
      const source = join(parent, folder);
      if (!existsSync(join(source, 'cells.js'))) continue;
      const { cells, ...suite } = await import(pathToFileURL(join(source, 'cells.js')).href);
      const entries = Object.entries(cells);
      for (const name of [folder, ...Object.keys(cells)]) known.add(name);
      const chosen = entries.filter(([name, cell]) =>
        names.length > 0 ? names.includes(name) || names.includes(folder) : all || !cell.all,
      );
      if (chosen.length > 0) suites.push({ ...suite, source, cells: chosen });
      const left = entries.filter(([, cell]) => cell.all);
      if (left.length > 0) others.push({ ...suite, source, cells: left });
    }
  }
  for (let turn = 0; turn < FOLDERS_A_DAY && names.length === 0 && !all; turn += 1) {
    suites.push(others[(day * FOLDERS_A_DAY + turn) % others.length]);
  }
  const strange = names.filter((name) => !known.has(name));
  if (strange.length > 0) throw new Error(`There is no cell called ${strange.join(', ')}: see --list.`);
  return suites;
}

/**
 * @param {Suite[]} suites
 * @returns {Promise<{ passed: number, failed: number, rows: { name: string, tool: string }[] }>}
 */
export async function perform(suites) {
  const total = { passed: 0, failed: 0 };
  const failures = [];
  const rows = [];
  // What breaks a project breaks all its cells, and is told once.
  const shown = new Set();
  const packed = mkdtempSync(join(tmpdir(), 'lemondata-wasm-pack-'));
  const server = await start();
  try {
    const { tarball } = pack(packed);
    printHead();
    for (const suite of suites) {
      for await (const { name, error, ...row } of performSuite(suite, server, tarball)) {
        total[error ? 'failed' : 'passed'] += 1;
        rows.push({ name, tool: row.tool });
        printRow({ name, result: error ? 'FAIL' : 'ok', ...row });
        if (!error) continue;
        if (!shown.has(error)) console.log(`\n${inspect(error)}\n`.replaceAll('\n', '\n    '));
        shown.add(error);
        failures.push(name);
      }
    }
  } finally {
    await closeBrowsers();
    await server.close();
    rmSync(packed, { recursive: true, force: true });
  }
  console.log(failures.length > 0 ? `\nfailed: ${failures.join(', ')}\n` : '');
  return { ...total, rows };
}

/** Runs the cells of one project. What breaks before the first of them breaks all. */
async function* performSuite(suite, server, tarball) {
  let project;
  let opened;
  let broken;
  let started = performance.now();
  const seconds = () => (performance.now() - started) / 1000;
  try {
    project = openProject(suite, { tarball, server });
    opened = await suite.open?.(project);
  } catch (error) {
    broken = error;
  }
  let preparation = seconds();
  for (const [name, cell] of suite.cells) {
    started = performance.now();
    server.reset();
    const row = { name, tool: cell.tool };
    try {
      row.tool = project?.version(cell.tool) ?? cell.tool;
      if (broken) throw broken;
      const { result, ...outcome } = (await cell.run(project, opened)) ?? {};
      Object.assign(row, outcome);
      if (result) await check(result, server);
    } catch (error) {
      row.error = error;
    }
    yield { ...row, preparation, run: seconds() };
    preparation = 0;
  }
  await project?.close();
}

const COLUMNS = [24, 34, 6, 10, 10, 10];

function print(texts) {
  const line = texts.map((text, index) =>
    index < 3 ? text.padEnd(COLUMNS[index]) : text.padStart(COLUMNS[index]),
  );
  console.log(line.join('').trimEnd());
}

function printHead() {
  // The time of the preparation, which the cells of a project share, stands in the first of them.
  print(['cell', 'tool', '', 'set-up', 'run', 'brotli']);
}

function printRow({ name, tool, result, preparation, run, bytes }) {
  const time = (value) => (value ? `${value.toFixed(1)} s` : '');
  const size = bytes ? `${(bytes / 1000).toFixed(1)} kB` : '';
  print([name, tool, result, time(preparation), time(run), size]);
}
