/**
 * Keeps the focus in its place when the focused control is removed, hidden or disabled. Without this, a press on “Stop
 * waiting” or “Dismiss” would send the next Tab to the top of the page.
 */

const CONTROLS = 'button, a[href], input, textarea, select, summary, [tabindex="0"]';

/**
 * The focused control, and its ancestors with its place among their children.
 *
 * @type {{ control: HTMLElement, name: string, places: { ancestor: Element, index: number }[] } | undefined}
 */
let last;

/** @type {(control: Element) => boolean} */
const isThere = (control) =>
  control.isConnected && !control.matches(':disabled') && control.checkVisibility();
/** @type {(control: Element) => boolean} */
const isStop = (control) => control.matches(`:is(${CONTROLS}):not([tabindex="-1"])`) && isThere(control);

/** @param {Element} control */
const nameOf = (control) => control.getAttribute('aria-label') ?? control.textContent?.trim() ?? '';

/** @param {HTMLElement} control */
function remember(control) {
  const places = [];
  let child = /** @type {Element} */ (control);
  for (let ancestor = child.parentElement; ancestor; ancestor = ancestor.parentElement) {
    places.push({ ancestor, index: [...ancestor.children].indexOf(child) });
    child = ancestor;
  }
  last = { control, name: nameOf(control), places };
}

/** The control that comes next to the lost one: in its row, else in the row that took its place, else around it. */
function nextControl() {
  if (!last) return undefined;
  for (const { ancestor, index } of last.places) {
    if (!ancestor.isConnected || !ancestor.checkVisibility()) continue;
    const children = [...ancestor.children];
    const successors = [...children.slice(index), ...children.slice(0, index).reverse()];
    for (const child of successors) {
      const controls = [child, ...child.querySelectorAll(CONTROLS)].filter(isStop);
      if (controls.length === 0) continue;
      return controls.find((control) => nameOf(control) === last?.name) ?? controls[0];
    }
  }
  return undefined;
}

function check() {
  const { activeElement } = document;
  // A hidden control stays the active one until the next frame.
  const isElsewhere =
    activeElement && ![document.body, last?.control].includes(/** @type {HTMLElement} */ (activeElement));
  if (!last || isElsewhere || isThere(last.control)) return;
  const next = /** @type {HTMLElement | undefined} */ (nextControl());
  last = undefined;
  next?.focus();
}

/** Begins to watch the focus. */
export function keepFocus() {
  document.addEventListener('focusin', ({ target }) => remember(/** @type {HTMLElement} */ (target)));
  // A click beside every control takes the focus away on purpose.
  document.addEventListener('pointerdown', ({ target }) => {
    if (!last?.control.contains(/** @type {Node} */ (target))) last = undefined;
  });
  new MutationObserver(check).observe(document.body, {
    childList: true,
    subtree: true,
    attributes: true,
    attributeFilter: ['hidden', 'disabled'],
  });
}
