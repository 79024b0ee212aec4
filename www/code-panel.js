/**
 * The drawer with the code of the form, which it follows, or of a generation, with its request and its answer. It
 * stands beside the page where the window is wide, and is a dialog where it is not.
 */

import { html, nothing, render } from 'lit-html';
import { SAMPLES } from './code-samples.js';
import { baseUrl } from './config.js';
import { elementById } from './element.js';
import { exchangeText } from './exchange.js';
import { draft } from './form.js';
import { generations } from './generation-list.js';
import { icon } from './icon.js';
import { openModal } from './modal.js';
import { onRedraw } from './redraw.js';
import { toast } from './toast.js';

/** @typedef {keyof typeof SAMPLES | 'exchange'} Tab */

const NAMES = /** @type {(keyof typeof SAMPLES)[]} */ (Object.keys(SAMPLES));
const EXCHANGE = 'exchange';
/** A prompt for the code of a form that has none yet. */
const PROMPT = 'A lemon tree above a quiet sea, first light';

const dialog = elementById('code', HTMLDialogElement);
/** Where the drawer has room beside the page. */
const wide = matchMedia('(min-width: 1600px)');

/** @typedef {{ request: import('lemondata-wasm').ImageRequest, sources?: import('./sources.js').SourceNames }} Call */

/** @type {Tab} */
let selected = 'browser';
/** @type {Call | undefined} the call that is shown; undefined while the drawer follows the form */
let fixed;
/** The last call of the form without a problem. */
let last = /** @type {Call} */ ({ request: { model: 'gpt-image-2', prompt: PROMPT } });

/**
 * Shows the code of a generation or a picture.
 *
 * @param {import('lemondata-wasm').ImageRequest} request
 * @param {import('./sources.js').SourceNames} [sources]
 */
export function showCode(request, sources) {
  fixed = { request, sources };
  if (selected === EXCHANGE && !shownGeneration()) selected = 'browser';
  open();
}

/**
 * Shows the request of a generation and its answer.
 *
 * @param {import('./generation.js').Generation} generation
 */
export function showExchange({ request, sources }) {
  fixed = { request, sources };
  selected = EXCHANGE;
  open();
}

/** Shows the code of the form, and follows it. */
export function followForm() {
  fixed = undefined;
  if (selected === EXCHANGE) selected = 'browser';
  open();
}

function open() {
  draw();
  if (!wide.matches) return openModal(dialog);
  document.documentElement.classList.add('with-drawer');
  return dialog.show();
}

dialog.addEventListener('close', () => document.documentElement.classList.remove('with-drawer'));
dialog.addEventListener('keydown', ({ key }) => {
  if (key === 'Escape' && !dialog.matches(':modal')) dialog.close();
});
// Beside a narrow page, it would cover what it follows.
wide.addEventListener('change', () => dialog.close());
onRedraw(() => {
  if (dialog.open) draw();
});

/** The generation of the shown request, unless it was dismissed. */
const shownGeneration = () => fixed && generations().find(({ request }) => request === fixed?.request);

/** @returns {Call & { problem?: string }} */
function shownCall() {
  if (fixed) return fixed;
  const { request, sources, problem } = draft(PROMPT);
  if (request) last = { request, sources };
  return { ...last, problem };
}

function draw() {
  const { request, sources, problem } = shownCall();
  const generation = shownGeneration();
  /** @type {Tab[]} */
  const names = generation ? [...NAMES, EXCHANGE] : NAMES;
  const name = selected === EXCHANGE && !generation ? 'browser' : selected;
  const sample = name === EXCHANGE ? undefined : SAMPLES[name];
  const code = sample
    ? sample.write({ request, sources, baseUrl })
    : exchangeText(/** @type {NonNullable<typeof generation>} */ (generation));
  const note = sample?.note ?? 'The relay adds the key. References and the data of pictures are left out.';
  render(
    html`<header>
        <h2 id="code-title">${sample ? 'The code' : 'Request and answer'}</h2>
        <button class="quiet tool" type="button" aria-label="Close" @click=${() => dialog.close()}>${icon('close')}</button>
      </header>
      <div class="tabs" role="tablist" aria-label="Where it runs" @keydown=${(event) => onKey(event, names)}>
        ${names.map((each) => tab(each, each === name))}
      </div>
      <div role="tabpanel" id="code-panel" aria-labelledby=${`tab-${name}`}>
        <p class="note">${problem ? `The form has a problem: ${problem}` : note}</p>
        <pre id="code-text" tabindex="0" aria-label="Code"><code>${code}</code></pre>
      </div>
      <footer>
        ${sample?.install ? html`<code class="install">${sample.install}</code>` : nothing}
        <button class="primary" type="button" @click=${() => copy(code)}>Copy</button>
      </footer>`,
    dialog,
  );
}

/**
 * @param {Tab} name
 * @param {boolean} isSelected
 */
const tab = (name, isSelected) =>
  html`<button type="button" role="tab" id=${`tab-${name}`} aria-controls="code-panel"
    aria-selected=${isSelected} tabindex=${isSelected ? 0 : -1}
    @click=${() => select(name)}>${name === EXCHANGE ? 'JSON' : SAMPLES[name].label}</button>`;

/** @param {Tab} name */
function select(name) {
  selected = name;
  draw();
}

/**
 * @param {KeyboardEvent} event
 * @param {Tab[]} names
 */
function onKey(event, names) {
  const step = event.key === 'ArrowLeft' ? -1 : event.key === 'ArrowRight' ? 1 : 0;
  if (step === 0) return;
  event.preventDefault();
  select(names[(names.indexOf(selected) + step + names.length) % names.length]);
  document.getElementById(`tab-${selected}`)?.focus();
}

/** @param {string} code */
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
