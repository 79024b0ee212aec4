/** Every block of JavaScript and TypeScript in the pages compiles under the strictest usual settings, as it is printed. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { pages } from '../helpers/samples.js';
import { blocksOf, compilePages } from './compile.js';

const withCode = pages.filter((page) => blocksOf(page).length > 0);
const complaints = compilePages(withCode);

describe('the samples compile', () => {
  for (const page of withCode) {
    test(page, () => assert.deepEqual(complaints.get(page), []));
  }
});
