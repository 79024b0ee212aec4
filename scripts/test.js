/**
 * Runs the tests: all of them, or the parts that are named. `npm test`, `npm test -- core wasm`.
 *
 * Some parts have more cases than everyday work needs in every runtime; `--all` runs them all. Packages of Debian
 * that are missing are installed after a question, or without one with `--yes`, in CI and where stdin is no terminal.
 *
 * Two parts run at once, since most of them wait for a browser or a server. What a part prints is shown when it ends.
 *
 * Its last line counts what passed and what failed; the lines above name what failed. A part that runs no test has
 * failed. In CI, up to three files or cells that failed run once more, as do tests of Cargo, and the lines above say so.
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { inLanes } from './lib/lanes.js';
import { ensureBuild, ensureNodeModules, ensureTraps } from './lib/prepare.js';
import { cargoTests, lastLines, matrixCells, nodeTests, one } from './lib/results.js';
import { root } from './lib/run.js';
import {
  ensureBrowsers,
  ensureChromium,
  ensureLighthouse,
  ensureRust,
  ensureTestRunner,
  ensureWrangler,
} from './lib/setup.js';

/** More failures than this are no accident of a busy machine. */
const MOST_AGAIN = 3;

/** How many parts run at once. */
const LANES = 2;

const cargo = (...args) => ['cargo', ...args];
const node = (...files) => [process.execPath, '--test', '--test-reporter=tap', '--test-force-exit', ...files];
const npx = (tool, ...args) => [join(root, 'node_modules', '.bin', tool), ...args];
const wasm = () => cargo('test', '--locked', '--target=wasm32-unknown-unknown', '--test=wasm');
const runner = () => ({
  CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER: ensureTestRunner(),
  // In seconds. A browser that was just installed can take longer than the defaults of 5 and 20 s to start.
  WASM_BINDGEN_TEST_DRIVER_TIMEOUT: '120',
  WASM_BINDGEN_TEST_TIMEOUT: '300',
});

/** The `*.test.js` of a folder. */
function files(folder) {
  const names = readdirSync(join(root, 'tests', folder)).filter((name) => name.endsWith('.test.js'));
  return names.sort().map((name) => join('tests', folder, name));
}

/** The tests that lie beside the module they are about. */
function beside(folder) {
  const names = readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' });
  return names.filter((name) => name.endsWith('.test.js')).map((name) => join(folder, name));
}

/** @type {Parameters<typeof ensureBrowsers>} */
const ALL = ['chromium', 'firefox', 'webkit'];

/**
 * @typedef {object} Part
 * @property {Parameters<typeof ensureBrowsers>} [browsers] that it opens
 * @property {() => void} ready makes whatever else it needs
 * @property {() => Command[]} commands
 *
 * @typedef {object} Command
 * @property {string[]} argv
 * @property {Record<string, string>} [env]
 * @property {(output: string, passed: boolean) => import('./lib/results.js').Results} count of its tests
 */

/**
 * In the order in which they start. The longest begins, so that it does not run on alone at the end.
 *
 * @type {Record<string, Part>}
 */
