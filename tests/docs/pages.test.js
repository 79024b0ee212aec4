/** The pages: every sample is run by a test, every link leads somewhere, and the README lists every cell. */

import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { test } from 'node:test';
import { root } from '../../scripts/lib/run.js';
import { pages, sampleNames } from '../helpers/samples.js';
import { choose } from '../matrix/matrix.js';
import { listedCells } from '../matrix/readme.js';

const read = (page) => readFileSync(join(root, page), 'utf8');
const suites = await choose([], true);

/** What other tests run. */
const ELSEWHERE = ['README/node', 'service/models'];

/** Pages whose samples have tests of their own. */
const OWN_TESTS = ['docs/relay.md', 'docs/hub.md'];

test('every sample is a file or a command of a cell, and every file of a cell is printed', () => {
  const files = suites.flatMap(({ samples = {} }) => Object.values(samples));
  // A command stands in a cell itself.
  const code = suites.map(({ source }) => readFileSync(join(source, 'cells.js'), 'utf8')).join('\n');
  const commands = code.match(/(?<=')[a-z-]+\/[a-z-]+(?=')/g);
  const bundlers = [...code.matchAll(/bundled\('(\w+)'/g)].map(([, tool]) => `browser/${tool}`);
  const used = new Set([...files, ...commands, ...bundlers, ...ELSEWHERE]);
  const own = sampleNames.filter((name) => !OWN_TESTS.includes(`docs/${name.split('/')[0]}.md`));
  assert.deepEqual(
    own.filter((name) => !used.has(name)),
    [],
  );
  assert.deepEqual(
    files.filter((name) => !sampleNames.includes(name)),
    [],
  );
});

test('no page prints code that is neither a sample nor what was before', () => {
  const guides = pages.filter((page) => page.startsWith('docs/') && !OWN_TESTS.includes(page));
  for (const page of guides) {
    const lines = read(page).split('\n');
    for (const [index, line] of lines.entries()) {
      if (!/^```\w/.test(line)) continue;
      assert.match(lines[index - 1], /^<!-- (sample: \S+|before) -->$/, `${page}:${index + 1}`);
    }
  }
});

/** How code hosts make the anchor of a heading. */
const anchorOf = (heading) =>
  heading
    .toLowerCase()
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replaceAll(' ', '-');

function anchors(text) {
  const found = new Set([...text.matchAll(/<a id="([^"]+)">/g)].map(([, id]) => id));
  const times = new Map();
  for (const [, heading] of text.replaceAll(/```[\s\S]*?```/g, '').matchAll(/^#+ (.+)$/gm)) {
    const anchor = anchorOf(heading);
    const seen = times.get(anchor) ?? 0;
    times.set(anchor, seen + 1);
    found.add(seen === 0 ? anchor : `${anchor}-${seen}`);
  }
  return found;
}

test('every link within the repository leads somewhere', () => {
  const reference = readdirSync(join(root, 'docs', 'api')).map((name) => join('docs', 'api', name));
  const broken = [];
  for (const page of [...pages, ...reference, 'CONTRIBUTING.md', 'tests/server/README.md', 'www/README.md']) {
    for (const [, target] of read(page).matchAll(/\]\((?!\w+:)([^)\s]+)\)/g)) {
      const [path, anchor] = target.split('#');
      const file = path === '' ? page : relative(root, join(root, dirname(page), path));
      const exists = existsSync(join(root, file));
      if (!exists || (anchor && !anchors(read(file)).has(anchor))) broken.push(`${page}: ${target}`);
    }
  }
  assert.deepEqual(broken, []);
});

test('every page is in the index', () => {
  const index = read('docs/README.md');
  for (const page of pages) {
    const name = page.replace('docs/', '');
    if (name !== 'README.md') assert.ok(index.includes(`](${name})`), name);
  }
});

test('the README lists the cells of the matrix', () => {
  const cells = suites.flatMap((suite) => suite.cells.map(([name]) => name));
  assert.deepEqual(listedCells().sort(), cells.sort(), 'run: npm run test:matrix -- --all --readme');
});
