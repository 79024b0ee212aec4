/**
 * A writer of `multipart/form-data` (RFC 7578), and a reader that takes what is well formed and refuses the rest, so that a
 * test learns of a client that writes it wrongly. The parts that it reads share the memory of the body.
 */

import { indexOf, join, randomHex, textOf } from './bytes.js';

/**
 * @typedef {object} Part
 * @property {string} name
 * @property {string} [filename] missing for a text field
 * @property {string} [type]
 * @property {Uint8Array} bytes
 */

const BOUNDARY = /;\s*boundary=(?:"([^"\r\n]{1,70})"|([^\s;"]{1,70}))\s*(?:;|$)/i;
const BREAK = '\r\n';

/**
 * @param {string} contentType
 * @param {Uint8Array} body
 * @returns {Part[]}
 * @throws {Error} whose message says what is wrong
 */
export function parseMultipart(contentType, body) {
  const [, quoted, plain] = BOUNDARY.exec(contentType) ?? [];
  const boundary = quoted ?? plain;
  if (!boundary) {
    throw new Error('Content-Type names no boundary');
  }
  const dashes = `--${boundary}`;
  const delimiter = BREAK + dashes;
  /** @type {Part[]} */
  const parts = [];
  // The first one needs no line break before it.
  const first = indexOf(body, dashes);
  for (let at = first + dashes.length; first >= 0; ) {
    const mark = textOf(body.subarray(at, at + 2));
    if (mark === '--') {
      return parts;
    }
    if (mark !== BREAK) {
      throw new Error('A boundary has no line of its own');
    }
    const headEnd = indexOf(body, BREAK + BREAK, at);
    const start = headEnd + 2 * BREAK.length;
    const end = headEnd < 0 ? -1 : indexOf(body, delimiter, start);
    if (end < 0) {
      break;
    }
    parts.push({ ...parseHead(textOf(body.subarray(at, headEnd))), bytes: body.subarray(start, end) });
    at = end + delimiter.length;
  }
  throw new Error('The body ends before its last boundary');
}

/**
 * @param {string} head the header lines of a part
 * @returns {Omit<Part, 'bytes'>}
 */
function parseHead(head) {
  const line = (/** @type {string} */ name) =>
    new RegExp(`^${name}:[ \\t]*(.*?)[ \\t]*$`, 'im').exec(head)?.[1];
  const disposition = line('content-disposition') ?? '';
  const parameter = (/** @type {string} */ name) =>
    new RegExp(`;\\s*${name}="([^"]*)"`, 'i')
      .exec(disposition)?.[1]
      .replace(/%22|%0D|%0A/g, decodeURIComponent);
  const name = parameter('name');
  if (!/^form-data\s*;/i.test(disposition) || name === undefined) {
    throw new Error('A part has no name');
  }
  const filename = parameter('filename');
  return { name, ...(filename !== undefined && { filename, type: line('content-type') }) };
}

/**
 * A form as the platform would send it. WebKit reads no files from a Request, and jsdom has forms of its own.
 *
 * @param {FormData} form
 * @returns {Promise<{ type: string, bytes: Uint8Array }>}
 */
export async function writeMultipart(form) {
  const boundary = `form-${randomHex(24)}`;
  const encoder = new TextEncoder();
  const encode = (/** @type {string} */ text) => encoder.encode(text);
  const quote = (/** @type {string} */ name) =>
    `"${name.replaceAll('\r', '%0D').replaceAll('\n', '%0A').replaceAll('"', '%22')}"`;
  const pieces = [];
  for (const [name, value] of form) {
    const head = `--${boundary}${BREAK}Content-Disposition: form-data; name=${quote(normalise(name))}`;
    if (typeof value === 'string') {
      pieces.push(encode(`${head}${BREAK}${BREAK}${normalise(value)}`));
    } else {
      // Bun leaves a Blob without a name, which the platform sends as this.
      const filename = quote(value.name ?? 'blob');
      const type = `Content-Type: ${value.type || 'application/octet-stream'}`;
      pieces.push(encode(`${head}; filename=${filename}${BREAK}${type}${BREAK}${BREAK}`));
      pieces.push(new Uint8Array(await value.arrayBuffer()));
    }
    pieces.push(encode(BREAK));
  }
  pieces.push(encode(`--${boundary}--${BREAK}`));
  return { type: `multipart/form-data; boundary=${boundary}`, bytes: join(pieces) };
}

/** @param {string} text */
const normalise = (text) => text.replace(/\r\n|\r|\n/g, BREAK);
