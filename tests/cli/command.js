/** The command as a child process, against the embedded server. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from '../../scripts/lib/run.js';

export const CLI = join(root, 'dist', 'cli.js');
/** Makes the seconds between two polls milliseconds. */
const HURRY = pathToFileURL(join(root, 'tests', 'matrix', 'shared', 'hurry.js')).href;

/** A folder that ends with the test. */
export function folderFor(t) {
  const folder = mkdtempSync(join(tmpdir(), 'lemondata-cli-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/**
 * Starts a command.
 *
 * @param {string[]} args
 * @param {{ env?: Record<string, string | undefined>, cwd?: string, file?: string, input?: string | Buffer }} [options]
 */
export function start(args, { env = {}, cwd, file = CLI, input = '' } = {}) {
  const { LEMONDATA_API_KEY, TOKENLAB_API_KEY, LEMONDATA_BASE_URL, ...rest } = process.env;
  const child = spawn(process.execPath, [`--import=${HURRY}`, file, ...args], {
    cwd,
    env: { ...rest, NO_COLOR: '1', ...env },
  });
  child.stdin.end(input);
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr']) {
    child[name].setEncoding('utf8').on('data', (text) => {
      output[name] += text;
    });
  }
  const ended = once(child, 'close').then(([code, signal]) => ({ code: code ?? signal, ...output }));
  return {
    child,
    ended,
    /** Waits until it has printed something, and returns the match. */
    async until(pattern) {
      for (;;) {
        const match = pattern.exec(output.stdout + output.stderr);
        if (match) return match;
        if (child.exitCode !== null)
          throw new Error(`It ended without ${pattern}: ${JSON.stringify(output)}`);
        await Promise.race([once(child.stdout, 'data'), once(child.stderr, 'data'), ended]);
      }
    },
  };
}

/** Runs a command to its end. */
export const run = (args, options) => start(args, options).ended;
