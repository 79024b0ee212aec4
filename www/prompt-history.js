/** The last prompts, for the arrow keys in the empty field and for a list. They stay in this browser. */

import { html, render } from 'lit-html';
import { elementById } from './element.js';
import { short } from './words.js';

const KEY = 'lemondata-studio-prompts';
const MOST = 30;
/** As many as the list shows without being in the way. */
const LISTED = 10;

const field = elementById('prompt', HTMLTextAreaElement);
const button = elementById('earlier', HTMLButtonElement);
const list = elementById('prompts', HTMLElement);

/** @returns {string[]} the newest first */
function prompts() {
  try {
    const stored = JSON.parse(localStorage.getItem(KEY) ?? '[]');
    return Array.isArray(stored) ? stored.filter((text) => typeof text === 'string') : [];
  } catch {
    // A browser may refuse the storage.
    return [];
  }
}

/** @param {string} prompt */
export function recordPrompt(prompt) {
  const others = prompts().filter((text) => text !== prompt);
  try {
    localStorage.setItem(KEY, JSON.stringify([prompt, ...others].slice(0, MOST)));
  } catch {
    // Without storage, there is no history.
  }
  button.hidden = prompts().length === 0;
}

/** @param {(prompt: string) => void} onPick */
export function setUpPromptHistory(onPick) {
  /** The place of the shown prompt in the history; -1 where the person wrote it. */
  let place = -1;

  field.addEventListener('keydown', (event) => {
    const by = event.key === 'ArrowUp' ? 1 : event.key === 'ArrowDown' ? -1 : 0;
    if (by === 0 || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const all = prompts();
    if (field.value === '') place = -1;
    else if (field.value !== all[place]) return;
    const next = place + by;
    if (next < -1 || next >= all.length) return;
    event.preventDefault();
    place = next;
    field.value = all[place] ?? '';
    field.dispatchEvent(new Event('input', { bubbles: true }));
  });

  const show = (/** @type {boolean} */ isOpen) => {
    list.hidden = !isOpen;
    button.setAttribute('aria-expanded', `${isOpen}`);
  };
  const pick = (/** @type {string} */ prompt) => {
    show(false);
    onPick(prompt);
    field.focus();
  };
  button.hidden = prompts().length === 0;
  button.addEventListener('click', () => {
    const items = prompts()
      .slice(0, LISTED)
      .map(
        (prompt) =>
          html`<li><button class="quiet" type="button" dir="auto" @click=${() => pick(prompt)}>${short(prompt, 90)}</button></li>`,
      );
    render(items, list);
    show(list.hidden);
  });
  const row = /** @type {HTMLElement} */ (button.closest('.field'));
  row.addEventListener('focusout', ({ relatedTarget }) => {
    if (relatedTarget !== button && !list.contains(/** @type {Node | null} */ (relatedTarget))) show(false);
  });
  list.addEventListener('pointerdown', (event) => event.preventDefault());
  row.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape' || list.hidden) return;
    event.preventDefault();
    event.stopPropagation();
    show(false);
    button.focus();
  });
}
