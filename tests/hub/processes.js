/** Hubs in processes that a test can kill. */

import { execFileSync, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { hubAt, until } from './place.js';

/** The processes of this machine. */
function processes() {
  const lines = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,stat='], { encoding: 'utf8' }).trim().split('\n');
  return lines
    .map((line) => line.trim().split(/\s+/))
    .map(([pid, parent, state]) => ({ pid: Number(pid), parent: Number(parent), state }));
}

/** A zombie is listed, but it has ended. */
const isRunning = (pid) => processes().some((one) => one.pid === pid && !one.state.startsWith('Z'));

/**
 * Starts a hub in a process of its own.
 *
 * @param {object} options of miniflare
 */
export async function startProcess(options) {
  const child = fork(fileURLToPath(new URL('child.js', import.meta.url)), {
    serialization: 'advanced',
  });
  const printed = [];
  child.on('message', (message) => message.printed && printed.push(message.printed));

  const sendOptions = (all) =>
    new Promise((resolve, reject) => {
      child.on('message', ({ url, error }) => (error ? reject(new Error(error)) : url && resolve(url)));
      child.once('exit', (code) => reject(new Error(`The hub has ended with ${code}.`)));
      child.send(all);
    });

  const hub = {
    ...hubAt(await sendOptions(options)),
    printed,

    /** Runs another script on the same files. */
    async deploy(changed) {
      Object.assign(hub, hubAt(await sendOptions(changed)));
    },

    /** Kills miniflare and workerd. */
    async kill() {
      const pids = [
        ...processes()
          .filter(({ parent }) => parent === child.pid)
          .map(({ pid }) => pid),
        child.pid,
      ];
      for (const pid of pids) process.kill(pid, 'SIGKILL');
      await until(() => !pids.some(isRunning));
      return pids.length;
    },
  };
  return hub;
}
