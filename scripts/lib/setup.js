/** Installs what a step needs and the machine lacks: once, and with a word about it. */

import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, readSync, renameSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { isatty } from 'node:tty';
import { root, run, runBeside, step, works } from './run.js';

/** Outlives a clone, so that the next one need not build the same tools again. */
export const cache = process.env.LEMONDATA_WASM_CACHE ?? join(homedir(), '.cache', 'lemondata-wasm');

/** The target and the components that `rust-toolchain.toml` names. */
export function ensureRust() {
  if (!works('rustup', ['--version'])) {
    throw new Error('Rust is missing: install it with rustup (https://rustup.rs), then run this again.');
  }
  const pinned = readFileSync(join(root, 'rust-toolchain.toml'), 'utf8');
  const list = (name) =>
    [...pinned.match(new RegExp(`${name} = \\[(.*)\\]`))[1].matchAll(/"(.+?)"/g)].map((m) => m[1]);
  const has = (kind) => run('rustup', [kind, 'list', '--installed'], { quiet: true });
  const targets = has('target');
  const components = has('component');
  for (const target of list('targets')) {
    if (targets.includes(target)) continue;
    step(`install the Rust target ${target}`, () => run('rustup', ['target', 'add', target]));
  }
  for (const component of list('components')) {
    if (components.includes(component)) continue;
    step(`install the Rust component ${component}`, () => run('rustup', ['component', 'add', component]));
  }
}

/** The version of `wasm-bindgen` that the crate is locked to; the tool must be the same. */
function wasmBindgenVersion() {
  const lock = readFileSync(join(root, 'Cargo.lock'), 'utf8');
  return lock.match(/name = "wasm-bindgen"\nversion = "(.+)"/)[1];
}

/** Where the tools of wasm-bindgen are kept. */
const bindgenHome = () => join(cache, `wasm-bindgen-${wasmBindgenVersion()}`, 'bin');

/**
 * Finds a tool of `wasm-bindgen-cli` at the version of the crate.
 *
 * @param {string} tool
 * @returns {string | undefined}
 */
function findBindgen(tool) {
  const version = wasmBindgenVersion();
  const onPath = spawnSync(tool, ['--version'], { encoding: 'utf8' }).stdout;
  if (onPath?.trim() === `${tool} ${version}`) return tool;
  const path = join(bindgenHome(), tool);
  if (!existsSync(path) && works('cargo', ['binstall', '-V'])) {
    const where = [`--version=${version}`, `--root=${dirname(bindgenHome())}`];
    const args = ['binstall', 'wasm-bindgen-cli', ...where, '--no-confirm', '--disable-strategies=compile'];
    step(`install wasm-bindgen-cli ${version}`, () => works('cargo', args));
  }
  return existsSync(path) ? path : undefined;
}

/** @type {Promise<string> | undefined} */
let bindgen;

/**
 * The path of `wasm-bindgen`. Where it is not installed, the part of it that a build needs is compiled: that takes a
 * quarter of the time.
 */
export function ensureBindgen() {
  bindgen ??= (async () => {
    const own = join(bindgenHome(), 'bindgen');
    const found = existsSync(own) ? own : findBindgen('wasm-bindgen');
    if (found) return found;
    const target = join(root, 'target', 'bindgen');
    await step('compile wasm-bindgen, once for this machine', () =>
      runBeside('cargo', [
        'build',
        '--locked',
        '--manifest-path=scripts/build/bindgen/Cargo.toml',
        `--target-dir=${target}`,
      ]),
    );
    mkdirSync(bindgenHome(), { recursive: true });
    // Another process may look for it now.
    copyFileSync(join(target, 'debug', 'bindgen'), `${own}.${process.pid}`);
    renameSync(`${own}.${process.pid}`, own);
    return own;
  })();
  return bindgen;
}

/** @returns {string} the path of what runs the tests of the shell */
export function ensureTestRunner() {
  const tool = 'wasm-bindgen-test-runner';
  const found = findBindgen(tool);
  if (found) return found;
  const version = wasmBindgenVersion();
  step(`compile ${tool} ${version}, once for this machine: about three minutes`, () =>
    cargoInstall('wasm-bindgen-cli', version, dirname(bindgenHome()), `--bin=${tool}`),
  );
  return join(bindgenHome(), tool);
}

const TWIGGY = '0.8.0';

/** @returns {string} the path of `twiggy`, which tells what the bytes of a module are for */
export function ensureTwiggy() {
  const home = join(cache, `twiggy-${TWIGGY}`);
  const path = join(home, 'bin', 'twiggy');
  if (!works(path, ['--version'])) {
    step(`compile twiggy ${TWIGGY}, once for this machine: about two minutes`, () =>
      cargoInstall('twiggy', TWIGGY, home),
    );
  }
  return path;
}

/** Compiles a tool from crates.io. */
function cargoInstall(name, version, home, ...args) {
  const install = (...more) =>
    // The pinned compiler is the crate's; a tool is built wherever it builds.
    run('cargo', ['install', name, `--version=${version}`, `--root=${home}`, '--quiet', ...more, ...args], {
      cwd: homedir(),
    });
  try {
    return install('--locked');
  } catch {
    // A mirror may lack a version that the tool's own lock file names.
    return install();
  }
}

