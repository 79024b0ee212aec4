/** Keyboard and mouse of a real browser, the same for each driver. */

import { Button, Key, Origin } from 'selenium-webdriver';

/**
 * @typedef {object} Input
 * @property {(text: string) => Promise<void>} type
 * @property {(...keys: string[]) => Promise<void>} press presses keys together, named as in `KeyboardEvent.key`, and
 *   releases them
 * @property {(key: string) => Promise<void>} hold
 * @property {(key: string) => Promise<void>} release
 * @property {(point: Point) => Promise<void>} click
 * @property {(from: Point, ...to: Point[]) => Promise<void>} drag
 * @property {(point: Point, by: number) => Promise<void>} wheel
 *
 * @typedef {[x: number, y: number]} Point in CSS pixels of the window
 */

/**
 * @param {{ hold: Input['hold'], release: Input['release'] }} keys
 * @returns {Input['press']}
 */
const presses =
  ({ hold, release }) =>
  async (...keys) => {
    for (const key of keys) await hold(key);
    for (const key of keys.toReversed()) await release(key);
  };

/**
 * Input by Playwright or Puppeteer, whose keyboards and mice are the same but for the wheel.
 *
 * @param {any} page
 * @param {(mouse: any, by: number) => Promise<void>} turn
 * @returns {Input}
 */
export function pageInput({ keyboard, mouse }, turn) {
  const keys = {
    hold: (key) => keyboard.down(key),
    release: (key) => keyboard.up(key),
  };
  const move = ([x, y]) => mouse.move(x, y);
  const drag = async (from, ...to) => {
    await move(from);
    await mouse.down();
    for (const point of to) await move(point);
    await mouse.up();
  };
  return {
    ...keys,
    press: presses(keys),
    type: (text) => keyboard.type(text),
    click: (point) => drag(point),
    drag,
    async wheel(point, by) {
      await move(point);
      await turn(mouse, by);
    },
  };
}

/** The keys that WebDriver has a character for. */
const NAMED = {
  ArrowLeft: Key.ARROW_LEFT,
  ArrowRight: Key.ARROW_RIGHT,
  ArrowUp: Key.ARROW_UP,
  ArrowDown: Key.ARROW_DOWN,
  Control: Key.CONTROL,
  Delete: Key.DELETE,
  End: Key.END,
  Enter: Key.ENTER,
  Escape: Key.ESCAPE,
  Home: Key.HOME,
  Shift: Key.SHIFT,
};
const code = (key) => NAMED[key] ?? key;

/**
 * Input by WebDriver.
 *
 * @param {import('selenium-webdriver').WebDriver} session
 * @returns {Input}
 */
export function driverInput(session) {
  const move = (actions, [x, y]) => actions.move({ x, y, duration: 0, origin: Origin.VIEWPORT });
  const keys = {
    hold: (key) => session.actions().keyDown(code(key)).perform(),
    release: (key) => session.actions().keyUp(code(key)).perform(),
  };
  const drag = async (from, ...to) => {
    const actions = move(session.actions(), from).press(Button.LEFT);
    for (const point of to) move(actions, point);
    await actions.release(Button.LEFT).perform();
  };
  return {
    ...keys,
    press: presses(keys),
    type: (text) => session.actions().sendKeys(text).perform(),
    click: (point) => drag(point),
    drag,
    // WebKit may keep the target of an earlier turn until the pointer moves.
    wheel([x, y], by) {
      const actions = move(move(session.actions(), [x + 1, y]), [x, y]);
      return actions.scroll(x, y, 0, by, Origin.VIEWPORT).perform();
    },
  };
}
