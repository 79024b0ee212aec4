/** Exports a picture: as a file, or to the clipboard. */

import { fileName } from './file-name.js';
import { withSettings } from './on-demand.js';
import { fileOf, isKept } from './pictures.js';
import { toast } from './toast.js';

const DELETED = 'This picture has been deleted.';

/**
 * Saves a file where the browser keeps downloads.
 *
 * @param {Blob} file
 * @param {string} name
 */
export function save(file, name) {
  const url = URL.createObjectURL(file);
  Object.assign(document.createElement('a'), { href: url, download: name }).click();
  // The browser reads the URL after the click.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** @param {import('./pictures.js').Picture} picture */
export async function download(picture) {
  // A card may show a picture that was deleted in the gallery or in another tab.
  const file = isKept(picture) ? await fileOf(picture).catch(() => undefined) : undefined;
  if (file) save(await withSettings(file, picture.request), fileName(picture));
  else toast(DELETED);
}

/** @param {import('./pictures.js').Picture} picture */
export async function copy(picture) {
  if (!isKept(picture)) return toast(DELETED);
  try {
    // A promise, since browsers allow this only in the same task as the click.
    await navigator.clipboard.write([new ClipboardItem({ 'image/png': asPng(picture) })]);
    toast('Copied.');
  } catch {
    toast('This browser does not let a page copy a picture. Download it instead.');
  }
}

/**
 * PNG is the one type that every clipboard takes.
 *
 * @param {import('./pictures.js').Picture} picture
 * @returns {Promise<Blob>}
 */
async function asPng(picture) {
  const file = await fileOf(picture);
  if (file.type === 'image/png') return file;
  const { width, height } = picture;
  const canvas = Object.assign(document.createElement('canvas'), { width, height });
  const bitmap = await createImageBitmap(file);
  canvas.getContext('2d')?.drawImage(bitmap, 0, 0);
  return new Promise((resolve, reject) =>
    canvas.toBlob(
      (png) => (png ? resolve(png) : reject(new Error('The picture cannot be encoded.'))),
      'image/png',
    ),
  );
}
