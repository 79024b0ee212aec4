/** The pages: every sample is run by a test, every link leads somewhere, and the matrix lists every cell. */

import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { NAMES, OPTION_COUNT } from '../../js/client/abi.gen.js';
import * as errors from '../../js/client/public-errors.js';
import { root, run } from '../../scripts/lib/run.js';
import { pages, sampleNames } from '../helpers/samples.js';
import { listedCells } from '../matrix/compatibility.js';
import { choose } from '../matrix/matrix.js';
import { deadLinks } from './links.js';

const read = (page) => readFileSync(join(root, page), 'utf8');
const suites = await choose([], true);

/** What other tests run. */
const ELSEWHERE = [
  'README/node',
  'service/models',
  'ai-sdk/program',
  'telemetry/program',
  'relay-operation/credits',
  ...['command', 'curl', 'python', 'relay'].map((name) => `http/${name}`),
];

test('every sample is a file or a command of a cell, and every file of a cell is printed', () => {
  const files = suites.flatMap(({ samples = {} }) => Object.values(samples));
  // A command stands in a cell itself.
  const code = suites.map(({ source }) => readFileSync(join(source, 'cells.js'), 'utf8')).join('\n');
  const commands = code.match(/(?<=')[a-z-]+\/[a-z-]+(?=')/g);
  const bundlers = [...code.matchAll(/bundled\('(\w+)'/g)].map(([, tool]) => `browser/${tool}`);
  const used = new Set([...files, ...commands, ...bundlers, ...ELSEWHERE]);
  assert.deepEqual(
    sampleNames.filter((name) => !used.has(name)),
    [],
  );
  assert.deepEqual(
    files.filter((name) => !sampleNames.includes(name)),
    [],
  );
});

test('a block that is not compiled is a sample, or was there before', () => {
  for (const page of pages) {
    const lines = read(page).split('\n');
    for (const [index, line] of lines.entries()) {
      if (!/^```\w/.test(line) || /^```[jt]sx?$/.test(line)) continue;
      assert.match(lines[index - 1], /^<!-- sample: \S+ -->$/, `${page}:${index + 1}`);
    }
  }
});

test('a model that a page names in code is in the catalogue of today', () => {
  // `contract.md` has the list; the seven of the first documents are for the tests of what they say.
  const CATALOGUE = /^(?:gpt-image-2|nano-banana|flux-2-|sd3\.5-|grok-imagine-image|ideogram-v3)/;
  for (const page of pages) {
    for (const [, model] of read(page).matchAll(/\bmodels?: \[?'([^']+)'/g)) {
      if (model !== 'any') assert.match(model, CATALOGUE, page);
    }
  }
});

test('every link within the repository leads somewhere', () => {
  const all = run('git', ['ls-files', '*.md'], { quiet: true }).trim().split('\n');
  assert.deepEqual(
    deadLinks(all, (path) => existsSync(join(root, path))),
    [],
  );
});

test('every page is in the index, and every decision in its own', () => {
  const index = read('docs/README.md');
  for (const page of pages) {
    const name = page.replace('docs/', '');
    if (name !== 'README.md') assert.ok(index.includes(`](${name})`), name);
  }
  const decisions = read('docs/decisions/README.md');
  for (const name of readdirSync(join(root, 'docs', 'decisions'))) {
    if (name !== 'README.md') assert.ok(decisions.includes(`](${name})`), name);
  }
});

test('a file of the repository that a page names is there', () => {
  const decisions = readdirSync(join(root, 'docs', 'decisions')).map((name) =>
    join('docs', 'decisions', name),
  );
  const missing = [...pages, ...decisions, 'CONTRIBUTING.md'].flatMap((page) =>
    [...read(page).matchAll(/`((?:src|js|tests|scripts|bench|docs|www|examples)\/[\w./-]+)`/g)]
      .filter(([, path]) => !existsSync(join(root, path)))
      .map(([, path]) => `${page}: ${path}`),
  );
  assert.deepEqual(missing, []);
});

test('the guide lists every option and every class of errors', () => {
  const guide = read('docs/guide.md');
  const first = (heading) => {
    const [, section] = guide.split(`\n## ${heading}\n`);
    return Array.from(section.split('\n## ')[0].matchAll(/^\| `(\w+)` \|/gm), ([, name]) => name).sort();
  };
  assert.deepEqual(first('Options'), NAMES.slice(0, OPTION_COUNT).sort());
  assert.deepEqual(
    first('Errors'),
    Object.keys(errors)
      .filter((name) => name !== 'LemonDataError')
      .sort(),
  );
});

test('every npm command is explained to contributors', () => {
  const text = read('CONTRIBUTING.md') + read('docs/building.md');
  const named = new Set(
    Array.from(text.matchAll(/\bnpm (?:run )?([\w:-]+)|`([\w:-]+)`/g), ([, ...names]) => names.join('')),
  );
  const { scripts } = JSON.parse(read('package.json'));
  assert.deepEqual(
    Object.keys(scripts).filter((name) => !named.has(name)),
    [],
  );
});

test('the page about compatibility lists the cells of the matrix', () => {
  const cells = suites.flatMap((suite) => suite.cells.map(([name]) => name));
  assert.deepEqual(listedCells().sort(), cells.sort(), 'run: npm run test:matrix -- --all --docs');
});

test('a newcomer can read the README in one sitting', () => {
  assert.ok(read('README.md').trimEnd().split('\n').length <= 150);
});
