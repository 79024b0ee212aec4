/** What goes to the service, and the transport to it. */

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
 * A request as the client takes it, with its files among its fields.
 *
 * @param {Record<string, any>} fields
 * @param {import('./form-reader.js').FormFile[]} files
 * @returns {any}
 */
export function requestOf(fields, files) {
  const of = (field) => files.filter(({ name }) => name === field).map(({ blob }) => blob);
  const [image, [mask]] = [of('image'), of('mask')];
  return { ...fields, ...(image.length > 0 && { image }), ...(mask && { mask }) };
}

/** As much of a response as the client reads, so that no second `Response` is made around each. */
function capped(response, maxBytes) {
  const { body, status, headers } = response;
  if (typeof body?.getReader !== 'function') return response;
  const tooLarge = () =>
    new Error(`The answer of the service is larger than maxAnswerBytes, ${maxBytes} bytes.`);
  if (Number(headers.get('content-length')) > maxBytes) {
    body.cancel().catch(() => {});
    throw tooLarge();
  }
  const text = async () => {
    const reader = body.getReader();
    const decoder = new TextDecoder();
    let size = 0;
    let read = '';
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return read + decoder.decode();
      size += value.byteLength;
      if (size > maxBytes) {
        reader.cancel().catch(() => {});
        throw tooLarge();
      }
      read += decoder.decode(value, { stream: true });
    }
  };
  return /** @type {Response} */ ({ status, headers, text });
}
