/** The dialog of keyboard shortcuts, opened by `?` or its button. */

import { elementById } from './element.js';
import { makeDialog, openModal } from './modal.js';
import { toast } from './toast.js';

/** @type {HTMLDialogElement | undefined} */
let dialog;

async function show() {
  dialog ??= makeDialog('shortcuts');
  try {
    const { showList } = await import('./shortcut-list.js');
    showList(dialog);
    openModal(dialog);
  } catch {
    toast('The list cannot be loaded: is the server there?');
  }
}

export function setUpShortcuts() {
  elementById('show-shortcuts', HTMLElement).addEventListener('click', show);
  document.addEventListener('keydown', (event) => {
    const { target, key, ctrlKey, metaKey, altKey, repeat } = event;
    if (key !== '?' || ctrlKey || metaKey || altKey || repeat) return;
    const field =
      target instanceof Element && target.closest('input:not([type=radio]), textarea, [contenteditable]');
    if (field || document.querySelector('dialog:modal')) return;
    event.preventDefault();
    show();
  });
}
