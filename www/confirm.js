/** The question before a create that costs more than one usually means to spend. */

import { html, render } from 'lit-html';
import { makeDialog, openModal } from './modal.js';

/** From this number of pictures on, a create is confirmed. */
const MANY_PICTURES = 5;
/** From this number of running generations on, the new one included, a create is confirmed. */
const MANY_RUNNING = 5;

/** @type {HTMLDialogElement | undefined} */
let dialog;

/**
 * Asks before a large create, or one of many.
 *
 * @param {number} pictures of the create
 * @param {number} running generations, without the new one
 * @param {string} [price] the price of the create, in words
 * @returns {Promise<boolean>} whether to send the create
 */
export async function confirmCreate(pictures, running, price) {
  const reasons = [
    pictures >= MANY_PICTURES && `This is one request for ${pictures} pictures.`,
    running + 1 >= MANY_RUNNING &&
      `${running} generations are running. This one makes it ${running + 1} at once.`,
    price,
  ];
  if (!reasons[0] && !reasons[1]) return true;
  const title = pictures > 1 ? `Make ${pictures} pictures?` : `Start generation ${running + 1}?`;
  const label = pictures > 1 ? `Make ${pictures} pictures` : 'Start it';
  dialog ??= makeDialog('confirm');
  return ask(dialog, title, reasons.filter(Boolean), label);
}

/**
 * @param {HTMLDialogElement} place
 * @param {string} title
 * @param {unknown[]} lines
 * @param {string} label of the button that confirms
 * @returns {Promise<boolean>}
 */
function ask(place, title, lines, label) {
  return new Promise((resolve) => {
    let isConfirmed = false;
    const confirm = () => {
      isConfirmed = true;
      place.close();
    };
    render(
      html`<h2 id="confirm-title">${title}</h2>
        ${lines.map((line) => html`<p class="note">${line}</p>`)}
        <footer>
          <button type="button" @click=${() => place.close()}>Cancel</button>
          <button class="primary" type="button" @click=${confirm}>${label}</button>
        </footer>`,
      place,
    );
    place.addEventListener('close', () => resolve(isConfirmed), { once: true });
    openModal(place);
  });
}
