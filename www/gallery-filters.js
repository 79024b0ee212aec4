/** The filters of the gallery: words, a model, a time, favourites. */

import { html, render } from 'lit-html';
import { isIn, monthName, monthOf } from './days.js';
import { elementById } from './element.js';

const search = elementById('search', HTMLInputElement);
const model = elementById('gallery-model', HTMLSelectElement);
const time = elementById('gallery-time', HTMLSelectElement);
const favourites = elementById('favourites', HTMLButtonElement);

/** @typedef {import('./pictures.js').Picture} Picture */

const PERIODS = [
  ['', 'Any time'],
  ['1', 'Today'],
  ['7', 'Last 7 days'],
  ['30', 'Last 30 days'],
];

const isOn = () => favourites.getAttribute('aria-pressed') === 'true';

/** @param {() => void} changed */
export function setUpFilters(changed) {
  search.addEventListener('input', changed);
  model.addEventListener('change', changed);
  time.addEventListener('change', changed);
  favourites.addEventListener('click', () => {
    favourites.setAttribute('aria-pressed', `${!isOn()}`);
    changed();
  });
}

export const isFiltering = () => Boolean(search.value.trim() || model.value || time.value || isOn());

export function clearFilters() {
  for (const field of [search, model, time]) field.value = '';
  favourites.setAttribute('aria-pressed', 'false');
}

/**
 * Offers the models and months of some pictures.
 *
 * @param {Picture[]} pictures
 */
export function offerFilters(pictures) {
  const models = [...new Set(pictures.flatMap(({ request }) => request.model ?? []))].sort();
  const months = new Map(pictures.map(({ at }) => [monthOf(at), at]));
  // A choice stays, even when its last picture is gone: the gallery then says that nothing matches.
  if (model.value && !models.includes(model.value)) models.push(model.value);
  if (time.value.includes('-') && !months.has(time.value)) {
    months.set(time.value, Date.parse(`${time.value}-01T00:00`));
  }
  fill(model, [['', 'All models'], ...models.map((name) => [name, name])]);
  fill(time, [...PERIODS, ...[...months].map(([month, at]) => [month, monthName(at)])]);
}

/**
 * @param {HTMLSelectElement} select
 * @param {string[][]} options
 */
function fill(select, options) {
  const { value } = select;
  render(
    options.map(([each, label]) => html`<option value=${each}>${label}</option>`),
    select,
  );
  select.value = value;
}

/**
 * The pictures that match all filters.
 *
 * @param {Picture[]} pictures
 * @returns {Picture[]}
 */
export function filtered(pictures) {
  if (!isFiltering()) return pictures;
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  const now = Date.now();
  return pictures.filter(({ request, revised = '', at, favourite }) => {
    const text = `${request.prompt} ${revised} ${request.model ?? ''}`.toLowerCase();
    return (
      (!isOn() || favourite) &&
      (!model.value || request.model === model.value) &&
      isIn(at, time.value, now) &&
      words.every((word) => text.includes(word))
    );
  });
}
