/**
 * A text field with a list of suggestions, which takes any other text as well: the combobox of ARIA 1.2. Typed words
 * match in any order, and without their dashes.
 */

import { elementById } from './element.js';

/**
 * @typedef {object} Suggestion
 * @property {string} value
 * @property {string} [note]
 */

/** @param {string} text */
const compact = (text) => text.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, '');

/**
 * How well a suggestion matches the typed text: 0 is best, `undefined` not at all.
 *
 * @param {string} value
 * @param {string} text
 */
function matchOf(value, text) {
  const whole = compact(value);
  const at = whole.indexOf(compact(text));
  if (at >= 0) return at === 0 ? 0 : 1;
  const words = text.split(/[^\p{L}\p{N}]+/u).filter(Boolean);
  return words.every((word) => whole.includes(compact(word))) ? 2 : undefined;
}

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
  /** Whether the list has only the suggestions that match the text. */
  let isFiltered = false;
  /** The text that Escape restores. */
  let before = '';

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
    active = undefined;
    if (list.hidden) list.replaceChildren(...items);
    else show();
  }

  /** @param {HTMLElement} item */
  const valueOfItem = ({ dataset }) => dataset.value ?? '';

  /** The suggestions that match the text, the best first. */
  function matches() {
    const text = input.value.trim();
    if (compact(text) === '') return items;
    const ranked = items.map((item) => ({ item, rank: matchOf(valueOfItem(item), text) ?? 3 }));
    return ranked
      .filter(({ rank }) => rank < 3)
      .sort((one, other) => one.rank - other.rank)
      .map(({ item }) => item);
  }

  const visible = () => /** @type {HTMLDivElement[]} */ ([...list.children]);
  const chosen = () => items.find((item) => valueOfItem(item) === input.value.trim());
  /** What Enter picks without an arrow key. */
  const best = () => (isFiltered && !list.hidden && !chosen() ? visible()[0] : undefined);

  function show() {
    list.replaceChildren(...(isFiltered ? matches() : items));
    for (const item of items) {
      item.classList.remove('best');
      item.setAttribute('aria-selected', `${item === chosen()}`);
    }
    const isSettled = isFiltered && list.childElementCount === 1 && Boolean(chosen());
    list.hidden = list.childElementCount === 0 || isSettled;
    input.setAttribute('aria-expanded', `${!list.hidden}`);
    activate(undefined);
    best()?.classList.add('best');
    if (!isFiltered) chosen()?.scrollIntoView({ block: 'nearest' });
  }

  function open() {
    before = input.value;
    isFiltered = false;
    show();
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

  /** @param {string} value */
  function set(value) {
    close();
    if (value === input.value) return;
    input.value = value;
    input.dispatchEvent(new Event('input', { bubbles: true }));
  }

  /** @param {-1 | 1} by */
  function step(by) {
    if (list.hidden) {
      open();
      const current = chosen();
      if (current) return activate(current);
    }
    const choices = visible();
    const index = active ? choices.indexOf(active) : -1;
    const from = index < 0 && by < 0 ? 0 : index;
    activate(choices[(from + by + choices.length) % choices.length]);
  }

  input.addEventListener('input', ({ isTrusted }) => {
    // The event of a choice is not trusted, and must not open the list again.
    if (!isTrusted) return;
    isFiltered = true;
    show();
  });
  input.addEventListener('focus', () => {
    before = input.value;
  });
  input.addEventListener('keydown', (event) => {
    const picked = active ?? best();
    if (event.key === 'ArrowDown') step(1);
    else if (event.key === 'ArrowUp') step(-1);
    else if (event.key === 'Enter' && picked && !event.ctrlKey && !event.metaKey) set(valueOfItem(picked));
    else if (event.key === 'Escape' && !list.hidden) set(before);
    else return;
    event.preventDefault();
    // Escape would close the dialog around the field, too.
    event.stopPropagation();
  });
  input.addEventListener('click', () => {
    if (!list.hidden) return;
    open();
    // Typing replaces the choice.
    input.select();
  });
  input.addEventListener('blur', () => {
    // No name has a space, so such a text stands for the name that it matches.
    const [match] = /\s/.test(input.value.trim()) ? matches() : [];
    if (match) set(valueOfItem(match));
    else close();
  });
  // The field keeps the focus, or the list would close before the click.
  list.addEventListener('pointerdown', (event) => event.preventDefault());
  list.addEventListener('click', ({ target }) => {
    const item = items.find((each) => each.contains(/** @type {Node} */ (target)));
    if (item) set(valueOfItem(item));
  });
  button.addEventListener('pointerdown', (event) => event.preventDefault());
  button.addEventListener('click', () => {
    if (!list.hidden) return close();
    input.focus();
    return open();
  });
  replace(suggestions);
  return replace;
}
