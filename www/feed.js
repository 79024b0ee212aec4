/** The generations, the newest first, and below them those that were stopped and may still be billed. */

import { html, nothing, render } from 'lit-html';
import { repeat } from 'lit-html/directives/repeat.js';
import { card, resumption, stake } from './card.js';
import { now } from './clock.js';
import { elementById } from './element.js';
import * as list from './generation-list.js';
import { onPictures } from './pictures.js';
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

/** @param {import('./card.js').CardCallbacks} callbacks */
export function showFeed(callbacks) {
  onRedraw(() => {
    const isEmpty = list.generations().length === 0;
    empty.hidden = !isEmpty;
    const focus = focusIn();
    render(isEmpty && list.archived().length === 0 ? nothing : content(callbacks), cards);
    if (focus) keepFocus(focus);
    tick();
  });
  onPictures(redraw);
  document.addEventListener('visibilitychange', redraw);
  new ResizeObserver(([{ contentRect }]) => {
    const fitting = Math.max(1, Math.floor((contentRect.width + GAP) / (COLUMN + GAP)));
    if (fitting === columns) return;
    columns = fitting;
    redraw();
  }).observe(feed);
}

/** @param {import('./card.js').CardCallbacks} callbacks */
function content(callbacks) {
  const all = list.generations();
  const some = all.slice(0, shown);
  const time = now();
  return html`${
    all.length > 0
      ? html`<header class="bar">
          <h2 tabindex="-1">Generations</h2>
          ${
            all.some(({ isRunning }) => !isRunning)
              ? html`<button class="quiet" type="button" @click=${list.dismissEnded}>Clear finished</button>`
              : nothing
          }
        </header>`
      : nothing
  }
    ${
      list.isJournalLost
        ? html`<p class="notice" role="status">This browser stores nothing for this page at the moment: what is running
            is forgotten when the page is closed.</p>`
        : nothing
    }
    <div class="columns">${Array.from(
      { length: columns },
      (_, column) =>
        html`<div class="column">${repeat(
          // A card stays in its column when newer ones come.
          some.filter(({ number }) => columns === 1 || number % columns === column),
          ({ id }) => id,
          (generation) => card(generation, time, callbacks),
        )}</div>`,
    )}</div>
    ${
      all.length > some.length
        ? html`<p class="earlier"><button type="button" @click=${showEarlier}>Show earlier ones</button></p>`
        : nothing
    }
    ${archive()}`;
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

/**
 * The card with the focus, and its place among the others.
 *
 * @returns {{ id: string, index: number } | undefined}
 */
function focusIn() {
  const holder = /** @type {HTMLElement | null | undefined} */ (
    cards.contains(document.activeElement) ? document.activeElement?.closest('[data-id]') : undefined
  );
  if (!holder) return undefined;
  return { id: holder.dataset.id ?? '', index: [...cards.querySelectorAll('[data-id]')].indexOf(holder) };
}

/**
 * Moves the focus on where its button has gone: to the first button of the same card, or to the card that took its
 * place.
 *
 * @param {{ id: string, index: number }} before
 */
function keepFocus({ id, index }) {
  if (document.activeElement !== document.body) return;
  const holders = [...cards.querySelectorAll('[data-id]')];
  const same = holders.find((holder) => /** @type {HTMLElement} */ (holder).dataset.id === id);
  const holder = same ?? holders[Math.min(index, holders.length - 1)];
  const target = holder?.querySelector('.actions button') ?? cards.querySelector('h2');
  /** @type {HTMLElement} */ (target ?? elementById('prompt', HTMLElement)).focus({ preventScroll: true });
}

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
