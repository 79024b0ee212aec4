/**
 * Builds `dist/`: `npm run build`. `docs/building.md` says how.
 *
 * With `--traps`, it builds `target/traps` instead: the same, with a module that traps where a test asks for it.
 *
 * Only what a fresh clone has may be imported at the top: npm's packages arrive while the crate is compiled.
 */

import { join } from 'node:path';
import { root, step } from '../lib/run.js';
import { ensureBindgen, ensureRust } from '../lib/setup.js';
import { ensureAbi } from './abi.js';
import { bind } from './bind.js';
import { cachedModule } from './cache.js';
import { compile } from './compile.js';
import { toJavaScript } from './javascript.js';
import { shrink } from './shrink.js';

/** The modules, and the feature of the crate that each needs. */
const FEATURES = { client: '', hub: 'hub', traps: 'traps' };

/**
 * Builds a module, unless it is there.
 *
 * @param {keyof typeof FEATURES} name
 * @param {{ keepNames?: boolean, packages?: Promise<unknown> }} [options] whether its functions keep their names;
 *   settles once npm's packages are installed
 */
export const makeModule = (name, { keepNames = false, packages } = {}) =>
  cachedModule(keepNames ? `${name}-named` : name, async () => {
    ensureRust();
    const folder = join(root, 'target', 'dist', name);
    const [crate, tool] = await Promise.all([compile(name, FEATURES[name], folder), ensureBindgen()]);
    const { glue, path } = await bind(tool, crate, folder);
    await packages;
    // A hub is not downloaded, and some of its exports have names that the platform uses, too.
    const options = { keepNames, minifyNames: name !== 'hub' };
    const { small, ...bound } = await step(`optimise the module: ${name}`, () => shrink(path, options));
    // The hub lives in Durable Objects alone, which run WebAssembly.
    const javascript = name === 'hub' || keepNames ? undefined : await toJavaScript(small);
    return { glue, javascript, ...bound };
  });

/**
 * Builds the package.
 *
 * @param {{ traps?: boolean, packages?: Promise<unknown> }} [options] whether the module traps on demand; settles once
 *   npm's packages are installed
 */
export async function buildPackage({ traps = false, packages } = {}) {
  ensureRust();
  ensureAbi();
  const [client, hub] = await Promise.all([
    makeModule(traps ? 'traps' : 'client', { packages }),
    traps ? undefined : makeModule('hub', { packages }),
    packages,
  ]);
  const { bundle } = await import('./bundle.js');
  await bundle(client, hub, traps ? join(root, 'target', 'traps') : join(root, 'dist'));
}

if (import.meta.filename === process.argv[1]) {
  const traps = process.argv.includes('--traps');
  await step('build the package', () => buildPackage({ traps }));
  if (!traps) {
    const { measure } = await import('./measure.js');
    console.log('\n  bytes                              raw   brotli');
    for (const [name, { raw, brotli }] of Object.entries(await measure())) {
      console.log(`  ${name.padEnd(31)}${String(raw).padStart(7)}${String(brotli).padStart(9)}`);
    }
  }
}
