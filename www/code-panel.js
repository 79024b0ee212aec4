/** The dialog with the code of a generation, for each place where it can run. */

import { html, render } from 'lit-html';
import { SAMPLES } from './code-samples.js';
import { baseUrl } from './config.js';
import { elementById } from './element.js';
import { draft } from './form.js';
import { icon } from './icon.js';
import { openModal } from './modal.js';
import { toast } from './toast.js';

const NAMES = /** @type {(keyof typeof SAMPLES)[]} */ (Object.keys(SAMPLES));

const dialog = elementById('code', HTMLDialogElement);

/** @type {keyof typeof SAMPLES} */
let selected = 'browser';
/** @type {import('./code-samples.js').Call} */
let call;

/**
 * @param {import('lemondata-wasm').ImageRequest} request
 * @param {import('./sources.js').SourceNames} [sources]
 */
export function showCode(request, sources) {
  call = { request, sources, baseUrl };
  draw();
  openModal(dialog);
}

/** Shows the code of the form. */
export function followForm() {
  const { request, sources } = draft();
  if (request) showCode(request, sources);
}

function draw() {
  const { note, write } = SAMPLES[selected];
  const code = write(call);
  render(
    html`<header>
        <h2 id="code-title">The code</h2>
        <button class="quiet tool" type="button" aria-label="Close" @click=${() => dialog.close()}>${icon('close')}</button>
      </header>
      <div class="tabs" role="tablist" aria-label="Where it runs" @keydown=${onKey}>
        ${NAMES.map((name) => tab(name, SAMPLES[name].label))}
      </div>
      <div role="tabpanel" id="code-panel" aria-labelledby=${`tab-${selected}`}>
        <p class="note">${note}</p>
        <pre id="code-text" tabindex="0" aria-label="Code"><code>${code}</code></pre>
      </div>
      <footer>
        <code class="install">npm install lemondata-wasm</code>
        <button class="primary" type="button" @click=${() => copy(code)}>Copy</button>
      </footer>`,
    dialog,
  );
}

/**
 * @param {keyof typeof SAMPLES} name
 * @param {string} label
 */
const tab = (name, label) =>
  html`<button type="button" role="tab" id=${`tab-${name}`} aria-controls="code-panel"
    aria-selected=${name === selected} tabindex=${name === selected ? 0 : -1}
    @click=${() => select(name)}>${label}</button>`;

/** @param {keyof typeof SAMPLES} name */
function select(name) {
  selected = name;
  draw();
}

/** @param {KeyboardEvent} event */
function onKey(event) {
  const step = event.key === 'ArrowLeft' ? -1 : event.key === 'ArrowRight' ? 1 : 0;
  if (step === 0) return;
  event.preventDefault();
  select(NAMES[(NAMES.indexOf(selected) + step + NAMES.length) % NAMES.length]);
  document.getElementById(`tab-${selected}`)?.focus();
}

async function copy(code) {
  try {
    await navigator.clipboard.writeText(code);
    toast('Copied.');
  } catch {
    // A browser may refuse the clipboard. Then the code is selected, ready for the keyboard.
    getSelection()?.selectAllChildren(elementById('code-text', HTMLElement));
    toast('Selected: copy it with your keyboard.');
  }
}
