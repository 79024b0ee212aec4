/**
 * The settings of a picture inside its file: a `tEXt` chunk of a PNG, a comment of a JPEG, the XMP packet of a WebP. The
 * pixels stay as they are. Nothing is added to a file that carries Content Credentials, because any change to it
 * would break their signature, or to a WebP that has an XMP packet already.
 */

import { DEFAULTS, problemsOf, requestOf, settingsOf } from './settings.js';

const KEYWORD = 'lemondata-wasm';
const ATTRIBUTE = 'lemondata:request';
/** The bit of an extended WebP that announces an XMP packet, and the one for transparency. */
const HAS_XMP = 0x04;
const HAS_ALPHA = 0x10;
/** The longest data of a JPEG's segment, whose length counts its own two bytes. */
const MAX_SEGMENT = 0xffff - 2;

/**
 * A chunk or a segment of a file.
 *
 * @typedef {object} Part
 * @property {string} type of a JPEG, the number of the marker
 * @property {Uint8Array} data
 * @property {number} end the place of the next one in the file
 */

/**
 * @typedef {object} Format
 * @property {string} signed the type of the part with Content Credentials
 * @property {(bytes: Uint8Array) => Generator<Part>} parts of a file that may end anywhere
 * @property {(part: Part) => string | undefined} json
 * @property {(bytes: Uint8Array, json: string) => Uint8Array} add
 */

/** @param {Uint8Array} bytes */
const viewOf = ({ buffer, byteOffset, byteLength }) => new DataView(buffer, byteOffset, byteLength);
/** @param {Uint8Array} bytes */
const textOf = (bytes) => new TextDecoder('latin1').decode(bytes);
/** @param {string} text of ASCII alone */
const bytesOf = (text) => Uint8Array.from(text, (character) => character.charCodeAt(0));

/** @param {(Uint8Array | number[])[]} pieces */
function join(...pieces) {
  const all = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}

/** @type {(bytes: Uint8Array, at: number, piece: Uint8Array) => Uint8Array} */
const insert = (bytes, at, piece) => join(bytes.subarray(0, at), piece, bytes.subarray(at));

/**
 * A number of four bytes.
 *
 * @param {number} value
 * @param {boolean} [isLittle]
 */
function uint32(value, isLittle) {
  const bytes = new Uint8Array(4);
  viewOf(bytes).setUint32(0, value, isLittle);
  return bytes;
}

/** The settings behind the keyword, as PNGs and JPEGs have them. @param {Part} part */
function afterKeyword({ data }) {
  const text = textOf(data);
  return text.startsWith(`${KEYWORD}\0`) ? text.slice(KEYWORD.length + 1) : undefined;
}