const PARTS = {
  studio: {
    browsers: ALL,
    ready() {
      ensureBuild();
      ensureLighthouse();
    },
    // The tests wait for browsers most of the time, and two cores carry two files.
    commands: () => [{ argv: node('--test-concurrency=2', ...files('studio')), count: nodeTests }],
  },
  lint: {
    ready: ensureRust,
    commands: () => [
      { argv: cargo('fmt', '--check'), count: one },
      { argv: cargo('clippy', '--locked', '--all-targets', '--', '-Dwarnings'), count: one },
      {
        argv: cargo(
          'clippy',
          '--locked',
          '--all-targets',
          '--target=wasm32-unknown-unknown',
          '--',
          '-Dwarnings',
        ),
        count: one,
      },
      {
        argv: cargo(
          'clippy',
          '--locked',
          '--lib',
          '--target=wasm32-unknown-unknown',
          '--features=hub',
          '--',
          '-Dwarnings',
        ),
        count: one,
      },
      { argv: npx('biome', 'ci', '--error-on-warnings', '.'), count: one },
      ...['js', 'js/cloudflare', 'scripts', 'www', 'bench'].map((folder) => ({
        argv: npx('tsc', '--project', folder),
        count: one,
      })),
    ],
  },
  core: {
    ready: ensureRust,
    commands: () => [{ argv: cargo('test', '--locked', '--test=core'), count: cargoTests }],
  },
  wasm: {
    browsers: ['chromium'],
    ready: ensureRust,
    commands: () => [
      { argv: wasm(), env: { ...runner(), WASM_BINDGEN_USE_NODE_EXPERIMENTAL: '1' }, count: cargoTests },
      {
        argv: wasm(),
        env: {
          ...runner(),
          WASM_BINDGEN_USE_BROWSER: '1',
          WASM_BINDGEN_TEST_WEBDRIVER_JSON: join('tests', 'wasm', 'webdriver.json'),
          CHROMEDRIVER: ensureChromium().chromedriver,
        },
        count: cargoTests,
      },
    ],
  },
  js: {
    ready() {},
    commands: () => [{ argv: node(...beside('js'), ...beside('scripts')), count: nodeTests }],
  },
  server: { ready() {}, commands: () => [{ argv: node(...files('server')), count: nodeTests }] },
  testing: { ready: ensureBuild, commands: () => [{ argv: node(...files('testing')), count: nodeTests }] },
  cli: { ready: ensureBuild, commands: () => [{ argv: node(...files('cli')), count: nodeTests }] },
  types: { ready: ensureBuild, commands: () => [{ argv: node(...files('types')), count: nodeTests }] },
  e2e: {
    ready() {
      ensureBuild();
      ensureTraps();
    },
    commands: () => [{ argv: node(...files('e2e')), count: nodeTests }],
  },
  package: {
    ready: ensureBuild,
    commands: () => [{ argv: node(...files('package'), ...files('mutations')), count: nodeTests }],
  },
  'first-hour': {
    browsers: ['chromium'],
    ready: ensureBuild,
    commands: () => [{ argv: node(...files('first-hour')), count: nodeTests }],
  },
  matrix: {
    browsers: ALL,
    ready: ensureBuild,
    commands: () => [{ argv: [process.execPath, 'tests/matrix/run.js'], count: matrixCells }],
  },
  relay: {
    browsers: ALL,
    ready() {
      ensureBuild();
      ensureWrangler();
    },
    commands: () => [{ argv: node('--test-concurrency=1', ...files('relay')), count: nodeTests }],
  },
  hub: {
    browsers: ALL,
    ready: ensureBuild,
    commands: () => [{ argv: node('--test-concurrency=2', ...files('hub')), count: nodeTests }],
  },
  'ai-sdk': { ready: ensureBuild, commands: () => [{ argv: node(...files('ai-sdk')), count: nodeTests }] },
  telemetry: {
    ready: ensureBuild,
    commands: () => [{ argv: node(...files('telemetry')), count: nodeTests }],
  },
  bench: { ready: ensureBuild, commands: () => [{ argv: node(...files('bench')), count: nodeTests }] },
  docs: { ready() {}, commands: () => [{ argv: node(...files('docs')), count: nodeTests }] },
  workers: { ready: ensureBuild, commands: () => [{ argv: node(...files('workers')), count: nodeTests }] },
  soak: {
    ready: ensureBuild,
    commands: () => [{ argv: node(...files('soak')), count: nodeTests }],
  },
  faults: {
    browsers: ALL,
    ready: ensureBuild,
    commands: () => [{ argv: node('--test-concurrency=1', ...files('faults')), count: nodeTests }],
  },
  browsers: {
    browsers: ALL,
    ready: ensureBuild,
    commands: () => [{ argv: node('--test-concurrency=1', ...files('browsers')), count: nodeTests }],
  },
  stories: {
    browsers: ALL,
    ready: ensureBuild,
    commands: () => [{ argv: node(...files('stories')), count: nodeTests }],
  },
  generations: {
    browsers: ALL,
    ready: ensureBuild,
    commands: () => [{ argv: node('--test-concurrency=1', ...files('generations')), count: nodeTests }],
  },
  stress: {
    browsers: ALL,
    ready: ensureBuild,
    commands: () => [{ argv: node('--test-concurrency=1', ...files('stress')), count: nodeTests }],
  },
};

/**
 * Runs a command, and counts its tests.
 *
 * @param {Command} command
 * @param {(text: string) => void} print
 */
