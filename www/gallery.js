/**
 * All kept pictures. Only the tiles near the screen are in the document, however many there are; each stands where
 * the number of its picture puts it.
 */

import { html, nothing, render } from 'lit-html';
import { repeat } from 'lit-html/directives/repeat.js';
import { until } from 'lit-html/directives/until.js';
import { icon } from './icon.js';
import { kept, onPictures, urlOf } from './pictures.js';
import { shapeOf } from './settings.js';
import { short } from './words.js';

const LEAST_TILE = 150;
const LARGEST_TILE = 240;
const GAP = 12;
/** How many screens of tiles are kept ready above and below. */
const AHEAD = 0.75;

const view = document.getElementById('gallery');
const place = document.getElementById('tiles');
const search = document.getElementById('search');
const counter = document.getElementById('gallery-count');
const summary = document.getElementById('gallery-summary');
const compareButton = document.getElementById('compare');

/** The tile that the Tab key leads to. */
let current = 0;
let filtered = [];
/** @type {import('./pictures.js').Picture[] | undefined} what is chosen, while two are being chosen */
let chosen;
let handlers;

/**
 * @param {object} given
 * @param {(pictures: import('./pictures.js').Picture[], index: number) => void} given.open
 * @param {(two: import('./pictures.js').Picture[]) => void} given.compare
 * @param {(picture: import('./pictures.js').Picture) => Promise<void>} given.discard
 */
export function showGallery(given) {
  handlers = given;
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

/** Starts choosing two pictures, perhaps with one, or ends it. */
export function choose(pictures) {
  chosen = pictures;
  update();
}

function update() {
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  const isFound = ({ request: { prompt, model = '' } }) => {
    const text = `${prompt} ${model}`.toLowerCase();
    return words.every((word) => text.includes(word));
  };
  const isOn = current > 0 || place.contains(document.activeElement);
  const before = isOn ? filtered[current]?.id : undefined;
  filtered = words.length > 0 ? kept().filter(isFound) : kept();
  // It stays with its picture, whatever has come or gone in front of that; else it is the newest.
  const same = filtered.findIndex(({ id }) => id === before);
  current = same >= 0 ? same : Math.max(0, Math.min(current, filtered.length - 1));
  const total = kept().length;
  counter.textContent = total > 0 ? total.toLocaleString('en') : '';
  compareButton.disabled = total < 2;
  compareButton.setAttribute('aria-pressed', `${Boolean(chosen)}`);
  view.classList.toggle('bare', total === 0);
  summary.textContent = chosen
    ? chosen.length === 0
      ? 'Choose two pictures to compare.'
      : 'Choose one more.'
    : words.length > 0
      ? `${filtered.length.toLocaleString('en')} of ${total.toLocaleString('en')}`
      : '';
  draw();
}

/** How many tiles are in a row, and how large they are. */
function measure() {
  const width = place.clientWidth;
  const columns = Math.max(2, Math.ceil((width + GAP) / (LARGEST_TILE + GAP)));
  const fitting = Math.max(2, Math.floor((width + GAP) / (LEAST_TILE + GAP)));
  const count = Math.min(columns, fitting);
  return { columns: count, side: (width - GAP * (count - 1)) / count };
}

function draw() {
  if (view.hidden || !handlers) return;
  const { columns, side } = measure();
  const step = side + GAP;
  const rows = Math.ceil(filtered.length / columns);
  const top = -place.getBoundingClientRect().top;
  const first = Math.max(0, Math.floor((top - innerHeight * AHEAD) / step)) * columns;
  const last = Math.min(filtered.length, Math.ceil((top + innerHeight * (1 + AHEAD)) / step) * columns);
  const indices = [];
  for (let index = first; index < last; index += 1) indices.push(index);
  // The focus must not vanish with its tile.
  if (filtered.length > 0 && !indices.includes(current)) {
    if (current < first) indices.unshift(current);
    else indices.push(current);
  }
  const at = (index) =>
    `width: ${side}px; height: ${side}px; ` +
    `transform: translate(${(index % columns) * step}px, ${Math.floor(index / columns) * step}px)`;
  const hadFocus = place.contains(document.activeElement);
  render(
    filtered.length > 0
      ? html`<ul .style=${`height: ${rows * step - GAP}px`}>${repeat(
          indices,
          (index) => filtered[index].id,
          (index) => tile(filtered[index], index, at(index)),
        )}</ul>`
      : empty(),
    place,
  );
  // A tile that has been moved among the others has lost it.
  if (hadFocus && !place.contains(document.activeElement)) currentTile()?.focus({ preventScroll: true });
}

const currentTile = () => place.querySelector(`[data-index="${current}"]`);

function tile(picture, index, style) {
  const { request, width, height, url } = picture;
  const order = chosen?.findIndex(({ id }) => id === picture.id);
  const shape = width ? { width, height } : shapeOf(request.size);
  return html`<li .style=${style} aria-setsize=${filtered.length} aria-posinset=${index + 1}>
    <button type="button" data-index=${index} tabindex=${index === current ? 0 : -1}
      aria-label=${short(request.prompt, 120)} aria-pressed=${chosen ? `${order >= 0}` : nothing}
      @click=${() => pick(index)} @focus=${() => focused(index)}>
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
        <p>What you generate is kept here, in this browser.</p>
        <p><a href="#" class="button" data-view="create">Make the first one</a></p>
      </div>`;
}

function focused(index) {
  if (index === current) return;
  current = index;
  draw();
}

function pick(index) {
  current = index;
  const picture = filtered[index];
  if (!chosen) return handlers.open(filtered, index);
  const rest = chosen.filter(({ id }) => id !== picture.id);
  chosen = rest.length < chosen.length ? rest : [...chosen, picture];
  if (chosen.length === 2) {
    const two = chosen;
    chosen = undefined;
    handlers.compare(two);
  }
  return update();
}

/** Arrow keys move between the tiles, wherever they are. */
function onKey(event) {
  const { columns, side } = measure();
  const page = Math.max(1, Math.floor(innerHeight / (side + GAP))) * columns;
  const target = {
    ArrowLeft: current - 1,
    ArrowRight: current + 1,
    ArrowUp: current - columns,
    ArrowDown: current + columns,
    PageUp: current - page,
    PageDown: current + page,
    Home: 0,
    End: filtered.length - 1,
  }[event.key];
  if (event.key === 'Delete' && filtered[current]) {
    handlers.discard(filtered[current]).then(focusCurrent);
  } else if (event.key === 'Escape' && chosen) choose(undefined);
  else if (target === undefined) return;
  else {
    const most = filtered.length - 1;
    // A row that is not full has no tile below each of the row above.
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

/** Puts the focus on a picture's tile, such as when its full view is closed. */
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
