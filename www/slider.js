/** A handle over two pictures, one above the other: it moves the line between them. */

import { html } from 'lit-html';

const STEP = 2;

/** @param {HTMLElement} handle @param {number} value in percent */
function set(handle, value) {
  const share = Math.min(100, Math.max(0, value));
  handle.setAttribute('aria-valuenow', `${Math.round(share)}`);
  handle.parentElement?.style.setProperty('--split', `${share}%`);
}

/** @param {HTMLElement} handle */
const get = (handle) => Number(handle.getAttribute('aria-valuenow'));

/** @param {KeyboardEvent} event */
function onKey(event) {
  const handle = /** @type {HTMLElement} */ (event.currentTarget);
  const value = get(handle);
  /** @type {Record<string, number>} */
  const targets = {
    ArrowLeft: value - STEP,
    ArrowDown: value - STEP,
    ArrowRight: value + STEP,
    ArrowUp: value + STEP,
    PageDown: value - 10,
    PageUp: value + 10,
    Home: 0,
    End: 100,
  };
  const target = targets[event.key];
  if (target === undefined) return;
  event.preventDefault();
  event.stopPropagation();
  set(handle, target);
}

/** @param {PointerEvent} event */
function onPointer(event) {
  const handle = /** @type {HTMLElement} */ (event.currentTarget);
  if (event.type === 'pointerdown') handle.setPointerCapture(event.pointerId);
  if (!handle.hasPointerCapture(event.pointerId)) return;
  const { left, width } = /** @type {HTMLElement} */ (handle.parentElement).getBoundingClientRect();
  set(handle, ((event.clientX - left) / width) * 100);
}

/** The handle. Its parent holds both pictures, and gets `--split`. */
export const slider = () => html`<div class="slider" role="slider" tabindex="0"
  aria-label="Line between the first and the second picture" aria-orientation="horizontal" aria-valuemin="0"
  aria-valuemax="100" aria-valuenow="50" @keydown=${onKey} @pointerdown=${onPointer} @pointermove=${onPointer}></div>`;
