/**
 * Dialogs above the page. Back closes the one on top: each open dialog has an entry of its own in the history. Toasts
 * and announcements move into it, because the page behind it is inert.
 */

import { elementById } from './element.js';

const companions = ['toast', 'announcer'].map((id) => elementById(id, HTMLElement));

/** @type {HTMLDialogElement[]} the open dialogs, the top one last */
const stack = [];
/** @type {WeakSet<HTMLDialogElement>} */
const known = new WeakSet();
/** How many steps back are under way that only remove the entry of a closed dialog. */
let ownSteps = 0;
/** @type {(() => void)[]} */
const resolvers = [];

/** The state of an entry whose address this page has read or written. A link that a person follows has none. */
export const ENTRY = { dialogs: 0 };

/**
 * Changes the history. Safari takes a hundred changes in ten seconds, and a key that is held down makes more.
 *
 * @param {'pushState' | 'replaceState'} method
 * @param {{ dialogs: number }} state
 * @param {string} [url]
 * @returns {boolean} whether the browser has taken it
 */
export function changeHistory(method, state, url) {
  try {
    history[method](state, '', url);
    return true;
  } catch {
    return false;
  }
}

/** The number of dialogs that were open at the current entry of the history. */
const depth = () => history.state?.dialogs ?? 0;

/**
 * Has Back close the dialog on top. Call it before another listener to Back is added: no other one has to know of these
 * entries, and Chromium calls those of a window in the order in which they were added, whether they capture or not.
 */
export function listenToBack() {
  // Of the page before a reload, whose dialogs are gone.
  changeHistory('replaceState', ENTRY);
  addEventListener(
    'popstate',
    (event) => {
      if (ownSteps > 0) {
        ownSteps -= 1;
        for (const resolve of resolvers.splice(0)) resolve();
        // At once: another dialog may open before the event of this one.
      } else if (stack.length > depth()) for (const dialog of stack.splice(depth()).reverse()) dialog.close();
      else return;
      event.stopImmediatePropagation();
    },
    { capture: true },
  );
}

/** @param {HTMLDialogElement} dialog */
function setUp(dialog) {
  if (known.has(dialog)) return;
  known.add(dialog);
  let isPressed = false;
  // The target does not tell: to the backdrop and to the edge of the dialog, it is the dialog itself.
  const isOutside = (/** @type {MouseEvent} */ { target, clientX: x, clientY: y }) => {
    const { left, right, top, bottom } = dialog.getBoundingClientRect();
    return target === dialog && (x < left || x > right || y < top || y > bottom);
  };
  // A selection that began inside may end outside.
  dialog.addEventListener('pointerdown', (event) => {
    isPressed = isOutside(event);
  });
  dialog.addEventListener('click', (event) => {
    if (isPressed && isOutside(event)) dialog.close();
  });
  dialog.addEventListener('close', () => {
    // The event is dispatched late: the dialog may be open again by then.
    if (dialog.open) return;
    const at = stack.indexOf(dialog);
    if (at >= 0) stack.splice(at, 1);
    (stack.at(-1) ?? document.body).append(...companions);
    // After a change of the address, the current entry is another one, and stays.
    if (depth() <= stack.length) return;
    ownSteps += 1;
    history.back();
  });
}

/** @param {HTMLDialogElement} dialog */
export function openModal(dialog) {
  if (dialog.open) return;
  setUp(dialog);
  dialog.showModal();
  dialog.append(...companions);
  // It was closed and is open again before its event: its entry is still there.
  if (stack.includes(dialog)) return;
  stack.push(dialog);
  changeHistory('pushState', { dialogs: stack.length });
}

/** Waits until the entries of closed dialogs are gone: a step back would take a change of the address with it. */
export async function closed() {
  while (ownSteps > 0) await new Promise((resolve) => resolvers.push(() => resolve(undefined)));
}

/**
 * Makes a small dialog.
 *
 * @param {string} id of the dialog; that of its title ends with `-title`
 * @returns {HTMLDialogElement}
 */
export function makeDialog(id) {
  const dialog = Object.assign(document.createElement('dialog'), { id, className: 'small' });
  dialog.setAttribute('aria-labelledby', `${id}-title`);
  document.body.append(dialog);
  return dialog;
}
