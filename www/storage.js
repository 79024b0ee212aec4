/** The space that the pictures use, in the gallery's foot, and a warning before a picture in memory is lost. */

import { html, nothing, render } from 'lit-html';
import { elementById } from './element.js';
import { running } from './generation-list.js';
import { isJournalLost } from './journal-storage.js';
import { isLoose } from './kept-sources.js';
import { kept, onPictures, storeFromMemory } from './pictures.js';
import { isAnyInMemory } from './store.js';
import { amount } from './words.js';

/** From this share on, the space is scarce. */
const SCARCE = 0.8;

const foot = document.createElement('footer');
foot.className = 'storage';

export function showStorage() {
  elementById('gallery', HTMLElement).append(foot);
  onPictures(draw);
  addEventListener('beforeunload', (event) => {
    if (isAnyInMemory() || running().some((generation) => isJournalLost || isLoose(generation)))
      event.preventDefault();
  });
  draw();
}

async function draw() {
  // Pages that are not secure have no figures.
  const { usage = 0, quota = 0 } = (await navigator.storage?.estimate?.().catch(() => undefined)) ?? {};
  const isLasting = await navigator.storage?.persisted?.().catch(() => false);
  const share = quota > 0 ? usage / quota : 0;
  const percent = Math.min(100, Math.round(share * 100));
  render(
    kept().length === 0 || (quota === 0 && !isAnyInMemory())
      ? nothing
      : html`<p class="note" id="storage-text">
            ${quota > 0 ? `${amount(usage)} of ${amount(quota)} are used in this browser.` : nothing}
            ${share >= SCARCE ? 'Download what you want to keep, and delete what you do not.' : nothing}
            ${quota > 0 && isLasting === false ? 'The browser may delete pictures when it runs out of space.' : nothing}
          </p>
          ${
            quota > 0
              ? html`<meter min="0" max="100" high=${SCARCE * 100} optimum="0" .value=${percent}
                  aria-labelledby="storage-text"></meter>`
              : nothing
          }
          ${
            isAnyInMemory()
              ? html`<p class="note warning">Some pictures are not stored, and are lost when this page is closed.
                  <button type="button" @click=${storeFromMemory}>Store them</button></p>`
              : nothing
          }`,
    foot,
  );
}
