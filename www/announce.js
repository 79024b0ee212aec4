/** Tells screen readers about changes of state, but not about every second that passes. */

import { elementById } from './element.js';

const LINES = 5;

const region = elementById('announcer', HTMLElement);

/** @param {string} text */
export function announce(text) {
  // A line each: announcements that come together are read one after the other, and equal ones twice.
  const line = document.createElement('p');
  line.textContent = text;
  region.append(line);
  while (region.childElementCount > LINES) region.firstElementChild?.remove();
}