const WRANGLER = '4.164.0';
/** It asks for Node 22.12. This major version may be older than that. */
const WRANGLER_NODE = 22;
/** The Node that runs it then. */
const NODE = '24.21.0';

/**
 * Wrangler, outside of the repository: it is large, and one part of the tests needs it.
 *
 * @returns {{ node: string, script: string }} a Node that is new enough, and what it has to run
 */
export function ensureWrangler() {
  const home = join(cache, `wrangler-${WRANGLER}`);
  const script = join(home, 'node_modules', 'wrangler', 'bin', 'wrangler.js');
  const isNew = Number.parseInt(process.versions.node, 10) > WRANGLER_NODE;
  const platform = `node-${process.platform}-${process.arch}`;
  const node = isNew ? process.execPath : join(home, 'node_modules', platform, 'bin', 'node');
  if (!works(node, [script, '--version']))
    npmInstall(home, `wrangler@${WRANGLER}`, ...(isNew ? [] : [`${platform}@${NODE}`]));
  return { node, script };
}

const LIGHTHOUSE = '12.8.2';

/**
 * Lighthouse, outside of the repository for the same reasons. It is the last one that runs in Node 20.
 *
 * @returns {string} the module to import
 */
export function ensureLighthouse() {
  const home = join(cache, `lighthouse-${LIGHTHOUSE}`);
  // npm writes this file at the end of an installation.
  if (!existsSync(join(home, 'node_modules', '.package-lock.json')))
    npmInstall(home, `lighthouse@${LIGHTHOUSE}`);
  return join(home, 'node_modules', 'lighthouse', 'core', 'index.js');
}

/** Installs tools from npm. */
function npmInstall(home, ...packages) {
  mkdirSync(home, { recursive: true });
  step(`install ${packages.join(' and ')}, once for this machine`, () =>
    run('npm', ['install', '--no-audit', '--no-fund', `--prefix=${home}`, ...packages]),
  );
}

const CHROMIUM = '/usr/bin/chromium';
const CHROMEDRIVER = '/usr/bin/chromedriver';
const FIREFOX = '/usr/bin/firefox-esr';
const WEBKIT_DRIVER = '/usr/bin/WebKitWebDriver';
const XVFB = '/usr/bin/Xvfb';

/** The browsers that tests run in: the packages of Debian that bring each, and a file of every package. */
const BROWSERS = {
  chromium: { chromium: CHROMIUM, 'chromium-driver': CHROMEDRIVER },
  firefox: { 'firefox-esr': FIREFOX },
  // WebKitGTK with its driver, and the display without which it does not start.
  webkit: { 'webkit2gtk-driver': WEBKIT_DRIVER, xvfb: XVFB },
};

/** A real Chromium with its driver. */
export function ensureChromium() {
  ensureBrowsers('chromium');
  return { chromium: CHROMIUM, chromedriver: CHROMEDRIVER };
}

/** A real Firefox. */
export function ensureFirefox() {
  ensureBrowsers('firefox');
  return { firefox: FIREFOX };
}

/** A real WebKit. */
export function ensureWebKit() {
  ensureBrowsers('webkit');
  return { driver: WEBKIT_DRIVER, xvfb: XVFB };
}

/**
 * Installs the packages of Debian that browsers need.
 *
 * @param {...keyof typeof BROWSERS} names
 */
export const ensureBrowsers = (...names) =>
  ensurePackages(Object.assign({}, ...names.map((name) => BROWSERS[name])));

/**
 * Installs packages of Debian that the machine lacks. A developer at a terminal is asked first.
 *
 * @param {Record<string, string>} packages by name, each with a file that it brings
 */
export function ensurePackages(packages) {
  const missing = Object.keys(packages).filter((name) => !existsSync(packages[name]));
  if (missing.length === 0) return;
  const sudo = process.getuid?.() === 0 ? [] : ['sudo'];
  const install = [...sudo, 'apt-get', 'install', '--yes', '--no-install-recommends', ...missing];
  if (!mayInstall(install.join(' '))) {
    throw new Error(
      `Packages of Debian are missing. Install them, or allow it with --yes: ${install.join(' ')}`,
    );
  }
  for (const command of [[...sudo, 'apt-get', 'update'], install]) {
    step(command.join(' '), () =>
      run(command[0], command.slice(1), { env: { DEBIAN_FRONTEND: 'noninteractive' } }),
    );
  }
}

/** Whether a command may install packages: `yes`, `no`, or not known yet. Processes that run tests inherit it. */
const CONSENT = 'LEMONDATA_WASM_INSTALL';

function mayInstall(command) {
  // CI and scripts cannot answer.
  if (process.argv.includes('--yes') || process.env.CI || !isatty(0)) process.env[CONSENT] ??= 'yes';
  if (process.env[CONSENT] === undefined) {
    process.stdout.write(`\nTests in browsers need packages of Debian:\n  ${command}\nRun it now? [y/N] `);
    const answer = Buffer.alloc(80);
    const length = readSync(0, answer);
    process.env[CONSENT] = /^y/i.test(answer.toString('utf8', 0, length)) ? 'yes' : 'no';
  }
  return process.env[CONSENT] === 'yes';
}
