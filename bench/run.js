/**
 * Measures this package and its peers side by side: `npm run bench`. It asserts nothing: times depend on the
 * machine, ratios on the code.
 *
 * `npm run bench -- inline waits` measures some parts. It writes `bench/results.json` and the charts, with `-- --docs` the
 * tables of `docs/performance.md`, too. A part whose baseline spreads too far is refused, and its former results stay;
 * `-- --force` writes it with a note. `-- --quick` measures little, to see that everything works, and writes nothing.
 * `-- --bytes` accounts for the bytes of the module. `-- --show` only writes the known results again.
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem, type } from 'node:os';
import { join } from 'node:path';
import { ensureBuild, ensureNodeModules } from '../scripts/lib/prepare.js';
import { root, step } from '../scripts/lib/run.js';

const FILE = join(root, 'bench', 'results.json');
const FLAGS = ['--docs', '--force', '--quick', '--bytes', '--show'];

/** Each part, with its size for a full and for a quick run. */
const PARTS = {
  download: async () => (await import('./download.js')).benchDownload(),
  start: async (isQuick) => (await import('./start.js')).benchStart({ rounds: isQuick ? 2 : 12 }),
  inline: async (isQuick) => (await import('./inline.js')).benchInline({ rounds: isQuick ? 2 : 40 }),
  waits: async (isQuick) =>
    (await import('./waits.js')).benchWaits({ counts: isQuick ? [300, 600] : [3_000, 10_000] }),
  payload: async (isQuick) => (await import('./payload.js')).benchPayload({ rounds: isQuick ? 1 : 5 }),
  cadence: async (isQuick) => (await import('./cadence.js')).benchCadence({ tasks: isQuick ? 500 : 10_000 }),
  relay: async (isQuick) => (await import('./relay.js')).benchRelay({ rounds: isQuick ? 20 : 500 }),
};

const args = process.argv.slice(2);
const has = (flag) => args.includes(flag);
const named = args.filter((argument) => !argument.startsWith('--'));
const unknown = args.filter((argument) => !FLAGS.includes(argument) && !Object.hasOwn(PARTS, argument));
if (unknown.length > 0) {
  console.error(
    `There is no ${unknown.join(', ')}. The parts are ${Object.keys(PARTS).join(', ')}; the flags ${FLAGS.join(', ')}.`,
  );
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
const selected = named.length > 0 ? named : Object.keys(PARTS);
/** The parts that are not kept, each with the measures whose baseline spread too far. */
const refused = {};
for (const part of has('--show') ? [] : selected) {
  const started = performance.now();
  step(`bench: ${part}`);
  const result = await PARTS[part](has('--quick'));
  print(part, result);
  for (const [name, spread] of Object.entries(noiseIn(part, result)))
    console.log(`  noise of ${name}: the baseline spread by ${percent(spread)}`);
  const loud = keep(results, part, result, has('--force') || has('--quick'));
  if (loud.length > 0) refused[part] = loud;
  console.log(`  ${part} took ${Math.round((performance.now() - started) / 1000)} s`);
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
if (!has('--show')) {
  console.log(`\nAll of it took ${Math.round((performance.now() - began) / 1000)} s`);
  describe();
}
if (!has('--quick')) {
  writeFileSync(FILE, `${JSON.stringify(rounded(results), null, 1)}\n`);
  writeCharts(results);
  if (has('--docs')) writePages(results);
}
if (Object.keys(refused).length > 0) {
  console.error(
    `\nNot written, because a baseline spread by more than ${percent(MOST_NOISE)}: ` +
      `${Object.values(refused).flat().join(', ')}. The former results stay. Repeat it on an idle machine, ` +
      `npm run bench -- ${[...Object.keys(refused), ...args.filter((argument) => argument.startsWith('--'))].join(' ')}, ` +
      'or add --force, which writes a note to the page.',
  );
  process.exitCode = 1;
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
  results.date = new Date().toISOString().slice(0, 10);
  results.machine = {
    cpu: cpus()[0].model.trim(),
    cores: cpus().length,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    system: type(),
    node: process.versions.node,
    chromium: results.start?.chromium.version,
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
