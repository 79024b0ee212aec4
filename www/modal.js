/** Dialogs above the page. What speaks to the person goes along: all else is inert behind them. */

const companions = ['toast', 'announcer'].map((id) => document.getElementById(id));

const gather = () => (document.querySelector('dialog[open]') ?? document.body).append(...companions);

for (const dialog of document.querySelectorAll('dialog')) {
  dialog.addEventListener('close', gather);
  // The backdrop belongs to the dialog, whose own parts cover all the rest of it.
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
