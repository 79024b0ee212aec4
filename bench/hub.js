/**
 * Measures a hub under load: `npm run bench:hub`. It asserts nothing.
 *
 * The environment may set the numbers of `TASKS`, `WATCHERS` and `SHARDS`, which are workerd processes: by default as
 * few as the limit of open files allows.
 */

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { ensureBuild, ensureNodeModules } from '../scripts/lib/prepare.js';
import { merge } from './hub/merge.js';
import { report } from './hub/report.js';

const TASKS = Number(process.env.TASKS ?? 5000);
const WATCHERS = Number(process.env.WATCHERS ?? 20_000);
/** An object in memory keeps its database, the log and the index of the log open. */
const FILES_PER_TASK = 3;
const OTHER_FILES = 1000;

const RAISE = 'ulimit -n 100000 2>/dev/null || ulimit -n "$(ulimit -Hn)"';

/** One process of each kind for a part of the load. */
async function runShard(index, shards) {
  const file = fileURLToPath(new URL('hub/run.js', import.meta.url));
  const child = spawn('sh', ['-c', `${RAISE}; exec "$0" "$@"`, process.execPath, file], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    serialization: 'advanced',
    env: {
      ...process.env,
      TASKS: `${Math.ceil(TASKS / shards)}`,
      WATCHERS: `${Math.ceil(WATCHERS / shards)}`,
      HOLDS: index === 0 ? 'yes' : '',
      SOCKETS_FIRST: index % 2 === 1 ? 'yes' : '',
    },
  });
  let results;
  child.on('message', (message) => {
    results = message;
  });
  const [code] = await once(child, 'exit');
  if (!results) throw new Error(`A part of the load has ended with ${code}.`);
  return results;
}

ensureNodeModules();
ensureBuild();
const started = Date.now();
const loadBefore = loadavg()[0];
const limit = Number(execFileSync('sh', ['-c', `${RAISE}; ulimit -n`], { encoding: 'utf8' })) || Infinity;
const files = TASKS * FILES_PER_TASK + WATCHERS;
// At least two: one opens streams first, the other one sockets.
const shards = Number(process.env.SHARDS ?? Math.max(2, Math.ceil(files / (limit - OTHER_FILES))));
console.log(
  `${TASKS} tasks and ${WATCHERS} watchers, in ${shards} workerd of at most ${limit} open files each`,
);

const parts = await Promise.all(Array.from({ length: shards }, (_, index) => runShard(index, shards)));
const results = {
  machine: { cores: availableParallelism(), processor: cpus()[0].model, loadBefore, filesLimit: limit },
  shards,
  ...merge(parts),
  seconds: (Date.now() - started) / 1000,
};
const rounded = (_, value) => (typeof value === 'number' ? Math.round(value * 100) / 100 : value);
writeFileSync(new URL('hub/results.json', import.meta.url), `${JSON.stringify(results, rounded, 2)}\n`);
report(results);
