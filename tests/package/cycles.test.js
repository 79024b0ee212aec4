/** No source file depends on itself by way of others: a reader can begin with any of them and go down. */

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { describe, test } from 'node:test';
import { root } from '../../scripts/lib/run.js';

const files = (folder, end) =>
  readdirSync(join(root, folder), { recursive: true })
    .filter((name) => name.endsWith(end) && !name.endsWith(`.test${end}`) && !name.endsWith('.d.ts'))
    .map((name) => join(folder, name));

/** The files that a JavaScript file imports. */
function importsOfScript(file) {
  const code = readFileSync(join(root, file), 'utf8').replace(/\/\*[\s\S]*?\*\//g, '');
  const paths = Array.from(code.matchAll(/(?:from|import) '(\.[^']+)'/g), ([, path]) => path);
  return paths.map((path) => relative(root, join(root, dirname(file), path)));
}

/** The files that a Rust file names. A `mod.rs` declares its children, so a child must not name what it collects. */
function importsOfRust(file) {
  const code = readFileSync(join(root, file), 'utf8').replace(/^\s*\/\/.*$/gm, '');
  const folder = dirname(file);
  const path = (name) => join(folder, `${name}.rs`);
  const children = Array.from(code.matchAll(/^(?:pub )?mod (\w+);/gm), ([, name]) => path(name));
  const paths = code.matchAll(new RegExp(`\\b(?:super|crate::${basename(folder)})::(\\{[^;]*|\\w+)`, 'g'));
  const names = Array.from(paths, ([, tree]) => (tree.startsWith('{') ? topLevel(tree) : [tree])).flat();
  return [...children, ...names.map((name) => path(/^[a-z]/.test(name) ? name : 'mod'))];
}

/** The first segments of `{a::b, c::{d, e}}`. */
function topLevel(tree) {
  const flat = tree.slice(1, tree.lastIndexOf('}')).replace(/\{[^{}]*\}/g, '');
  return flat.split(',').flatMap((path) => path.trim().match(/^\w+/) ?? []);
}

function cycleIn(names, importsOf) {
  const state = new Map();
  function visit(name, path) {
    if (state.get(name) === 'done') return undefined;
    if (state.get(name) === 'open') return [...path.slice(path.indexOf(name)), name];
    state.set(name, 'open');
    for (const next of importsOf(name)) {
      if (!names.includes(next)) continue;
      const cycle = visit(next, [...path, name]);
      if (cycle) return cycle;
    }
    state.set(name, 'done');
    return undefined;
  }
  for (const name of names) {
    const cycle = visit(name, []);
    if (cycle) return cycle.join(' → ');
  }
  return undefined;
}

/** A file of one folder may import one of another, so that all folders are searched together. */
const SCRIPT_FOLDERS = ['js', 'scripts', 'www', 'bench', 'tests/helpers', 'tests/server', 'tests/matrix'];

describe('no cycle', () => {
  test('among the scripts of all folders', () => {
    const names = SCRIPT_FOLDERS.flatMap((folder) => {
      const found = files(folder, '.js');
      assert.ok(found.length > 3, folder);
      return found;
    });
    assert.equal(cycleIn(names, importsOfScript), undefined);
  });

  for (const folder of ['src/core', 'src/shell']) {
    test(`among the files of ${folder}`, () => {
      const names = files(folder, '.rs');
      assert.ok(names.length > 5 && names.some((name) => importsOfRust(name).length > 0));
      assert.equal(cycleIn(names, importsOfRust), undefined);
    });
  }

  test('is found where there is one', () => {
    const imports = { a: ['b'], b: ['c'], c: ['b'] };
    assert.equal(
      cycleIn(Object.keys(imports), (name) => imports[name]),
      'b → c → b',
    );
  });
});
