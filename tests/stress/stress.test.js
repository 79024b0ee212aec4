/**
 * No call takes another down: thousands of calls at once against a service that answers at random, in Node and in
 * three browsers. `STRESS_SEED=… npm run test:stress` repeats a run, `STRESS_CALLS` sets its size.
 */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { root } from '../../scripts/lib/run.js';
import { BROWSERS, openBrowser } from '../helpers/browsers.js';
import { serveSite } from '../helpers/site.js';

const seed = Number(process.env.STRESS_SEED ?? Date.now() % 1_000_000);
const calls = Number(process.env.STRESS_CALLS ?? 3000);
const here = (name) => fileURLToPath(new URL(name, import.meta.url));

const RUNTIMES = {
  node: runInChild,
  ...Object.fromEntries(BROWSERS.map((name) => [name, (t, input) => runInPage(t, name, input)])),
};

async function runInChild(_t, input) {
  const { stdout } = await promisify(execFile)(process.execPath, [here('child.js'), JSON.stringify(input)]);
  return JSON.parse(stdout);
}

async function runInPage(t, name, input) {
  const imports = JSON.stringify({ imports: { 'lemondata-wasm': '/lemondata.js' } });
  const files = Object.fromEntries(
    ['program.js', 'service.js', 'random.js'].map((file) => [`/${file}`, here(file)]),
  );
  const site = await serveSite(
    { ...files, '/lemondata.js': join(root, 'dist', 'index.js') },
    `<!DOCTYPE html><title>Stress</title><script type="importmap">${imports}</script>`,
  );
  t.after(() => site.close());
  const browser = await openBrowser(name);
  t.after(() => browser.close());
  const page = await browser.open(site.url);
  return page.run(async (input) => (await import('/program.js')).stress(input), input);
}

for (const [name, run] of Object.entries(RUNTIMES)) {
  test(`${calls} calls hold in ${name}`, { timeout: 180_000 }, async (t) => {
    t.diagnostic(`STRESS_SEED=${seed}`);
    const { counts, ...faults } = await run(t, { seed, calls });
    t.diagnostic(JSON.stringify(counts));
    assert.deepEqual(
      faults,
      {
        internal: 0,
        hung: [],
        wrong: [],
        billedTwice: [],
        resent: [],
        misread: [],
        crowd: { rejected: 1000, other: 0, hung: 0 },
        leftOver: { timers: 0, listeners: 0, requests: 0 },
        strayErrors: [],
      },
      `STRESS_SEED=${seed} repeats this run`,
    );
    assert.equal(counts.calls, calls);
  });
}
