/** Runs commands, and says which. */

import { execFile, spawnSync } from 'node:child_process';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/**
 * Says what comes next and, once that is done, how long it took.
 *
 * @template T
 * @param {string} title
 * @param {() => T} [work] does it, at once or as a promise
 * @returns {T} what `work` returns
 */
export function step(title, work = () => /** @type {any} */ (undefined)) {
  console.log(`\n> ${title}`);
  const started = performance.now();
  const result = work();
  const end = () => console.log(`  ${title}: ${((performance.now() - started) / 1000).toFixed(1)} s`);
  if (result instanceof Promise) result.then(end, () => {});
  else if (result !== undefined) end();
  return result;
}

/**
 * Runs a command to its end, with its output shown, and throws where it fails.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {{ env?: Record<string, string>, cwd?: string, quiet?: boolean }} [options]
 * @returns {string} what it printed, where it was to be quiet
 */
export function run(command, args, { env = {}, cwd = root, quiet = false } = {}) {
  const result = spawnSync(command, args, {
    cwd,
    env: { ...process.env, ...env },
    stdio: quiet ? ['ignore', 'pipe', 'pipe'] : ['ignore', 'inherit', 'inherit'],
    encoding: 'utf8',
  });
  if (result.error) throw new Error(`${command} could not be started: ${result.error.message}`);
  if (result.status !== 0) {
    const output = quiet ? `\n${result.stdout}${result.stderr}` : '';
    throw new Error(`${[command, ...args].join(' ')} ended with ${result.status ?? result.signal}${output}`);
  }
  return quiet ? result.stdout : '';
}

/**
 * Runs a command beside others. Its output is shown only where it fails: that of several would mix.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {{ env?: Record<string, string> }} [options]
 * @returns {Promise<string>} what it printed
 */
export async function runBeside(command, args, { env = {} } = {}) {
  const options = { cwd: root, env: { ...process.env, ...env }, maxBuffer: 2 ** 30 };
  const { stdout } = await promisify(execFile)(command, args, options);
  return stdout;
}

/** Whether a command runs and ends well. */
export const works = (command, args) => spawnSync(command, args, { cwd: root, stdio: 'ignore' }).status === 0;
