/** Opens the dialog of keyboard shortcuts, by `?` or its button. */

import { elementById } from './element.js';
import { showShortcuts } from './on-demand.js';

export function listenForShortcuts() {
  elementById('show-shortcuts', HTMLElement).addEventListener('click', showShortcuts);
  document.addEventListener('keydown', (event) => {
    const { target, key, ctrlKey, metaKey, altKey, repeat } = event;
    if (key !== '?' || ctrlKey || metaKey || altKey || repeat) return;
    const field =
      target instanceof Element && target.closest('input:not([type=radio]), textarea, [contenteditable]');
    if (field || document.querySelector('dialog:modal')) return;
    event.preventDefault();
    showShortcuts();
  });
}
