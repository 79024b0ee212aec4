/**
 * Builds a mutated package: `build.js <features>`, in the copy. A mutation of JavaScript leaves the module as it is, so
 * that the build finds the one that it has kept.
 */

import { buildPackage } from '../../scripts/build/index.js';

await buildPackage({ traps: process.argv[2] === 'traps' });
