/** Short messages at the foot of the page or the dialog, the newest last. Each may have actions. */

import { html, render } from 'lit-html';
import { repeat } from 'lit-html/directives/repeat.js';
import { announce } from './announce.js';
import { elementById } from './element.js';

/** More at once are not read. */
const MOST = 3;
const SHOWN_MS = 8000;
/** Long enough to find the button with a keyboard or a screen reader. */
const WITH_ACTIONS_MS = 20_000;
/** A key that leads to the newest action from anywhere, as in other toolkits. */
const KEY = 'F8';

/** @typedef {{ label: string, run: () => void }} Action */

/**
 * @typedef {object} Message
 * @property {unknown} id
 * @property {string} text
 * @property {Action[]} actions
 * @property {number[]} counts
 * @property {() => void} [onEnd]
 * @property {ReturnType<typeof setTimeout>} [timer]
 */

const place = elementById('toast', HTMLElement);
/** @type {Message[]} */
let messages = [];
/** The element that had the focus before a message got it. @type {HTMLElement | null} */
let origin = null;

/**
 * Shows a message, and announces it. One with the same id as another takes its place: it counts both, and its actions
 * do both.
 *
 * @param {string | ((...counts: number[]) => string)} words
 * @param {Action | Action[]} [actions]
 * @param {{ id?: unknown, counts?: number[], onEnd?: () => void }} [more] `id` is by default the words. A message with
 *   `onEnd`, which runs when its time is over, counts and acts for itself
 */
export function toast(words, actions = [], { id = words, counts = [], onEnd } = {}) {
  const before = messages.find((other) => other.id === id);
  const same = onEnd ? undefined : before;
  const all = [actions].flat().map(({ label, run }, index) => ({
    label,
    run() {
      run();
      same?.actions[index]?.run();
    },
  }));
  const sums = counts.map((count, index) => count + (same?.counts[index] ?? 0));
  const text = typeof words === 'string' ? words : words(...sums);
  /** @type {Message} */
  const message = { id, text, actions: all, counts: sums, onEnd };
  clearTimeout(before?.timer);
  messages = [...messages.filter((other) => other !== before), message];
  draw();
  while (messages.length > MOST) {
    const older = messages.slice(0, -1);
    // What its action undoes is lost with a message.
    end(older.find((other) => other.actions.length === 0) ?? older[0]);
  }
  if (!isBeingRead()) endLater(message);
  announce(message.actions.length > 0 ? `${text} ${message.actions[0].label}: press ${KEY}.` : text);
}

/**
 * Ends a message before its time.
 *
 * @param {unknown} id
 */
export function endToast(id) {
  const message = messages.find((other) => other.id === id);
  if (message) end(message);
}

/** @param {Message} message */
function end(message) {
  clearTimeout(message.timer);
  messages = messages.filter((other) => other !== message);
  const hadFocus = place.contains(document.activeElement);
  draw();
  if (hadFocus && !place.contains(document.activeElement)) {
    const isThere = origin?.isConnected && origin.checkVisibility();
    (isThere ? origin : /** @type {HTMLElement | null} */ (document.querySelector('dialog[open]')))?.focus();
  }
  message.onEnd?.();
}

function draw() {
  render(
    repeat(
      messages,
      ({ id }) => id,
      ({ id, text, actions, onEnd }) => html`<div class="toast">
        <p>${text}</p>
        ${actions.map(
          ({ label, run }) =>
            html`<button class="quiet" type="button" @click=${() => {
              // A message with an end of its own decides when that is.
              if (!onEnd) endToast(id);
              run();
            }}>${label}</button>`,
        )}
      </div>`,
    ),
    place,
  );
  place.hidden = messages.length === 0;
}

/** Messages stay while the pointer or the focus is on one. */
const isBeingRead = () => place.matches(':hover, :focus-within');

/** @param {Message} message */
function endLater(message) {
  clearTimeout(message.timer);
  message.timer = setTimeout(end, message.actions.length > 0 ? WITH_ACTIONS_MS : SHOWN_MS, message);
}

for (const type of ['pointerenter', 'focusin']) {
  place.addEventListener(type, () => {
    for (const { timer } of messages) clearTimeout(timer);
  });
}
for (const type of ['pointerleave', 'focusout']) {
  place.addEventListener(type, () => {
    for (const message of messages) endLater(message);
  });
}
place.addEventListener('focusin', ({ relatedTarget }) => {
  if (!place.contains(/** @type {Node | null} */ (relatedTarget))) {
    origin = /** @type {HTMLElement | null} */ (relatedTarget);
  }
});
document.addEventListener('keydown', (event) => {
  if (event.key !== KEY) return;
  const button = [...place.querySelectorAll('button')].at(-1);
  if (!button) return;
  event.preventDefault();
  button.focus();
});
