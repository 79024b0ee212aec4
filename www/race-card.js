/** A race as a card: a lane for each model, side by side, and below them their times on one axis. */

import { html, nothing } from 'lit-html';
import { guard } from 'lit-html/directives/guard.js';
import { repeat } from 'lit-html/directives/repeat.js';
import { until } from 'lit-html/directives/until.js';
import { prompt } from './card.js';
import { confirmCreates, picturesOf } from './confirm.js';
import { fallbackWords } from './fallback.js';
import { MOST_COMPARED } from './gallery-selection.js';
import { fetchAgain, resume, stop } from './generation-list.js';
import { icon } from './icon.js';
import { filesOf } from './kept-sources.js';
import { urlOf } from './pictures.js';
import { chart } from './race-chart.js';
import { chooseModels } from './race-picker.js';
import { dismissRace, restartLane, seconds, startRace, summaryOf, winnerOf } from './races.js';
import { redraw } from './redraw.js';
import { ring } from './ring.js';
import { shapeOf } from './settings.js';
import { meta } from './words.js';

/** @typedef {import('./races.js').Race} Race */
/** @typedef {import('./races.js').Lane} Lane */

/**
 * @typedef {import('./card.js').CardCallbacks & {
 *   onCompare: (pictures: import('./pictures.js').Picture[]) => void,
 * }} RaceCallbacks
 */

/** The ids of the lanes that are marked for the comparison. */
const marked = new Set();

/**
 * @param {Race} race
 * @param {number} now
 * @param {RaceCallbacks} callbacks
 */
export function raceCard(race, now, callbacks) {
  const { id, lanes, isRunning } = race;
  const { request, sources } = lanes[0];
  const { model: _, fallback: _fallback, ...shared } = /** @type {any} */ (request);
  const winner = winnerOf(race);
  const comparable = lanes.filter(({ pictures }) => pictures[0]?.width);
  return html`<article class="card race" data-phase=${isRunning ? 'running' : 'ended'} aria-labelledby=${`prompt-${id}`}>
    <div class="headline">
      <p class="state">Race of ${lanes.length} models <span class="elapsed">${summaryOf(race)}</span></p>
      ${
        isRunning
          ? nothing
          : html`<button class="quiet tool" type="button" aria-label="Dismiss" title="Dismiss"
              @click=${() => dismissRace(race)}>${icon('close')}</button>`
      }
    </div>
    ${prompt({ id, request })}
    <p class="meta">${meta(shared, sources)}</p>
    <ul class="lanes" data-count=${lanes.length} aria-label="Lanes">${repeat(
      lanes,
      (lane) => lane.id,
      (lane) =>
        laneView(race, lane, { now, isWinner: lane === winner, isChoice: comparable.length > 2 }, callbacks),
    )}</ul>
    ${chart(race)}
    <div class="actions">${buttons(race, comparable, callbacks)}</div>
  </article>`;
}

/**
 * @param {Race} race
 * @param {Lane} lane
 * @param {{ now: number, isWinner: boolean, isChoice: boolean }} view
 * @param {RaceCallbacks} callbacks
 */
function laneView(race, lane, { now, isWinner, isChoice }, callbacks) {
  const { id, model, phase, ms, generation, pictures, tried, request, reason } = lane;
  const { width, height } = shapeOf(request);
  const shape = width > height * 1.2 ? 'wide' : height > width * 1.2 ? 'tall' : 'square';
  const words = fallbackWords(tried, phase);
  return html`<li class="lane" data-phase=${phase} aria-label=${model}>
    <div class="media ${shape} ${pictures.length > 1 ? 'many' : ''}">
      ${
        pictures.length > 0
          ? pictures.map((picture) =>
              guard(
                [picture, generation],
                () => html`<button class="picture" type="button" @click=${() => callbacks.onOpen(picture)}>
                  <img src=${until(urlOf(picture), nothing)} alt=${`${request.prompt}, by ${model}`}
                    @error=${() => generation?.reportBroken(picture)}>
                </button>`,
              ),
            )
          : generation && lane.isRunning && phase !== 'held'
            ? ring(generation, now)
            : html`<p class="placeholder">${icon(phase === 'stopped' || phase === 'held' ? 'pause' : 'problem')}${
                phase === 'done'
                  ? html`<span>${generation?.missing.length ? 'This file cannot be loaded' : 'This picture has been deleted'}</span>`
                  : nothing
              }</p>`
      }
    </div>
    <h4>${model}</h4>
    <p class="result">
      <span>${phase === 'done' ? seconds(ms) : state(lane)}</span>
      ${isWinner ? html`<span class="badge">First</span>` : nothing}
    </p>
    ${reason ? html`<p class="note reason">${reason}</p>` : nothing}
    ${words ? html`<p class="note">${words}</p>` : nothing}
    ${isChoice && pictures[0]?.width ? choice(id, model) : nothing}
    ${laneButton(race, lane, callbacks)}
  </li>`;
}