/** @param {Uint8Array} bytes */
function crc32(bytes) {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

/** @type {Format} */
const PNG = {
  signed: 'caBX',
  *parts(bytes) {
    for (let at = 8; at + 12 <= bytes.length; ) {
      const end = at + 12 + viewOf(bytes).getUint32(at);
      if (end > bytes.length) return;
      yield { type: textOf(bytes.subarray(at + 4, at + 8)), data: bytes.subarray(at + 8, end - 4), end };
      at = end;
    }
  },
  json: (part) => (part.type === 'tEXt' ? afterKeyword(part) : undefined),
  add(bytes, json) {
    const content = bytesOf(`tEXt${KEYWORD}\0${json}`);
    const chunk = join(uint32(content.length - 4), content, uint32(crc32(content)));
    const [header] = PNG.parts(bytes);
    return insert(bytes, header.end, chunk);
  },
};

/** @type {Format} */
const JPEG = {
  // APP11
  signed: `${0xeb}`,
  *parts(bytes) {
    // Behind the start of the scan, there are no segments any more.
    for (let at = 2; at + 4 <= bytes.length && bytes[at] === 0xff && bytes[at + 1] !== 0xda; ) {
      const end = at + 2 + viewOf(bytes).getUint16(at + 2);
      if (end > bytes.length || end < at + 4) return;
      yield { type: `${bytes[at + 1]}`, data: bytes.subarray(at + 4, end), end };
      at = end;
    }
  },
  json: (part) => (part.type === `${0xfe}` ? afterKeyword(part) : undefined),
  add(bytes, json) {
    const content = bytesOf(`${KEYWORD}\0${json}`);
    if (content.length > MAX_SEGMENT) return bytes;
    const length = content.length + 2;
    // The header of JFIF stays the first.
    const [first] = JPEG.parts(bytes);
    const at = first?.type === `${0xe0}` ? first.end : 2;
    return insert(bytes, at, join([0xff, 0xfe, length >> 8, length & 255], content));
  },
};

/** @type {Format} */
const WEBP = {
  signed: 'C2PA',
  *parts(bytes) {
    for (let at = 12; at + 8 <= bytes.length; ) {
      const size = viewOf(bytes).getUint32(at + 4, true);
      const end = at + 8 + size + (size % 2);
      if (at + 8 + size > bytes.length) return;
      const type = textOf(bytes.subarray(at, at + 4));
      yield { type, data: bytes.subarray(at + 8, at + 8 + size), end };
      at = end;
    }
  },
  json({ type, data }) {
    if (type !== 'XMP ') return undefined;
    const [, text] = new RegExp(`${ATTRIBUTE}="([^"]*)"`).exec(textOf(data)) ?? [];
    return text?.replace(/&(quot|lt|gt|amp);/g, (_, name) => ENTITIES[name]);
  },
  add(bytes, json) {
    const parts = [...WEBP.parts(bytes)];
    if (parts.some(({ type }) => type === 'XMP ')) return bytes;
    const value = json.replace(/["<>&]/g, (character) => `&${NAMES[character]};`);
    const packet = bytesOf(
      `<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">` +
        `<rdf:Description rdf:about="" xmlns:lemondata="urn:lemondata-wasm" ${ATTRIBUTE}="${value}"/></rdf:RDF></x:xmpmeta>`,
    );
    const [first] = parts;
    const header = first.type === 'VP8X' ? first.data.slice() : extendedHeader(first);
    header[0] |= HAS_XMP;
    const rest = bytes.subarray(first.type === 'VP8X' ? first.end : 12);
    const content = join(bytesOf('WEBP'), riffChunk('VP8X', header), rest, riffChunk('XMP ', packet));
    return join(bytesOf('RIFF'), uint32(content.length, true), content);
  },
};

/** @type {Record<string, string>} */
const ENTITIES = { quot: '"', lt: '<', gt: '>', amp: '&' };
/** @type {Record<string, string>} */
const NAMES = { '"': 'quot', '<': 'lt', '>': 'gt', '&': 'amp' };

/** @type {(type: string, data: Uint8Array) => Uint8Array} */
const riffChunk = (type, data) =>
  join(bytesOf(type), uint32(data.length, true), data, data.length % 2 ? [0] : []);

/**
 * The header that a WebP needs before it may have more than its image.
 *
 * @param {Part} image
 */
function extendedHeader({ type, data }) {
  const view = viewOf(data);
  const header = new Uint8Array(10);
  let [width, height] = [view.getUint16(6, true) & 0x3fff, view.getUint16(8, true) & 0x3fff];
  if (type === 'VP8L') {
    const bits = view.getUint32(1, true);
    [width, height] = [(bits & 0x3fff) + 1, ((bits >> 14) & 0x3fff) + 1];
    if (bits & (1 << 28)) header[0] = HAS_ALPHA;
  }
  header.set(uint32(width - 1, true).subarray(0, 3), 4);
  header.set(uint32(height - 1, true).subarray(0, 3), 7);
  return header;
}

/** @param {Uint8Array} bytes @returns {Format | undefined} */
function formatOf(bytes) {
  const start = textOf(bytes.subarray(0, 12));
  if (bytes[0] === 0x89 && start.startsWith('PNG\r\n\x1a\n', 1)) return PNG;
  if (bytes[0] === 0xff && bytes[1] === 0xd8) return JPEG;
  return start.startsWith('RIFF') && start.endsWith('WEBP') ? WEBP : undefined;
}

/**
 * The file of a picture, with its settings inside.
 *
 * @param {Blob} file
 * @param {import('lemondata-wasm').ImageRequest} request
 * @returns {Promise<Blob>} the same file where its format has no place for them
 */
export async function withSettings(file, request) {
  try {
    const bytes = new Uint8Array(await file.arrayBuffer());
    const format = formatOf(bytes);
    if (!format || [...format.parts(bytes)].some(({ type }) => type === format.signed)) return file;
    // ASCII alone, so that the encoding of a text does not matter.
    const json = JSON.stringify(request).replace(
      /[^ -~]/g,
      (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
    );
    const whole = format.add(bytes, json);
    return new Blob([/** @type {Uint8Array<ArrayBuffer>} */ (whole)], { type: file.type });
  } catch {
    // A broken file is exported as it is.
    return file;
  }
}

/**
 * The settings inside a picture of the studio. The file may come from anywhere: only what the form would let a person
 * send counts.
 *
 * @param {Uint8Array} bytes
 * @returns {import('lemondata-wasm').ImageRequest | undefined} undefined for any other file
 */
export function settingsIn(bytes) {
  try {
    const format = formatOf(bytes);
    for (const part of format?.parts(bytes) ?? []) {
      const json = format?.json(part);
      if (json !== undefined) return checked(JSON.parse(json));
    }
  } catch {
    // The file is broken.
  }
  return undefined;
}

/** @param {import('lemondata-wasm').ImageRequest} request */
function checked(request) {
  const settings = settingsOf(request);
  const problems = problemsOf(settings);
  if (problems.prompt || typeof request.prompt !== 'string') return undefined;
  for (const name of /** @type {(keyof typeof problems)[]} */ (Object.keys(problems))) {
    settings[name] = DEFAULTS[name];
  }
  return requestOf(settings);
}
