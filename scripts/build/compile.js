/** Compiles the crate. */

import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { root, runBeside, step } from '../lib/run.js';

const TARGET = 'wasm32-unknown-unknown';
const work = join(root, 'target', 'dist');

/** What every engine of the last years has. */
export const FEATURES = ['bulk-memory', 'mutable-globals', 'nontrapping-fptoint', 'sign-ext'];

const RUSTFLAGS = [
  '-Zunstable-options',
  // A panic becomes a bare trap.
  '-Cpanic=immediate-abort',
  '-Zlocation-detail=none',
  // Reference types cost more in the module than they save in the glue.
  '-Ctarget-cpu=mvp',
  `-Ctarget-feature=${FEATURES.map((name) => `+${name}`)}`,
  '-Cllvm-args=-inline-threshold=25',
  // One instruction copies a structure, in place of a load and a store for each of its fields.
  '-Cllvm-args=-max-store-memcpy=1',
  // Otherwise generic functions are taken from where the standard library has compiled them, whole and for export.
  '-Zshare-generics=no',
  // Our stacks are shallow, and a megabyte of it for each instance is much in an edge worker.
  '-Clink-arg=-zstack-size=65536',
  `--remap-path-prefix=${root}=.`,
];

/** Cargo has one target folder, which one build at a time may use. */
let idle = Promise.resolve();

/**
 * Compiles the crate for size, and the standard library with it. Both need flags that are unstable in name, so the
 * compiler is pinned in `rust-toolchain.toml`.
 *
 * @param {string} name of the module
 * @param {string} features of the crate
 * @param {string} folder gets the module
 * @returns {Promise<string>} the path of the module
 */
export async function compile(name, features, folder) {
  const path = join(folder, 'crate.wasm');
  idle = idle.then(async () => {
    await step(`compile the crate: ${name}`, () => build(features));
    mkdirSync(folder, { recursive: true });
    copyFileSync(join(work, TARGET, 'release', 'lemondata_wasm.wasm'), path);
  });
  await idle;
  return path;
}

const build = (features) =>
  runBeside(
    'cargo',
    [
      ...['build', '--release', '--lib', '--locked', `--features=${features}`],
      ...[`--target=${TARGET}`, `--target-dir=${work}`],
      ...['-Zbuild-std=std,panic_abort', '-Zbuild-std-features=optimize_for_size'],
    ],
    { env: { RUSTC_BOOTSTRAP: '1', RUSTFLAGS: RUSTFLAGS.join(' ') } },
  );
