/** What npm shows and installs: no page of the package has a link that leads out of it. */

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { pack } from '../helpers/pack.js';
import { pages } from '../helpers/samples.js';
import { deadLinks } from './links.js';

test('a link of a packed page is absolute, or leads to a packed file', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'lemondata-packed-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const { files } = pack(folder);
  const exists = (path) => files.some((file) => file === path || file.startsWith(`${path}/`));
  const packed = files.filter((file) => file.endsWith('.md'));
  assert.deepEqual(deadLinks(packed, exists), []);
  const missing = [...pages, 'CHANGELOG.md'].filter((page) => !packed.includes(page));
  assert.deepEqual(missing, [], 'the guides and the changelog travel with the package');
});
