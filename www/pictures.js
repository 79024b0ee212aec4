/** The kept pictures: stored when a generation completes, read for the gallery, changed, and deleted in two steps. */

import { toBlob } from 'lemondata-wasm';
import { now } from './clock.js';
import { all, flushMemory, get, keepInMemory, put, remove } from './store.js';

/** The longer side of a thumbnail: two device pixels for each of the largest tile. */
const THUMBNAIL_SIDE = 480;
/** How many object URLs are held: more than any screen shows. */
const MOST_URLS = 240;
/** The time for a picture's file: that of the largest on a slow line. */
const FILE_MS = 120_000;

/**
 * The stored description of a picture.
 *
 * @typedef {object} Picture
 * @property {string} id sorts by time
 * @property {number} at
 * @property {string} [generation] the id of its generation
 * @property {import('lemondata-wasm').ImageRequest} request
 * @property {import('./sources.js').SourceNames} [sources] its reference pictures
 * @property {number} index among the pictures of its generation, from 0
 * @property {number} count of the pictures of its generation
 * @property {number} ms how long the person waited for it, its download included
 * @property {string} [revised] the prompt as the model understood it
 * @property {string} [type]
 * @property {number} [bytes]
 * @property {number} [width] missing where the file is not a picture
 * @property {number} [height]
 * @property {string} [url] the address of a picture that could not be downloaded
 * @property {boolean} [favourite]
 * @property {number} [deletedAt] when the person deleted it; its files stay until nothing can undo that
 * @property {string} [address] the address that it came from; most work for some hours
 * @property {string} [cost] of its generation, where the service says it
 */

/** @typedef {{ type: string, bytes: ArrayBuffer }} StoredFile */

/** Notifies other tabs of the page. */
const channel = new BroadcastChannel('lemondata-studio pictures');

/** @type {Picture[]} the newest first, deleted ones included */
let pictures = [];
/** @type {Picture[]} */
let visible = [];
/** @type {Set<() => void>} */
const listeners = new Set();

/** Every kept picture, the newest first. */
export const kept = () => visible;

/** The deleted pictures that are still in storage. */
export const deleted = () => pictures.filter(({ deletedAt }) => deletedAt);

/** @type {(picture: Picture) => boolean} whether a picture is neither deleted nor unknown */
export const isKept = ({ id }) => visible.some((other) => other.id === id);

/** @param {() => void} listener is called when a picture is added or removed */
export const onPictures = (listener) => listeners.add(listener);

function notify() {
  visible = pictures.filter(({ deletedAt }) => !deletedAt);
  for (const listener of listeners) listener();
}

function notifyAllTabs() {
  notify();
  channel.postMessage('changed');
}

/** Reads the pictures of earlier visits. */
export async function load() {
  pictures = (await all('pictures')).reverse();
  notify();
}
channel.onmessage = load;

/**
 * Keeps the pictures of a generation.
 *
 * @param {Pick<import('./generation.js').Generation, 'id' | 'request' | 'snapshot' | 'sources' | 'cost' | 'elapsed'>} generation
 * @param {readonly import('lemondata-wasm').Image[]} images
 * @param {AbortSignal} signal ends the downloads
 * @param {(index: number) => boolean} [isWanted] default: all
 * @returns {Promise<(Picture | undefined)[]>} one for each image; undefined where its file cannot be loaded
 */
export async function keep(generation, images, signal, isWanted = () => true) {
  const { id, request, snapshot, sources, cost } = generation;
  const at = snapshot.startedAt;
  const made = await Promise.all(
    images.map(async (image, index) => {
      if (!isWanted(index)) return undefined;
      return keepOne(image, signal, generation, {
        id: `${at.toString(36).padStart(9, '0')}-${id.slice(0, 8)}-${index}`,
        at,
        generation: id,
        request,
        ...(sources && { sources }),
        ...(cost && { cost }),
        index,
        count: images.length,
      });
    }),
  );
  const loaded = made.filter((picture) => picture !== undefined);
  // Another tab may have completed the same generation.
  const ids = new Set(loaded.map(({ id }) => id));
  pictures = [...loaded, ...pictures.filter(({ id }) => !ids.has(id))];
  notifyAllTabs();
  // Without it, a browser that runs out of space may delete all pictures of this page.
  navigator.storage?.persist?.().catch(() => {});
  return made;
}

/** @type {(url: string | null | undefined) => string | undefined} */
export const addressOf = (url) => (/^https?:/i.test(url ?? '') ? (url ?? undefined) : undefined);

/**
 * @param {import('lemondata-wasm').Image} image
 * @param {AbortSignal} signal
 * @param {Pick<import('./generation.js').Generation, 'elapsed'>} generation
 * @param {Omit<Picture, 'ms'>} description
 * @returns {Promise<Picture | undefined>}
 */
async function keepOne(image, signal, generation, description) {
  const picture = { ...description, ms: 0 };
  if (image.revised_prompt && image.revised_prompt !== picture.request.prompt) {
    picture.revised = image.revised_prompt;
  }
  picture.address = addressOf(image.url);
  let isStored = true;
  try {
    const blob = await toBlob(image, { signal, requestTimeout: FILE_MS });
    const { width, height, thumbnail } = (await decode(blob).catch(() => undefined)) ?? {};
    Object.assign(picture, { type: blob.type, bytes: blob.size, width, height });
    isStored = await put('files', picture.id, await stored(blob));
    if (thumbnail) await put('thumbnails', picture.id, await stored(thumbnail));
  } catch (/** @type {any} */ { kind }) {
    // Its server may allow pages to show it, but not to read it.
    const size = kind === 'connection' && picture.address && (await measure(picture.address, signal));
    if (!size) return undefined;
    Object.assign(picture, { url: picture.address, ...size });
  }
  picture.ms = Math.round(generation.elapsed(now()));
  // A record without its file would be a broken picture after a reload, unless its address brings the file.
  if (isStored || picture.address) await put('pictures', picture.id, picture);
  else keepInMemory('pictures', picture.id, picture);
  return picture;
}

