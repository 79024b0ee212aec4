/** The question before creates that cost more than one usually means to spend. */

import { html, nothing, render } from 'lit-html';
import { until } from 'lit-html/directives/until.js';
import { priceOfAll } from './form-model.js';
import { closed, makeDialog, openModal } from './modal.js';
import { loadModels } from './models.js';

/** @typedef {import('lemondata-wasm').ImageRequest} ImageRequest */

/** @type {HTMLDialogElement | undefined} */
let dialog;

/**
 * @param {ImageRequest[]} requests of one press
 * @param {{ pictures: number, before: number, isLarge: boolean, isMany: boolean }} reasons with the number of generations
 *   that are running
 * @returns {Promise<boolean>} whether to send them
 */
export function askBefore(requests, { pictures, before, isLarge, isMany }) {
  const { length } = requests;
  const lines = [
    isLarge &&
      (length > 1
        ? `These are ${length} requests, for ${pictures} pictures.`
        : `This is one request for ${pictures} pictures.`),
    isMany &&
      before > 0 &&
      `${before === 1 ? '1 generation is' : `${before} generations are`} running. ${length > 1 ? 'These make' : 'This one makes'} it ${before + length} at once.`,
  ];
  const isSeveral = pictures > 1;
  const title = isSeveral ? `Make ${pictures} pictures?` : `Start generation ${before + 1}?`;
  dialog ??= makeDialog('confirm');
  return ask(
    dialog,
    title,
    [...lines.filter(Boolean), price(requests)],
    isSeveral ? title.slice(0, -1) : 'Start it',
  );
}

/**
 * The price, as soon as the list of models tells it.
 *
 * @param {ImageRequest[]} requests
 */
const price = (requests) =>
  until(
    loadModels().then(
      (models) => priceOfAll(requests, models) ?? nothing,
      () => nothing,
    ),
    nothing,
  );

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
    openModal(place);
    place.addEventListener('close', () => closed().then(() => resolve(isConfirmed)), { once: true });
  });
}