/** @type {(id: string, model: string) => import('lit-html').TemplateResult} */
const choice = (id, model) => html`<label class="pick"><input type="checkbox" aria-label=${`Compare ${model}`}
  .checked=${marked.has(id)} @change=${() => {
    if (!marked.delete(id)) marked.add(id);
    redraw();
  }}> Compare</label>`;

/** @param {Lane} lane */
function state({ phase, problem, generation }) {
  const { status, queue, progress, sentAt } = generation?.snapshot ?? {};
  if (phase === 'failed') return problem;
  if (phase === 'stopped') return sentAt ? 'Stopped; it may still be billed' : 'Stopped';
  if (phase === 'held') return 'Offline';
  if (phase === 'sending') return 'Creating';
  if (phase === 'saving') return 'Fetching the picture';
  if (phase === 'gone') return 'No longer followed';
  if (queue && queue.position > 0) return `Place ${queue.position} in the queue`;
  return status === 'processing' ? `Processing${progress === undefined ? '' : `, ${progress} %`}` : 'Pending';
}

/**
 * @param {Race} race
 * @param {Lane} lane
 * @param {RaceCallbacks} callbacks
 */
function laneButton(race, lane, { onReuse }) {
  const { phase, generation, isRunning, model } = lane;
  /** @type {(label: string, run: () => void) => import('lit-html').TemplateResult} */
  const button = (label, run) =>
    html`<button type="button" aria-label=${`${label}: ${model}`} @click=${run}>${label}</button>`;
  if (phase === 'done') {
    return generation?.missing.length ? button('Load again', () => fetchAgain(generation)) : nothing;
  }
  if (generation && isRunning) return button('Stop', () => stop(generation));
  if (generation?.snapshot.isResumable)
    return button(generation.isLost ? 'Look for the answer' : 'Wait again', () => resume(generation));
  return button('Try again', async () => {
    if (await confirmCreates([lane.request]))
      restartLane(race, lane).catch(() => onReuse(lane.request, lane));
  });
}

/**
 * @param {Race} race
 * @param {Lane[]} comparable
 * @param {RaceCallbacks} callbacks
 */
function buttons({ id, lanes, isRunning }, comparable, { onCompare, onReuse }) {
  const chosen = comparable.filter(({ id }) => marked.has(id));
  const compared = (chosen.length > 1 ? chosen : comparable).slice(0, MOST_COMPARED);
  const pictures = compared.map((lane) => lane.pictures[0]);
  const requests = lanes.map(({ request }) => request);
  const reuse = () => {
    onReuse(requests[0], lanes[0]);
    chooseModels(requests.map(({ model = '' }) => model));
  };
  return html`
    ${
      pictures.length > 1
        ? html`<button type="button" @click=${() => onCompare(pictures)}>Compare ${pictures.length}</button>`
        : nothing
    }
    ${
      isRunning
        ? html`<button type="button" data-once @click=${() => {
            for (const { generation } of lanes) if (generation?.isRunning) stop(generation);
          }}>Stop all</button>`
        : html`<button type="button" data-once title=${`Buys ${picturesOf(requests)} pictures`}
            @click=${async () => {
              if (await confirmCreates(requests))
                filesOf(lanes[0]).then((files) => startRace(requests, files, id), reuse);
            }}>Race again</button>`
    }
    <button class="quiet" type="button" @click=${reuse}>Use settings</button>`;
}
