/** Keeps the modules: they take half a minute to build, and a change of JavaScript leaves them as they are. */

import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../lib/run.js';

/**
 * What a module is made of. Of the files in `js` that the crate imports, only the names get into it, and those
 * stand in the crate.
 */
const SOURCES = [
  'src',
  'Cargo.toml',
  'Cargo.lock',
  'rust-toolchain.toml',
  ...['bind', 'compile', 'index', 'javascript', 'shrink'].map((name) => `scripts/build/${name}.js`),
];

/** The hash of all sources and of the optimiser's version. */
function hashSources(place) {
  const { packages } = JSON.parse(readFileSync(join(place, 'package-lock.json'), 'utf8'));
  const hash = createHash('sha256').update(packages['node_modules/binaryen'].integrity);
  const add = (path) => {
    const full = join(place, path);
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
 * @property {string} [javascript] the module as JavaScript
 * @property {Record<string, string>} names the letters that stand for names of imports and exports
 */

/**
 * @param {string} name of the module; the newest of each name is kept
 * @param {() => Promise<BoundModule>} build builds the module where its sources have changed
 * @param {string} [place] the repository
 * @returns {Promise<BoundModule>}
 */
export async function cachedModule(name, build, place = root) {
  const folder = join(place, 'target', 'modules');
  const path = join(folder, `${name}.json`);
  const hash = hashSources(place);
  try {
    const { wasm, ...kept } = JSON.parse(readFileSync(path, 'utf8'));
    if (kept.hash === hash) return { ...kept, wasm: Buffer.from(wasm, 'base64') };
  } catch {
    // Missing or cut off: it is built again.
  }
  const built = await build();
  // A source that changed meanwhile may be in the module or not.
  if (hashSources(place) === hash) {
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
