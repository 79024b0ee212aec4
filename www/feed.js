/** The generations of this visit, the newest first. */

import { html, nothing, render } from 'lit-html';
import { repeat } from 'lit-html/directives/repeat.js';
import { card } from './card.js';
import { dismissEnded, generations, running } from './generations.js';
import { onRedraw, redraw } from './redraw.js';

/** Often enough for a countdown of seconds. */
const TICK_MS = 250;

const place = document.getElementById('cards');
const empty = document.getElementById('empty');
let ticking;

/** @param {import('./card.js').Actions} actions */
export function showFeed(actions) {
  onRedraw(() => {
    empty.hidden = generations().length > 0;
    render(empty.hidden ? feed(actions) : nothing, place);
    tick();
  });
  document.addEventListener('visibilitychange', redraw);
}

function feed(actions) {
  const now = Date.now();
  const ended = generations().some(({ isRunning }) => !isRunning);
  return html`<header class="bar">
      <h2>Generations</h2>
      ${
        ended
          ? html`<button class="quiet" type="button" @click=${dismissEnded}>Clear finished</button>`
          : nothing
      }
    </header>
    ${repeat(
      generations(),
      ({ id }) => id,
      (generation) => card(generation, now, actions),
    )}`;
}

/** Time is shown while something runs and somebody looks. */
function tick() {
  const isDue = running().length > 0 && !document.hidden;
  if (isDue === (ticking !== undefined)) return;
  if (isDue) ticking = setInterval(redraw, TICK_MS);
  else {
    clearInterval(ticking);
    ticking = undefined;
  }
}
