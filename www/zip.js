/** Several pictures as one file: a zip with the settings of each picture beside it. */

import { strToU8, Zip, ZipPassThrough } from 'fflate';
import { dayOf } from './days.js';
import { save } from './export.js';
import { fileName, uniqueNames } from './file-name.js';
import { withSettings } from './picture-settings.js';
import { fileOf, isKept } from './pictures.js';
import { toast } from './toast.js';

/** @typedef {import('./pictures.js').Picture} Picture */

/** @param {Picture[]} pictures */
export async function exportZip(pictures) {
  const id = {};
  toast(`Exporting ${pictures.length} ${pictures.length === 1 ? 'picture' : 'pictures'}…`, [], { id });
  const { blob, missing } = await zip(pictures);
  save(blob, `lemondata-${dayOf(Date.now())}.zip`);
  const rest = missing > 0 ? ` ${missing} of them as settings alone, because their files are not here.` : '';
  toast(`Exported ${pictures.length}.${rest}`, [], { id });
}

/**
 * @param {Picture[]} pictures
 * @returns {Promise<{ blob: Blob, missing: number }>} and the number of pictures without a file
 */
async function zip(pictures) {
  /** @type {Blob[]} */
  const parts = [];
  let missing = 0;
  const archive = new Zip((error, chunk) => {
    if (error) throw error;
    // The browser moves blobs out of its memory.
    parts.push(new Blob([/** @type {Uint8Array<ArrayBuffer>} */ (chunk)]));
  });
  /** @type {(name: string, bytes: Uint8Array, at: number) => void} */
  const add = (name, bytes, at) => {
    // Stored as they are, because pictures are compressed already.
    const file = new ZipPassThrough(name);
    file.mtime = at;
    archive.add(file);
    file.push(bytes, true);
  };
  const names = uniqueNames(pictures.map(fileName));
  for (const [index, picture] of pictures.entries()) {
    const name = names[index];
    const file = isKept(picture) ? await fileOf(picture).catch(() => undefined) : undefined;
    if (file) {
      const bytes = await (await withSettings(file, picture.request)).arrayBuffer();
      add(name, new Uint8Array(bytes), picture.at);
    } else missing += 1;
    const text = JSON.stringify(record(picture, file && name), null, 2);
    add(name.replace(/\.\w+$/, '.json'), strToU8(text), picture.at);
  }
  archive.end();
  return { blob: new Blob(parts, { type: 'application/zip' }), missing };
}

/**
 * The settings and facts of a picture.
 *
 * @param {Picture} picture
 * @param {string} [file]
 */
function record(
  { request, revised, at, ms, width, height, type, bytes, index, count, favourite, sources, url },
  file,
) {
  return {
    file,
    request,
    revised_prompt: revised,
    created: new Date(at).toISOString(),
    duration_ms: ms,
    width,
    height,
    type,
    bytes,
    number: index + 1,
    count,
    favourite,
    sources: sources && { ...sources, check: undefined },
    url,
  };
}
