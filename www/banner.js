/** A calm line above everything while the connection is gone, and the title of the tab. */

import { connection } from './connection.js';
import * as jobs from './generations.js';
import { onRedraw, redraw } from './redraw.js';

const NAME = 'Studio · lemondata-wasm';

const place = document.getElementById('banner');

export function showBanner() {
  onRedraw(() => {
    const text = words();
    if (place.textContent !== text) place.textContent = text;
    document.title = title();
  });
  document.addEventListener('visibilitychange', redraw);
}

function words() {
  if (!connection.isOnline) return 'You are offline. All goes on when the connection is back.';
  if (!connection.isServerUp) return 'The server cannot be reached. Trying again…';
  return '';
}

/** What a person sees of it from another tab. */
function title() {
  const { length } = jobs.running();
  if (length > 0) return `(${length}) ${NAME}`;
  return jobs.unseen > 0 ? `✓ ${NAME}` : NAME;
}
