/** The samples that the README and the pages in `docs` print: a test runs each of them exactly as it stands there. */

import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { root } from '../../scripts/lib/run.js';

const SAMPLE = /<!-- sample: (\S+) -->\s*```\w*\n([\s\S]*?)```/g;

/** The pages that a person reads, as paths in the repository. The reference is made by a tool. */
export const pages = [
  'README.md',
  ...readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .sort()
    .map((name) => join('docs', name)),
];

/** @type {Map<string, string>} the samples by page and name: `react/hook`, `README/node` */
const samples = new Map();
for (const page of pages) {
  const name = page === 'README.md' ? 'README' : basename(page, '.md');
  for (const [, sample, code] of readFileSync(join(root, page), 'utf8').matchAll(SAMPLE)) {
    samples.set(`${name}/${sample}`, code);
  }
}

/** The names of all samples. */
export const sampleNames = [...samples.keys()];

/**
 * @param {string} name such as `react/hook`
 * @returns {string} the code, as it is printed
 */
export function sample(name) {
  const code = samples.get(name);
  if (code === undefined) throw new Error(`There is no sample ${name} in the pages.`);
  return code;
}
