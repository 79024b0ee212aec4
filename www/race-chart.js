/** The lanes of a race on one axis of time: a row for each, with its creates, its polls and its end. */

import { html, nothing, svg } from 'lit-html';
import { seconds, winnerOf } from './races.js';

/** The ends that the axis may have, in seconds. */
const AXES = [4, 8, 12, 20, 32, 48, 80, 120, 160, 240, 480, 1200];
/** Few enough for larger type. */
const STEPS = 4;

/** The ends of a lane, drawn around their point. */
const ENDS = {
  done: 'M5.5 0a5.5 5.5 0 1 1-11 0 5.5 5.5 0 1 1 11 0z',
  failed: 'M-4.5-4.5l9 9M4.5-4.5l-9 9',
  stopped: 'M-4-4h8v8h-8z',
};

/**
 * The axis that has room for a time.
 *
 * @param {number} ms
 * @returns {{ endMs: number, ticks: number[] }} the ticks in seconds
 */
function axisFor(ms) {
  const end = AXES.find((seconds) => seconds * 1000 >= ms) ?? Math.ceil(ms / 3_600_000) * 3600;
  return { endMs: end * 1000, ticks: Array.from({ length: STEPS + 1 }, (_, index) => (index * end) / STEPS) };
}

/** @param {import('./races.js').Race} race */
export function chart(race) {
  const { lanes } = race;
  const { endMs, ticks } = axisFor(Math.max(...lanes.map(({ ms }) => ms)));
  /** @param {number} ms */
  const place = (ms) => `${Math.min(100, (Math.max(0, ms) / endMs) * 100).toFixed(2)}%`;
  const winner = winnerOf(race);
  return html`<div class="chart" role="group" aria-label="Times">
    ${lanes.map(
      (lane) => html`<p class=${lane === winner ? 'first' : ''}>
        <span class="name">${lane.model}</span>
        <svg role="img" aria-label=${description(lane)} data-phase=${lane.phase}>
          ${ticks.map((tick) => svg`<line class="grid" x1=${place(tick * 1000)} x2=${place(tick * 1000)} y2="100%"></line>`)}
          ${track(lane, place)}
        </svg>
        <span class="time">${seconds(lane.ms)}</span>
      </p>`,
    )}
    <p class="axis" aria-hidden="true">
      <span class="name">bar: the request, ticks: checks</span>
      <svg>${ticks.map(
        (tick, index) =>
          svg`<text x=${place(tick * 1000)} y="13" text-anchor=${index === 0 ? 'start' : index === STEPS ? 'end' : 'middle'}>${tick < 120 ? `${tick} s` : `${tick / 60} min`}</text>`,
      )}</svg>
    </p>
  </div>`;
}

/**
 * @param {import('./races.js').Lane} lane
 * @param {(ms: number) => string} place
 */
function track({ marks, ms, phase }, place) {
  const from = marks[0]?.at ?? 0;
  const polls = marks.filter(({ kind }) => kind === 'poll');
  /** @param {import('./races.js').Mark} mark */
  const kindOf = ({ isLost, status = 0 }) => (isLost || status >= 400 ? 'bad' : '');
  const end = ENDS[phase];
  return svg`
    <line class="wait" x1=${place(from)} x2=${place(ms)} y1="50%" y2="50%"></line>
    ${marks
      .filter(({ kind }) => kind === 'create')
      .map((mark) => {
        const until = mark.ms === undefined ? ms : mark.at + mark.ms;
        return svg`<line class="create ${kindOf(mark)}" x1=${place(mark.at)} x2=${place(until)} y1="50%" y2="50%">
          <title>Create${mark.model ? ` of ${mark.model}` : ''}, ${answer(mark)}</title></line>`;
      })}
    ${polls.map(
      (
        mark,
        index,
      ) => svg`<line class="poll ${kindOf(mark)}" x1=${place(mark.at)} x2=${place(mark.at)} y1="6" y2="18">
        <title>Poll ${index + 1} at ${seconds(mark.at)}, ${answer(mark)}</title></line>`,
    )}
    ${end ? svg`<svg class="end" x=${place(ms)} y="50%"><path d=${end}></path></svg>` : nothing}`;
}

/** @param {import('./races.js').Mark} mark */
const answer = ({ ms, status, isLost }) =>
  isLost ? 'no answer' : ms === undefined ? 'no answer yet' : `${status} after ${Math.round(ms)} ms`;

/** @param {import('./races.js').Lane} lane */
function description({ model, marks, ms, phase }) {
  const polls = marks.filter(({ kind }) => kind === 'poll').length;
  const end =
    { done: 'done after', failed: 'failed after', stopped: 'stopped after' }[phase] ?? 'running for';
  return `${model}: ${polls} ${polls === 1 ? 'poll' : 'polls'}, ${end} ${seconds(ms)}`;
}
