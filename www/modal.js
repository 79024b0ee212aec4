/** Dialogs above the page. Toasts and announcements move into the open one, because the page behind it is inert. */

import { elementById } from './element.js';

const companions = ['toast', 'announcer'].map((id) => elementById(id, HTMLElement));

const moveCompanions = () => (document.querySelector('dialog[open]') ?? document.body).append(...companions);

for (const dialog of document.querySelectorAll('dialog')) {
  dialog.addEventListener('close', moveCompanions);
  // A click on the backdrop has the dialog itself as its target.
  dialog.addEventListener('click', (event) => {
    if (event.target === dialog) dialog.close();
  });
}

/** @param {HTMLDialogElement} dialog */
export function openModal(dialog) {
  if (dialog.open) return;
  dialog.showModal();
  dialog.append(...companions);
}
