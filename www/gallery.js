/**
 * The gallery of all kept pictures: rows by day. Only the tiles near the visible part are in the document, each at the
 * place that the layout gives it.
 */

import { html, nothing, render } from 'lit-html';
import { live } from 'lit-html/directives/live.js';
import { repeat } from 'lit-html/directives/repeat.js';
import { until } from 'lit-html/directives/until.js';
import { dayName, dayOf } from './days.js';
import { deleteWithUndo } from './deletions.js';
import { elementById } from './element.js';
import { clearFilters, filtered, isFiltering, offerFilters, setUpFilters } from './gallery-filters.js';
import {
  choose,
  chosenOr,
  drawSelection,
  endSelection,
  isChosen,
  isSelecting,
  setUpSelection,
  startSelection,
} from './gallery-selection.js';
import { icon } from './icon.js';
import { change, kept, onPictures, urlOf } from './pictures.js';
import { layOut } from './rows.js';
import { shapeOf } from './settings.js';
import { meta, short, tookTime } from './words.js';

/** The tiles above and below the visible part that are in the document, in screens. */
const AHEAD = 0.75;
/** Made once, because dozens of tiles are named at each scroll. */
const TIME = new Intl.DateTimeFormat('en', { dateStyle: 'medium', timeStyle: 'short' });

/** @typedef {import('./pictures.js').Picture} Picture */

/**
 * @typedef {object} GalleryCallbacks
 * @property {(pictures: Picture[], index: number) => void} onOpen
 * @property {(pictures: Picture[]) => void} onCompare two to four
 */

const view = elementById('gallery', HTMLElement);
const place = elementById('tiles', HTMLElement);
const counter = elementById('gallery-count', HTMLElement);
const summary = elementById('gallery-summary', HTMLElement);
const selectButton = elementById('select', HTMLButtonElement);

/** The index of the one tile in the order of the Tab key. */
let current = 0;
/** The picture from which a click with Shift chooses. @type {string | undefined} */
let anchor;
/** @type {Picture[]} */
let shown = [];
/** @type {ReturnType<typeof layOut>} */
let layout = layOut([], 1);
let layoutWidth = 0;
/** @type {GalleryCallbacks | undefined} */
let callbacks;

/** @param {GalleryCallbacks} galleryCallbacks */
export function showGallery(galleryCallbacks) {
  callbacks = galleryCallbacks;
  setUpSelection({ shown: () => shown, onChange: update, onCompare: callbacks.onCompare });
  onPictures(update);
  setUpFilters(() => {
    shown = [];
    current = 0;
    update();
  });
  selectButton.addEventListener('click', () => {
    startSelection([]);
    focusCurrent();
  });
  addEventListener('scroll', draw, { passive: true });
  new ResizeObserver(draw).observe(view);
  view.addEventListener('keydown', onKey);
  update();
}

/**
 * Selects pictures; none ends the selection.
 *
 * @param {Picture[]} pictures
 */
export function select(pictures) {
  if (pictures.length > 0) startSelection(pictures);
  else endSelection();
  update();
}

function update() {
  const isFocused = current > 0 || place.contains(document.activeElement);
  const before = isFocused ? shown[current]?.id : undefined;
  offerFilters(kept());
  shown = filtered(kept());
  // The focus stays with its picture when others are added or removed before it.
  const same = shown.findIndex(({ id }) => id === before);
  current = same >= 0 ? same : Math.max(0, Math.min(current, shown.length - 1));
  layoutWidth = 0;
  const total = kept().length;
  counter.textContent = total > 0 ? total.toLocaleString('en') : '';
  view.classList.toggle('empty-gallery', total === 0);
  summary.textContent = isFiltering()
    ? `${shown.length.toLocaleString('en')} of ${total.toLocaleString('en')}`
    : '';
  drawSelection(kept());
  draw();
}

/** @param {Picture} picture */
function shape({ width, height, request }) {
  return width && height ? { width, height } : shapeOf(request);
}

function measure() {
  const width = place.clientWidth;
  if (width === layoutWidth || width === 0) return;
  layoutWidth = width;
  const pictures = shown.map((picture) => {
    const { width, height } = shape(picture);
    return { ratio: width / height, day: dayOf(picture.at) };
  });
  layout = layOut(pictures, width);
}

