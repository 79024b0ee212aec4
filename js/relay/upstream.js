/** The transport to the service, with a cap on what it may answer. */

/**
 * An answer can unpack to more than the memory of a worker, which ends every request in it. So bodies are counted as
 * they come, and the connection is closed at the cap.
 *
 * @param {typeof fetch | undefined} transport
 * @param {number} maxBytes
 * @returns {typeof fetch}
 */
export const cappedFetch = (transport, maxBytes) => (url, init) => {
  // Not `async`: a transport that throws at once has sent nothing, and the client has to see that it did.
  const sending = transport ? transport(url, init) : fetch(url, init);
  return Promise.resolve(sending).then((response) => capped(response, maxBytes));
};

function capped(response, maxBytes) {
  const { body, status, statusText, headers } = response;
  if (typeof body?.getReader !== 'function') return response;
  const tooLarge = () =>
    new Error(`The answer of the service is larger than maxAnswerBytes, ${maxBytes} bytes.`);
  if (Number(headers.get('content-length')) > maxBytes) {
    body.cancel().catch(() => {});
    throw tooLarge();
  }
  const reader = body.getReader();
  let size = 0;
  const counted = new ReadableStream({
    async pull(controller) {
      const { done, value } = await reader.read();
      if (done) return controller.close();
      size += value.byteLength;
      if (size > maxBytes) {
        reader.cancel().catch(() => {});
        throw tooLarge();
      }
      controller.enqueue(value);
    },
    cancel: (reason) => reader.cancel(reason),
  });
  const kept = new Headers(headers);
  // The body comes unpacked.
  for (const name of ['content-encoding', 'content-length']) kept.delete(name);
  return new Response(counted, { status, statusText, headers: kept });
}
