/** Draws the page anew after a change: once for all changes that happen together. */

const drawers = new Set();
let isDue = false;

/** @param {() => void} draw is called after every change */
export function onRedraw(draw) {
  drawers.add(draw);
}

/** Something that is shown has changed. */
export function redraw() {
  if (isDue) return;
  isDue = true;
  // Not by animation frame: there is none in a hidden tab, whose title is to be right all the same.
  queueMicrotask(() => {
    isDue = false;
    for (const draw of drawers) draw();
  });
}