function draw() {
  if (view.hidden || !callbacks) return;
  measure();
  const { boxes, days, height } = layout;
  const top = -place.getBoundingClientRect().top;
  const [from, to] = [top - innerHeight * AHEAD, top + innerHeight * (1 + AHEAD)];
  /** @type {Map<number, number[]>} the indices of the tiles in the document, by day */
  const tiles = new Map();
  for (const [index, box] of boxes.entries()) {
    // The tile with the focus must stay.
    if (index !== current && (box.top + box.height < from || box.top > to)) continue;
    tiles.set(box.day, [...(tiles.get(box.day) ?? []), index]);
  }
  const hadFocus = place.contains(document.activeElement);
  const now = Date.now();
  render(
    shown.length > 0
      ? html`<div class="days" .style=${`height: ${height}px`}>${repeat(
          tiles,
          ([day]) => dayOf(shown[days[day].first].at),
          ([day, indices]) => section(days[day], indices, now),
        )}</div>`
      : empty(),
    place,
  );
  place.classList.toggle('selecting', isSelecting());
  // A tile loses the focus when it moves among its siblings.
  if (hadFocus && !place.contains(document.activeElement)) currentTile()?.focus({ preventScroll: true });
}

/** @returns {HTMLElement | null} */
const currentTile = () => place.querySelector(`[data-index="${current}"]`);

/**
 * @param {import('./rows.js').Day} day
 * @param {number[]} indices
 * @param {number} now
 */
function section(day, indices, now) {
  const { at } = shown[day.first];
  const id = `day-${dayOf(at)}`;
  return html`<section aria-labelledby=${id} .style=${`transform: translateY(${day.top}px)`}>
    <h3 id=${id}>${dayName(at, now)}</h3>
    <ul>${repeat(
      indices,
      (index) => shown[index].id,
      (index) => tile(shown[index], index, day),
    )}</ul>
  </section>`;
}

/**
 * A name that tells a picture from the others of its prompt.
 *
 * @param {Picture} picture
 */
function nameOf({ request, at, index, count }) {
  const number = count > 1 ? `${index + 1} of ${count}` : undefined;
  return [short(request.prompt, 120), number, request.model, TIME.format(at)].filter(Boolean).join(', ');
}

/**
 * @param {Picture} picture
 * @param {number} index
 * @param {import('./rows.js').Day} day
 */
function tile(picture, index, day) {
  const { request, width, url, ms, favourite, sources } = picture;
  const { left, top, width: boxWidth, height } = layout.boxes[index];
  const style = `width: ${boxWidth}px; height: ${height}px; transform: translate(${left}px, ${top - day.top}px)`;
  const isPicked = isChosen(picture);
  const size = shape(picture);
  const stop = index === current ? 0 : -1;
  const words = short(request.prompt);
  return html`<li class=${isPicked ? 'picked' : ''} .style=${style} aria-setsize=${day.end - day.first}
    aria-posinset=${index - day.first + 1}>
    <button class="open" type="button" data-index=${index} tabindex=${stop} aria-label=${nameOf(picture)}
      aria-pressed=${isSelecting() ? `${isPicked}` : nothing}
      @click=${(/** @type {MouseEvent} */ event) => pick(index, event)} @focus=${() => moveTo(index)}>
      ${
        width || url
          ? html`<img src=${until(urlOf(picture, 'thumbnails'), nothing)} alt="" width=${size.width}
              height=${size.height} decoding="async">`
          : icon('problem')
      }
    </button>
    <input class="pick" type="checkbox" tabindex=${stop} aria-label=${`Select ${words}`} title="Select (X)" .checked=${live(isPicked)}
      @click=${(/** @type {MouseEvent} */ event) => toggle(index, event.shiftKey)} @focus=${() => moveTo(index)}>
    <button class="star" type="button" tabindex=${stop} aria-pressed=${Boolean(favourite)}
      aria-label=${`Favourite: ${words}`} title="Favourite (F)"
      @click=${() => star(picture)} @focus=${() => moveTo(index)}>${icon('star')}</button>
    <p class="facts" aria-hidden="true"><span dir="auto">${request.prompt}</span>
      <small>${meta({ ...request, n: undefined }, sources)} · ${tookTime(ms)}</small></p>
  </li>`;
}

