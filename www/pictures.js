/** The pictures that are kept: made of a finished generation, read again for the gallery, removed and restored. */

import { toBlob } from 'lemondata-wasm';
import { all, get, put, remove } from './store.js';

/** The longer side of a thumbnail: two device pixels for each of the largest tile. */
const THUMBNAIL_SIDE = 480;
/** How many object URLs are held: more than any screen shows. */
const MOST_URLS = 240;

/**
 * What is known of a picture without reading it.
 *
 * @typedef {object} Picture
 * @property {string} id sorts by time
 * @property {number} at
 * @property {import('lemondata-wasm').ImageRequest} request
 * @property {number} index which one of its generation
 * @property {number} count how many that had
 * @property {number} ms how long the generation took
 * @property {string} [revised] the prompt as the model understood it
 * @property {string} [type]
 * @property {number} [bytes]
 * @property {number} [width] missing where it could not be read
 * @property {number} [height]
 * @property {string} [url] where it is, if it could not be downloaded
 */

/** What tells other tabs of the same page that something has come or gone. */
const channel = new BroadcastChannel('lemondata-studio pictures');

/** @type {Picture[]} the newest first */
let pictures = [];
const listeners = new Set();

/** Every kept picture, the newest first. */
export const kept = () => pictures;

/** @param {() => void} listener is called when a picture has come or gone */
export const onPictures = (listener) => listeners.add(listener);

function changed(isOurs = true) {
  for (const listener of listeners) listener();
  if (isOurs) channel.postMessage('changed');
}

/** Reads what earlier visits have kept. */
export async function load() {
  pictures = (await all('pictures')).reverse();
  changed(false);
}
channel.onmessage = load;

/**
 * Keeps the pictures of a generation.
 *
 * @param {import('./generation.js').Generation} generation
 * @param {import('lemondata-wasm').Image[]} images
 * @returns {Promise<Picture[]>}
 */
export async function keep({ journal }, images) {
  const { id, request, startedAt } = journal;
  const made = await Promise.all(
    images.map((image, index) =>
      keepOne(image, {
        id: `${startedAt.toString(36).padStart(9, '0')}-${id.slice(0, 8)}-${index}`,
        at: startedAt,
        request,
        index,
        count: images.length,
        ms: Date.now() - startedAt,
      }),
    ),
  );
  // Another tab may have finished the same generation.
  const ids = new Set(made.map(({ id }) => id));
  pictures = [...made, ...pictures.filter(({ id }) => !ids.has(id))];
  changed();
  return made;
}

async function keepOne(image, picture) {
  if (image.revised_prompt && image.revised_prompt !== picture.request.prompt) {
    picture.revised = image.revised_prompt;
  }
  const blob = await toBlob(image).catch(() => undefined);
  if (blob) {
    const { width, height, thumbnail } = await read(blob).catch(() => ({}));
    Object.assign(picture, { type: blob.type, bytes: blob.size, width, height });
    await put('files', picture.id, await stored(blob));
    if (thumbnail) await put('thumbnails', picture.id, await stored(thumbnail));
  } else if (/^https?:/i.test(image.url ?? '')) {
    // Its server lets pages show it, and not read it.
    picture.url = image.url;
  }
  await put('pictures', picture.id, picture);
  return picture;
}

const stored = async (blob) => ({ type: blob.type, bytes: await blob.arrayBuffer() });
const asBlob = (file) => file && new Blob([file.bytes], { type: file.type });

/** Decodes a picture, and makes a small one of it. */
async function read(blob) {
  const bitmap = await createImageBitmap(blob);
  const { width, height } = bitmap;
  const scale = Math.min(1, THUMBNAIL_SIDE / Math.min(width, height));
  const canvas = document.createElement('canvas');
  Object.assign(canvas, { width: Math.round(width * scale), height: Math.round(height * scale) });
  canvas.getContext('2d').drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  const thumbnail = await new Promise((resolve) => canvas.toBlob(resolve, 'image/webp', 0.8));
  return { width, height, thumbnail };
}

/** @param {Picture} picture */
export const fileOf = async ({ id }) => asBlob(await get('files', id));

/** Object URLs by store and id, the one that was used longest ago first. */
const urls = new Map();

/**
 * An address of a picture for an `img`.
 *
 * @param {Picture} picture
 * @param {'files' | 'thumbnails'} [store]
 * @returns {Promise<string | undefined>} nothing where there is no picture
 */
export function urlOf(picture, store = 'files') {
  if (picture.url) return Promise.resolve(picture.url);
  const key = `${store} ${picture.id}`;
  const known = urls.get(key) ?? open(picture, store);
  urls.delete(key);
  urls.set(key, known);
  if (urls.size > MOST_URLS) release(urls.keys().next().value);
  return known;
}

async function open({ id, width }, store) {
  // What is not a picture has no thumbnail, and is none.
  const file = width && asBlob((await get(store, id)) ?? (await get('files', id)));
  return file ? URL.createObjectURL(file) : undefined;
}

function release(key) {
  urls.get(key)?.then((url) => url && URL.revokeObjectURL(url));
  urls.delete(key);
}

/**
 * Removes a picture.
 *
 * @param {Picture} picture
 * @returns {Promise<() => Promise<void>>} brings it back
 */
export async function discard(picture) {
  const parts = ['files', 'thumbnails'];
  const bytes = await Promise.all(parts.map((store) => get(store, picture.id)));
  pictures = pictures.filter(({ id }) => id !== picture.id);
  for (const store of ['pictures', ...parts]) await remove(store, picture.id);
  for (const store of parts) release(`${store} ${picture.id}`);
  changed();
  return async () => {
    for (const [index, store] of parts.entries()) {
      if (bytes[index]) await put(store, picture.id, bytes[index]);
    }
    await put('pictures', picture.id, picture);
    await load();
    changed();
  };
}
