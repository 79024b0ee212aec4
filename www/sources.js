/** The reference pictures of a request: read from the form, stored with its journal, and sent by the client. */

/**
 * @typedef {object} SourceFile
 * @property {string} name
 * @property {string} type
 * @property {ArrayBuffer} bytes as bytes, because some engines store no Blob in private windows
 */

/**
 * @typedef {object} Sources
 * @property {'edit' | 'generate'} action
 * @property {SourceFile[]} pictures at least one
 * @property {SourceFile} [mask]
 */

/**
 * The same without the bytes, as the gallery and the journal keep it. `check` tells whether files are these.
 *
 * @typedef {{ action: Sources['action'], pictures: string[], mask?: string, check?: string }} SourceNames
 */

const MAX_FILES = 16;
const MIB = 1024 * 1024;
const MAX_FILE_BYTES = 50 * MIB;
const MAX_BYTES = 200 * MIB;
const TYPES = ['image/png', 'image/jpeg', 'image/webp'];

/**
 * The problem of chosen pictures, in words for the person who chooses.
 *
 * @param {{ name: string, type: string, size: number }[]} files
 * @param {Sources['action']} action
 * @returns {string | undefined}
 */
export function problemOfFiles(files, action) {
  const wrongType = files.find(({ type }) => !TYPES.includes(type));
  if (wrongType) return `${wrongType.name} is not a PNG, JPEG or WebP.`;
  const large = files.find(({ size }) => size > MAX_FILE_BYTES);
  if (large) return `${large.name} is larger than 50 MB.`;
  if (files.length > MAX_FILES) return `At most ${MAX_FILES} pictures.`;
  const total = files.reduce((sum, { size }) => sum + size, 0);
  if (total > MAX_BYTES) return 'Together, the pictures are larger than 200 MB.';
  return action === 'generate' && files.length > 1 ? 'A new picture takes one reference.' : undefined;
}

/**
 * The problem of a model that does not take reference pictures.
 *
 * @param {string} model
 * @param {string[] | undefined} operations what it does; undefined where nothing is known
 * @param {Sources['action']} action
 * @returns {string | undefined}
 */
export function problemOfOperation(model, operations, action) {
  const needed = action === 'edit' ? 'image-edit' : 'image-to-image';
  if (!operations || operations.includes(needed)) return undefined;
  return action === 'edit' ? `${model} edits no pictures.` : `${model} takes no reference pictures.`;
}

/** @type {(file: File) => Promise<SourceFile>} */
const readFile = async (file) => ({ name: file.name, type: file.type, bytes: await file.arrayBuffer() });

/**
 * @param {Sources['action']} action
 * @param {File[]} files
 * @param {File} [mask]
 * @returns {Promise<Sources | undefined>} undefined without pictures
 */
export async function readSources(action, files, mask) {
  if (files.length === 0) return undefined;
  const pictures = await Promise.all(files.map(readFile));
  return action === 'edit' && mask ? { action, pictures, mask: await readFile(mask) } : { action, pictures };
}

/** @type {(file: SourceFile) => File} */
export const toFile = ({ name, type, bytes }) => new File([bytes], name, { type });

/**
 * Sends a request with its pictures.
 *
 * @param {import('lemondata-wasm').LemonData} client
 * @param {import('lemondata-wasm').ImageRequest} request
 * @param {Sources | undefined} sources
 * @param {import('lemondata-wasm').Options} options
 */
export function send(client, request, sources, options) {
  if (!sources) return client.generateAndWait(request, options);
  const pictures = sources.pictures.map(toFile);
  if (sources.action === 'generate')
    return client.generateAndWait({ ...request, image: pictures[0] }, options);
  const mask = sources.mask && { mask: toFile(sources.mask) };
  const body = /** @type {import('lemondata-wasm').EditRequest} */ ({ ...request, image: pictures, ...mask });
  return client.editAndWait(body, options);
}

/**
 * The names of the pictures, for the gallery, the journal and the code panel.
 *
 * @param {Sources | undefined} sources
 * @returns {SourceNames | undefined}
 */
export const namesOf = (sources) =>
  sources && {
    action: sources.action,
    pictures: sources.pictures.map(({ name }) => name),
    ...(sources.mask && { mask: sources.mask.name }),
    check: checkOf(sources),
  };

/** Hashing takes a second for the largest files, and each redraw needs the names. @type {WeakMap<Sources, string>} */
const checks = new WeakMap();

/**
 * What differs as soon as a file is missing, is another one or has another role.
 *
 * @param {Sources} sources
 */
function checkOf(sources) {
  let check = checks.get(sources);
  if (!check) {
    const { action, pictures, mask } = sources;
    check = `${[action, ...pictures.map(hash), mask && hash(mask)]}`;
    checks.set(sources, check);
  }
  return check;
}

/** FNV-1a: pages that are not secure lack `crypto.subtle`. @param {SourceFile} file */
function hash({ bytes }) {
  let value = 0x811c9dc5;
  for (const byte of new Uint8Array(bytes)) value = Math.imul(value ^ byte, 0x01000193);
  return `${bytes.byteLength}:${value}`;
}

/** What the page says where a request cannot be sent as it was. */
export const NOT_KEPT = 'The reference pictures of this request were not kept. Add them again.';

/**
 * Refuses to go on without the files of a request: without them, it would buy another picture.
 *
 * @param {SourceNames | undefined} names of the files that belong to the request
 * @param {Sources | undefined} found
 * @returns {Sources | undefined} those found; throws where a file is missing or is another one
 */
export function whole(names, found) {
  const isWhole = !names || (found && (!names.check || names.check === checkOf(found)));
  if (isWhole) return found;
  const fields = { name: 'SourcesError', kind: 'sources', outcome: 'not_sent' };
  throw Object.assign(new Error(NOT_KEPT), fields);
}
