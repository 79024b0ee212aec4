/** A short message at the foot of the page, with one action. */

import { html, nothing, render } from 'lit-html';
import { elementById } from './element.js';

const SHOWN_MS = 8000;

const place = elementById('toast', HTMLElement);
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;

/**
 * @param {string} text
 * @param {{ label: string, run: () => void }} [action]
 */
export function toast(text, action) {
  const button = action
    ? html`<button class="quiet" type="button" @click=${() => {
        hide();
        action.run();
      }}>${action.label}</button>`
    : nothing;
  render(html`<p>${text}</p>${button}`, place);
  place.hidden = false;
  hideLater();
}

function hideLater() {
  clearTimeout(timer);
  timer = setTimeout(hide, SHOWN_MS);
}

function hide() {
  clearTimeout(timer);
  const hadFocus = place.contains(document.activeElement);
  place.hidden = true;
  if (hadFocus) /** @type {HTMLElement | null} */ (document.querySelector('dialog[open]'))?.focus();
}

// The message stays while the pointer or the focus is on it.
for (const type of ['pointerenter', 'focusin']) place.addEventListener(type, () => clearTimeout(timer));
for (const type of ['pointerleave', 'focusout']) place.addEventListener(type, hideLater);
