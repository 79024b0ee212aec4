/** A hub's socket as server-sent events. */

/**
 * @param {WebSocket} socket of a hub: it closes when there is nothing more to tell
 * @returns {ReadableStream<Uint8Array>} one event a message
 */
export function eventsOf(socket) {
  const encoder = new TextEncoder();
  return new ReadableStream({
    start(controller) {
      const close = () => {
        try {
          controller.close();
        } catch {
          // The client has gone.
        }
      };
      socket.addEventListener('message', ({ data }) =>
        controller.enqueue(encoder.encode(`data: ${data}\n\n`)),
      );
      socket.addEventListener('close', close);
      socket.addEventListener('error', close);
      socket.accept();
    },
    cancel() {
      socket.close();
    },
  });
}
