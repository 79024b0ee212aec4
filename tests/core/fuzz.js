/**
 * Fuzzes the core for longer than its tests do: `npm run test:fuzz`, or `npm run test:fuzz -- 600` for so many
 * seconds. It ends with how often calls have come past each kind of end.
 */

import { run } from '../../scripts/lib/run.js';
import { ensureRust } from '../../scripts/lib/setup.js';

const [seconds = '120'] = process.argv.slice(2);

ensureRust();
run('cargo', ['test', '--locked', '--test=core', 'fuzz::', '--', '--nocapture'], {
  // Optimised, it makes twenty times as many calls.
  env: { FUZZ_SECONDS: seconds, CARGO_PROFILE_TEST_OPT_LEVEL: '2', CARGO_PROFILE_TEST_DEBUG: '0' },
});
