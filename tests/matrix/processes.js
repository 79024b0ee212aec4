/** Runs the commands of a project: to their end, or until they are no longer needed. */

import { spawn } from 'node:child_process';
import { listening } from './ports.js';

/** Ends a command that hangs, long before continuous integration gives up on the whole. */
const PATIENCE_MS = 1_200_000;

/** The error of a failed command holds as many characters of its output. */
const TAIL = 6000;

/**
 * Starts a command in a process group of its own, since many tools start others.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {{ cwd: string, env?: Record<string, string> }} options
 */
function launch(command, args, { cwd, env }) {
  const child = spawn(command, args, {
    cwd,
    env: { ...process.env, CI: 'true', NO_COLOR: '1', FORCE_COLOR: '0', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const printed = { output: '' };
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8');
    stream.on('data', (text) => {
      printed.output += text;
      child.emit('printed');
    });
  }
  const ended = new Promise((resolve) => {
    child.on('error', (error) => resolve(error.message));
    child.on('close', (code, signal) => resolve(code ?? signal));
  });
  const kill = () => {
    // What the command started may outlive it, and still be in its group.
    try {
      process.kill(-child.pid, 'SIGKILL');
    } catch {}
  };
  // A group of its own does not end with this process.
  process.once('exit', kill);
  return {
    child,
    printed,
    ended,
    fail: (reason) => new Error(`${[command, ...args].join(' ')} ${reason}\n${printed.output.slice(-TAIL)}`),
    async stop() {
      process.off('exit', kill);
      kill();
      await ended;
    },
  };
}

/**
 * Runs a command to its end.
 *
 * @returns {Promise<string>} its output
 */
export async function execute(command, args, options) {
  const { printed, ended, fail, stop } = launch(command, args, options);
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    stop();
  }, PATIENCE_MS);
  const code = await ended;
  clearTimeout(timer);
  await stop();
  if (late) throw fail('did not end in time');
  if (code !== 0) throw fail(`ended with ${code}`);
  return printed.output;
}

/**
 * Starts a server, and waits until it is ready.
 *
 * @param {RegExp | number} ready matches its output once it is ready, or the port that it listens on
 * @returns {Promise<{ match: RegExpMatchArray | undefined, stop(): Promise<void> }>}
 */
export async function serve(command, args, { ready, ...options }) {
  const { child, printed, ended, fail, stop } = launch(command, args, options);
  let timer;
  const match = await new Promise((resolve, reject) => {
    if (typeof ready === 'number') listening(ready, ended).then(() => resolve(undefined), reject);
    child.on('printed', () => {
      const match = typeof ready !== 'number' && printed.output.match(ready);
      if (match) resolve(match);
    });
    timer = setTimeout(() => reject(fail('was not ready in time')), PATIENCE_MS);
    ended.then((code) => reject(fail(`ended with ${code}`)));
  }).catch(async (error) => {
    await stop();
    throw error;
  });
  clearTimeout(timer);
  return { match, stop };
}
