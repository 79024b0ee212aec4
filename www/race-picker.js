/** The choice of models for a race, in the form: chips from the service's list, and one button that starts all lanes. */

import { html, nothing, render } from 'lit-html';
import { isEmbedded } from './config.js';
import { elementById } from './element.js';
import { priceOfAll } from './form-model.js';
import { DOCUMENTED, loadModels } from './models.js';
import { fitTo } from './race-request.js';

const MIN = 2;
const MAX = 6;

const form = elementById('form', HTMLFormElement);
const section = elementById('race', HTMLDetailsElement);
const place = /** @type {HTMLElement} */ (section.lastElementChild);
/** @type {Record<string, HTMLInputElement>} */
const controls = /** @type {any} */ (form.elements);

let models = DOCUMENTED;
/** The chosen models, in the order of their lanes. @type {string[]} */
let chosen = [];
/** The names of the chips. @type {string[]} */
let shown = [];
let text = '';
/** Whether the form is sent by the button of the race. */
let isPressed = false;
let isRace = false;

export function setUpRacePicker() {
  section.addEventListener('toggle', () => {
    if (!section.open) return changed();
    if (chosen.length === 0) chosen = [controls.model.value.trim()].filter(Boolean);
    arrange();
    // Its button may be below the window.
    if (section.contains(document.activeElement)) section.scrollIntoView({ block: 'nearest' });
  });
  section.addEventListener('toggle', load, { once: true });
  form.addEventListener('input', draw);
  form.addEventListener(
    'submit',
    () => {
      isRace = isPressed;
      isPressed = false;
    },
    { capture: true },
  );
}

/** Replaces the documented models with the service's list. Where it cannot be loaded, any name works. */
async function load() {
  try {
    models = await loadModels();
    arrange();
  } catch {
    section.addEventListener('toggle', load, { once: true });
  }
}

/**
 * Chooses the models of an earlier race.
 *
 * @param {string[]} names
 */
export function chooseModels(names) {
  chosen = names.slice(0, MAX);
  section.open = true;
  arrange();
  changed();
}

/** Has the form look at its settings again, and the picker draw itself. */
const changed = () => void form.dispatchEvent(new Event('input'));

/**
 * Whether the press under way starts a race.
 *
 * @param {boolean} [isSent] without a press: whether the person is about to start one
 */
export const isRacing = (isSent = true) => isRace || (!isSent && section.open && chosen.length >= MIN);

/**
 * The requests of the race that the form was sent for.
 *
 * @param {import('lemondata-wasm').ImageRequest} request of the form
 * @returns {import('lemondata-wasm').ImageRequest[] | undefined} undefined where it was sent for one generation
 */
export function raceRequests(request) {
  if (!isRace) return undefined;
  isRace = false;
  return chosen.map((model) => fitTo(request, model, models));
}

/** @param {string} model */
function toggle(model) {
  chosen = chosen.includes(model)
    ? chosen.filter((other) => other !== model)
    : [...chosen, model].slice(0, MAX);
  changed();
}

/** Lists the chosen models first, then those that match the text. A chip keeps its place while it has the focus. */
function arrange() {
  const words = text.toLowerCase().split(/[\s-]+/);
  const names = models.map(({ id }) => id);
  const found = names.filter((name) => words.every((word) => name.toLowerCase().includes(word)));
  shown = [...new Set([...chosen, ...found])];
  draw();
}

function draw() {
  if (!section.open) return;
  const isFull = chosen.length >= MAX;
  render(
    html`<div class="field">
        <label for="race-filter">Models <small>${MIN} to ${MAX}</small></label>
        <input id="race-filter" type="search" placeholder="Find or name a model" .value=${text} autocapitalize="off"
          spellcheck="false" @input=${(/** @type {InputEvent} */ event) => {
            text = /** @type {HTMLInputElement} */ (event.target).value;
            arrange();
          }} @keydown=${addTyped}>
      </div>
      <ul class="chips" aria-label="Models of the race">${shown.map((name) => {
        const isChosen = chosen.includes(name);
        return html`<li><button type="button" aria-pressed=${`${isChosen}`} ?disabled=${isFull && !isChosen}
          @click=${() => toggle(name)}>${name}</button></li>`;
      })}</ul>
      ${shown.length === chosen.length && text.trim() ? html`<p class="note">Press Enter to add “${text.trim()}”.</p>` : nothing}
      <button type="button" class="start" ?disabled=${chosen.length < MIN} @click=${() => {
        isPressed = true;
        form.requestSubmit();
      }}>Race ${chosen.length} ${chosen.length === 1 ? 'model' : 'models'}</button>
      <p class="note" role="status">${chosen.length < MIN ? `Choose ${MIN} to ${MAX} models.` : costs()}</p>`,
    place,
  );
}

/** How many pictures a press buys, and for how much. */
function costs() {
  const n = Number(controls.n.value) || 1;
  const number = chosen.length * n;
  const price = priceOfAll(
    chosen.map((model) => ({ prompt: '', model, n })),
    models,
  );
  return [
    isEmbedded ? `${number} pictures.` : `One press buys ${number} pictures.`,
    price,
    isEmbedded && 'The test server bills nothing.',
  ]
    .filter(Boolean)
    .join(' ');
}

/** @param {KeyboardEvent} event */
function addTyped(event) {
  if (event.key !== 'Enter' || event.ctrlKey || event.metaKey) return;
  // The form must not be sent.
  event.preventDefault();
  const name = text.trim();
  if (!name) return;
  text = '';
  const known = models.find(({ id }) => id.toLowerCase() === name.toLowerCase())?.id ?? name;
  if (!chosen.includes(known)) toggle(known);
  arrange();
}
