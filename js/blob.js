/** Pictures as Blobs. They need no decision of the core, and their payload never enters its memory. */

import {
  ConnectionError,
  errorOfStatus,
  InvalidRequestError,
  ownError,
  RequestTimeoutError,
} from './errors.js';

const SIGNATURES = [
  [/^iVBORw0KGgo/, 'image/png'],
  [/^\/9j\//, 'image/jpeg'],
  [/^R0lGOD/, 'image/gif'],
  [/^UklGR.{6}XRUJQ/, 'image/webp'],
];

/** The longest time that a timer of the platform can count. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

const refuse = (param, message, cause) =>
  ownError(InvalidRequestError, 'not_sent', message, { param, cause });

export async function toBlob(image, options) {
  const { b64_json, url } = Object(image);
  if (typeof b64_json === 'string' && b64_json !== '') {
    try {
      return decode(b64_json);
    } catch (cause) {
      throw refuse('b64_json', 'b64_json is not base64.', cause);
    }
  }
  if (typeof url !== 'string' || url === '') {
    throw refuse('image', 'image must be an image of result.data, with a url or b64_json.');
  }
  return download(url, { requestTimeout: 60_000, ...options });
}

function decode(b64) {
  const type = SIGNATURES.find(([signature]) => signature.test(b64))?.[1] ?? '';
  return new Blob([Uint8Array.fromBase64?.(b64) ?? decodeByBuffer(b64) ?? decodeByText(b64)], { type });
}

/** For Node before it had `fromBase64`. What is no base64 it leaves out, so that too little comes out of it. */
function decodeByBuffer(b64) {
  const bytes = globalThis.Buffer?.from(b64, 'base64');
  const [padding] = /={0,2}$/.exec(b64);
  if (bytes?.length === (b64.length / 4) * 3 - padding.length) return bytes;
}

/** For other engines without it. `Uint8Array.from` would make an array of small strings first. */
function decodeByText(b64) {
  const text = atob(b64);
  const bytes = new Uint8Array(text.length);
  for (let index = 0; index < bytes.length; index += 1) bytes[index] = text.charCodeAt(index);
  return bytes;
}

/** Downloads a picture. It is on somebody else's server, which gets neither key nor headers. */
async function download(url, { fetch: custom, signal, requestTimeout }) {
  signal?.throwIfAborted();
  const target = `GET ${url.split('?')[0]}`;
  const controller = new AbortController();
  let timer;
  let stop;
  const stopped = new Promise((_, reject) => {
    stop = () => reject(signal.reason);
    signal?.addEventListener('abort', stop);
    if (requestTimeout <= LONGEST_TIMER_MS) {
      const late = () =>
        reject(ownError(RequestTimeoutError, 'rejected', `${target} got no picture in time.`));
      timer = setTimeout(late, requestTimeout);
    }
  });
  async function load() {
    const init = { signal: controller.signal };
    let response;
    try {
      response = await (custom ? custom(url, init) : fetch(url, init));
      if (response.ok) return await response.blob();
    } catch (cause) {
      throw ownError(ConnectionError, 'rejected', `${target} got no picture: the connection failed.`, {
        cause,
      });
    }
    throw errorOfStatus(response.status, `${target} was answered with status ${response.status}.`);
  }
  try {
    return await Promise.race([load(), stopped]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', stop);
    controller.abort();
  }
}
