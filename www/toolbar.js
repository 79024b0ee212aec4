/** Toolbars are one stop of the Tab key: the arrow keys move between their buttons. */

/** @param {HTMLElement} toolbar */
const buttonsOf = (toolbar) => [
  .../** @type {NodeListOf<HTMLButtonElement>} */ (toolbar.querySelectorAll('button:not(:disabled)')),
];

/**
 * Puts one button of a toolbar into the order of the Tab key.
 *
 * @param {HTMLElement} toolbar
 * @param {HTMLElement} [current] the first one by default
 */
export function rove(toolbar, current) {
  const buttons = buttonsOf(toolbar);
  const stop =
    buttons.find((button) => button === current) ??
    buttons.find(({ tabIndex }) => tabIndex === 0) ??
    buttons[0];
  for (const button of buttons) button.tabIndex = button === stop ? 0 : -1;
}

/** @param {HTMLElement} toolbar an element of the role `toolbar` */
export function setUpToolbar(toolbar) {
  toolbar.addEventListener('focusin', ({ target }) => rove(toolbar, /** @type {HTMLElement} */ (target)));
  toolbar.addEventListener('keydown', (event) => {
    const buttons = buttonsOf(toolbar);
    const index = buttons.indexOf(/** @type {HTMLButtonElement} */ (document.activeElement));
    /** @type {Record<string, number>} */
    const targets = { ArrowLeft: index - 1, ArrowRight: index + 1, Home: 0, End: -1 };
    const target = targets[event.key];
    if (target === undefined) return;
    event.preventDefault();
    buttons.at(target % buttons.length)?.focus();
  });
}
