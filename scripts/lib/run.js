/** Runs commands, and says which. */

import { spawnSync } from 'node:child_process';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** @param {string} text what is done next */
export const step = (text) => console.log(`\n> ${text}`);

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
    const said = quiet ? `\n${result.stdout}${result.stderr}` : '';
    throw new Error(`${[command, ...args].join(' ')} ended with ${result.status ?? result.signal}${said}`);
  }
  return quiet ? result.stdout : '';
}

/** Whether a command runs and ends well. */
export const works = (command, args) => spawnSync(command, args, { cwd: root, stdio: 'ignore' }).status === 0;
