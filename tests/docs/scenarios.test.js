/** The page about tests lists what the service can do: its messages refer to that list. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { REPLIES } from '../../js/testing/replies.js';
import { BILLING, NO_ASYNC, parseScenarios, TYPE_ONLY } from '../../js/testing/scenarios.js';
import { TASKS } from '../../js/testing/traits.js';
import { root } from '../../scripts/lib/run.js';

const page = readFileSync(join(root, 'docs', 'testing.md'), 'utf8');
const table = /^## Scenarios$.*?^## /ms.exec(page)?.[0] ?? '';
const listed = [...table.matchAll(/^\|(.*?)\|/gm)].flatMap(([, cell]) =>
  [...cell.matchAll(/`(.+?)`/g)].map(([, name]) => name),
);

test('every scenario is in the table', () => {
  const all = [...Object.keys(REPLIES), ...Object.keys(TASKS), TYPE_ONLY, BILLING, NO_ASYNC];
  assert.deepEqual(
    all.filter((name) => !listed.includes(name)),
    [],
  );
});

test('every name in the table is a scenario', () => {
  assert.ok(listed.length > 0);
  for (const name of listed) parseScenarios(name);
});
