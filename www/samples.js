/**
 * Samples in the empty feed of the embedded server: pictures whose settings one can begin with. They are no generations:
 * nothing is sent, and nothing is kept.
 */

import { html, nothing, render } from 'lit-html';
import { isEmbedded } from './config.js';
import { elementById } from './element.js';
import { onRedraw } from './redraw.js';
import { SAMPLES, samplePath } from './sample-list.js';

const place = elementById('samples', HTMLElement);
const empty = elementById('empty', HTMLElement);

/** @param {(request: import('lemondata-wasm').ImageRequest) => void} onRemix */
export function showSamples(onRemix) {
  if (!isEmbedded) return;
  const samples = SAMPLES.map(
    ({ request, width, height }, index) => html`<li>
      <button type="button" @click=${() => onRemix(request)}>
        <span class="frame">
          <img src=${samplePath(index)} alt="" width=${width} height=${height}>
          <span class="badge">Sample</span>
        </span>
        <span>${request.prompt}</span>
        <small>${request.model} <b>Remix</b></small>
      </button>
    </li>`,
  );
  // Behind the feed, they would be loaded for nothing.
  onRedraw(() => render(empty.hidden ? nothing : samples, place));
}
