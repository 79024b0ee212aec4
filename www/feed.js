/** The generations, the newest first, and below them those that were stopped and may still be billed. */

import { html, nothing, render } from 'lit-html';
import { repeat } from 'lit-html/directives/repeat.js';
import { card, resumption, stake } from './card.js';
import { now } from './clock.js';
import { elementById } from './element.js';
import * as list from './generation-list.js';
import { isJournalLost } from './journal-storage.js';
import { onPictures } from './pictures.js';
import { raceCard } from './race-card.js';
import { dismissEnded, isRace, withRaces } from './races.js';
import { onRedraw, redraw } from './redraw.js';
import { meta } from './words.js';

/** Often enough for a countdown of seconds. */
const TICK_MS = 250;
/** Cards of earlier visits that are shown at once. */
const PAGE = 24;
/** The least width of a column, and the space between two. */
const COLUMN = 560;
const GAP = 24;

const feed = elementById('feed', HTMLElement);
const cards = elementById('cards', HTMLElement);
const empty = elementById('empty', HTMLElement);
/** @type {ReturnType<typeof setInterval> | undefined} */
let timer;
let shown = PAGE;
let columns = 1;
/** The columns of the cards. A card stays in its column when newer ones come. @type {Map<string, number>} */
const places = new Map();
/** A card without a picture is a row, of about this share of a card with one. */
const ROW = 0.3;

/** @param {import('./race-card.js').RaceCallbacks} callbacks */
export function showFeed(callbacks) {
  onRedraw(() => {
    const time = now();
    const items = withRaces(list.generations(), time);
    empty.hidden = items.length > 0;
    render(empty.hidden || list.archived().length > 0 ? content(items, time, callbacks) : nothing, cards);
    tick();
  });
  onPictures(redraw);
  document.addEventListener('visibilitychange', redraw);
  new ResizeObserver(([{ contentRect }]) => {
    const fitting = Math.max(1, Math.floor((contentRect.width + GAP) / (COLUMN + GAP)));
    if (fitting === columns) return;
    columns = fitting;
    places.clear();
    redraw();
  }).observe(feed);
}

/**
 * @param {ReturnType<typeof withRaces>} all
 * @param {number} time
 * @param {import('./race-card.js').RaceCallbacks} callbacks
 */
function content(all, time, callbacks) {
  const some = all.slice(0, shown);
  return html`${
    all.length > 0
      ? html`<header class="bar">
          <h2 tabindex="-1">Generations</h2>
          ${
            all.some((item) => !item.isRunning)
              ? html`<button class="quiet" type="button" @click=${() => {
                  dismissEnded(all);
                }}>Clear finished</button>`
              : nothing
          }
        </header>`
      : nothing
  }
    ${
      isJournalLost
        ? html`<p class="notice" role="status">This browser stores nothing for this page at the moment: what is running
            is forgotten when the page is closed.</p>`
        : nothing
    }
    ${repeat(
      rowsOf(some),
      ({ race, single }) => race?.id ?? single.at(-1)?.id,
      ({ race, single }) => (race ? raceCard(race, time, callbacks) : inColumns(single, time, callbacks)),
    )}
    ${
      all.length > some.length
        ? html`<p class="earlier"><button type="button" @click=${showEarlier}>Show earlier ones</button></p>`
        : nothing
    }
    ${archive()}`;
}

/**
 * A race takes the whole width, and the cards between two races stand in columns. The oldest card names its row, since
 * newer ones join it.
 *
 * @param {ReturnType<typeof withRaces>} items
 */
function rowsOf(items) {
  /** @type {{ race?: import('./races.js').Race, single: import('./generation.js').Generation[] }[]} */
  const rows = [];
  for (const item of items) {
    const last = rows.at(-1);
    if (isRace(item)) rows.push({ race: item, single: [] });
    else if (last && !last.race) last.single.push(item);
    else rows.push({ single: [item] });
  }
  return rows;
}

/**
 * @param {import('./generation.js').Generation[]} some
 * @param {number} time
 * @param {import('./card.js').CardCallbacks} callbacks
 */
const inColumns = (some, time, callbacks) =>
  html`<div class="columns">${place(some).map(
    (column) =>
      html`<div class="column">${repeat(
        column,
        ({ id }) => id,
        (generation) => card(generation, time, callbacks),
      )}</div>`,
  )}</div>`;

/**
 * Shares cards out among the columns: each new one to the shortest, and of equal ones to the first.
 *
 * @param {import('./generation.js').Generation[]} some the newest first
 */
function place(some) {
  // Cards that were dismissed must not leave a gap at the left.
  if (!some.some(({ id }) => places.get(id) === 0)) for (const { id } of some) places.delete(id);
  const heights = Array(columns).fill(0);
  /** @type {import('./generation.js').Generation[][]} */
  const all = heights.map(() => []);
  // Those that have a place come first, and then the oldest.
  const rank = ({ id }) => (places.has(id) ? 0 : 1);
  for (const generation of some.toSorted((a, b) => rank(a) - rank(b) || a.number - b.number)) {
    const { id, tiles, isRunning } = generation;
    const column = places.get(id) ?? heights.indexOf(Math.min(...heights));
    places.set(id, column);
    heights[column] += tiles.length > 0 || isRunning ? 1 : ROW;
    all[column].unshift(generation);
  }
  for (const column of all) column.sort((a, b) => b.number - a.number);
  return all;
}

function showEarlier() {
  shown += PAGE;
  redraw();
}

/** Those that were put away although they may still be billed. */
function archive() {
  const all = list.archived();
  if (all.length === 0) return nothing;
  return html`<details class="archive">
    <summary>Stopped, may still be billed <span class="count">${all.length}</span></summary>
    <ul>${repeat(
      all,
      ({ id }) => id,
      (generation) => html`<li data-id=${generation.id}>
        <div>
          <p class="prompt" dir="auto">${generation.request.prompt}</p>
          <p class="meta">${meta(generation.request)} · ${when(generation.snapshot.startedAt)}</p>
          <p class="note">${stake(generation)}</p>
        </div>
        <div class="actions">
          ${resumption(generation)}
          <button class="quiet" type="button" @click=${() => list.forget(generation)}>Forget</button>
        </div>
      </li>`,
    )}</ul>
  </details>`;
}

/** @param {number} at */
const when = (at) => new Date(at).toLocaleString('en', { dateStyle: 'medium', timeStyle: 'short' });

/** Keeps the time on the cards current while a generation runs and the page is visible. */
function tick() {
  const isDue = list.running().length > 0 && !document.hidden;
  if (isDue === (timer !== undefined)) return;
  if (isDue) timer = setInterval(redraw, TICK_MS);
  else {
    clearInterval(timer);
    timer = undefined;
  }
}
