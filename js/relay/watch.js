/** A hub's socket as server-sent events. */

/** The longest silence of a stream, in milliseconds. A client gives up a stream that is silent for 30 s. */
export const HEARTBEAT_MS = 15_000;
/** The longest life of a stream, in milliseconds, even if its task goes on. The client asks again. */
export const LONGEST_MS = 300_000;
/**
 * When the `EventSource` of a page connects again, in milliseconds, and by how much that differs. A deploy ends all streams
 * at once, and a browser's own time is the same for all.
 */
const RETRY_MS = 3_000;
const RETRY_SPREAD_MS = 5_000;
/** By how much of it the life of a stream differs, since streams that began together would end together. */
const LIFE_SPREAD = 0.1;
/** For how many heartbeats a client may read nothing, before the relay drops it. */
const SLOW_BEATS = 2;

/** A comment, not an event. */
const HEARTBEAT = ': \n\n';

/**
 * Turns a socket into a stream. The worker sends the heartbeats, so that the object behind the socket sleeps on.
 *
 * @param {WebSocket & { accept?(): void }} socket of a hub, which closes it after the last report
 * @param {AbortSignal | null} [signal] of the client's request, if the runtime has one
 * @param {object} [options]
 * @param {number} [options.heartbeat] in milliseconds
 * @param {number} [options.longest] in milliseconds
 * @param {boolean} [options.pings] whether the hub answers `ping` with `pong`: the stream of a lost socket then has no
 *   heartbeat. A runtime may lose a socket silently
 * @returns {ReadableStream<Uint8Array>} one event for each message
 */
export function eventsOf(
  socket,
  signal,
  { heartbeat = HEARTBEAT_MS, longest = LONGEST_MS, pings = false } = {},
) {
  const encoder = new TextEncoder();
  // If the client leaves, workerd's own stream fails. A stream of JavaScript's goes on, and so does its socket.
  const Pipe = globalThis.IdentityTransformStream ?? TransformStream;
  const { readable, writable } = new Pipe();
  const writer = writable.getWriter();
  /** The text to write next. A newer state replaces one that is still waiting. */
  let next;
  let isWriting = false;
  let isOver = false;
  let isAwaitingPong = false;
  let beatsInWrite = 0;

  const beating = setInterval(beat, heartbeat);
  const living = setTimeout(end, longest * (1 - LIFE_SPREAD * Math.random()));
  /** Stands before the first event. */
  let retry = `retry: ${Math.floor(RETRY_MS + RETRY_SPREAD_MS * Math.random())}\n\n`;

  /** Ends the stream once the last text is written. */
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

  /** Drops a client that has left or that reads too slowly. */
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
    if (data !== 'pong') {
      write(`${retry}data: ${data}\n\n`);
      retry = '';
    } else if (!isWriting) write(HEARTBEAT);
  });
  writer.closed.catch(drop);
  signal?.addEventListener('abort', drop);
  socket.addEventListener('close', end);
  socket.addEventListener('error', end);
  socket.accept();
  return readable;
}
