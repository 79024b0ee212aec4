/** Processes of their own for whatever is measured: nobody's heap, compiled code or connections are another's. */

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

  /** The next message for which this holds: the first that came and was not taken yet. */
  const next = (matches = () => true) =>
    new Promise((resolve, reject) => {
      waiting = { matches, resolve, reject };
      settle();
    });
  return {
    next,
    send: (message) => child.send(message),
    /** Sends a message, and returns the answer. */
    ask(message) {
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
 * @param {string} [folder] what it serves at `/files/`
 */
export async function startServer(folder = '') {
  const server = await startProcess('server.js', [folder]);
  const { url } = await server.next();
  return {
    url,
    stop: server.stop,
    /** Has it tell which requests arrive. */
    watch: () => server.send({ watch: true }),
    /** When a request of this kind arrives, in milliseconds of the machine's clock. */
    arrival: async (pattern) => (await server.next(({ arrival }) => pattern.test(arrival))).at,
  };
}
