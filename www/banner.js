/** A line at the foot of the page while the connection is lost, and the title of the tab. */

import { connection } from './connection.js';
import { elementById } from './element.js';
import * as list from './generation-list.js';
import { onRedraw, redraw } from './redraw.js';

const NAME = 'Studio · lemondata-wasm';

const banner = elementById('banner', HTMLElement);

export function showBanner() {
  onRedraw(() => {
    const text = bannerText();
    if (banner.textContent !== text) banner.textContent = text;
    document.title = title();
  });
  document.addEventListener('visibilitychange', redraw);
}

function bannerText() {
  if (!connection.isOnline) return 'You are offline. Everything resumes when the connection is back.';
  if (!connection.isServerUp) return 'The server cannot be reached. Trying again…';
  return '';
}

/** The title shows the progress to a person who looks at another tab. */
function title() {
  const { length } = list.running();
  if (length > 0) return `(${length}) ${NAME}`;
  return list.unseen > 0 ? `✓ ${NAME}` : NAME;
}
