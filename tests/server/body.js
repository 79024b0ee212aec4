/**
 * The bodies of requests: read to their end, taken apart, and described for the record.
 */
import { createHash } from 'node:crypto';
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

/**
 * Reads a request to its end, so that the client has sent all of it before it is answered; keeps an allowed body.
 *
 * @param {import('node:http').IncomingMessage} incoming
 * @returns {Promise<Buffer | null>} null for a body that is too large
 */
export async function readBody(incoming) {
  const most = isForm(incoming.headers['content-type']) ? MAX_FORM_BYTES : MAX_JSON_BYTES;
  /** @type {Buffer[]} */
  let chunks = [];
  let length = 0;
  for await (const chunk of incoming) {
    length += chunk.length;
    if (length <= most) {
      chunks.push(chunk);
    } else {
      chunks = [];
    }
  }
  return length <= most ? Buffer.concat(chunks) : null;
}

/**
 * @param {string | undefined} contentType
 * @param {Buffer | null} bytes null for a body that is too large
 * @returns {Body}
 * @throws {Refusal}
 */
export function parseBody(contentType, bytes) {
  if (bytes === null) {
    const most = isForm(contentType) ? MAX_FORM_BYTES : MAX_JSON_BYTES;
    throw new Refusal(tooLarge(`Request body is larger than ${most / MIB} MiB`));
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
 * @param {Buffer} bytes
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
  const fields = Object.fromEntries(texts.map(({ name, bytes }) => [name, bytes.toString('utf8')]));
  return { fields, files, isForm: true };
}

/**
 * A body as a test wants to look at it: JSON parsed, a form as its fields with a list for each name that has files,
 * anything else as text.
 *
 * @param {string | undefined} contentType
 * @param {Buffer | null} bytes
 */
export function describeBody(contentType, bytes) {
  if (bytes === null || bytes.length === 0) {
    return undefined;
  }
  try {
    if (!isForm(contentType)) {
      return JSON.parse(bytes.toString('utf8'));
    }
    /** @type {Record<string, unknown>} */
    const described = {};
    for (const { name, filename, type, bytes: content } of parseMultipart(contentType ?? '', bytes)) {
      if (filename === undefined) {
        described[name] = content.toString('utf8');
        continue;
      }
      const sha256 = createHash('sha256').update(content).digest('hex');
      const listed = /** @type {unknown[]} */ (described[name] ?? []);
      described[name] = [...listed, { filename, type, size: content.length, sha256 }];
    }
    return described;
  } catch {
    return bytes.toString('utf8');
  }
}

/**
 * @param {string} field
 * @param {string} message
 */
function refuse(field, message) {
  return new Refusal(invalidRequest([{ field, message, code: 'invalid_value' }]));
}
