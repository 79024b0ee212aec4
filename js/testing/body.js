/**
 * The bodies of requests: read to their end, taken apart, and described for the record.
 */
import { join, sha256, textOf } from './bytes.js';
import { invalidRequest, Refusal, tooLarge } from './errors.js';
import { parseMultipart } from './multipart.js';

const MIB = 1024 * 1024;

/** The largest JSON body. */
const MAX_JSON_BYTES = MIB;

/** The largest picture of a form. */
const MAX_FILE_BYTES = 50 * MIB;

/** The most that the pictures of a form hold together. */
const MAX_FILES_BYTES = 200 * MIB;

/** The largest form: its pictures, and what its text fields need. */
const MAX_FORM_BYTES = MAX_FILES_BYTES + MIB;

/** @typedef {import('./multipart.js').Part} Part */

/**
 * A request body, taken apart.
 *
 * @typedef {object} Body
 * @property {Record<string, unknown>} fields
 * @property {Part[]} files
 * @property {boolean} isForm whether each field is a text
 */

const isForm = (/** @type {string | undefined} */ type) => /^multipart\/form-data\s*;/i.test(type ?? '');
const isJson = (/** @type {string | undefined} */ type) => /^application\/json\s*(;|$)/i.test(type ?? '');

/** The most bytes of a body. @param {string | undefined} contentType */
const mostOf = (contentType) => (isForm(contentType) ? MAX_FORM_BYTES : MAX_JSON_BYTES);

/**
 * Reads a body to its end, so that the client has sent all of it before it is answered; keeps an allowed one.
 *
 * @param {string | undefined} contentType
 * @param {AsyncIterable<Uint8Array> | Iterable<Uint8Array>} body
 * @returns {Promise<Uint8Array | null>} null for a body that is too large
 */
export async function readBody(contentType, body) {
  const most = mostOf(contentType);
  /** @type {Uint8Array[]} */
  let chunks = [];
  let length = 0;
  for await (const chunk of body) {
    length += chunk.length;
    if (length <= most) {
      chunks.push(chunk);
    } else {
      chunks = [];
    }
  }
  return length <= most ? join(chunks) : null;
}

/**
 * @param {string | undefined} contentType
 * @param {Uint8Array | null} bytes null for a body that is too large
 * @returns {Body}
 * @throws {Refusal}
 */
export function parseBody(contentType, bytes) {
  if (bytes === null) {
    throw new Refusal(tooLarge(`Request body is larger than ${mostOf(contentType) / MIB} MiB`));
  }
  if (isForm(contentType)) {
    return parseForm(/** @type {string} */ (contentType), bytes);
  }
  if (!isJson(contentType)) {
    throw refuse('content-type', 'Must be application/json or multipart/form-data');
  }
  let fields;
  try {
    fields = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw refuse('body', 'Is not valid JSON');
  }
  if (fields === null || typeof fields !== 'object' || Array.isArray(fields)) {
    throw refuse('body', 'Must be a JSON object');
  }
  return { fields, files: [], isForm: false };
}

/**
 * @param {string} contentType
 * @param {Uint8Array} bytes
 * @returns {Body}
 */
function parseForm(contentType, bytes) {
  let parts;
  try {
    parts = parseMultipart(contentType, bytes);
  } catch (error) {
    throw refuse('body', /** @type {Error} */ (error).message);
  }
  const files = parts.filter(({ filename }) => filename !== undefined);
  const texts = parts.filter(({ filename }) => filename === undefined);
  const names = texts.map(({ name }) => name);
  const repeated = names.find((name, index) => names.indexOf(name) !== index);
  if (repeated !== undefined) {
    throw refuse(repeated, 'Must not be repeated');
  }
  if (files.some(({ bytes }) => bytes.length > MAX_FILE_BYTES)) {
    throw new Refusal(tooLarge(`A picture is larger than ${MAX_FILE_BYTES / MIB} MiB`));
  }
  if (files.reduce((sum, { bytes }) => sum + bytes.length, 0) > MAX_FILES_BYTES) {
    throw new Refusal(tooLarge(`The pictures are larger than ${MAX_FILES_BYTES / MIB} MiB together`));
  }
  const fields = Object.fromEntries(texts.map(({ name, bytes }) => [name, textOf(bytes)]));
  return { fields, files, isForm: true };
}

/**
 * A body as a test wants to look at it: JSON parsed, a form as its fields with a list for each name that has files,
 * anything else as text.
 *
 * @param {string | undefined} contentType
 * @param {Uint8Array | null} bytes
 */
export async function describeBody(contentType, bytes) {
  if (bytes === null || bytes.length === 0) {
    return undefined;
  }
  try {
    if (!isForm(contentType)) {
      return JSON.parse(textOf(bytes));
    }
    /** @type {Record<string, unknown>} */
    const described = {};
    for (const { name, filename, type, bytes: content } of parseMultipart(contentType ?? '', bytes)) {
      if (filename === undefined) {
        described[name] = textOf(content);
        continue;
      }
      const listed = /** @type {unknown[]} */ (described[name] ?? []);
      described[name] = [...listed, { filename, type, size: content.length, sha256: await sha256(content) }];
    }
    return described;
  } catch {
    return textOf(bytes);
  }
}

/**
 * @param {string} field
 * @param {string} message
 */
function refuse(field, message) {
  return new Refusal(invalidRequest([{ field, message, code: 'invalid_value' }]));
}
