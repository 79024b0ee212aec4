/**
 * Breaks the package on purpose, one rule after another, and sees the tests turn red: `npm run test:mutations`.
 * It works on a copy. Arguments select the mutations whose name or file contains one of them: `js/ src/shell`.
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { copy, makeCopy } from './copy.js';
import * as core from './core-tests.js';
import { JS } from './js.js';
import { MUTATIONS } from './list.js';
import * as built from './package-tests.js';
import { SHELL } from './shell.js';

/** Each part: where its files are, its mutations, and what finds a red test before and after one. */
const PARTS = [
  { folder: 'src/core', mutations: MUTATIONS, before: core.redTest, after: core.redTest },
  {
    folder: 'src/shell',
    mutations: SHELL,
    before: () => built.redTest('crate'),
    after: () => built.redTest('crate'),
  },
  {
    folder: 'js',
    mutations: JS,
    before: () => built.redTest('keep'),
    after: () => built.redTest('js'),
  },
];

const asked = process.argv.slice(2);
const isAsked = (folder, [, name, file]) =>
  asked.length === 0 || asked.some((part) => `${folder}/${file}`.includes(part) || name.includes(part));

/** What comes of a mutation: the test that is red, or in capitals why there is none. */
async function verdict(path, [, , , from, to], redTest) {
  const source = readFileSync(path, 'utf8');
  if (source.split(from).length !== 2) return 'NOT FOUND: the text to replace must stand there once';
  writeFileSync(
    path,
    source.replace(from, () => to),
  );
  try {
    return (await redTest()) ?? 'SURVIVED';
  } catch (error) {
    return `BROKEN: ${error.message}`;
  } finally {
    writeFileSync(path, source);
  }
}

makeCopy();
let passed = 0;
let failed = 0;
for (const { folder, mutations, before, after } of PARTS) {
  const chosen = mutations.filter((mutation) => isAsked(folder, mutation));
  if (chosen.length === 0) continue;
  const red = await before();
  if (red) throw new Error(`A test is red before anything is broken: ${red}`);
  for (const mutation of chosen) {
    const [rule, name, file] = mutation;
    const came = await verdict(join(copy, folder, file), mutation, after);
    if (/^[A-Z]{2}/.test(came)) failed += 1;
    else passed += 1;
    console.log(`rule ${rule}  ${name}  →  ${came}`);
  }
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed > 0 || passed === 0 ? 1 : 0);
