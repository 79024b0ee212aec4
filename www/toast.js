/** A short message at the foot of the page, with one thing that can be done about it. */

import { html, nothing, render } from 'lit-html';

const SHOWN_MS = 8000;

const place = document.getElementById('toast');
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
  later();
}

function later() {
  clearTimeout(timer);
  timer = setTimeout(hide, SHOWN_MS);
}

function hide() {
  clearTimeout(timer);
  const hadFocus = place.contains(document.activeElement);
  place.hidden = true;
  if (hadFocus) document.querySelector('dialog[open]')?.focus();
}

// Whoever is about to use it has the time to.
for (const type of ['pointerenter', 'focusin']) place.addEventListener(type, () => clearTimeout(timer));
for (const type of ['pointerleave', 'focusout']) place.addEventListener(type, later);
