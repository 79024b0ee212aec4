/** The question before creates that cost more than one usually means to spend. */

import { html, nothing, render } from 'lit-html';
import { until } from 'lit-html/directives/until.js';
import { priceOfAll } from './form-model.js';
import { running } from './generation-list.js';
import { closed, makeDialog, openModal } from './modal.js';
import { loadModels } from './models.js';

/** From this number of pictures on, a press is confirmed. */
const MANY_PICTURES = 5;
/** From this number of running generations on, the new ones included, a press is confirmed. */
const MANY_RUNNING = 5;

/** @typedef {import('lemondata-wasm').ImageRequest} ImageRequest */

/** @type {HTMLDialogElement | undefined} */
let dialog;

/** @param {ImageRequest[]} requests */
export const picturesOf = (requests) => requests.reduce((sum, { n = 1 }) => sum + n, 0);

/**
 * Asks before a large create, or many at once.
 *
 * @param {ImageRequest[]} requests of one press
 * @returns {Promise<boolean>} whether to send them
 */
export async function confirmCreates(requests) {
  const { length } = requests;
  const pictures = picturesOf(requests);
  const before = running().length;
  const isLarge = pictures >= MANY_PICTURES;
  const isMany = before + length >= MANY_RUNNING;
  if (!isLarge && !isMany) return true;
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
