/**
 * Every fault of the manifest, in real runtimes, against the embedded server behind a proxy that breaks
 * connections: each call settles in the right way, pays once, keeps the key and loses no task.
 *
 * `npm run test:faults -- --all` runs every case in every runtime.
 */

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { installPacked } from '../helpers/pack.js';
import { CASES } from './manifest.js';
import { runCase } from './run.js';
import { openRuntime } from './runtimes.js';

/** Most of a case is waiting. */
const CONCURRENCY = 12;

const all = () => true;
const named = ({ everywhere }) => everywhere;
/** Behind an answer the core decides alone, for an edit and a fallback chain as for any create: Node shows it for all. */
const byPlatform = (item) => named(item) || Boolean(item.fault) || !(item.kind || item.hasFallback);

/** Which cases a runtime runs. */
const PLAN = {
  node: all,
  workerd: byPlatform,
  // An old worker differs in what it does with redirects.
  'workerd 2024': (item) => named(item) || /: redirect,/.test(item.name),
  chromium: byPlatform,
  firefox: named,
  webkit: named,
  deno: named,
  bun: named,
};

const planned = (runtime) => CASES.filter(process.env.TEST_ALL ? all : PLAN[runtime]);

/** @type {Map<string, Map<string, import('./run.js').Cell>>} cells by runtime, then by case */
const cells = new Map(Object.keys(PLAN).map((runtime) => [runtime, new Map()]));

let project;
before(() => {
  project = installPacked();
});
after(() => {
  printMatrix();
  project?.remove();
});

test('no two cases have the same name', () => {
  assert.equal(new Set(CASES.map(({ name }) => name)).size, CASES.length);
});

// Each case has a guard of its own; this one is for a runtime that does not even start.
describe('every fault comes to what it has to', { timeout: 600_000 }, () => {
  for (const name of Object.keys(PLAN)) {
    test(`in ${name}`, async () => {
      const runtime = await openRuntime(name, project.folder);
      try {
        const queue = planned(name);
        const work = async () => {
          for (let item = queue.shift(); item; item = queue.shift()) {
            cells.get(name).set(item.name, await runCase(runtime, item));
          }
        };
        await Promise.all(Array.from({ length: CONCURRENCY }, work));
        await repeatWrong(runtime, cells.get(name));
      } finally {
        await runtime.close();
      }
      const wrong = [...cells.get(name)].filter(([, { problems }]) => problems.length > 0);
      const reports = wrong.map(([item, { problems }]) => `${item}: ${problems.join('; ')}`);
      assert.ok(wrong.length === 0, ['', ...reports].join('\n'));
    });
  }
});

/**
 * Time-outs are real here, and a busy machine can miss one: what came out wrong runs once more, by itself. What
 * was billed or leaked the first time counts all the same.
 */
async function repeatWrong(runtime, column) {
  for (const [name, first] of column) {
    if (first.problems.length === 0 || first.duplicates || first.leaks) continue;
    const item = CASES.find((other) => other.name === name);
    column.set(name, await runCase(runtime, item));
  }
}

test('every cell of the manifest ran', () => {
  for (const name of Object.keys(PLAN)) {
    const missing = planned(name).filter((item) => !cells.get(name).has(item.name));
    assert.ok(planned(name).length >= 12, `${name} runs ${planned(name).length} cases only`);
    assert.deepEqual(
      missing.map((item) => item.name),
      [],
      `${name} left cases out`,
    );
  }
});

const every = () => [...cells.values()].flatMap((column) => [...column.values()]);
const sum = (field) => every().reduce((total, cell) => total + Number(cell[field]), 0);

for (const [field, title] of [
  ['hung', 'no promise hangs'],
  ['duplicates', 'no two creates may be billed'],
  ['leaks', 'the key goes nowhere else'],
  ['lost', 'no task is lost'],
]) {
  test(title, () => {
    assert.ok(every().length > 0);
    assert.equal(sum(field), 0);
  });
}

/** Shows what came of each case in each runtime. */
function printMatrix() {
  const runtimes = [...cells.keys()];
  const width = Math.max(...CASES.map(({ name }) => name.length)) + 2;
  const row = (first, others) =>
    `${first.padEnd(width)}${others.map((text) => text.padEnd(14)).join('')}`.trimEnd();
  const lines = CASES.map(({ name }) =>
    row(
      name,
      runtimes.map((runtime) => show(cells.get(runtime).get(name))),
    ),
  );
  const good = every().filter(({ problems }) => problems.length === 0).length;
  const totals = [
    `${every().length} cells, ${good} ok`,
    `${sum('hung')} hangs`,
    `${sum('duplicates')} duplicate creates`,
    `${sum('leaks')} key leaks`,
    `${sum('lost')} lost tasks`,
  ];
  const again = `again: the platform itself sent the create once more (${sum('resent')} in all)`;
  console.log([row('', runtimes), ...lines, '', again, totals.join(', ')].join('\n'));
}

function show(cell) {
  if (!cell) return '—';
  if (cell.problems.length > 0) return cell.got === 'completed' ? 'WRONG' : cell.got.replace(/Error$/, '');
  return cell.resent > 0 ? 'ok, again' : 'ok';
}
