/**
 * Simulates days of a hub in virtual time, and writes the results into docs/scale.md: `npm run scale`.
 *
 * The jobs and the limiter are the core's own; see world.rs. The same assumptions give the same numbers. With
 * `-- --report` it makes the tables and charts again from the last results, after a change of prices.
 */

import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensureNodeModules } from '../../scripts/lib/prepare.js';
import { root, run, step } from '../../scripts/lib/run.js';
import { ensureRust } from '../../scripts/lib/setup.js';
import { between } from '../markers.js';
import { HUB, values, WORLD } from './assumptions.js';
import { charts, tables } from './report.js';

const LIMITS = [1000, 3000, 10_000];
const TASKS = 1_000_000;
const folder = join(root, 'docs', 'scale');
const json = join(folder, 'results.json');
/** Creates a minute, in hundredths of the provider's limit. */
const LOADS = [1, 2, 3, 4, 4.5, 5, 6, 8, 10, 15, 20, 25, 30, 35, 40, 45, 50, 60, 80];
const SWEPT = 1000;

const scenario = (name, more) => ({ name, seed: 1, ...values(WORLD), ...values(HUB), ...more });

const days = LIMITS.map((requestsPerMinute) =>
  scenario(`day ${requestsPerMinute}`, {
    requestsPerMinute,
    tasks: TASKS,
    minutes: 1440,
    daily: true,
    measuredFromMinute: 0,
  }),
);
const loads = LOADS.map((load) =>
  scenario(`load ${load}`, {
    requestsPerMinute: SWEPT,
    tasks: Math.round((SWEPT * load * 45) / 100),
    minutes: 45,
    daily: false,
    measuredFromMinute: 15,
  }),
);

/** Runs scenarios in the simulation, built for speed: what is published is built for size. */
function simulate(scenarios) {
  const env = {
    ...process.env,
    CARGO_PROFILE_RELEASE_OPT_LEVEL: '3',
    CARGO_PROFILE_RELEASE_LTO: 'off',
    CARGO_PROFILE_RELEASE_CODEGEN_UNITS: '16',
  };
  const { status, stdout } = spawnSync(
    'cargo',
    ['run', '--locked', '--release', '--quiet', '--example', 'scale'],
    {
      cwd: root,
      env,
      input: scenarios.map((line) => JSON.stringify(line)).join('\n'),
      stdio: ['pipe', 'pipe', 'inherit'],
      encoding: 'utf8',
      maxBuffer: 1 << 28,
    },
  );
  if (status !== 0) throw new Error(`The simulation ended with ${status}.`);
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}

/** Simulates everything, and writes the results. */
function results() {
  ensureRust();
  step(`simulate ${days.length} days of ${TASKS} tasks, and ${loads.length} loads`);
  const outcomes = simulate([...days, ...loads]);
  for (const { name, lost, doubled } of outcomes) {
    if (lost + doubled > 0) throw new Error(`${name}: ${lost} tasks were lost, ${doubled} doubled.`);
  }
  const swept = outcomes.slice(days.length).map(({ series, ...outcome }, index) => ({
    load: LOADS[index],
    ...outcome,
  }));
  writeFileSync(json, JSON.stringify({ days: outcomes.slice(0, days.length), loads: swept }));
  run(join(root, 'node_modules', '.bin', 'biome'), ['format', '--write', json], { quiet: true });
}

ensureNodeModules();
mkdirSync(folder, { recursive: true });
// Other prices need no other days.
if (!process.argv.includes('--report')) results();
const made = JSON.parse(readFileSync(json, 'utf8'));
for (const [name, svg] of Object.entries(charts(made))) writeFileSync(join(folder, `${name}.svg`), svg);

const page = join(root, 'docs', 'scale.md');
let text = readFileSync(page, 'utf8');
for (const [name, table] of Object.entries(tables(made))) text = between(text, `scale: ${name}`, table);
writeFileSync(page, text);
console.log(`docs/scale.md and docs/scale are written.`);
