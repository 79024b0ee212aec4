/** The chosen pictures of the gallery, and what can be done with them. */

import { html, render } from 'lit-html';
import { deleteWithUndo } from './deletions.js';
import { elementById } from './element.js';
import { icon } from './icon.js';
import { exportZip } from './on-demand.js';
import { change } from './pictures.js';
import { rove, setUpToolbar } from './toolbar.js';

/** How many pictures the viewer compares. */
export const MOST_COMPARED = 4;

const bar = elementById('selection', HTMLElement);

/** @typedef {import('./pictures.js').Picture} Picture */

/**
 * @typedef {object} SelectionCallbacks
 * @property {() => Picture[]} shown the pictures that “Select all” means
 * @property {() => void} onChange
 * @property {(pictures: Picture[]) => void} onCompare
 */

/** @type {Map<string, Picture>} in the order of their choice */
const chosen = new Map();
let isOpen = false;
/** @type {SelectionCallbacks} */
let callbacks;

/** @param {SelectionCallbacks} selectionCallbacks */
export function setUpSelection(selectionCallbacks) {
  callbacks = selectionCallbacks;
  setUpToolbar(bar);
}

/** Whether a click on a picture chooses it. */
export const isSelecting = () => isOpen;

/** @type {(picture: Picture) => boolean} */
export const isChosen = ({ id }) => chosen.has(id);

/** @type {(picture: Picture) => Picture[]} what a key on a picture means: the chosen ones, or else this one */
export const chosenOr = (picture) => (chosen.size > 0 ? [...chosen.values()] : [picture]);

/**
 * Starts a selection.
 *
 * @param {Picture[]} pictures that are chosen already
 */
export function startSelection(pictures) {
  chosen.clear();
  choose(pictures, true);
}

export function endSelection() {
  if (!isOpen) return;
  isOpen = false;
  chosen.clear();
  callbacks.onChange();
}

/**
 * @param {Picture[]} pictures
 * @param {boolean} isWanted
 */
export function choose(pictures, isWanted) {
  isOpen = true;
  for (const picture of pictures) {
    if (isWanted) chosen.set(picture.id, picture);
    else chosen.delete(picture.id);
  }
  callbacks.onChange();
}

/**
 * Draws the bar. Pictures that are gone leave the selection.
 *
 * @param {Picture[]} kept
 */
export function drawSelection(kept) {
  bar.hidden = !isOpen;
  if (!isOpen) return;
  const current = new Map(kept.map((picture) => [picture.id, picture]));
  for (const id of chosen.keys()) {
    const picture = current.get(id);
    if (picture) chosen.set(id, picture);
    else chosen.delete(id);
  }
  const pictures = [...chosen.values()];
  const { length } = pictures;
  const canCompare = length >= 2 && length <= MOST_COMPARED;
  const areFavourites = length > 0 && pictures.every(({ favourite }) => favourite);
  const areAll = callbacks.shown().every(isChosen);
  /** @type {(work: () => unknown) => () => void} */
  const andEnd = (work) => () => {
    work();
    endSelection();
  };
  render(
    html`<button class="quiet tool" type="button" aria-label="End the selection" title="End the selection (Esc)"
        @click=${endSelection}>${icon('close')}</button>
      <p role="status">${length === 0 ? 'Choose pictures to compare or export' : `${length.toLocaleString('en')} selected`}</p>
      <button type="button" @click=${() => choose(callbacks.shown(), !areAll)}>${areAll ? 'Select none' : 'Select all'}</button>
      <button type="button" ?disabled=${!canCompare} title="Two to four pictures"
        @click=${andEnd(() => callbacks.onCompare(pictures))}>Compare</button>
      <button type="button" ?disabled=${length === 0} title="A zip with the settings of each picture"
        @click=${andEnd(() => exportZip(pictures))}>Export</button>
      <button class="tool" type="button" ?disabled=${length === 0} aria-pressed=${areFavourites}
        aria-label="Favourites" title="Favourites"
        @click=${() => change(pictures, { favourite: !areFavourites })}>${icon('star')}</button>
      <button type="button" ?disabled=${length === 0} @click=${andEnd(() => deleteWithUndo(pictures))}>Delete</button>`,
    bar,
  );
  rove(bar);
}
