/** The transport to the service. */

/**
 * An answer can unpack to more than the memory of a worker, and would end every request in it. So the transport counts
 * bodies as they arrive, and closes the connection at the cap.
 *
 * @param {typeof fetch | undefined} transport
 * @param {number} maxBytes
 * @returns {typeof fetch}
 */
export const cappedFetch = (transport, maxBytes) => (url, init) => {
  // Not `async`: a transport that throws at once has sent nothing, and the client has to see the throw.
  const sending = transport ? transport(url, init) : fetch(url, init);
  return Promise.resolve(sending).then((response) => capped(response, maxBytes));
};

/**
 * The form of a request with files.
 *
 * @param {Record<string, any>} fields
 * @param {import('./form-reader.js').FormFile[]} files
 */
export function formOf(fields, files) {
  const form = new FormData();
  // The service reads a list as its items between commas, which is how a list becomes a text.
  for (const [name, value] of Object.entries(fields)) form.append(name, String(value));
  for (const [index, { name, blob }] of files.entries()) {
    // A name of our own, in place of one from the disk of a visitor.
    form.append(name, blob, `${name}-${index}.${blob.type.replace('image/', '')}`);
  }
  return form;
}

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
  const unpackedHeaders = new Headers(headers);
  // The runtime has unpacked the body.
  for (const name of ['content-encoding', 'content-length']) unpackedHeaders.delete(name);
  return new Response(counted, { status, statusText, headers: unpackedHeaders });
}
