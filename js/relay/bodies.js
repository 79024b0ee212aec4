/** Reads the body of a create: JSON, or a form with pictures. It never holds more than the caps. */

import { createFormReader } from './form-reader.js';
import { LOG_HINT } from './public-error.js';
import { bodyUsed, HAND_OVER, isRead, Refusal } from './refusal.js';

const UTF_8 = /^charset="?utf-?8"?$/;
const FORM_TYPE = /^multipart\/form-data\s*;/i;
/** An HTML form cannot send it, and a script of a foreign page only after a preflight. */
const FORM_HEADER = 'x-lemondata-client';

const invalid = (message) => new Refusal(400, 'invalid_request_error', message);
const cutOff = () =>
  new Refusal(413, 'payload_too_large', 'The request is larger than a part of this server allows.', {
    hint: LOG_HINT,
    notice:
      'A part of the server in front of the relay has cut the body of a request off. Raise its limit, such as ' +
      "BODY_SIZE_LIMIT of SvelteKit's adapter-node or proxyClientMaxBodySize of Next.js.",
  });
const unsupported = (message, hint) => new Refusal(415, 'unsupported_media_type', message, { hint });

/**
 * @typedef {object} Body
 * @property {unknown} content JSON, or the texts of a form by their names
 * @property {import('./form-reader.js').FormFile[]} files
 * @property {boolean} isForm whether all values are texts
 */

/**
 * @param {Request} request
 * @param {ReturnType<typeof import('./options.js').readOptions>} options
 * @returns {Promise<Body>}
 */
export async function readBody(request, options) {
  const { headers } = request;
  const type = headers.get('content-type') ?? '';
  if (headers.has('content-encoding')) throw unsupported('A compressed body is not accepted.');
  if (isJson(type)) {
    return { content: await readJson(request, options), files: [], isForm: false };
  }
  if (!FORM_TYPE.test(type)) {
    throw unsupported('Content-Type must be application/json, or multipart/form-data for pictures.');
  }
  if (headers.get(FORM_HEADER) !== '1') {
    const hint =
      'The client of this package sends it. A foreign page cannot, unless it asks the relay first.';
    throw unsupported(`A form needs the header ${FORM_HEADER}: 1.`, hint);
  }
  return { ...(await readForm(request, type, options)), isForm: true };
}

/** Other parameters than the charset mean nothing for JSON. Some programs send one, or a semicolon alone. */
function isJson(type) {
  const [essence, ...parameters] = type
    .toLowerCase()
    .split(';')
    .map((part) => part.trim());
  return (
    essence === 'application/json' &&
    parameters.every((text) => !text.startsWith('charset') || UTF_8.test(text))
  );
}

async function readJson(request, { maxBodyBytes, bodyTimeoutMs }) {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let text = '';
  const push = (chunk) => {
    text += decoder.decode(chunk, { stream: true });
  };
  const broken = 'The body is not JSON, or broke off.';
  return consume(request, { maxBytes: maxBodyBytes, timeoutMs: bodyTimeoutMs, broken }, push, () =>
    JSON.parse(text + decoder.decode()),
  );
}

async function readForm(request, type, { maxBodyBytes, maxFiles, maxFileBytes, uploadTimeoutMs }) {
  const boundary = boundaryOf(type);
  if (!boundary) throw invalid('The Content-Type of a form must name its boundary.');
  const { push, end } = createFormReader(boundary, { maxTextBytes: maxBodyBytes, maxFiles, maxFileBytes });
  const maxBytes = maxBodyBytes + maxFiles * maxFileBytes;
  const broken = 'The form is malformed, or broke off.';
  return consume(request, { maxBytes, timeoutMs: uploadTimeoutMs, broken }, push, end);
}

function boundaryOf(type) {
  for (const parameter of type.split(';')) {
    const [, quoted, plain] = /^\s*boundary=(?:"([^"]{1,70})"|(\S{1,70}))\s*$/i.exec(parameter) ?? [];
    if (quoted ?? plain) return quoted ?? plain;
  }
  return undefined;
}

/**
 * Reads a body to its end.
 *
 * @template Result
 * @param {Request} request
 * @param {{ maxBytes: number, timeoutMs: number, broken: string }} limits `broken` is the message for a body that cannot
 *   be read
 * @param {(chunk: Uint8Array) => void} push
 * @param {() => Result} end
 * @returns {Promise<Result>}
 */
async function consume(request, { maxBytes, timeoutMs, broken }, push, end) {
  const tooLarge = () =>
    new Refusal(413, 'payload_too_large', `The request must not be larger than ${maxBytes} bytes.`);
  const length = Number(request.headers.get('content-length'));
  if (length > maxBytes) throw tooLarge();
  if (isRead(request)) throw bodyUsed(HAND_OVER);
  if (!request.body) throw invalid('The request has no body.');
  let size = 0;
  let isEnded = false;
  try {
    await readChunks(request.body, timeoutMs, (chunk) => {
      size += chunk.byteLength;
      if (size > maxBytes) throw tooLarge();
      push(chunk);
    });
    isEnded = true;
    return end();
  } catch (error) {
    if (error instanceof Refusal) throw error;
    // The body of a client that leaves fails. One that ends too soon was cut off by the server itself.
    if (Object(error).status === 413 || (isEnded && size < length)) throw cutOff();
    throw invalid(broken);
  }
}

/**
 * Reads a body until it ends, `push` throws or the time is over.
 *
 * @param {ReadableStream<Uint8Array>} body
 * @param {number} timeoutMs
 * @param {(chunk: Uint8Array) => void} push
 */
async function readChunks(body, timeoutMs, push) {
  const reader = body.getReader();
  let isSlow = false;
  let timer;
  const slow = new Promise((_, reject) => {
    timer = setTimeout(() => {
      isSlow = true;
      reject(invalid('The body came too slowly.'));
    }, timeoutMs);
  });
  try {
    for (;;) {
      const { done, value } = await Promise.race([reader.read(), slow]);
      if (done) return;
      push(value);
    }
  } finally {
    clearTimeout(timer);
    if (isSlow) drop(reader);
    else reader.releaseLock();
  }
}

/** For how long an answer waits for the rest of its request: a phone takes as long for a few pictures. */
export const LINGER_MS = 30_000;
/** How much of it is read. */
export const LINGER_BYTES = 64 * 1024 * 1024;

/**
 * Reads what still comes of a body, and drops it. The body is never cancelled: that ends the whole process where h3 made
 * it, as in Nuxt, as soon as the next bytes come, and resets the connection where SvelteKit did.
 */
async function drop(reader) {
  let left = LINGER_BYTES;
  try {
    while (left > 0) {
      const { done, value } = await reader.read();
      if (done) return;
      left -= value.byteLength;
    }
  } catch {
    // The client has left, or the answer: workerd lets nobody read after that.
  }
}

/**
 * Reads the rest of a request whose answer is ready. To close a connection with unread bytes is to reset it, and its
 * client may lose the answer (RFC 9112, section 9.6). The answer waits for a body that says how long it is: any other
 * may have no end.
 *
 * @param {Request} request
 */
export async function readOn({ body, headers }) {
  if (!body || body.locked) return;
  const dropping = drop(body.getReader());
  if (!(Number(headers.get('content-length') ?? Number.NaN) <= LINGER_BYTES)) return;
  let timer;
  const late = new Promise((resolve) => {
    timer = setTimeout(resolve, LINGER_MS);
  });
  await Promise.race([dropping, late]);
  clearTimeout(timer);
}
