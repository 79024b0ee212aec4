/** Installs what a step needs and the machine lacks: once, and with a word about it. */

import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { root, run, step, works } from './run.js';

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
    step(`install the Rust target ${target}`);
    run('rustup', ['target', 'add', target]);
  }
  for (const component of list('components')) {
    if (components.includes(component)) continue;
    step(`install the Rust component ${component}`);
    run('rustup', ['component', 'add', component]);
  }
}

/** The version of `wasm-bindgen` that the crate is locked to; the tool must be the same. */
function wasmBindgenVersion() {
  const lock = readFileSync(join(root, 'Cargo.lock'), 'utf8');
  return lock.match(/name = "wasm-bindgen"\nversion = "(.+)"/)[1];
}

/**
 * @param {string} [tool] one of the tools that come with `wasm-bindgen-cli`
 * @returns {string} the path of that tool
 */
export function ensureWasmBindgen(tool = 'wasm-bindgen') {
  const version = wasmBindgenVersion();
  const home = join(cache, `wasm-bindgen-${version}`);
  const path = join(home, 'bin', tool);
  if (!works(path, ['--version'])) {
    step(`build wasm-bindgen-cli ${version}, once for this machine: about three minutes`);
    run('cargo', ['install', 'wasm-bindgen-cli', `--version=${version}`, `--root=${home}`, '--quiet'], {
      // The pinned compiler is the crate's; a tool is built wherever it builds.
      cwd: homedir(),
    });
  }
  return path;
}

const TWIGGY = '0.8.0';

/** @returns {string} the path of `twiggy`, which tells what the bytes of a module are for */
export function ensureTwiggy() {
  const home = join(cache, `twiggy-${TWIGGY}`);
  const path = join(home, 'bin', 'twiggy');
  if (!works(path, ['--version'])) {
    step(`build twiggy ${TWIGGY}, once for this machine: about two minutes`);
    run('cargo', ['install', 'twiggy', `--version=${TWIGGY}`, `--root=${home}`, '--quiet'], {
      cwd: homedir(),
    });
  }
  return path;
}

const WRANGLER = '4.164.0';
/** What it asks for, and what it is run by where this Node is older. */
const WRANGLER_NODE = 22;
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
  if (!works(node, [script, '--version'])) {
    step(`install wrangler ${WRANGLER}, once for this machine`);
    mkdirSync(home, { recursive: true });
    const packages = [`wrangler@${WRANGLER}`, ...(isNew ? [] : [`${platform}@${NODE}`])];
    run('npm', ['install', '--no-audit', '--no-fund', `--prefix=${home}`, ...packages]);
  }
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
  const module = join(home, 'node_modules', 'lighthouse', 'core', 'index.js');
  // npm writes this file at the end of an installation.
  if (!existsSync(join(home, 'node_modules', '.package-lock.json'))) {
    step(`install Lighthouse ${LIGHTHOUSE}, once for this machine`);
    mkdirSync(home, { recursive: true });
    run('npm', ['install', '--no-audit', '--no-fund', `--prefix=${home}`, `lighthouse@${LIGHTHOUSE}`]);
  }
  return module;
}

const CHROMIUM = '/usr/bin/chromium';
const CHROMEDRIVER = '/usr/bin/chromedriver';
const FIREFOX = '/usr/bin/firefox-esr';
const WEBKIT_DRIVER = '/usr/bin/WebKitWebDriver';
const XVFB = '/usr/bin/Xvfb';

/** A real Chromium with its driver. */
export function ensureChromium() {
  ensurePackages('Chromium and its driver', { chromium: CHROMIUM, 'chromium-driver': CHROMEDRIVER });
  return { chromium: CHROMIUM, chromedriver: CHROMEDRIVER };
}

/** A real Firefox. */
export function ensureFirefox() {
  ensurePackages('Firefox', { 'firefox-esr': FIREFOX });
  return { firefox: FIREFOX };
}

/** A real WebKit: WebKitGTK with its driver, and the display without which it does not start. */
export function ensureWebKit() {
  ensurePackages('WebKit, its driver and a display', { 'webkit2gtk-driver': WEBKIT_DRIVER, xvfb: XVFB });
  return { driver: WEBKIT_DRIVER, xvfb: XVFB };
}

/** Whether the lists of packages have been brought up to date, which is once enough. */
let listed = false;

/**
 * Installs packages of Debian.
 *
 * @param {string} what for whoever waits
 * @param {Record<string, string>} packages by name, each with a file that it brings
 */
function ensurePackages(what, packages) {
  const missing = Object.keys(packages).filter((name) => !existsSync(packages[name]));
  if (missing.length === 0) return;
  step(`install ${what}`);
  const apt = (...args) => {
    const [command, ...rest] = [...(process.getuid() === 0 ? [] : ['sudo']), 'apt-get', ...args];
    run(command, rest, { env: { DEBIAN_FRONTEND: 'noninteractive' } });
  };
  if (!listed) apt('update');
  listed = true;
  apt('install', '--yes', '--no-install-recommends', ...missing);
}
