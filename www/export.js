/** Exports a picture: as a file, or to the clipboard. */

import { fileName } from './file-name.js';
import { withSettings } from './picture-settings.js';
import { fileOf } from './pictures.js';
import { toast } from './toast.js';

/** @param {import('./pictures.js').Picture} picture */
export async function download(picture) {
  const url = URL.createObjectURL(await withSettings(await fileOf(picture), picture.request));
  Object.assign(document.createElement('a'), { href: url, download: fileName(picture) }).click();
  // The browser reads the URL after the click.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** @param {import('./pictures.js').Picture} picture */
export async function copy(picture) {
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
