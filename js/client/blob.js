/** Pictures as Blobs. They need no decision of the core, and their payload never enters its memory. */

import { TRAIT_REASON } from './abi.gen.js';
import { bounded, refuse } from './bounded.js';
import {
  ConnectionError,
  errorOfStatus,
  ownError,
  RequestTimeoutError,
  ResponseError,
  TaskFailedError,
} from './errors.js';
import { checkNames } from './options.js';
import { describe, field, read } from './values.js';

/**
 * How pictures begin, in base64.
 *
 * @type {[RegExp, string][]}
 */
const SIGNATURES = [
  [/^iVBORw0KGgo/, 'image/png'],
  [/^\/9j\//, 'image/jpeg'],
  [/^R0lGOD/, 'image/gif'],
  [/^UklGR.{6}XRUJQ/, 'image/webp'],
  [/^.{5}GZ0eXBhdmlm/, 'image/avif'],
];
/** The bytes that hold the longest of them. */
const SIGNATURE_BYTES = 12;

const DATA_URL = /^data:(image\/[\w.+-]+)?[^,]*;base64,/i;

/** The time for a picture, as for a create. */
const TIMEOUT_MS = 300_000;

export async function toBlob(image, options) {
  checkNames([options]);
  const b64 = read(image, 'b64_json');
  const url = read(image, 'url');
  const error = read(image, 'error');
  const text = typeof b64 === 'string' && b64 ? b64 : url;
  if (typeof text === 'string' && text && (text === b64 || DATA_URL.test(text))) {
    const param = text === b64 ? 'b64_json' : 'url';
    let decoded;
    try {
      decoded = decode(text);
    } catch (cause) {
      throw refuse(param, ' is not base64.', cause);
    }
    try {
      return new Blob([decoded.bytes], { type: decoded.type });
    } catch (cause) {
      throw refuse(param, ' cannot become a Blob here: React Native makes none of bytes.', cause);
    }
  }
  if (typeof url === 'string' && url) return download(url, Object(options));
  if (error) {
    const code = read(error, 'code');
    const message = `The picture failed: ${field(error, TRAIT_REASON) || code || 'the service gave no reason.'}`;
    throw ownError(TaskFailedError, 'failed', message, { code, body: image });
  }
  throw refuse(
    'image',
    read(image, 'data') || read(image, 'map')
      ? ' must be one image, such as result.data[0]; it is a whole result.'
      : ` must be an image of result.data, with a url or b64_json; it is ${describe(image)}.`,
  );
}

const typeOf = (b64) => SIGNATURES.find(([signature]) => signature.test(b64))?.[1];

/** Decodes base64, in the alphabet of URLs as well, and with or without the head of a data URL. */
function decode(text) {
  const [head = '', named] = DATA_URL.exec(text) ?? [];
  // A regular expression takes as long for 10 MB as the decoding.
  const b64 = text.slice(head.length).replaceAll('-', '+').replaceAll('_', '/');
  const type = typeOf(b64) ?? named ?? '';
  return { bytes: Uint8Array.fromBase64?.(b64) ?? decodeByBuffer(b64) ?? decodeByText(b64), type };
}

/** For Node before it had `fromBase64`. It skips characters that are no base64, so the bytes are then too few. */
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

/** Downloads a picture. It is on another server, which gets neither key nor headers. */
function download(url, { fetch: custom, signal, requestTimeout = TIMEOUT_MS }) {
  const target = `GET ${url.split('?')[0]}`;
  async function load(signal) {
    const init = { method: 'GET', headers: new Headers(), signal };
    let response;
    let blob;
    let start;
    try {
      response = await (custom ? custom(url, init) : fetch(url, init));
      blob = response.ok && (await response.blob());
      // React Native reads no bytes of a Blob.
      start = blob && new Uint8Array((await blob.slice(0, SIGNATURE_BYTES).arrayBuffer?.()) ?? 0);
    } catch (cause) {
      throw ownError(ConnectionError, 'rejected', `${target} got no picture: the connection failed.`, {
        cause,
      });
    }
    const { status } = response;
    if (!blob) throw errorOfStatus(status, `${target} was answered with status ${status}.`);
    // The first bytes tell best: storage often names no type, or a wrong one. A page is none, whatever its status.
    const type = typeOf(btoa(String.fromCharCode(...start)));
    if (type && type !== blob.type) return blob.slice(0, blob.size, type);
    if (/^image\//i.test(blob.type)) return blob;
    const isNamed = blob.type && !/octet-stream/i.test(blob.type);
    const actual = isNamed ? blob.type : 'something of no known type';
    throw ownError(ResponseError, 'rejected', `${target} is no picture, but ${actual}.`, { status });
  }
  const late = () => ownError(RequestTimeoutError, 'rejected', `${target} got no picture in time.`);
  return bounded(load, { signal, requestTimeout }, late);
}
