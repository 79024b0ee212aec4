/** A text field with a list of suggestions, which takes any other text as well. */

import { elementById } from './element.js';

/**
 * @typedef {object} Suggestion
 * @property {string} value
 * @property {string} [note]
 */

/**
 * @param {HTMLInputElement} input its `aria-controls` names the list; the button that opens the list follows it
 * @param {Suggestion[]} suggestions
 * @returns {(suggestions: Suggestion[]) => void} a function that replaces the suggestions
 */
export function combobox(input, suggestions) {
  const list = elementById(input.getAttribute('aria-controls') ?? '', HTMLElement);
  const button = /** @type {HTMLButtonElement} */ (input.nextElementSibling);
  /** @type {HTMLDivElement[]} */
  let items = [];
  /** @type {HTMLDivElement | undefined} */
  let active;
  let isFiltered = false;

  /** @param {Suggestion[]} replacement */
  function replace(replacement) {
    items = replacement.map(({ value, note = '' }, index) => {
      const item = document.createElement('div');
      Object.assign(item, { id: `${list.id}-${index}`, role: 'option' });
      item.dataset.value = value;
      const name = Object.assign(document.createElement('span'), { textContent: value });
      item.append(name, Object.assign(document.createElement('small'), { textContent: note }));
      return item;
    });
    list.replaceChildren(...items);
    if (!list.hidden) open(isFiltered);
  }

  const visible = () => items.filter(({ hidden }) => !hidden);

  /** @param {HTMLElement} item */
  const valueOfItem = ({ dataset }) => dataset.value ?? '';

  /** @param {boolean} isByText whether the list has only the suggestions that match the text */
  function open(isByText) {
    isFiltered = isByText;
    const text = input.value.trim().toLowerCase();
    for (const item of items) {
      item.hidden = isFiltered && !valueOfItem(item).toLowerCase().includes(text);
      item.setAttribute('aria-selected', `${valueOfItem(item) === input.value}`);
    }
    list.hidden = visible().length === 0;
    input.setAttribute('aria-expanded', `${!list.hidden}`);
    activate(undefined);
  }

  function close() {
    list.hidden = true;
    input.setAttribute('aria-expanded', 'false');
    activate(undefined);
  }

  /** @param {HTMLDivElement | undefined} item */
  function activate(item) {
    active?.classList.remove('active');
    active = item;
    active?.classList.add('active');
    active?.scrollIntoView({ block: 'nearest' });
    if (active) input.setAttribute('aria-activedescendant', active.id);
    else input.removeAttribute('aria-activedescendant');
  }

  /** @param {HTMLDivElement} item */
  function choose(item) {
    input.value = valueOfItem(item);
    close();
    input.dispatchEvent(new Event('input', { bubbles: true }));
  }

  /** @param {-1 | 1} by */
  function step(by) {
    if (list.hidden) open(false);
    const choices = visible();
    const index = active ? choices.indexOf(active) : -1;
    const from = index < 0 && by < 0 ? 0 : index;
    activate(choices[(from + by + choices.length) % choices.length]);
  }

  input.addEventListener('input', (event) => {
    // The event of a choice is not trusted, and must not open the list again.
    if (event.isTrusted) open(true);
  });
  input.addEventListener('keydown', (event) => {
    if (event.key === 'ArrowDown') step(1);
    else if (event.key === 'ArrowUp') step(-1);
    else if (event.key === 'Enter' && active) choose(active);
    else if (event.key === 'Escape' && !list.hidden) close();
    else return;
    event.preventDefault();
  });
  input.addEventListener('blur', close);
  // The field keeps the focus, or the list would close before the click.
  list.addEventListener('pointerdown', (event) => event.preventDefault());
  list.addEventListener('click', ({ target }) => {
    const item = items.find((each) => each.contains(/** @type {Node} */ (target)));
    if (item) choose(item);
  });
  button.addEventListener('pointerdown', (event) => event.preventDefault());
  button.addEventListener('click', () => {
    if (!list.hidden) return close();
    input.focus();
    return open(false);
  });
  replace(suggestions);
  return replace;
}
