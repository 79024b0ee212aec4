/** HTTP as an attacker writes it: byte by byte what no well-behaved client sends. */

import { connect } from 'node:net';

/** Longer than any answer takes; what comes later has not come. */
const PATIENCE_MS = 5000;

/** Whether this is a whole answer. */
function isWhole(text, hasBody) {
  const [head, ...rest] = text.split('\r\n\r\n');
  if (rest.length === 0) return false;
  const [, length] = /\r\ncontent-length: (\d+)/i.exec(head) ?? [];
  if (!hasBody || / (204|304) /.test(head)) return true;
  const body = rest.join('\r\n\r\n');
  return length === undefined ? body.endsWith('0\r\n\r\n') : body.length >= Number(length);
}

/**
 * Sends bytes, and reads an answer, or until the server closes the connection.
 *
 * @param {string} url of the server
 * @param {(string | Uint8Array)[]} parts
 * @param {{ everyMs?: number, isEndless?: boolean, lingerMs?: number }} [options] a pause before each part but the
 *   first; whether the last part is sent again and again, until there is an answer; how long the connection stays
 *   open behind the answer
 * @returns {Promise<{ status: number | undefined, text: string, sent: number }>} no status where there was none
 */
export function send(url, parts, { everyMs = 0, isEndless = false, lingerMs = 0 } = {}) {
  return new Promise((resolve) => {
    const { port, hostname } = new URL(url);
    const socket = connect({ port, host: hostname, noDelay: true });
    const received = [];
    let next = 0;
    let timer;

    function write() {
      if (socket.destroyed || next === parts.length) return;
      const part = parts[next];
      if (!isEndless || next < parts.length - 1) next += 1;
      else if (received.length > 0) return;
      const isRoomy = socket.write(part);
      if (everyMs || isRoomy) timer = setTimeout(write, everyMs);
      else socket.once('drain', write);
    }

    const patience = setTimeout(() => socket.destroy(), PATIENCE_MS);
    const hasBody = !`${parts[0]}`.startsWith('HEAD');
    socket.on('data', (chunk) => {
      received.push(chunk);
      if (!isWhole(Buffer.concat(received).toString('latin1'), hasBody)) return;
      setTimeout(() => socket.destroy(), lingerMs);
    });
    // A reset is an answer of a kind, too.
    socket.on('error', () => {});
    socket.on('close', () => {
      clearTimeout(timer);
      clearTimeout(patience);
      const text = Buffer.concat(received).toString('latin1');
      const [, status] = /^HTTP\/1\.1 (\d{3})/.exec(text) ?? [];
      resolve({ status: status && Number(status), text, sent: socket.bytesWritten });
    });
    write();
  });
}

/**
 * The bytes of one request.
 *
 * @param {string} method
 * @param {string} target
 * @param {string[]} [headers] lines; `host` and `connection: close` are added
 * @param {string | Uint8Array} [body] with its `content-length`, unless a header tells how long it is
 * @returns {(string | Uint8Array)[]}
 */
export function requestOf(method, target, headers = [], body = undefined) {
  const has = (name) => headers.some((line) => line.toLowerCase().startsWith(`${name}:`));
  const lines = [`${method} ${target} HTTP/1.1`, ...headers];
  if (!has('host')) lines.push('host: relay.example');
  if (!has('connection')) lines.push('connection: close');
  if (body !== undefined && !has('content-length') && !has('transfer-encoding')) {
    lines.push(`content-length: ${Buffer.byteLength(body)}`);
  }
  return [`${lines.join('\r\n')}\r\n\r\n`, ...(body === undefined ? [] : [body])];
}

/** A piece of a chunked body. */
export const chunkOf = (text) => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;
