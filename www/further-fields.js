/** The fields under “More settings”, made from their table. */

import { html, nothing, render } from 'lit-html';
import { combobox } from './combobox.js';
import { elementById } from './element.js';
import { icon } from './icon.js';
import { DEFAULTS, FURTHER, FURTHER_NAMES } from './settings.js';

/** Draws the fields into the form. */
export function showFurtherFields() {
  render(FURTHER_NAMES.map(field), elementById('further', HTMLElement));
  for (const name of FURTHER_NAMES) {
    const { suggestions } = FURTHER[name];
    if (suggestions) combobox(elementById(name, HTMLInputElement), suggestions);
  }
}

/** @param {import('./settings.js').FurtherName} name */
function field(name) {
  const { label, note, choices, suggestions, range } = FURTHER[name];
  const small = note ? html` <small>${note}</small>` : nothing;
  if (choices) {
    return html`<fieldset>
      <legend>${label}${small}</legend>
      <div class="choice">${choices.map(
        ([value, text]) => html`<label>
          <input type="radio" name=${name} value=${value} ?checked=${value === DEFAULTS[name]}><span>${text}</span>
        </label>`,
      )}</div>
    </fieldset>`;
  }
  const problem = `${name}-problem`;
  return html`<div class="field">
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
        : html`<input id=${name} name=${name} placeholder="default" inputmode=${range ? 'numeric' : 'text'}
            aria-describedby=${problem}>`
    }
    <p class="wrong" id=${problem}></p>
  </div>`;
}
