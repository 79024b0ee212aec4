/** The reference in `docs/api`, which `npm run docs` makes from the declarations. */

import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { root, run } from '../../scripts/lib/run.js';

/** Line by line, since `assert` takes minutes to compare long texts that differ. */
const lines = (folder) =>
  readdirSync(folder)
    .sort()
    .flatMap((name) =>
      readFileSync(join(folder, name), 'utf8')
        .split('\n')
        .map((line, index) => `${name}:${index + 1}: ${line}`),
    );

test('the reference is that of the declarations, in which everything is described', (t) => {
  const fresh = mkdtempSync(join(tmpdir(), 'lemondata-reference-'));
  t.after(() => rmSync(fresh, { recursive: true }));
  // It fails where an item has no description, or a link no target.
  const typedoc = join(root, 'node_modules', '.bin', 'typedoc');
  run(typedoc, ['--options', 'scripts/typedoc/typedoc.json', '--out', fresh], { quiet: true });
  const committed = lines(join(root, 'docs', 'api'));
  const made = lines(fresh);
  const differs = (line, index) => line !== committed[index];
  assert.equal(made.find(differs), undefined, 'run: npm run docs');
  assert.equal(made.length, committed.length, 'run: npm run docs');
});
