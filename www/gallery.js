/**
 * The gallery of all kept pictures. Only the tiles near the visible part are in the document, each at the place that
 * the number of its picture gives it.
 */

import { html, nothing, render } from 'lit-html';
import { repeat } from 'lit-html/directives/repeat.js';
import { until } from 'lit-html/directives/until.js';
import { elementById } from './element.js';
import { icon } from './icon.js';
import { kept, onPictures, urlOf } from './pictures.js';
import { shapeOf } from './settings.js';
import { short } from './words.js';

const MIN_TILE = 150;
const MAX_TILE = 240;
const GAP = 12;
/** The tiles above and below the visible part that are in the document, in screens. */
const AHEAD = 0.75;

/** @typedef {import('./pictures.js').Picture} Picture */

/**
 * @typedef {object} GalleryCallbacks
 * @property {(pictures: Picture[], index: number) => void} onOpen
 * @property {(two: Picture[]) => void} onCompare
 * @property {(picture: Picture) => Promise<void>} onDiscard
 */

const view = elementById('gallery', HTMLElement);
const place = elementById('tiles', HTMLElement);
const search = elementById('search', HTMLInputElement);
const counter = elementById('gallery-count', HTMLElement);
const summary = elementById('gallery-summary', HTMLElement);
const compareButton = elementById('compare', HTMLButtonElement);

/** The index of the one tile in the tab order. */
let current = 0;
/** @type {Picture[]} */
let filtered = [];
/** @type {Picture[] | undefined} the chosen pictures, while the person chooses two */
let chosen;
/** @type {GalleryCallbacks | undefined} */
let callbacks;

/** @param {GalleryCallbacks} galleryCallbacks */
export function showGallery(galleryCallbacks) {
  callbacks = galleryCallbacks;
  onPictures(update);
  search.addEventListener('input', () => {
    filtered = [];
    current = 0;
    update();
  });
  compareButton.addEventListener('click', () => choose(chosen ? undefined : []));
  addEventListener('scroll', draw, { passive: true });
  new ResizeObserver(draw).observe(view);
  place.addEventListener('keydown', onKey);
  update();
}

/**
 * Starts or ends the choice of two pictures.
 *
 * @param {Picture[] | undefined} pictures already chosen; undefined ends the choice
 */
export function choose(pictures) {
  chosen = pictures;
  update();
}

function update() {
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  /** @param {Picture} picture */
  const isFound = ({ request }) => {
    const text = `${request.prompt} ${request.model ?? ''}`.toLowerCase();
    return words.every((word) => text.includes(word));
  };
  const isSelected = current > 0 || place.contains(document.activeElement);
  const before = isSelected ? filtered[current]?.id : undefined;
  filtered = words.length > 0 ? kept().filter(isFound) : kept();
  // The selection stays with its picture when others are added or removed before it.
  const same = filtered.findIndex(({ id }) => id === before);
  current = same >= 0 ? same : Math.max(0, Math.min(current, filtered.length - 1));
  const total = kept().length;
  counter.textContent = total > 0 ? total.toLocaleString('en') : '';
  compareButton.disabled = total < 2;
  compareButton.setAttribute('aria-pressed', `${Boolean(chosen)}`);
  view.classList.toggle('empty-gallery', total === 0);
  summary.textContent = chosen
    ? chosen.length === 0
      ? 'Choose two pictures to compare.'
      : 'Choose one more.'
    : words.length > 0
      ? `${filtered.length.toLocaleString('en')} of ${total.toLocaleString('en')}`
      : '';
  draw();
}

/** The number of tiles in a row, and their size. */
function measure() {
  const width = place.clientWidth;
  const columns = Math.max(2, Math.ceil((width + GAP) / (MAX_TILE + GAP)));
  const fitting = Math.max(2, Math.floor((width + GAP) / (MIN_TILE + GAP)));
  const count = Math.min(columns, fitting);
  return { columns: count, side: (width - GAP * (count - 1)) / count };
}

