/** `AGENTS.md` and `llms.txt`, which `npm run agents` makes from declarations and guides. */

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { agentFiles } from '../../scripts/agents.js';
import { root } from '../../scripts/lib/run.js';

const files = agentFiles();

test('they are those of the declarations and guides of today', () => {
  for (const [name, text] of Object.entries(files)) {
    assert.equal(readFileSync(join(root, name), 'utf8'), text, `${name}: run npm run agents`);
  }
});

describe('an agent finds', () => {
  const page = files['AGENTS.md'];

  test('every function, entry and outcome', () => {
    const waiting = ['generateAndWait', 'editAndWait', 'waitForTask'];
    for (const name of ['generate', 'edit', 'getTask', 'listModels', 'toBlob', ...waiting])
      assert.match(page, new RegExp(`^- \`${name}\\(.*\\): Promise<.*>\` \\w.*[.:]$`, 'm'));
    const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    for (const [path, target] of Object.entries(exports)) {
      if (typeof target === 'object')
        assert.ok(page.includes(`- \`lemondata-wasm${path.slice(1)}\`: `), path);
    }
    const entries = [...page.matchAll(/^- `lemondata-wasm.*?`: (.*)$/gm)].map(([, text]) => text);
    for (const text of entries) assert.match(text, /^[^@]+\.$/);
    assert.equal(new Set(entries).size, entries.length);
    for (const outcome of ['not_sent', 'rejected', 'accepted', 'failed', 'unknown'])
      assert.match(page, new RegExp(`^- \`${outcome}\`: \\w.*\\w$`, 'm'));
  });

  test('ten rules, whose names are in the package', () => {
    const rules = page.match(/^\d+\. .*$/gm);
    assert.equal(rules.length, 10);
    const declarations = ['entries', 'relay', 'testing']
      .map((folder) => readFileSync(join(root, 'js', folder, 'index.d.ts'), 'utf8'))
      .join('\n');
    const names = rules.flatMap((rule) =>
      [...rule.matchAll(/`([A-Za-z]*[a-z]\w*)[`(]/g)].map(([, name]) => name),
    );
    for (const name of names) assert.ok(declarations.includes(name), name);
    assert.ok(names.length > 15);
  });

  test('guides that are there', () => {
    const links = [...files['llms.txt'].matchAll(/^- \[.+?\]\((.+?)\): .+$/gm)].map(([, path]) => path);
    assert.ok(links.length > 20);
    for (const path of links) assert.ok(existsSync(join(root, path)), path);
  });
});
