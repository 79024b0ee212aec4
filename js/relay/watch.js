/** A hub's socket as server-sent events. */

/** So often a stream brings a comment at least: a client gives up one that is silent for 30 s. In milliseconds. */
export const HEARTBEAT_MS = 15_000;
/** A stream ends after so long, in milliseconds, whatever becomes of its task. The client asks again. */
export const LONGEST_MS = 300_000;
/** A client that takes nothing for so many heartbeats is let go. */
const SLOW_BEATS = 2;

/** A comment: it is no event. */
const HEARTBEAT = ': \n\n';

/**
 * The stream belongs to the worker, and so do its heartbeats: the object behind the socket sleeps on.
 *
 * @param {WebSocket} socket of a hub: it closes when there is nothing more to report
 * @param {AbortSignal | null} [signal] of the client's request, where the runtime has one
 * @param {object} [options]
 * @param {number} [options.heartbeat] in milliseconds
 * @param {number} [options.longest] in milliseconds
 * @param {boolean} [options.pings] whether the hub answers `ping` with `pong`: then only a socket that lives has a
 *   heartbeat. A runtime may lose one without a word
 * @returns {ReadableStream<Uint8Array>} one event a message
 */
export function eventsOf(
  socket,
  signal,
  { heartbeat = HEARTBEAT_MS, longest = LONGEST_MS, pings = false } = {},
) {
  const encoder = new TextEncoder();
  // workerd lets its own stream fail where the client has gone. One of JavaScript's goes on, and so does its socket.
  const Pipe = globalThis.IdentityTransformStream ?? TransformStream;
  const { readable, writable } = new Pipe();
  const writer = writable.getWriter();
  /** What is to be written next. A newer state takes the place of one that nobody has read. */
  let next;
  let isWriting = false;
  let isOver = false;
  let isAwaitingPong = false;
  let beatsInWrite = 0;

  const beating = setInterval(beat, heartbeat);
  const living = setTimeout(end, longest);

  /** Nothing more comes. What has come is still written. */
  function end() {
    if (isOver) return;
    isOver = true;
    clearTimeout(living);
    try {
      socket.close(1000);
    } catch {
      // It is closed already.
    }
    if (!isWriting) finish();
  }

  function finish() {
    clearInterval(beating);
    writer.close().catch(() => {});
  }

  /** The client has gone, or reads too slowly. */
  function drop() {
    next = undefined;
    end();
    clearInterval(beating);
    writer.abort().catch(() => {});
  }

  async function write(text) {
    next = text;
    if (isWriting) return;
    isWriting = true;
    try {
      while (next !== undefined) {
        const bytes = encoder.encode(next);
        next = undefined;
        beatsInWrite = 0;
        await writer.write(bytes);
      }
      isWriting = false;
      if (isOver) finish();
    } catch {
      isWriting = false;
      drop();
    }
  }

  function beat() {
    if (isWriting) {
      beatsInWrite += 1;
      if (beatsInWrite > SLOW_BEATS) drop();
    } else if (!pings) {
      write(HEARTBEAT);
    } else if (isAwaitingPong) {
      end();
    } else {
      isAwaitingPong = true;
      try {
        socket.send('ping');
      } catch {
        end();
      }
    }
  }

  socket.addEventListener('message', ({ data }) => {
    isAwaitingPong = false;
    if (data !== 'pong') write(`data: ${data}\n\n`);
    else if (!isWriting) write(HEARTBEAT);
  });
  writer.closed.catch(drop);
  signal?.addEventListener('abort', drop);
  socket.addEventListener('close', end);
  socket.addEventListener('error', end);
  socket.accept();
  return readable;
}
