/** Keeps the modules: they take half a minute to build, and a change of JavaScript leaves them as they are. */

import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../lib/run.js';

const folder = join(root, 'target', 'modules');

/**
 * What a module is made of. Of the files in `js` that the crate imports, only the names get into it, and those
 * stand in the crate.
 */
const SOURCES = [
  'src',
  'Cargo.toml',
  'Cargo.lock',
  'rust-toolchain.toml',
  ...['bind', 'compile', 'index', 'shrink'].map((name) => `scripts/build/${name}.js`),
];

/** The hash of all sources and of the optimiser's version. */
function hashSources() {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  const hash = createHash('sha256').update(packages['node_modules/binaryen'].integrity);
  const add = (path) => {
    const full = join(root, path);
    if (statSync(full).isDirectory()) {
      for (const name of readdirSync(full).sort()) add(join(path, name));
    } else {
      const content = readFileSync(full);
      hash.update(`${path}\0${content.length}\0`).update(content);
    }
  };
  SOURCES.forEach(add);
  return hash.digest('hex');
}

/**
 * @typedef {object} BoundModule
 * @property {string} glue the JavaScript that calls the module
 * @property {Uint8Array} wasm
 * @property {import('./shrink.js').Names} names
 */

/**
 * @param {string} name of the module; the newest of each name is kept
 * @param {() => Promise<BoundModule>} build builds the module where its sources have changed
 * @returns {Promise<BoundModule>}
 */
export async function cachedModule(name, build) {
  const path = join(folder, `${name}.json`);
  const hash = hashSources();
  try {
    const { wasm, ...kept } = JSON.parse(readFileSync(path, 'utf8'));
    if (kept.hash === hash) return { ...kept, wasm: Buffer.from(wasm, 'base64') };
  } catch {
    // Missing or cut off: it is built again.
  }
  const built = await build();
  // A source that changed meanwhile may be in the module or not.
  if (hashSources() === hash) {
    mkdirSync(folder, { recursive: true });
    // Another process may read the old one now.
    const fresh = `${path}.${process.pid}`;
    writeFileSync(
      fresh,
      JSON.stringify({ ...built, hash, wasm: Buffer.from(built.wasm).toString('base64') }),
    );
    renameSync(fresh, path);
  }
  return built;
}
