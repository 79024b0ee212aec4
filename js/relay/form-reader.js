/**
 * Reads `multipart/form-data` (RFC 7578) as it arrives. The platform's own `formData()` has no caps: here, a file that
 * is too large, one too many, or no picture ends the request at that byte.
 */

import { imageTypeOf, SIGNATURE_BYTES } from './image-types.js';
import { Refusal } from './refusal.js';

const MAX_HEAD_BYTES = 2048;
/** Chunks are joined up to this size. */
const BLOCK_BYTES = 65_536;
const MAX_SHOWN_NAME = 64;
/** Some clients mark repeated files in this way. */
const LIST_MARK = /\[\]$/;
/** An encoding of mail that changes bytes. No browser uses one, but libraries for mail do. */
const ENCODED = /^content-transfer-encoding:(?![ \t]*(?:7bit|8bit|binary)?[ \t]*$)/im;
const CHARSET = /^content-type:.*;[ \t]*charset="?([\w.:-]+)/im;
const [CR, LF, DASH] = [13, 10, 45];
/** Blanks and tabs behind a delimiter mean nothing. */
const PADDING = [32, 9];
/** The line break that a delimiter begins with. */
const BREAK_BYTES = 2;
const BLANK_LINE = Uint8Array.of(CR, LF, CR, LF);

/**
 * @typedef {object} FormFile
 * @property {string} name of its field
 * @property {Blob} blob with the type that its first bytes show
 */

/**
 * @param {string} boundary
 * @param {{ maxTextBytes: number, maxFiles: number, maxFileBytes: number }} limits
 * @returns {{ push: (chunk: Uint8Array) => void, end: () => { content: Record<string, string>, files: FormFile[] } }} both
 *   throw where the form is malformed, a refusal where it is beyond a limit
 */
export function createFormReader(boundary, limits) {
  const delimiter = new TextEncoder().encode(`\r\n--${boundary}`);
  const texts = new Map();
  const files = [];
  let textBytes = 0;
  let part;
  /** The bytes that no step has read. A line break before the first boundary makes it like the others. */
  let rest = Uint8Array.of(CR, LF);
  /** Each step reads something of the rest, or returns `false` until there is more. */
  let step = readPreamble;

  /** Libraries for mail may write a text before the first boundary, which means nothing. */
  function readPreamble() {
    const start = findSoon(delimiter.subarray(BREAK_BYTES));
    if (start < 0) return false;
    // Within a line it is no boundary, and the next one would begin with the second part.
    if (rest[start - 2] !== CR || rest[start - 1] !== LF) throw malformed();
    return advance(start - BREAK_BYTES + delimiter.length, readMark);
  }

  /** Two dashes after a boundary end the form. */
  function readMark() {
    if (rest.length < 2) return false;
    if (PADDING.includes(rest[0])) return advance(1, readMark);
    if (rest[0] === DASH && rest[1] === DASH) return advance(rest.length, ignore);
    if (rest[0] !== CR || rest[1] !== LF) throw malformed();
    return advance(2, readHead);
  }

  function readHead() {
    const end = findSoon(BLANK_LINE);
    if (end < 0) return false;
    countText(end);
    part = { ...parseHead(new TextDecoder().decode(rest.subarray(0, end))), chunks: [], size: 0 };
    return advance(end + BLANK_LINE.length, readContent);
  }

  function readContent() {
    const end = indexOf(rest, delimiter);
    if (end >= 0) {
      add(rest.subarray(0, end));
      finish();
      return advance(end + delimiter.length, readMark);
    }
    // The end of the rest may be the beginning of a boundary.
    const safe = Math.max(0, rest.length - delimiter.length + 1);
    add(rest.subarray(0, safe));
    advance(safe, readContent);
    return false;
  }

  /** Where the sought bytes begin, or -1 if they are still to come. */
  function findSoon(sought) {
    const at = indexOf(rest, sought);
    if (at > MAX_HEAD_BYTES || (at < 0 && rest.length > MAX_HEAD_BYTES + sought.length)) throw malformed();
    return at;
  }

  function ignore() {
    rest = rest.subarray(rest.length);
    return false;
  }

  function advance(count, next) {
    rest = rest.subarray(count);
    step = next;
    return true;
  }

  function add(bytes) {
    if (bytes.length === 0) return;
    append(part.chunks, bytes);
    part.size += bytes.length;
    if (!part.isFile) return countText(bytes.length);
    if (part.size > limits.maxFileBytes) {
      throw tooLarge(part.name, `${part.name} must not be larger than ${limits.maxFileBytes} bytes.`);
    }
    if (files.length >= limits.maxFiles) {
      throw tooLarge(part.name, `A request must not hold more than ${limits.maxFiles} files.`);
    }
    if (part.size >= SIGNATURE_BYTES) part.type ??= typeOf(part);
  }

  function finish() {
    const { name, isFile, size, chunks, charset } = part;
    if (!isFile) {
      if (texts.has(name)) throw repeated(name);
      texts.set(name, new TextDecoder(charset, { fatal: true, ignoreBOM: false }).decode(concat(chunks)));
    } else if (size > 0) {
      // A page sends an empty file for a field that its user has left empty.
      files.push(toFile(chunks, name, files.length, part.type ?? typeOf(part)));
    }
  }

  function countText(bytes) {
    textBytes += bytes;
    if (textBytes <= limits.maxTextBytes) return;
    throw tooLarge(undefined, `The texts of a form must not be longer than ${limits.maxTextBytes} bytes.`);
  }

  return {
    push(chunk) {
      rest = rest.length === 0 ? chunk : concat([rest, chunk]);
      while (step());
    },

    end() {
      if (step !== ignore) throw malformed();
      return { content: Object.fromEntries(texts), files };
    },
  };
}

