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
  `--remap-path-prefix=${root}=.`,
];

/**
 * The bytes of each module's stack, which lies below its data. The client uses 700 of them at most, and the small addresses
 * behind a short stack take fewer bytes of code.
 */
const STACK = { client: 4_096, traps: 4_096, hub: 65_536 };

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
    await step(`compile the crate: ${name}`, () => build(name, features));
    mkdirSync(folder, { recursive: true });
    copyFileSync(join(work, TARGET, 'release', 'lemondata_wasm.wasm'), path);
  });
  await idle;
  return path;
}

const build = (name, features) =>
  runBeside(
    'cargo',
    [
      ...['build', '--release', '--lib', '--locked', `--features=${features}`],
      ...[`--target=${TARGET}`, `--target-dir=${work}`],
      ...['-Zbuild-std=std,panic_abort', '-Zbuild-std-features=optimize_for_size'],
    ],
    {
      env: {
        RUSTC_BOOTSTRAP: '1',
        RUSTFLAGS: [...RUSTFLAGS, `-Clink-arg=-zstack-size=${STACK[name]}`].join(' '),
      },
    },
  );
