/** Tens of thousands of watchers in one process: no more of HTTP than each needs. */

import { connect } from 'node:net';

const HEADERS = {
  stream: 'accept: text/event-stream\r\n',
  socket:
    'connection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n' +
    'sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n',
};
const OVER = Buffer.from('"status":"completed"');
const TOLD = Buffer.from('"task_id"');

/**
 * @typedef {object} Watcher
 * @property {number} task
 * @property {'stream' | 'socket'} kind
 * @property {boolean} isOpen whether it has been told how its task stands
 * @property {number} [overAt] when it heard that it is over
 */

/**
 * Opens a connection that watches.
 *
 * @param {{ port: number, path: string, kind: 'stream' | 'socket', task: number }} what
 * @returns {{ watcher: Watcher, opened: Promise<void> }}
 */
function watch({ port, path, kind, task }) {
  const watcher = { task, kind, isOpen: false, overAt: undefined, isLost: false };
  const socket = connect({ port, host: '127.0.0.1' });
  watcher.end = () => socket.destroy();
  socket.write(`GET ${path} HTTP/1.1\r\nhost: bench\r\n${HEADERS[kind]}\r\n`);
  const opened = new Promise((resolve) => {
    const settle = () => {
      // One that has broken is not waited for.
      watcher.isLost ||= !watcher.overAt;
      resolve();
    };
    socket.on('error', settle);
    socket.on('close', settle);
    // A state is small, and comes in one piece on loopback.
    socket.on('data', (data) => {
      if (data.includes(OVER)) {
        watcher.overAt ??= Date.now();
        socket.destroy();
      }
      if (watcher.isOpen || !data.includes(TOLD)) return;
      watcher.isOpen = true;
      resolve();
    });
  });
  return { watcher, opened };
}

/**
 * Opens many, so many at once, for so long.
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
