/** Tells screen readers what changes: states alone, not every second. */

const region = document.getElementById('announcer');

/** @param {string} text */
export function announce(text) {
  // Several that come together are read one after the other, and the same one twice.
  const line = document.createElement('p');
  line.textContent = text;
  region.append(line);
  while (region.childElementCount > 5) region.firstElementChild.remove();
}
