/** A hub's socket as server-sent events. */

/**
 * @param {WebSocket} socket of a hub: it closes when there is nothing more to tell
 * @param {AbortSignal | null} [signal] of the client's request, where the runtime tells that it has gone
 * @returns {ReadableStream<Uint8Array>} one event a message
 */
export function eventsOf(socket, signal) {
  const encoder = new TextEncoder();
  // workerd has its own stream fail where the client has gone; one of JavaScript's goes on for nobody, and its
  // socket with it.
  const Pipe = globalThis.IdentityTransformStream ?? TransformStream;
  const { readable, writable } = new Pipe();
  const writer = writable.getWriter();
  writer.closed.catch(() => socket.close());
  const close = () => writer.close().catch(() => {});
  socket.addEventListener('message', ({ data }) => {
    writer.write(encoder.encode(`data: ${data}\n\n`)).catch(() => {});
  });
  signal?.addEventListener('abort', () => socket.close());
  socket.addEventListener('close', close);
  socket.addEventListener('error', close);
  socket.accept();
  return readable;
}
