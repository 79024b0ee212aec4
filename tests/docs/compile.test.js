/** Every block of JavaScript and TypeScript in the pages compiles under the strictest usual settings, as it is printed. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { root } from '../../scripts/lib/run.js';
import { pages } from '../helpers/samples.js';
import { blocksOf, compilePages } from './compile.js';

const withCode = pages.filter((page) => blocksOf(page).length > 0);
const complaints = compilePages(withCode);

test('every block is found', () => {
  const count = (page) =>
    readFileSync(join(root, page), 'utf8').match(/^```(?:[jt]sx?|vue|svelte|astro)$/gm)?.length ?? 0;
  for (const page of pages) assert.equal(blocksOf(page).length, count(page), page);
});

describe('the samples compile', () => {
  for (const page of withCode) {
    test(page, () => assert.deepEqual(complaints.get(page), []));
  }
});
