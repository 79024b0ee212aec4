/**
 * Builds a mutated package: `build.js <features> <mode>`, in the copy. The crate takes most of the time of a build
 * and does not change with the JavaScript, so `keep` stores what it has come to, and `js` takes that.
 */

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deserialize, serialize } from 'node:v8';
import { bind, bundle, compile } from '../../scripts/build.js';
import { root } from '../../scripts/lib/run.js';
import { ensureWasmBindgen } from '../../scripts/lib/setup.js';

const [, , features, mode] = process.argv;
const folder = features ? join(root, 'target', features) : join(root, 'dist');
const kept = join(root, 'target', 'dist', `made-${features}`);

const make = (name, options) => bind(compile(name), ensureWasmBindgen(), options);
/** The client's module and, where the whole package is wanted, the hub's. */
const made =
  mode === 'js'
    ? deserialize(readFileSync(kept))
    : [make(features), features ? undefined : make('hub', { isHub: true })];
if (mode === 'keep') {
  mkdirSync(join(root, 'target', 'dist'), { recursive: true });
  writeFileSync(kept, serialize(made));
}
await bundle(...made, folder);
