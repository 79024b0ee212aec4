/**
 * Compiles an application in each environment that the package is for, with the oldest TypeScript that it supports,
 * the newest, and those between that changed the libraries. The declarations are checked along with it.
 */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { writeDeclarations } from '../../scripts/build/declarations.js';
import { ensureTools } from '../matrix/project.js';

const here = fileURLToPath(new URL('versions/', import.meta.url));
const root = fileURLToPath(new URL('../..', import.meta.url));

const ES = ['ES2022'];
/** What an application has in each environment. */
const ENVIRONMENTS = {
  'a page': { lib: [...ES, 'DOM', 'DOM.Iterable'], types: [] },
  'a page, without iterables': { lib: [...ES, 'DOM'], types: [] },
  'a web worker': { lib: [...ES, 'WebWorker'], types: [] },
  'Node 20.11': { lib: ES, types: ['node-20.11'], files: ['usage.node.mts'] },
  'Node 20': { lib: ES, types: ['node-20'], files: ['usage.node.mts'] },
  'Node 22': { lib: ES, types: ['node-22'], files: ['usage.node.mts'] },
  'Node 24': { lib: ES, types: ['node-24'], files: ['usage.node.mts'] },
  'Node 26': { lib: ES, types: ['node-26'], files: ['usage.node.mts'] },
  'Node 24 and pages': { lib: [...ES, 'DOM'], types: ['node-24'], files: ['usage.node.mts'] },
  'a Cloudflare worker': {
    lib: ES,
    types: ['@cloudflare/workers-types'],
    files: ['usage.cloudflare.mts'],
  },
};
const ENDS = ['5.4', '7.0'];
const BETWEEN = ['5.6', '5.7', '5.9', '6.0'];
/** What the versions between are tried with, unless all are. */
const FEW = ['a page', 'Node 20.11', 'Node 26', 'a Cloudflare worker'];

/** Complaints about the libraries of others: some of Node's types need a newer TypeScript. */
const OTHERS =
  /^(?:\S*\/)?(?:node-\d\S*?|typescript-\S+?|undici-types|@cloudflare\/workers-types)\/\S+\(\d+,\d+\): /;

let project;
let count = 0;

before(async () => {
  const tools = ensureTools(here);
  project = await mkdtemp(join(tmpdir(), 'lemondata-versions-'));
  const modules = join(project, 'node_modules');
  const dist = join(modules, 'lemondata-wasm', 'dist');
  await mkdir(dist, { recursive: true });
  for (const name of await readdir(tools)) {
    if (!name.startsWith('.')) await symlink(join(tools, name), join(modules, name));
  }
  await copyFile(join(root, 'package.json'), join(dist, '..', 'package.json'));
  writeDeclarations(dist);
  for (const file of ['usage.mts', 'usage.node.mts', 'usage.cloudflare.mts']) {
    await copyFile(join(here, file), join(project, file));
  }
});
after(() => rm(project, { recursive: true, force: true }));

/** @returns {Promise<string>} what the compiler complains about, except for the libraries of others */
async function compile(version, { lib, types, files = [] }) {
  count += 1;
  const config = join(project, `tsconfig.${count}.json`);
  const compilerOptions = {
    target: 'ES2022',
    lib,
    types,
    module: 'NodeNext',
    moduleResolution: 'NodeNext',
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    noUnusedLocals: true,
    skipLibCheck: false,
    noEmit: true,
  };
  await writeFile(config, JSON.stringify({ compilerOptions, files: ['usage.mts', ...files] }));
  const tsc = join(project, 'node_modules', `typescript-${version}`, 'bin', 'tsc');
  const output = await new Promise((resolve) => {
    execFile(
      process.execPath,
      [tsc, '--pretty', 'false', '--project', config],
      { cwd: project, maxBuffer: 2 ** 26 },
      (error, stdout, stderr) => resolve(error ? stdout + stderr || error.message : ''),
    );
  });
  // What explains a complaint is indented below it.
  const complaints = output.split(/\n(?! )/).filter((complaint) => !OTHERS.test(complaint));
  return complaints.join('\n').trim();
}

describe('an application compiles', { concurrency: 2 }, () => {
  for (const version of [...ENDS, ...BETWEEN]) {
    for (const [name, environment] of Object.entries(ENVIRONMENTS)) {
      if (!ENDS.includes(version) && !FEW.includes(name) && !process.env.TEST_ALL) continue;
      test(`with TypeScript ${version} for ${name}`, async () => {
        assert.equal(await compile(version, environment), '');
      });
    }
  }
});
