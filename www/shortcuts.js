/** The dialog of keyboard shortcuts. */

import { html, render } from 'lit-html';
import { icon } from './icon.js';
import { makeDialog, openModal } from './modal.js';

const COMMAND = /mac|iphone|ipad/i.test(navigator.platform) ? '⌘' : 'Ctrl';

/** @type {[title: string, rows: [keys: string[], meaning: string][]][]} */
const GROUPS = [
  [
    'Form',
    [
      [[COMMAND, 'Enter'], 'Generate'],
      [['↑', '↓'], 'Earlier prompts, in the empty field'],
      [[COMMAND, 'V'], 'Add a copied picture as a reference'],
    ],
  ],
  [
    'Gallery',
    [
      [['←', '→', '↑', '↓'], 'Move'],
      [['Enter'], 'Open'],
      [['X'], 'Select'],
      [[COMMAND, 'A'], 'Select all'],
      [['F'], 'Favourite'],
      [['Delete'], 'Delete'],
    ],
  ],
  [
    'Full view',
    [
      [['←', '→'], 'Previous, next'],
      [['+', '−', '0', '1'], 'Zoom in, out, fit, real pixels'],
      [['F'], 'Favourite'],
      [['Delete'], 'Delete'],
      [['Esc'], 'Close'],
    ],
  ],
  [
    'Mask',
    [
      [['←', '→', '↑', '↓'], 'Move the brush, with Shift in large steps'],
      [['Space'], 'Paint, with the arrow keys a stroke'],
      [['[', ']'], 'Smaller, larger brush'],
      [[COMMAND, 'Z'], 'Undo'],
    ],
  ],
  [
    'Everywhere',
    [
      [['F8'], 'The button of the latest message'],
      [['?'], 'This list'],
    ],
  ],
];

/** @type {HTMLDialogElement | undefined} */
let dialog;

export function showShortcuts() {
  dialog ??= makeDialog('shortcuts');
  const place = dialog;
  render(
    html`<header>
        <h2 id="shortcuts-title">Keyboard shortcuts</h2>
        <button class="quiet tool" type="button" aria-label="Close" @click=${() => place.close()}>${icon('close')}</button>
      </header>
      ${GROUPS.map(
        ([title, rows]) => html`<h3>${title}</h3>
          <dl>${rows.map(
            ([keys, meaning]) =>
              html`<div><dt>${keys.map((key) => html`<kbd>${key}</kbd>`)}</dt><dd>${meaning}</dd></div>`,
          )}</dl>`,
      )}`,
    place,
  );
  openModal(place);
}