async function execute({ argv: [command, ...args], env, count }, print) {
  print(`$ ${[command.replace(`${root}/`, ''), ...args].join(' ')}\n`);
  const child = spawn(command, args, {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8');
    stream.on('data', (text) => {
      output += text;
      print(text);
    });
  }
  const [code] = await once(child, 'close');
  const result = count(output, code === 0);
  // A command that fails, or runs no test, must not pass for one without failures.
  if (result.failed === 0 && (code !== 0 || result.passed === 0)) result.failed = 1;
  // A tool that breaks off names no test, and its last lines say why.
  if (result.failed > 0 && result.failures.length === 0) {
    result.failures = [{ name: `${command} ended with code ${code}`, error: lastLines(output) }];
  }
  return result;
}

/**
 * Runs once more what failed: files of tests, cells of the matrix, or all tests of Cargo, which take seconds. A busy
 * machine can delay a process for longer than a test or its tool allows.
 *
 * @param {Command} command
 * @param {import('./lib/results.js').Results} result of its first run
 * @param {(text: string) => void} print
 * @returns {Promise<import('./lib/results.js').Results | undefined>} its result, if all has passed by now
 */
async function secondChance(command, { passed, failed, failures }, print) {
  const argv = argvOfFailures(command, failures);
  if (!argv) return undefined;
  print('\n> once more\n');
  const again = await execute({ ...command, argv }, print);
  if (again.failed > 0) return undefined;
  return { passed: Math.max(passed + failed, again.passed), failed: 0, failures: [] };
}

/**
 * @param {Command} command
 * @param {import('./lib/results.js').Failure[]} failures
 * @returns {string[] | undefined} a command that runs what failed, if that is known and little
 */
function argvOfFailures({ argv, count }, failures) {
  if (count === cargoTests) return argv;
  const isMatrix = count === matrixCells;
  const names = [
    ...new Set(failures.map(({ name, file }) => (isMatrix ? name : file && relative(root, file)))),
  ];
  const isKnown = names.every((name) => name && (isMatrix || argv.includes(name)));
  if (names.length > MOST_AGAIN || !isKnown) return undefined;
  return [...argv.filter((argument) => !argument.endsWith('.test.js')), ...names];
}

/** @param {import('./lib/results.js').Failure} failure */
function describe({ name, file, error }) {
  const lines = [file ? `${name} (${relative(root, file)})` : name, ...(error ? error.split('\n') : [])];
  return lines.map((line, index) => (index === 0 ? `  ${line}` : `    ${line}`)).join('\n');
}

const args = process.argv.slice(2);
const named = args.filter((argument) => !['--all', '--yes'].includes(argument));
// The tests of a part read it there.
if (args.includes('--all')) process.env.TEST_ALL = '1';

const unknown = named.filter((name) => !Object.hasOwn(PARTS, name));
if (unknown.length > 0) {
  console.error(
    `There is no part called ${unknown.join(', ')}. The parts are ${Object.keys(PARTS).join(', ')}.`,
  );
  process.exit(2);
}

ensureNodeModules();
const names = named.length > 0 ? named : Object.keys(PARTS);
try {
  // All at once and first, since a question later would wait for an answer unseen.
  ensureBrowsers(...names.flatMap((name) => PARTS[name].browsers ?? []));
} catch (error) {
  console.error(`\n${error.message}`);
}
const total = { passed: 0, failed: 0 };
/** What the last lines say, by the part. */
const failures = new Map();

/**
 * Notes what has broken a part, beside its tests: the others still run.
 *
 * @param {string} name
 * @param {Error} error
 */
function fail(name, error) {
  console.error(error.message);
  total.failed += 1;
  failures.get(name).push(`${name}: ${error.message}`);
}

/**
 * Makes what a part needs. One part after another: they share compilers and caches.
 *
 * @param {string} name
 * @returns {Command[]}
 */
function prepare(name) {
  const { browsers = [], ready, commands } = PARTS[name];
  failures.set(name, []);
  try {
    ensureBrowsers(...browsers);
    ready();
    return commands();
  } catch (error) {
    fail(name, error);
    return [];
  }
}

/**
 * Runs the commands of a part, one after another.
 *
 * @param {string} name
 * @param {Command[]} commands
 */
async function perform(name, commands) {
  const started = performance.now();
  const isAlone = names.length === 1;
  let output = '';
  const print = (text) => {
    if (isAlone) process.stdout.write(text);
    else output += text;
  };
  // At once, since the output of a long part may be minutes away.
  if (!isAlone) console.log(`  ${name} begins`);
  print(`\n> test: ${name}\n`);
  const lines = failures.get(name);
  for (const command of commands) {
    const first = await execute(command, print);
    const second = process.env.CI && first.failed > 0 ? await secondChance(command, first, print) : undefined;
    const { passed, failed } = second ?? first;
    total.passed += passed;
    total.failed += failed;
    if (failed > 0) lines.push(`${name}: ${failed} failed`, ...first.failures.map(describe));
    if (second) lines.push(`${name}: passed when it ran again`, ...first.failures.map(describe));
  }
  print(`  ${name} took ${Math.round((performance.now() - started) / 1000)} s\n`);
  process.stdout.write(output);
}

const prepared = names.map((name) => /** @type {const} */ ([name, prepare(name)]));
await inLanes(LANES, prepared, ([name, commands]) =>
  perform(name, commands).catch((error) => fail(name, error)),
);
console.log(['', ...[...failures.values()].flat(), ''].join('\n'));
console.log(`${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed > 0 ? 1 : 0;
