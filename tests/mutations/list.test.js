/** The list of mutations has to follow the code: one whose text is gone would prove nothing. */

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { root } from '../../scripts/lib/run.js';
import { filesWith, PARTS } from './parts.js';

for (const { folder, rules } of PARTS) {
  for (const [rule, mutations] of Object.entries(rules)) {
    test(`the text of each mutation occurs once in ${folder}: ${rule}`, () => {
      for (const [name, from] of mutations) assert.equal(filesWith(from, join(root, folder)).length, 1, name);
    });
  }
}
