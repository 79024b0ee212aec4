/** Draws the page again after changes: once for all that happen in the same task. */

/** @type {Set<() => void>} */
const drawers = new Set();
let isDue = false;

/** @param {() => void} draw is called after every change */
export function onRedraw(draw) {
  drawers.add(draw);
}

/** Call it after a change to something that the page shows. */
export function redraw() {
  if (isDue) return;
  isDue = true;
  // No animation frame: a hidden tab has none, and its title has to stay current.
  queueMicrotask(() => {
    isDue = false;
    for (const draw of drawers) draw();
  });
}
