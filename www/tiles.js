/** Tiles beside a text field: its usual values as shapes, of which one is chosen. */

import { html, render, svg } from 'lit-html';
import { live } from 'lit-html/directives/live.js';
import { ratioOf, sidesOf } from './sizes.js';

/** The side of a drawing, and the longer side of a shape in it. */
const BOX = 24;
const LONGEST = 20;

/**
 * @param {HTMLInputElement} input
 * @param {HTMLElement} place
 * @returns {(values: string[]) => void} a function that draws the tiles of these values
 */
export function tiles(input, place) {
  place.addEventListener('input', (event) => {
    event.stopPropagation();
    input.value = /** @type {HTMLInputElement} */ (event.target).value;
    input.dispatchEvent(new Event('input', { bubbles: true }));
  });
  return (values) => {
    const sides = values.map(sidesOf);
    const longest = Math.max(...sides.flatMap((each) => each ?? 0));
    const areSquares = sides.every((each) => each?.[0] === each?.[1]);
    render(
      values.map(
        (value, index) => html`<label title=${value || 'auto'}>
          <input type="radio" name=${`${input.id}-tile`} value=${value} .checked=${live(value === input.value)}>
          <span class="tile">${shape(sides[index], areSquares ? longest : undefined)}
            <small>${caption(value, sides[index], areSquares)}</small></span>
        </label>`,
      ),
      place,
    );
  };
}

/**
 * @param {string} value
 * @param {[number, number] | undefined} sides
 * @param {boolean} isSquare whether all tiles are squares, which differ in their size alone
 */
function caption(value, sides, isSquare) {
  if (!sides) return 'Auto';
  if (value.includes(':')) return value;
  return isSquare ? `${sides[0]}` : ratioOf(sides);
}

/**
 * @param {[number, number] | undefined} sides
 * @param {number} [whole] the side that fills the drawing; default the longer one
 */
function shape(sides, whole) {
  const [width, height] = sides ?? [1, 1];
  whole ??= Math.max(width, height);
  // The root keeps the smallest of several squares visible.
  const scale = LONGEST / Math.max(width, height) / Math.sqrt(whole / Math.max(width, height));
  const [across, down] = [width, height].map((side) => side * scale);
  return svg`<svg viewBox="0 0 24 24" aria-hidden="true"><rect x=${(BOX - across) / 2} y=${(BOX - down) / 2}
    width=${across} height=${down} rx="2" stroke-dasharray=${sides ? 'none' : '3'}/></svg>`;
}