/**
 * Loads a picture to find out whether the page can show it.
 *
 * @param {string} src
 * @param {AbortSignal} signal
 */
async function measure(src, signal) {
  const image = Object.assign(new Image(), { src });
  const ended = AbortSignal.any([signal, AbortSignal.timeout(FILE_MS)]);
  const end = new Promise((_, reject) => ended.addEventListener('abort', reject, { once: true }));
  try {
    await Promise.race([image.decode(), end]);
    return { width: image.naturalWidth, height: image.naturalHeight };
  } catch {
    image.src = '';
    return undefined;
  }
}

/** Tries again to store the pictures that are in memory alone. */
export async function storeFromMemory() {
  const isDone = await flushMemory();
  notifyAllTabs();
  return isDone;
}

/** @type {(blob: Blob) => Promise<StoredFile>} */
const stored = async (blob) => ({ type: blob.type, bytes: await blob.arrayBuffer() });
/** @type {(file: StoredFile | undefined) => Blob | undefined} */
const asBlob = (file) => file && new Blob([file.bytes], { type: file.type });

/**
 * Decodes a picture and makes its thumbnail.
 *
 * @param {Blob} blob
 */
async function decode(blob) {
  const bitmap = await createImageBitmap(blob);
  const { width, height } = bitmap;
  const scale = Math.min(1, THUMBNAIL_SIDE / Math.min(width, height));
  const canvas = document.createElement('canvas');
  Object.assign(canvas, { width: Math.round(width * scale), height: Math.round(height * scale) });
  canvas.getContext('2d')?.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  /** @type {Blob | null} */
  const thumbnail = await new Promise((resolve) => canvas.toBlob(resolve, 'image/webp', 0.8));
  return { width, height, thumbnail };
}

/**
 * @param {Picture} picture
 * @returns {Promise<Blob>}
 */
export async function fileOf({ id, address }) {
  const file = asBlob(await get('files', id));
  if (file) return file;
  if (!address || !(await get('pictures', id))) throw new Error('This picture has been deleted.');
  return toBlob({ url: address }).catch(() => {
    throw new Error('The file of this picture cannot be loaded.');
  });
}

/**
 * Object URLs by store and id, the least recently used first.
 *
 * @type {Map<string, Promise<string | undefined>>}
 */
const urls = new Map();

/**
 * The address of a picture for an `img`.
 *
 * @param {Picture} picture
 * @param {'files' | 'thumbnails'} [store]
 * @returns {Promise<string | undefined>} undefined where the file is not a picture
 */
export function urlOf(picture, store = 'files') {
  if (picture.url) return Promise.resolve(picture.url);
  const key = `${store} ${picture.id}`;
  const known = urls.get(key) ?? open(picture, store);
  urls.delete(key);
  urls.set(key, known);
  if (urls.size > MOST_URLS) release([...urls.keys()][0]);
  return known;
}

/**
 * @param {Picture} picture
 * @param {'files' | 'thumbnails'} store
 */
async function open({ id, width, address }, store) {
  if (!width) return undefined;
  const file = asBlob((await get(store, id).catch(() => {})) ?? (await get('files', id).catch(() => {})));
  // Storage was full, and an earlier page had the file in memory.
  return file ? URL.createObjectURL(file) : address;
}

/** @param {string} key */
function release(key) {
  urls.get(key)?.then((url) => url && URL.revokeObjectURL(url));
  urls.delete(key);
}

/**
 * Changes the records of pictures.
 *
 * @param {Picture[]} some
 * @param {Partial<Picture>} changes
 */
export async function change(some, changes) {
  const ids = new Set(some.map(({ id }) => id));
  pictures = pictures.map((picture) => (ids.has(picture.id) ? { ...picture, ...changes } : picture));
  notify();
  const changed = pictures.filter(({ id }) => ids.has(id));
  await Promise.all(changed.map((picture) => put('pictures', picture.id, picture)));
  channel.postMessage('changed');
}

/**
 * Hides pictures. Their files stay, so that {@link restore} can bring them back.
 *
 * @param {Picture[]} some
 */
export const discard = (some) =>
  // Full storage may refuse the mark, but no deletion.
  change(some, { deletedAt: Date.now() }).catch(console.warn);

/** @param {Picture[]} some */
export const restore = (some) => change(some, { deletedAt: undefined });

/**
 * Removes pictures and their files for good.
 *
 * @param {Picture[]} some
 */
export async function purge(some) {
  if (some.length === 0) return;
  const ids = new Set(some.map(({ id }) => id));
  pictures = pictures.filter(({ id }) => !ids.has(id));
  const stores = /** @type {const} */ (['pictures', 'files', 'thumbnails']);
  for (const id of ids) for (const store of stores) release(`${store} ${id}`);
  await Promise.all([...ids].flatMap((id) => stores.map((store) => remove(store, id))));
  notifyAllTabs();
}