/**
 * A file under a name of our own, in place of one from the disk of a visitor.
 *
 * @param {any[]} parts of its bytes
 * @param {string} name of its field
 * @param {number} index among the files of the form
 * @param {string} type
 * @returns {FormFile}
 */
export function toFile(parts, name, index, type) {
  return { name, blob: new File(parts, `${name}-${index}.${type.replace('image/', '')}`, { type }) };
}

const malformed = () => new SyntaxError('The form is malformed.');

const tooLarge = (param, message) => new Refusal(413, 'payload_too_large', message, { param });

const encoded = (name) =>
  new Refusal(
    400,
    'invalid_request_error',
    `${name} must be sent as it is, without a Content-Transfer-Encoding.`,
    {
      param: name,
    },
  );

const repeated = (name) =>
  new Refusal(400, 'invalid_request_error', `The form holds ${JSON.stringify(name)} twice.`);

function parseHead(head) {
  const [, disposition] = /^content-disposition:[ \t]*form-data[ \t]*(;.*)$/im.exec(head) ?? [];
  const [, quoted, plain] = /;[ \t]*name=(?:"([^"]*)"|([^\s;]+))/i.exec(disposition ?? '') ?? [];
  const name = quoted ?? plain;
  if (!name) throw malformed();
  // A prompt in base64 would be drawn as it is.
  if (ENCODED.test(head)) throw encoded(name.slice(0, MAX_SHOWN_NAME));
  const isFile = /;[ \t]*filename\*?=/i.test(disposition);
  const [, charset] = CHARSET.exec(head) ?? [];
  return { name: isFile ? name.replace(LIST_MARK, '') : name, isFile, charset };
}

/** @throws {Refusal} if the first bytes are those of no picture */
function typeOf({ name, chunks }) {
  const type = imageTypeOf(concat(chunks));
  if (type) return type;
  const message = `${name} must be a picture: PNG, JPEG, WebP, GIF or AVIF.`;
  throw new Refusal(400, 'invalid_request_error', message, { param: name });
}

/**
 * Appends bytes to chunks. A chunk of one byte takes more than a hundred bytes of memory, and a client chooses the size of
 * its chunks, so small ones are joined. Each byte is copied a few times at most, since only chunks of like size meet.
 */
function append(chunks, bytes) {
  let last = bytes;
  while (last.length < BLOCK_BYTES && chunks.at(-1)?.length <= last.length) {
    last = concat([chunks.pop(), last]);
  }
  chunks.push(last);
}

/** The bytes of all chunks, one behind the other. */
export function concat(chunks) {
  const all = new Uint8Array(chunks.reduce((size, { length }) => size + length, 0));
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return all;
}

/** Where the bytes hold others, or -1. */
function indexOf(bytes, sought) {
  for (let at = bytes.indexOf(sought[0]); at >= 0; at = bytes.indexOf(sought[0], at + 1)) {
    if (at + sought.length > bytes.length) return -1;
    let length = 1;
    while (length < sought.length && bytes[at + length] === sought[length]) length += 1;
    if (length === sought.length) return at;
  }
  return -1;
}
