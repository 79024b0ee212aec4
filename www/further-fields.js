/** The fields under “More settings”, made from their table. They follow the model. */

import { html, nothing, render } from 'lit-html';
import { combobox } from './combobox.js';
import { elementById } from './element.js';
import { takes } from './form-model.js';
import { icon } from './icon.js';
import { DEFAULTS, FURTHER, FURTHER_NAMES } from './settings.js';
import { usualSizes } from './sizes.js';
import { tiles } from './tiles.js';

/** @typedef {import('./settings.js').FurtherName} FurtherName */

/** @type {Partial<Record<FurtherName, ReturnType<typeof combobox>>>} */
const replaceSuggestions = {};

/** The ratios that are shown where the model names none. */
const RATIOS = ['1:1', '3:2', '2:3', '4:3', '3:4', '16:9', '9:16', '21:9'];
/** The values of `quality` that the documents name for a model. */
const QUALITIES = /** @type {Record<string, string[]>} */ ({
  'gpt-image-2': ['auto', 'low', 'medium', 'high'],
  'dall-e-3': ['standard', 'hd'],
});

/** @type {ReturnType<typeof tiles>} */
let showSizes;
/** @type {ReturnType<typeof tiles>} */
let showRatios;

/** Draws the fields into the form. */
export function showFurtherFields() {
  render(FURTHER_NAMES.map(field), elementById('further', HTMLElement));
  for (const name of FURTHER_NAMES) {
    const { suggestions } = FURTHER[name];
    if (suggestions) replaceSuggestions[name] = combobox(elementById(name, HTMLInputElement), suggestions);
  }
  showSizes = tiles(elementById('size', HTMLInputElement), elementById('size-tiles', HTMLElement));
  showRatios = tiles(
    elementById('aspect_ratio', HTMLInputElement),
    elementById('aspect_ratio-tiles', HTMLElement),
  );
}

/** The part of the form that has a field of the request. @param {string} name */
const partOf = (name) => /** @type {HTMLElement} */ (document.querySelector(`#form [data-field="${name}"]`));

/** Whether the model takes a field, so that the form shows it. @param {string} name */
export const isShown = (name) =>
  !document.querySelector(`#form [data-field="${name}"]`)?.hasAttribute('hidden');

/**
 * Shows the fields that a model takes, with its values.
 *
 * @param {string} id of the model
 * @param {import('./form-model.js').FormModel | undefined} model undefined where the service lists none of this name
 */
export function followModel(id, model) {
  for (const name of ['size', ...FURTHER_NAMES]) partOf(name).hidden = !takes(model, name);
  // The shape belongs to the first fields, and a model takes it by one name or the other.
  const hasSize = takes(model, 'size');
  const shape = elementById('shape', HTMLElement);
  const ratio = partOf('aspect_ratio');
  if (hasSize === (ratio.parentElement === shape)) {
    if (hasSize) elementById('further', HTMLElement).prepend(ratio);
    else shape.prepend(ratio);
  }
  showSizes(usualSizes(id));
  showRatios(['', ...(model?.ratios ?? RATIOS)]);
  suggest('resolution', model?.resolutions);
  suggest('quality', QUALITIES[id]);
}

/** @type {Partial<Record<FurtherName, string>>} */
const suggested = {};

/**
 * Replaces the suggestions of a field, unless they are the same.
 *
 * @param {FurtherName} name
 * @param {string[]} [values] default all that are documented
 */
function suggest(name, values) {
  const suggestions = values?.map((value) => ({ value })) ?? FURTHER[name].suggestions ?? [];
  const key = JSON.stringify(suggestions);
  if (suggested[name] === key) return;
  suggested[name] = key;
  replaceSuggestions[name]?.(suggestions);
}

/** Fills in another seed. */
function rollDice() {
  const seed = elementById('seed', HTMLInputElement);
  seed.value = `${crypto.getRandomValues(new Uint32Array(1))[0]}`;
  seed.dispatchEvent(new Event('input', { bubbles: true }));
}

/** @param {FurtherName} name */
function field(name) {
  const { label, note, choices, suggestions, range } = FURTHER[name];
  const small = note ? html` <small>${note}</small>` : nothing;
  if (choices) {
    return html`<fieldset data-field=${name}>
      <legend>${label}${small}</legend>
      <div class="choice">${choices.map(
        ([value, text]) => html`<label>
          <input type="radio" name=${name} value=${value} ?checked=${value === DEFAULTS[name]}><span>${text}</span>
        </label>`,
      )}</div>
    </fieldset>`;
  }
  const problem = `${name}-problem`;
  const plain = html`<input id=${name} name=${name} dir="auto" placeholder="default" inputmode=${range ? 'numeric' : 'text'}
    aria-describedby=${problem}>`;
  return html`<div class="field" data-field=${name}>
    <label for=${name}>${label}${small}</label>
    ${
      suggestions
        ? html`<div class="combo">
            <input id=${name} name=${name} placeholder="default" role="combobox" aria-expanded="false"
              aria-controls=${`${name}-options`} aria-autocomplete="list" autocapitalize="off" spellcheck="false"
              aria-describedby=${problem}>
            <button type="button" tabindex="-1" aria-label=${`Show values of ${label}`}>${icon('down')}</button>
            <div class="options" id=${`${name}-options`} role="listbox" aria-label=${label} hidden></div>
          </div>`
        : name === 'seed'
          ? html`<div class="combo">${plain}
              <button type="button" aria-label="Random seed" title="Random seed" @click=${rollDice}>${icon('dice')}</button>
            </div>`
          : plain
    }
    ${
      name === 'aspect_ratio'
        ? html`<div class="tiles" id="aspect_ratio-tiles" role="radiogroup" aria-label="Usual ratios"></div>`
        : nothing
    }
    <p class="wrong" id=${problem}></p>
  </div>`;
}
