/** Tens of thousands of watchers in one process, each with as little of HTTP as it needs. */

import { connect } from 'node:net';

const HEADERS = {
  stream: 'accept: text/event-stream\r\n',
  socket:
    'connection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n' +
    'sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n',
};
const COMPLETED = Buffer.from('"status":"completed"');
const STATE = Buffer.from('"task_id"');

/**
 * @typedef {object} Watcher
 * @property {number} task
 * @property {'stream' | 'socket'} kind
 * @property {boolean} isOpen whether it has received a state of its task
 * @property {boolean} isLost whether its connection broke
 * @property {number} [completedAt] when it received the completion
 * @property {() => void} [end] closes its connection
 */

/**
 * Opens the connection of a watcher.
 *
 * @param {{ port: number, path: string, kind: 'stream' | 'socket', task: number }} target
 * @returns {{ watcher: Watcher, opened: Promise<void> }}
 */
function watch({ port, path, kind, task }) {
  /** @type {Watcher} */
  const watcher = { task, kind, isOpen: false, isLost: false };
  const socket = connect({ port, host: '127.0.0.1' });
  watcher.end = () => socket.destroy();
  socket.write(`GET ${path} HTTP/1.1\r\nhost: bench\r\n${HEADERS[kind]}\r\n`);
  /** @type {Promise<void>} */
  const opened = new Promise((resolve) => {
    const settle = () => {
      // The run does not wait for a broken one.
      watcher.isLost ||= !watcher.completedAt;
      resolve();
    };
    socket.on('error', settle);
    socket.on('close', settle);
    // A state is small, and arrives in one piece on loopback.
    socket.on('data', (/** @type {Buffer} */ data) => {
      if (data.includes(COMPLETED)) {
        watcher.completedAt ??= Date.now();
        socket.destroy();
      }
      if (watcher.isOpen || !data.includes(STATE)) return;
      watcher.isOpen = true;
      resolve();
    });
  });
  return { watcher, opened };
}

/**
 * Opens many connections: a limited number at once, for a limited time.
 *
 * @param {Parameters<typeof watch>[0][]} wanted
 * @param {{ atOnce: number, withinMs: number }} limits
 */
export async function watchAll(wanted, { atOnce, withinMs }) {
  const watchers = [];
  const end = Date.now() + withinMs;
  let next = 0;
  async function openNext() {
    while (next < wanted.length && Date.now() < end) {
      const { watcher, opened } = watch(wanted[next]);
      next += 1;
      watchers.push(watcher);
      await Promise.race([opened, new Promise((resolve) => setTimeout(resolve, 30_000).unref())]);
    }
  }
  await Promise.all(Array.from({ length: atOnce }, openNext));
  return watchers;
}
