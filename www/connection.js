/** Whether the server can be reached. Where it cannot, it is asked now and then until it answers again. */

import { BASE_URL, RELAY_ID_HEADER, relayId } from './config.js';
import { redraw } from './redraw.js';

const FIRST_MS = 1000;
const LONGEST_MS = 10_000;

/** How it stands, for the page to show. */
export const connection = { isOnline: navigator.onLine, isServerUp: true };

const listeners = new Set();
let timer;
let pause = FIRST_MS;

/** @param {(isSameRelay: boolean) => void} listener is called when the connection is back */
export const onBack = (listener) => listeners.add(listener);

/** Told of every request of the page: whether the server was there. */
export function reached(isReached) {
  if (isReached) {
    if (!connection.isServerUp) ask();
  } else if (connection.isOnline && connection.isServerUp) {
    connection.isServerUp = false;
    pause = FIRST_MS;
    schedule();
    redraw();
  }
}

function schedule() {
  clearTimeout(timer);
  timer = setTimeout(ask, pause);
  pause = Math.min(pause * 2, LONGEST_MS);
}

async function ask() {
  clearTimeout(timer);
  try {
    const answer = await fetch(`${BASE_URL}/health`, { cache: 'no-store' });
    if (!answer.ok) throw new Error(`${answer.status}`);
    connection.isServerUp = true;
    back(answer.headers.get(RELAY_ID_HEADER) === relayId);
  } catch {
    if (connection.isOnline) schedule();
  }
}

function back(isSameRelay) {
  redraw();
  for (const listener of listeners) listener(isSameRelay);
}

addEventListener('offline', () => {
  connection.isOnline = false;
  clearTimeout(timer);
  redraw();
});
addEventListener('online', () => {
  connection.isOnline = true;
  ask();
  redraw();
});
// Nobody looks at a hidden page, and its timers are slow.
document.addEventListener('visibilitychange', () => {
  if (!document.hidden && !connection.isServerUp) ask();
});