function draw() {
  if (view.hidden || !callbacks) return;
  const { columns, side } = measure();
  const step = side + GAP;
  const rows = Math.ceil(filtered.length / columns);
  const top = -place.getBoundingClientRect().top;
  const first = Math.max(0, Math.floor((top - innerHeight * AHEAD) / step)) * columns;
  const last = Math.min(filtered.length, Math.ceil((top + innerHeight * (1 + AHEAD)) / step) * columns);
  const indices = [];
  for (let index = first; index < last; index += 1) indices.push(index);
  // The tile with the focus must stay.
  if (filtered.length > 0 && !indices.includes(current)) {
    if (current < first) indices.unshift(current);
    else indices.push(current);
  }
  /** @param {number} index */
  const position = (index) =>
    `width: ${side}px; height: ${side}px; ` +
    `transform: translate(${(index % columns) * step}px, ${Math.floor(index / columns) * step}px)`;
  const hadFocus = place.contains(document.activeElement);
  render(
    filtered.length > 0
      ? html`<ul .style=${`height: ${rows * step - GAP}px`}>${repeat(
          indices,
          (index) => filtered[index].id,
          (index) => tile(filtered[index], index, position(index)),
        )}</ul>`
      : empty(),
    place,
  );
  // A tile loses the focus when it moves among its siblings.
  if (hadFocus && !place.contains(document.activeElement)) currentTile()?.focus({ preventScroll: true });
}

/** @returns {HTMLElement | null} */
const currentTile = () => place.querySelector(`[data-index="${current}"]`);

/**
 * @param {Picture} picture
 * @param {number} index
 * @param {string} style
 */
function tile(picture, index, style) {
  const { request, width, height, url } = picture;
  const order = (chosen ?? []).findIndex(({ id }) => id === picture.id);
  const shape = width ? { width, height } : shapeOf(request);
  return html`<li .style=${style} aria-setsize=${filtered.length} aria-posinset=${index + 1}>
    <button type="button" data-index=${index} tabindex=${index === current ? 0 : -1}
      aria-label=${short(request.prompt, 120)} aria-pressed=${chosen ? `${order >= 0}` : nothing}
      @click=${() => pick(index)} @focus=${() => select(index)}>
      ${
        width || url
          ? html`<img src=${until(urlOf(picture, 'thumbnails'), nothing)} alt="" width=${shape.width}
              height=${shape.height} decoding="async">`
          : icon('problem')
      }
      ${order >= 0 ? html`<span class="order" data-order=${order + 1}></span>` : nothing}
    </button>
  </li>`;
}

function empty() {
  return kept().length > 0
    ? html`<p class="nothing">No picture has these words in its prompt.</p>`
    : html`<div class="empty">
        <svg viewBox="0 0 32 32" aria-hidden="true"><use href="#lemon"></use></svg>
        <h2>No pictures yet</h2>
        <p>Your pictures are kept here, in this browser.</p>
        <p><a href="#" class="button" data-view="create">Make the first one</a></p>
      </div>`;
}

/** @param {number} index */
function select(index) {
  if (index === current) return;
  current = index;
  draw();
}

/** @param {number} index */
function pick(index) {
  current = index;
  const picture = filtered[index];
  if (!chosen) return callbacks?.onOpen(filtered, index);
  const rest = chosen.filter(({ id }) => id !== picture.id);
  chosen = rest.length < chosen.length ? rest : [...chosen, picture];
  if (chosen.length === 2) {
    const two = chosen;
    chosen = undefined;
    callbacks?.onCompare(two);
  }
  return update();
}

/**
 * Moves between the tiles, those outside the document included.
 *
 * @param {KeyboardEvent} event
 */
function onKey(event) {
  const { columns, side } = measure();
  const page = Math.max(1, Math.floor(innerHeight / (side + GAP))) * columns;
  /** @type {Record<string, number>} */
  const targets = {
    ArrowLeft: current - 1,
    ArrowRight: current + 1,
    ArrowUp: current - columns,
    ArrowDown: current + columns,
    PageUp: current - page,
    PageDown: current + page,
    Home: 0,
    End: filtered.length - 1,
  };
  const target = targets[event.key];
  if (event.key === 'Delete' && filtered[current]) {
    callbacks?.onDiscard(filtered[current]).then(focusCurrent);
  } else if (event.key === 'Escape' && chosen) choose(undefined);
  else if (target === undefined) return;
  else {
    const most = filtered.length - 1;
    // The last row may be shorter than the one above it.
    const isVertical = event.key === 'ArrowUp' || event.key === 'ArrowDown';
    if (
      isVertical &&
      (target < 0 || (target > most && Math.floor(current / columns) === Math.floor(most / columns)))
    )
      return;
    current = Math.max(0, Math.min(target, most));
    focusCurrent();
  }
  event.preventDefault();
}

/**
 * Moves the focus to the tile of a picture.
 *
 * @param {Picture} picture
 */
export function focusOn(picture) {
  const index = filtered.findIndex(({ id }) => id === picture.id);
  if (index >= 0) current = index;
  focusCurrent();
}

function focusCurrent() {
  draw();
  const button = currentTile();
  button?.focus({ preventScroll: true });
  button?.scrollIntoView({ block: 'nearest' });
}
