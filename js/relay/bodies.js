/** Reads the body of a request up to a cap. */

import { Refusal } from './refusal.js';

const invalid = (message) => new Refusal(400, 'invalid_request_error', message);

/**
 * Reads a body as JSON, without ever holding more than the cap.
 *
 * @param {Request} request
 * @param {{ maxBodyBytes: number, bodyTimeoutMs: number }} limits
 */
export async function readJson(request, { maxBodyBytes, bodyTimeoutMs }) {
  const { headers } = request;
  // Others can be sent by a form of any site, without the browser asking first.
  if (!/^application\/json\s*(;\s*charset="?utf-8"?\s*)?$/i.test(headers.get('content-type') ?? '')) {
    throw new Refusal(415, 'unsupported_media_type', 'Content-Type must be application/json.');
  }
  if (headers.has('content-encoding')) {
    throw new Refusal(415, 'unsupported_media_type', 'A compressed body is not accepted.');
  }
  const tooLarge = () =>
    new Refusal(413, 'payload_too_large', `The request must not be larger than ${maxBodyBytes} bytes.`);
  if (Number(headers.get('content-length')) > maxBodyBytes) throw tooLarge();

  if (request.bodyUsed) throw new Error('The body was read before the relay got the request.');
  const reader = request.body?.getReader();
  if (!reader) throw invalid('The request has no body.');
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let timer;
  const slow = new Promise((_, reject) => {
    timer = setTimeout(() => reject(invalid('The body came too slowly.')), bodyTimeoutMs);
  });
  let text = '';
  let size = 0;
  try {
    for (;;) {
      const { done, value } = await Promise.race([reader.read(), slow]);
      if (done) break;
      size += value.byteLength;
      if (size > maxBodyBytes) throw tooLarge();
      text += decoder.decode(value, { stream: true });
    }
    text += decoder.decode();
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof Refusal) throw error;
    throw invalid('The body is not JSON, or broke off.');
  } finally {
    clearTimeout(timer);
    // A sender that is not listened to any more need not go on; it may have gone itself.
    reader.cancel().catch(() => {});
  }
}
