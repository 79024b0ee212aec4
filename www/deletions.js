/** Deletions that can be undone. A picture leaves the storage when its undo time is over. */

import { announce } from './announce.js';
import { discard, purge, restore } from './pictures.js';
import { endToast, toast } from './toast.js';
import { short } from './words.js';

const TOAST = 'deletions';

/** @typedef {import('./pictures.js').Picture} Picture */

/** @type {Picture[][]} the deletions that can be undone, the latest last */
let pending = [];

/**
 * Deletes without a question, because one message undoes each deletion in turn, or all of them.
 *
 * @param {Picture[]} pictures
 */
export async function deleteWithUndo(pictures) {
  pending.push(pictures);
  offer(`Deleted ${words(pictures)}.`);
  await discard(pictures);
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

function purgeAll() {
  const pictures = pending.flat();
  pending = [];
  return purge(pictures);
}

/** @param {Picture[]} pictures */
const words = ([first, ...more]) =>
  more.length > 0 ? `${more.length + 1} pictures` : `“${short(first.request.prompt, 32)}”`;

// Leaving the page ends the undo time.
addEventListener('pagehide', () => endToast(TOAST));
document.addEventListener('keydown', (event) => {
  const isEditing = /** @type {Element} */ (event.target).matches(
    'input:not([type=checkbox]), textarea, select',
  );
  const isUndo = event.key.toLowerCase() === 'z' && (event.ctrlKey || event.metaKey) && !event.shiftKey;
  if (!isUndo || isEditing || pending.length === 0) return;
  event.preventDefault();
  undo();
});
