/**
 * Keeps the modules that the crate becomes. They take half a minute to make and a change of JavaScript leaves them
 * as they are, so a build looks here first.
 */

import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './run.js';

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
  'scripts/build.js',
  'node_modules/binaryen/package.json',
];

/** The hash of all sources, by name and content. */
function hashSources() {
  const hash = createHash('sha256');
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
 */

/**
 * @param {string} variant names what is built; the newest module of each is kept
 * @param {() => BoundModule} make builds the module where its sources have changed
 * @returns {BoundModule}
 */
export function cachedModule(variant, make) {
  const path = join(folder, `${variant}.json`);
  const hash = hashSources();
  try {
    const { wasm, ...kept } = JSON.parse(readFileSync(path, 'utf8'));
    if (kept.hash === hash) return { glue: kept.glue, wasm: Buffer.from(wasm, 'base64') };
  } catch {
    // Missing or cut off: a build makes it again.
  }
  const { glue, wasm } = make();
  mkdirSync(folder, { recursive: true });
  const fresh = `${path}.${process.pid}`;
  writeFileSync(fresh, JSON.stringify({ hash, glue, wasm: Buffer.from(wasm).toString('base64') }));
  // Another build may read it now.
  renameSync(fresh, path);
  return { glue, wasm };
}
