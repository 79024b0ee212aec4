/** Tracks whether the server can be reached. While it cannot, the page checks its health until it answers again. */

import { BASE_URL, RELAY_ID_HEADER, relayId } from './config.js';
import { redraw } from './redraw.js';

const FIRST_MS = 1000;
const LONGEST_MS = 10_000;

/** The state for the page to show. */
export const connection = { isOnline: navigator.onLine, isServerUp: true };

/** @type {Set<(isSameRelay: boolean) => void>} */
const listeners = new Set();
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;
let pause = FIRST_MS;

/** @param {(isSameRelay: boolean) => void} listener is called when the connection is back */
export const onReconnect = (listener) => listeners.add(listener);

/**
 * Records whether a request of the page reached the server.
 *
 * @param {boolean} isReached
 */
export function recordReach(isReached) {
  if (isReached) {
    if (!connection.isServerUp) checkHealth();
  } else if (connection.isOnline && connection.isServerUp) {
    connection.isServerUp = false;
    pause = FIRST_MS;
    schedule();
    redraw();
  }
}

function schedule() {
  clearTimeout(timer);
  timer = setTimeout(checkHealth, pause);
  pause = Math.min(pause * 2, LONGEST_MS);
}

async function checkHealth() {
  clearTimeout(timer);
  try {
    const answer = await fetch(`${BASE_URL}/health`, { cache: 'no-store' });
    if (!answer.ok) throw new Error(`${answer.status}`);
    connection.isServerUp = true;
    notify(answer.headers.get(RELAY_ID_HEADER) === relayId);
  } catch {
    if (connection.isOnline) schedule();
  }
}

/** @param {boolean} isSameRelay */
function notify(isSameRelay) {
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
  checkHealth();
  redraw();
});
// The timers of a hidden page are slow, so the first look at it checks at once.
document.addEventListener('visibilitychange', () => {
  if (!document.hidden && !connection.isServerUp) checkHealth();
});
