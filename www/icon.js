import { svg } from 'lit-html';

/**
 * A symbol of `index.html`, for buttons that say in words what they do.
 *
 * @param {string} name
 */
export const icon = (name) =>
  svg`<svg class="icon" viewBox="0 0 20 20" aria-hidden="true"><use href=${`#i-${name}`}></use></svg>`;
