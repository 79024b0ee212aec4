/** The progress of a generation: a full line for the server's own figure, a dotted one for an estimate. */

import { html, nothing, svg } from 'lit-html';
import { percentOf, USUAL_MS } from './estimate.js';
import { duration } from './words.js';

const usual = `usually ${USUAL_MS.from / 1000}–${USUAL_MS.to / 1000} s`;

/**
 * @param {import('./generation.js').Generation} generation
 * @param {number} now
 */
export function ring(generation, now) {
  const elapsed = generation.elapsed(now);
  const { percent, isEstimate } = percentOf(generation, elapsed);
  const [figure, note] = isEstimate
    ? [duration(elapsed), elapsed > USUAL_MS.to ? 'longer than usual' : usual]
    : [`${percent} %`, duration(elapsed)];
  return html`<div class="ring ${isEstimate ? 'estimate' : 'real'}" role="progressbar" aria-label="Progress"
      aria-valuemin="0" aria-valuemax="100" aria-valuenow=${isEstimate ? nothing : percent}
      aria-valuetext=${isEstimate ? `Not known; ${usual}` : `${percent} %`}>
    ${svg`<svg viewBox="0 0 120 120" aria-hidden="true">
      <circle class="track" cx="60" cy="60" r="54" pathLength="100"></circle>
      <circle class="value" cx="60" cy="60" r="54" pathLength="100"
        stroke-dasharray=${`${percent} 100`}></circle>
    </svg>`}
    <p><strong>${figure}</strong><span>${note}</span></p>
  </div>`;
}
