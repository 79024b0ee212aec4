/** The generations of this visit, the newest first. */

import { html, nothing, render } from 'lit-html';
import { repeat } from 'lit-html/directives/repeat.js';
import { card } from './card.js';
import { elementById } from './element.js';
import { dismissEnded, generations, running } from './generation-list.js';
import { raceCard } from './race-card.js';
import { dismissEndedRaces, isRace, withRaces } from './races.js';
import { onRedraw, redraw } from './redraw.js';

/** Often enough for a countdown of seconds. */
const TICK_MS = 250;

const cards = elementById('cards', HTMLElement);
const empty = elementById('empty', HTMLElement);
/** @type {ReturnType<typeof setInterval> | undefined} */
let timer;

/** @param {import('./race-card.js').RaceCallbacks} callbacks */
export function showFeed(callbacks) {
  onRedraw(() => {
    const now = Date.now();
    const items = withRaces(generations(), now);
    empty.hidden = items.length > 0;
    render(empty.hidden ? feed(items, now, callbacks) : nothing, cards);
    tick();
  });
  document.addEventListener('visibilitychange', redraw);
}

/**
 * @param {ReturnType<typeof withRaces>} items
 * @param {number} now
 * @param {import('./race-card.js').RaceCallbacks} callbacks
 */
function feed(items, now, callbacks) {
  const ended = items.some((item) => isRace(item) || !item.isRunning);
  return html`<header class="bar">
      <h2>Generations</h2>
      ${
        ended
          ? html`<button class="quiet" type="button" @click=${() => {
              dismissEndedRaces(items);
              dismissEnded();
            }}>Clear finished</button>`
          : nothing
      }
    </header>
    ${repeat(
      items,
      ({ id }) => id,
      (item) => (isRace(item) ? raceCard(item, now, callbacks) : card(item, now, callbacks)),
    )}`;
}

/** Keeps the time on the cards current while a generation runs and the page is visible. */
function tick() {
  const isDue = running().length > 0 && !document.hidden;
  if (isDue === (timer !== undefined)) return;
  if (isDue) timer = setInterval(redraw, TICK_MS);
  else {
    clearInterval(timer);
    timer = undefined;
  }
}
