/**
 * Runs tests of the core in Miri, which finds undefined behaviour: `npm run test:miri`, or `npm run test:miri -- wait::`
 * for those whose names hold that.
 *
 * Miri is a hundred times slower than the machine. Properties with patterns for texts, and all that simulates a day,
 * are left out.
 */

import { run, step, works } from '../../scripts/lib/run.js';

const MODULES = ['abi', 'answers', 'calls', 'clock', 'create', 'failures', 'requests', 'retry', 'wait'];

const named = process.argv.slice(2);
const filters = named.length > 0 ? named : MODULES.map((name) => `${name}::`);

if (!works('cargo', ['+nightly', 'miri', '--version'])) {
  step('install Miri, a part of the nightly compiler');
  run('rustup', ['toolchain', 'install', 'nightly', '--profile=minimal', '--component=miri,rust-src']);
}
run('cargo', ['+nightly', 'miri', 'test', '--locked', '--test=core', '--', ...filters], {
  env: {
    CARGO_TARGET_DIR: 'target/miri',
    // Tests read files with examples.
    MIRIFLAGS: '-Zmiri-disable-isolation',
    PROPTEST_CASES: '1',
  },
});
