/** Measures each client in a process of its own: heap, compiled code and connections are not shared. */

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/**
 * Starts a file of this folder as a process that answers messages.
 *
 * @param {string} file
 * @param {string[]} [args]
 * @param {string[]} [execArgv] flags of Node
 */
export async function startProcess(file, args = [], execArgv = []) {
  const child = fork(fileURLToPath(new URL(file, import.meta.url)), args, { execArgv });
  const received = [];
  let waiting;
  const settle = () => {
    const index = waiting ? received.findIndex(waiting.matches) : -1;
    const hasEnded = child.exitCode !== null || child.signalCode !== null;
    if (index >= 0) waiting.resolve(received.splice(index, 1)[0]);
    else if (hasEnded) waiting?.reject(new Error(`${file} ${args.join(' ')} has ended`));
    else return;
    waiting = undefined;
  };
  child.on('message', (message) => {
    received.push(message);
    settle();
  });
  child.on('close', settle);

  /** The first message that matches and was not returned before. */
  const next = (matches = () => true) =>
    new Promise((resolve, reject) => {
      waiting = { matches, resolve, reject };
      settle();
    });
  return {
    next,
    send: (message) => child.send(message),
    /** Sends a message, and returns the answer. */
    request(message) {
      child.send(message);
      return next();
    },
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, 'exit');
      child.kill();
      await ended;
    },
  };
}

/**
 * Starts the server of all clients.
 *
 * @param {string} [folder] served at `/files/`
 */
export async function startServer(folder = '') {
  const server = await startProcess('server.js', [folder]);
  const { url } = await server.next();
  return {
    url,
    stop: server.stop,
    /** Makes it report the arrival of each request. */
    watch: () => server.send({ watch: true }),
    /** The arrival of the next request that matches, in milliseconds of the machine's clock. */
    arrival: async (pattern) => (await server.next(({ arrival }) => pattern.test(arrival))).at,
  };
}
