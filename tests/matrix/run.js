/**
 * The integration matrix: the packed package in every runtime and bundler. `npm run test:matrix`.
 *
 * Without arguments it runs what `npm test` runs, with two of the other folders, whose turn it is today; `--all` runs every cell, `--list` only names them. Names
 * choose cells, or all cells of a folder: `npm run test:matrix -- vite-build next`. `--all --docs` writes what was
 * printed into `docs/compatibility.md`, if all has passed.
 */

import { ensureBuild, ensureNodeModules } from '../../scripts/lib/prepare.js';

ensureNodeModules();
const { choose, perform } = await import('./matrix.js');
const { writeMatrix } = await import('./compatibility.js');

const args = process.argv.slice(2);
const flags = args.filter((arg) => arg.startsWith('--'));
const names = args.filter((arg) => !arg.startsWith('--'));
const OPTIONS = ['--all', '--list', '--docs'];
const unknown = flags.filter((flag) => !OPTIONS.includes(flag));
if (unknown.length > 0) {
  console.error(`There is no option ${unknown.join(', ')}. The options are ${OPTIONS.join(', ')}.`);
  process.exit(2);
}
const all = flags.includes('--all') || Boolean(process.env.TEST_ALL);
const forDocs = flags.includes('--docs');
if (forDocs && (!all || names.length > 0)) {
  console.error('docs/compatibility.md shows all cells: --docs needs --all, and no names.');
  process.exit(2);
}
const suites = await choose(names, all || flags.includes('--list')).catch((error) => {
  console.error(error.message);
  process.exit(2);
});

if (flags.includes('--list')) {
  for (const { cells } of suites) {
    for (const [name, { all }] of cells) console.log(all ? `${name} (only with --all)` : name);
  }
} else {
  // So that what the cells have started ends, too.
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));
  ensureBuild();
  const { passed, failed, rows } = await perform(suites);
  if (forDocs && failed === 0) writeMatrix(rows);
  console.log(`${passed} passed, ${failed} failed`);
  process.exit(failed > 0 ? 1 : 0);
}
