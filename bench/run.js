/**
 * Measures this package and its peers side by side: `npm run bench`. It asserts nothing: times depend on the
 * machine, ratios on the code.
 *
 * `npm run bench -- inline start.slow` measures a part and a single measure of another. It writes `bench/results.json` and
 * the charts after each measure, with `-- --docs` the tables of `docs/performance.md`, too. A measure whose baseline
 * spreads too far is refused, and its former results stay; `-- --force` writes it with a note. `-- --quick` measures
 * little, to see that everything works, and writes nothing. `-- --bytes` accounts for the bytes of the module. `-- --show`
 * only writes the known results again.
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem, type } from 'node:os';
import { join } from 'node:path';
import { ensureBuild, ensureNodeModules } from '../scripts/lib/prepare.js';
import { root, step } from '../scripts/lib/run.js';

const FILE = join(root, 'bench', 'results.json');
const FLAGS = ['--docs', '--force', '--quick', '--bytes', '--show'];

/**
 * Each part: its measures, where it has several, and what makes them, with their size for a full and for a quick run. The
 * rounds are those of a quiet machine. `seconds` limits a measure, so that two cores end all within ten minutes.
 *
 * @type {Record<string, {
 *   measures?: string[],
 *   run: (measures: string[], isQuick: boolean) => Promise<AsyncIterable<Record<string, any>>>,
 * }>}
 */
const PARTS = {
  download: { run: async () => (await import('./download.js')).benchDownload() },
  start: {
    measures: ['node', 'chromium', 'workerd', 'slow'],
    run: async (measures, isQuick) =>
      (await import('./start.js')).benchStart({ measures, rounds: isQuick ? 2 : 15 }),
  },
  inline: {
    run: async (_, isQuick) =>
      (await import('./inline.js')).benchInline({ rounds: isQuick ? 2 : 40, seconds: 30 }),
  },
  waits: {
    measures: ['many', 'aged'],
    run: async (measures, isQuick) =>
      (await import('./waits.js')).benchWaits({ measures, counts: isQuick ? [300, 600] : [3_000, 10_000] }),
  },
  payload: {
    run: async (_, isQuick) =>
      (await import('./payload.js')).benchPayload({ rounds: isQuick ? 1 : 5, seconds: 30 }),
  },
  cadence: {
    measures: ['steady', 'burst'],
    run: async (measures, isQuick) =>
      (await import('./cadence.js')).benchCadence({ measures, tasks: isQuick ? 500 : 10_000 }),
  },
  relay: {
    measures: ['creates', 'polls'],
    run: async (measures, isQuick) =>
      (await import('./relay.js')).benchRelay({ measures, rounds: isQuick ? 5 : 100, seconds: 15 }),
  },
};

const args = process.argv.slice(2);
const has = (flag) => args.includes(flag);
const named = args.filter((argument) => !argument.startsWith('--'));
const all = Object.entries(PARTS).flatMap(([part, { measures = [] }]) => [
  part,
  ...measures.map((measure) => `${part}.${measure}`),
]);
const unknown = args.filter((argument) => !FLAGS.includes(argument) && !all.includes(argument));
if (unknown.length > 0) {
  console.error(`There is no ${unknown.join(', ')}. There are ${all.join(', ')}, and ${FLAGS.join(', ')}.`);
  process.exit(2);
}

ensureNodeModules();
ensureBuild();
const { versions } = await import('./clients/index.js');
const { printTable } = await import('./measure.js');
const { keep, MOST_NOISE, noiseIn, percent } = await import('./noise.js');
const { writeCharts, writePages } = await import('./report.js');
const { judgeTargets } = await import('./targets.js');

const results = has('--quick') ? {} : readKnown();
const began = performance.now();
const isNamed = (name) => named.length === 0 || named.includes(name);
const date = new Date().toISOString().slice(0, 10);
/** What is not kept, since its baseline spread too far. */
const refused = [];
for (const [part, { measures = [''], run }] of Object.entries(PARTS)) {
  const selected = measures.filter((measure) => isNamed(part) || isNamed(`${part}.${measure}`));
  if (has('--show') || selected.length === 0) continue;
  step(`bench: ${part}`);
  let started = performance.now();
  for await (const brought of await run(selected, has('--quick'))) {
    print(part, brought);
    for (const [name, spread] of Object.entries(noiseIn(part, brought)))
      console.log(`  noise of ${name}: the baseline spread by ${percent(spread)}`);
    refused.push(...keep(results, part, brought, { force: has('--force') || has('--quick'), date }));
    // At once: what was measured stays, whatever happens to the next one.
    write();
    console.log(`  It took ${Math.round((performance.now() - started) / 1000)} s`);
    started = performance.now();
  }
}
if (has('--bytes')) {
  step('bench: bytes');
  results.bytes = await (await import('./bytes.js')).benchBytes();
  print('bytes', results.bytes);
}

console.log('\nTargets');
for (const { name, target, measured, isMet } of judgeTargets(results)) {
  console.log(`  ${isMet ? 'met   ' : 'missed'}  ${name}: ${measured} (${target})`);
}
if (!has('--show')) console.log(`\nAll of it took ${Math.round((performance.now() - began) / 1000)} s`);
write();
if (refused.length > 0) {
  console.error(
    `\nNot written, because a baseline spread by more than ${percent(MOST_NOISE)}: ${refused.join(', ')}. Their former ` +
      'results stay. Repeat them by their names on an idle machine, such as npm run bench -- start.slow --docs, or add ' +
      '--force, which writes a note to the page.',
  );
  process.exitCode = 1;
}

/** Writes the results, the charts and, for `--docs`, the pages. */
function write() {
  if (has('--quick')) return;
  if (!has('--show')) describe();
  writeFileSync(FILE, `${JSON.stringify(rounded(results), null, 1)}\n`);
  writeCharts(results);
  if (has('--docs')) writePages(results);
}

function readKnown() {
  try {
    return JSON.parse(readFileSync(FILE, 'utf8'));
  } catch {
    return {};
  }
}

/** Adds the date, the machine and the versions. */
function describe() {
  const installed = (name) =>
    JSON.parse(readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8'));
  results.date = date;
  results.machine = {
    cpu: cpus()[0].model.trim(),
    cores: cpus().length,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    system: type(),
    node: process.versions.node,
    chromium: results.start?.chromium?.version,
    workerd: installed('workerd').version,
  };
  results.versions = versions();
}

/** Results with their significant digits. */
function rounded(value) {
  if (typeof value === 'number') return Number(value.toPrecision(5));
  if (Array.isArray(value)) return value.map(rounded);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, rounded(field)]));
}

/** Prints the tables of a result at any depth. */
function print(title, result) {
  for (const [name, part] of Object.entries(result)) {
    if (name === 'rows') printRows(title, result);
    else if (Array.isArray(part))
      for (const each of part) print(`${title}, ${each.count}`, { ...each, unit: result.unit });
    else if (typeof part === 'object') print(`${title}, ${name}`, part);
  }
}

function printRows(title, { unit, rows }) {
  if (Object.values(rows).every(({ ratio }) => ratio?.median !== undefined))
    return printTable(title, unit, rows);
  console.log(`\n${title}`);
  const shown = Object.entries(rows).map(([name, { delay, rate, ...row }]) => [
    name,
    rounded(delay ? { ...row, meanDelay: delay.mean } : row),
  ]);
  console.table(Object.fromEntries(shown));
}
