/** Accounts for the bytes of the module with twiggy: the share of each crate, and the largest functions. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeModule } from '../scripts/build/index.js';
import { run } from '../scripts/lib/run.js';
import { ensureTwiggy } from '../scripts/lib/setup.js';
import { readWasm } from './bundle.js';

/**
 * The owners of functions, by patterns of their names. The first match counts.
 *
 * @type {[owner: string, pattern: RegExp][]}
 */
const OWNERS = [
  ['core: lemondata_wasm::core', /lemondata_wasm\[?.*?::core::/],
  ['shell: lemondata_wasm::shell', /lemondata_wasm|^run$/],
  ['wasm-bindgen, js-sys', /wasm_bindgen|js_sys|__wbindgen|__wbg|__externref/],
  ['serde', /serde/],
  ['gloo-timers', /gloo/],
  ['allocator', /__rust_(re|de)?alloc|__rdl|__rustc/],
  [
    'standard library',
    /\b(core|alloc|std|compiler_builtins)(\[\w+\])?::|^<(\[u8\]|str)>|^(mem(cpy|set|move|cmp)|fm(ax|in))$/,
  ],
];
const LARGEST = 25;
const LONGEST_NAME = 100;

/** The sections that are not functions, by their names in twiggy. */
const isData = (name) => /^data segment/.test(name);
const isFrame = (name) =>
  /^(import|export|type|elem|table|memory|global|func\[\d+\]$|wasm magic|.* section headers?)/.test(name);

function ownerOf(name) {
  if (isData(name)) return 'data: texts and tables';
  for (const [owner, pattern] of OWNERS) if (pattern.test(name)) return owner;
  return isFrame(name) ? 'imports, exports, types, headers' : 'without a name';
}

/** A name without the hashes of its crates, cut to its longest useful length. */
function clip(name) {
  const plain = name.replace(/\[[0-9a-f]{16}\]/g, '');
  return plain.length > LONGEST_NAME ? `${plain.slice(0, LONGEST_NAME)}…` : plain;
}

export async function benchBytes() {
  const { wasm } = await makeModule('client', { keepNames: true });
  const folder = mkdtempSync(join(tmpdir(), 'lemondata-wasm-bytes-'));
  let items;
  try {
    const file = join(folder, 'named.wasm');
    writeFileSync(file, wasm);
    items = JSON.parse(run(ensureTwiggy(), ['top', '--format=json', '-n=100000', file], { quiet: true }));
  } finally {
    rmSync(folder, { recursive: true });
  }
  // The published module has no names.
  const published = items.filter(({ name }) => !/^"\w+ names?" subsection|^custom section 'name'/.test(name));
  const total = published.reduce((sum, { shallow_size: size }) => sum + size, 0);
  const groups = new Map();
  for (const { name, shallow_size: size } of published) {
    const owner = ownerOf(name);
    const group = groups.get(owner) ?? { name: owner, bytes: 0, items: 0 };
    group.bytes += size;
    group.items += 1;
    groups.set(owner, group);
  }
  return {
    total,
    published: readWasm().length,
    groups: [...groups.values()]
      .sort((a, b) => b.bytes - a.bytes)
      .map((group) => ({ ...group, share: group.bytes / total })),
    largest: published
      .slice(0, LARGEST)
      .map(({ name, shallow_size: size }) => ({ name: clip(name), bytes: size })),
  };
}
