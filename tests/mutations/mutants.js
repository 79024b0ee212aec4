/**
 * Generated mutants, on demand: `npm run test:mutants -- src/core/retry.rs js/relay/keyed-creates.js`. cargo-mutants breaks the
 * core, Stryker the JavaScript that tests import from its source. Without arguments: all of it, which takes hours. Test
 * files among the arguments replace the default tests of the JavaScript, of which Stryker runs those that reach a mutant.
 *
 * A survivor is no failure by itself: many change nothing that a test could see. The reports are in `target/mutants`.
 */

import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { root, run, step, works } from '../../scripts/lib/run.js';
import { cache, ensureRust } from '../../scripts/lib/setup.js';

const CARGO_MUTANTS = '27.1.0';
/** The last one that runs in Node 20. */
const STRYKER = '9.6.1';
const REPORTS = join(root, 'target', 'mutants');

/** @returns {string} the path of `cargo-mutants` */
function ensureCargoMutants() {
  const home = join(cache, `cargo-mutants-${CARGO_MUTANTS}`);
  const path = join(home, 'bin', 'cargo-mutants');
  if (!works(path, ['mutants', '--version'])) {
    step(`build cargo-mutants ${CARGO_MUTANTS}, once for this machine: about ten minutes`);
    const version = `--version=${CARGO_MUTANTS}`;
    run('cargo', ['install', 'cargo-mutants', version, `--root=${home}`, '--locked', '--quiet'], {
      cwd: homedir(),
    });
  }
  return path;
}

/** @returns {string} the folder of Stryker's packages */
function ensureStryker() {
  const home = join(cache, `stryker-${STRYKER}`);
  if (!existsSync(join(home, 'node_modules', '.package-lock.json'))) {
    step(`install Stryker ${STRYKER}, once for this machine`);
    mkdirSync(home, { recursive: true });
    const packages = ['core', 'tap-runner'].map((name) => `@stryker-mutator/${name}@${STRYKER}`);
    run('npm', ['install', '--no-audit', '--no-fund', `--prefix=${home}`, ...packages]);
  }
  return join(home, 'node_modules', '@stryker-mutator');
}

/** @param {string[]} files */
function mutateCore(files) {
  ensureRust();
  const args = files.flatMap((file) => ['--file', file]);
  const options = ['--output', REPORTS, '--minimum-test-timeout', '60', '--colors', 'never'];
  run(ensureCargoMutants(), ['mutants', ...args, ...options, '--', '--locked', '--test=core'], {
    // Properties find most mutants within few cases; all of them would take twenty times as long.
    env: { FUZZ_SECONDS: '0', PROPTEST_CASES: '32' },
  });
}

/** Tests of the relay that need a browser, a worker or the packed package. */
const SLOW = /\/(browsers|document|memory|servers|starter|worker)\.test\.js$/;

/** The tests that import a folder's sources, and no bundle of them. */
const TESTS = {
  'js/client': () => testsIn('js/client'),
  'js/relay': () => [...testsIn('js/relay'), ...testsIn('tests/relay').filter((file) => !SLOW.test(file))],
};

/** @param {string} folder */
const testsIn = (folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.js'))
    .map((name) => join(folder, name));

/**
 * @param {keyof typeof TESTS} folder
 * @param {string[]} files
 */
function mutateScripts(folder, files) {
  const stryker = ensureStryker();
  const config = join(REPORTS, 'stryker.json');
  mkdirSync(REPORTS, { recursive: true });
  const settings = {
    plugins: [join(stryker, 'tap-runner', 'dist', 'src', 'index.js')],
    testRunner: 'tap',
    tap: {
      testFiles: tests.length > 0 ? tests : TESTS[folder](),
      nodeArgs: ['--test-reporter=tap', '--test-force-exit', '-r', '{{hookFile}}', '{{testFile}}'],
    },
    mutate: files.length > 0 ? files : [`${folder}/**/*.js`, '!**/*.test.js', '!**/*.gen.js'],
    ignorePatterns: ['target'],
    // The copy has the sources in place of the bundles.
    buildCommand: `${process.execPath} tests/mutations/use-sources.js`,
    coverageAnalysis: 'perTest',
    tempDirName: join('target', 'stryker'),
    reporters: ['clear-text', 'html'],
    htmlReporter: { fileName: join(REPORTS, `${folder.replace('/', '-')}.html`) },
    clearTextReporter: { allowColor: false, logTests: false },
  };
  writeFileSync(config, JSON.stringify(settings));
  run(process.execPath, [join(stryker, 'core', 'bin', 'stryker.js'), 'run', config]);
}

const args = process.argv.slice(2);
const tests = args.filter((file) => file.endsWith('.test.js'));
const files = args.filter((file) => !tests.includes(file));
const within = (folder) => files.filter((file) => file.startsWith(`${folder}/`));
const isSelected = (folder) => files.length === 0 || within(folder).length > 0;
const unknown = files.filter(
  (file) => !['src/core', ...Object.keys(TESTS)].some((name) => file.startsWith(`${name}/`)),
);
if (unknown.length > 0) {
  console.error(
    `No mutants for ${unknown.join(', ')}: name files of src/core, ${Object.keys(TESTS).join(' or ')}.`,
  );
  process.exit(2);
}
if (isSelected('src/core')) mutateCore(files.length > 0 ? within('src/core') : ['src/core/**']);
for (const folder of Object.keys(TESTS)) if (isSelected(folder)) mutateScripts(folder, within(folder));