function empty() {
  if (kept().length > 0) {
    return html`<div class="nothing">
      <p>No picture matches.</p>
      <button type="button" @click=${showAll}>Show all pictures</button>
    </div>`;
  }
  return html`<div class="empty">
    <svg viewBox="0 0 32 32" aria-hidden="true"><use href="#lemon"></use></svg>
    <h2>No pictures yet</h2>
    <p>Your pictures are kept here, in this browser.</p>
    <p><a href="#" class="button" data-view="create">Make the first one</a></p>
  </div>`;
}

function showAll() {
  clearFilters();
  update();
  focusCurrent();
}

/** @param {number} index */
function moveTo(index) {
  if (index === current) return;
  current = index;
  draw();
}

/**
 * @param {number} index
 * @param {MouseEvent} event
 */
function pick(index, { shiftKey, ctrlKey, metaKey }) {
  current = index;
  if (isSelecting() || shiftKey || ctrlKey || metaKey) toggle(index, shiftKey);
  else callbacks?.onOpen(shown, index);
}

/**
 * Chooses a picture or takes it out; with Shift, all from the last one to this one.
 *
 * @param {number} index
 * @param {boolean} [isRange]
 */
function toggle(index, isRange = false) {
  current = index;
  const picture = shown[index];
  const from = isRange ? shown.findIndex(({ id }) => id === anchor) : -1;
  anchor = picture.id;
  if (from >= 0) choose(shown.slice(Math.min(from, index), Math.max(from, index) + 1), true);
  else choose([picture], !isChosen(picture));
}

/** @param {Picture} picture */
const star = (picture) => change([picture], { favourite: !picture.favourite });

/**
 * The tile above or below the current one.
 *
 * @param {1 | -1} by
 */
function inNextRow(by) {
  const { boxes } = layout;
  const { row, left, width } = boxes[current];
  const centre = left + width / 2;
  let best = current;
  let least = Number.POSITIVE_INFINITY;
  for (const [index, box] of boxes.entries()) {
    if (box.row !== row + by) continue;
    const distance = Math.abs(box.left + box.width / 2 - centre);
    if (distance < least) [best, least] = [index, distance];
  }
  return best;
}

/**
 * The first tile a screen above or below the current one.
 *
 * @param {1 | -1} by
 */
function inNextScreen(by) {
  const { boxes } = layout;
  const top = boxes[current].top + by * innerHeight;
  const index = boxes.findIndex((box) => box.top >= top);
  return index >= 0 ? index : boxes.length - 1;
}

/**
 * Moves between the tiles, those outside the document included.
 *
 * @param {KeyboardEvent} event
 */
function onKey(event) {
  if (event.key === 'Escape' && isSelecting()) {
    endSelection();
    focusCurrent();
    event.preventDefault();
    return;
  }
  const picture = shown[current];
  if (!picture || !place.contains(/** @type {Node} */ (event.target))) return;
  const isCommand = event.ctrlKey || event.metaKey;
  /** @type {Record<string, () => unknown>} */
  const actions = isCommand
    ? { a: () => choose(shown, true) }
    : {
        ArrowLeft: () => current - 1,
        ArrowRight: () => current + 1,
        ArrowUp: () => inNextRow(-1),
        ArrowDown: () => inNextRow(1),
        PageUp: () => inNextScreen(-1),
        PageDown: () => inNextScreen(1),
        Home: () => 0,
        End: () => shown.length - 1,
        x: () => toggle(current, event.shiftKey),
        f: () => star(picture),
        Delete: () => void deleteWithUndo(chosenOr(picture)).then(focusCurrent),
      };
  const action = event.altKey
    ? undefined
    : actions[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (!action) return;
  event.preventDefault();
  const target = action();
  if (typeof target !== 'number') return;
  current = Math.max(0, Math.min(target, shown.length - 1));
  focusCurrent();
}

/**
 * Moves the focus to the tile of a picture.
 *
 * @param {Picture} picture
 */
export function focusOn(picture) {
  const index = shown.findIndex(({ id }) => id === picture.id);
  if (index >= 0) current = index;
  focusCurrent();
}

function focusCurrent() {
  draw();
  const button = currentTile() ?? selectButton;
  button.focus({ preventScroll: true });
  button.scrollIntoView({ block: 'nearest' });
}
