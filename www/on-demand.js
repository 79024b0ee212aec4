/** The functions of `extras.js`, which is loaded with the first press of a key or a button, or when one of them is used. */

import { toast } from './toast.js';

/** @typedef {typeof import('./extras.js')} Extras */

/** @type {import('./viewer.js').ViewerCallbacks} */
let viewerCallbacks;
/** @type {Promise<Extras | undefined> | undefined} */
let loading;

async function load() {
  const extras = await import('./extras.js');
  extras.setUpViewer(viewerCallbacks);
  return extras;
}

/** Loads it before it is needed, so that the page is complete if its server goes away. */
function prepare() {
  loading ??= load().catch(() => {
    // Offline, for example. The next press tries again.
    loading = undefined;
    return undefined;
  });
  return loading;
}
for (const type of ['pointerdown', 'keydown']) addEventListener(type, prepare, { passive: true });

/**
 * @template T
 * @param {(extras: Extras) => T | Promise<T>} use
 */
async function withExtras(use) {
  const extras = await prepare();
  if (extras) return use(extras);
  toast('This part of the page cannot be loaded: its server does not answer.');
  return undefined;
}

/** @param {import('./viewer.js').ViewerCallbacks} callbacks */
export function setUpViewer(callbacks) {
  viewerCallbacks = callbacks;
}

/** @type {(...shown: Parameters<Extras['view']>) => void} */
export const view = (...shown) => void withExtras((extras) => extras.view(...shown));

/** @type {(...shown: Parameters<Extras['compare']>) => void} */
export const compare = (...shown) => void withExtras((extras) => extras.compare(...shown));

/** @type {(...call: Parameters<Extras['showCode']>) => void} */
export const showCode = (...call) => void withExtras((extras) => extras.showCode(...call));

/** @type {(...call: Parameters<Extras['showExchange']>) => void} */
export const showExchange = (...call) => void withExtras((extras) => extras.showExchange(...call));

export const followForm = () => void withExtras((extras) => extras.followForm());

/** @type {(...pictures: Parameters<Extras['exportZip']>) => Promise<void>} */
export const exportZip = (...pictures) => withExtras((extras) => extras.exportZip(...pictures));

/** @type {(...creates: Parameters<Extras['askBefore']>) => Promise<boolean | undefined>} */
export const askBefore = (...creates) => withExtras((extras) => extras.askBefore(...creates));

/** @type {(picture: File) => Promise<File | undefined>} */
export const paintMask = (picture) => withExtras((extras) => extras.paintMask(picture));

export const showShortcuts = () => void withExtras((extras) => extras.showShortcuts());

/**
 * A file with its settings, or the file alone where this cannot be loaded: a picture must not be lost for that.
 *
 * @param {Blob} file
 * @param {import('lemondata-wasm').ImageRequest} request
 */
export async function withSettings(file, request) {
  const extras = await prepare();
  return extras ? extras.withSettings(file, request) : file;
}

/** @type {(...bytes: Parameters<Extras['settingsIn']>) => Promise<ReturnType<Extras['settingsIn']>>} */
export const settingsIn = (...bytes) => withExtras((extras) => extras.settingsIn(...bytes));
