/** Deletions that can be undone. A picture leaves the storage when its undo time is over. */

import { announce } from './announce.js';
import { deleted, discard, purge, restore } from './pictures.js';
import { endToast, toast } from './toast.js';
import { short } from './words.js';

const TOAST = 'deletions';
/** The lock that a tab holds while it can undo deletions. */
const LOCK = 'lemondata-studio deletions';

/** @typedef {import('./pictures.js').Picture} Picture */

/** @type {Picture[][]} the deletions that can be undone, the latest last */
let pending = [];
let release = () => {};

/** Removes the pictures whose tab was closed, or has crashed, before their undo time was over. */
export async function finishDeletions() {
  const finish = () => purge(deleted());
  if (!navigator.locks) return finish();
  return navigator.locks.request(LOCK, { ifAvailable: true }, (lock) => (lock ? finish() : undefined));
}

/**
 * Deletes without a question, because one message undoes each deletion in turn, or all of them.
 *
 * @param {Picture[]} pictures
 */
export async function deleteWithUndo(pictures) {
  if (pending.length === 0) holdLock();
  pending.push(pictures);
  offer(`Deleted ${words(pictures)}.`);
  await discard(pictures);
}

/** Tells other tabs that this one can still undo. */
function holdLock() {
  release();
  const released = new Promise((resolve) => {
    release = () => resolve(undefined);
  });
  navigator.locks?.request(LOCK, { mode: 'shared' }, () => released);
}

/** @param {string} text */
function offer(text) {
  const actions = [{ label: 'Undo', run: undo }];
  if (pending.length > 1) actions.push({ label: `Undo all ${pending.length}`, run: undoAll });
  toast(text, actions, { id: TOAST, onEnd: purgeAll });
}

async function undo() {
  const pictures = pending.pop();
  if (!pictures) return;
  await restore(pictures);
  const text = `Restored ${words(pictures)}.`;
  if (pending.length > 0) offer(text);
  else {
    endToast(TOAST);
    announce(text);
  }
}

async function undoAll() {
  const pictures = pending.flat();
  pending = [];
  endToast(TOAST);
  await restore(pictures);
  announce(`Restored ${words(pictures)}.`);
}

async function purgeAll() {
  const pictures = pending.flat();
  pending = [];
  await purge(pictures);
  if (pending.length === 0) release();
}

/** @param {Picture[]} pictures */
const words = ([first, ...more]) =>
  more.length > 0 ? `${more.length + 1} pictures` : `“${short(first.request.prompt, 32)}”`;

document.addEventListener('keydown', (event) => {
  const isEditing = /** @type {Element} */ (event.target).matches(
    'input:not([type=checkbox]), textarea, select',
  );
  const isUndo = event.key.toLowerCase() === 'z' && (event.ctrlKey || event.metaKey) && !event.shiftKey;
  if (!isUndo || isEditing || pending.length === 0) return;
  event.preventDefault();
  undo();
});
