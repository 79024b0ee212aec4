/** The code of a generation, for each place that it can run in, to be copied. */

import { html, render } from 'lit-html';
import { SAMPLES } from './code.js';
import { icon } from './icon.js';
import { openModal } from './modal.js';
import { toast } from './toast.js';

const dialog = document.getElementById('code');

let selected = 'browser';
let shown;

/** @param {import('lemondata-wasm').ImageRequest} request */
export function showCode(request) {
  shown = request;
  draw();
  openModal(dialog);
}

function draw() {
  const { note, write } = SAMPLES[selected];
  const code = write(shown);
  render(
    html`<header>
        <h2 id="code-title">The code</h2>
        <button class="quiet tool" type="button" aria-label="Close" @click=${() => dialog.close()}>${icon('close')}</button>
      </header>
      <div class="tabs" role="tablist" aria-label="Where it runs" @keydown=${onKey}>
        ${Object.entries(SAMPLES).map(([name, { label }]) => tab(name, label))}
      </div>
      <div role="tabpanel" id="code-panel" aria-labelledby=${`tab-${selected}`}>
        <p class="note">${note}</p>
        <pre tabindex="0" aria-label="Code"><code>${code}</code></pre>
      </div>
      <footer>
        <code class="install">npm install lemondata-wasm</code>
        <button class="primary" type="button" @click=${() => copy(code)}>Copy</button>
      </footer>`,
    dialog,
  );
}

const tab = (name, label) =>
  html`<button type="button" role="tab" id=${`tab-${name}`} aria-controls="code-panel"
    aria-selected=${name === selected} tabindex=${name === selected ? 0 : -1}
    @click=${() => select(name)}>${label}</button>`;

function select(name) {
  selected = name;
  draw();
}

function onKey(event) {
  const names = Object.keys(SAMPLES);
  const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (!by) return;
  event.preventDefault();
  select(names[(names.indexOf(selected) + by + names.length) % names.length]);
  dialog.querySelector('[aria-selected="true"]').focus();
}

async function copy(code) {
  try {
    await navigator.clipboard.writeText(code);
    toast('Copied.');
  } catch {
    // Then at least it is ready to be copied by key.
    getSelection().selectAllChildren(dialog.querySelector('pre'));
    toast('Selected: copy it with your keyboard.');
  }
}
