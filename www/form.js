/** The form: reads and fills in the settings, and shows their problems as one types. */

import { combobox } from './combobox.js';
import { isEmbedded } from './config.js';
import { elementById } from './element.js';
import { showFurtherFields } from './further-fields.js';
import { DOCUMENTED, loadModels } from './models.js';
import { SCENARIOS } from './scenarios.js';
import { DEFAULTS, FIELDS, FURTHER_NAMES, problemsOf, requestOf } from './settings.js';
import { checkSources, chosenNames, readChosen, setUpSources } from './source-fields.js';

/** @typedef {import('lemondata-wasm').ImageRequest} ImageRequest */
/** @typedef {import('./settings.js').Settings} Settings */

const SIZES = [
  { value: 'auto', note: 'the model chooses' },
  { value: '1024x1024', note: 'square' },
  { value: '1536x1024', note: 'wide' },
  { value: '1024x1536', note: 'tall' },
  { value: '1792x1024', note: 'wide' },
  { value: '1024x1792', note: 'tall' },
  { value: '512x512', note: 'small' },
];
/**
 * The fields under “More settings”.
 *
 * @type {(keyof Settings)[]}
 */
const MORE = [...FURTHER_NAMES, 'extra'];
/** From this length on, the form counts the characters of the prompt. */
const COUNTED_LENGTH = 3500;

const form = elementById('form', HTMLFormElement);
const more = elementById('more', HTMLDetailsElement);
const counter = elementById('prompt-count', HTMLElement);

/**
 * The form's controls by their names. A group of radio buttons has a `value`, too.
 *
 * @type {Record<keyof Settings | 'send', HTMLInputElement>}
 */
const controls = /** @type {any} */ (form.elements);

/** Fields that the person has edited. The problems of others are not shown yet. */
const touched = new Set();

/** @returns {Settings} */
export function settings() {
  const entries = FIELDS.map((name) => [name, controls[name].value]);
  return Object.fromEntries(entries);
}

/** @param {Partial<Settings>} values */
export function fillIn(values) {
  const filled = { ...DEFAULTS, ...values };
  for (const name of FIELDS) controls[name].value = filled[name];
  touched.clear();
  if (MORE.some((name) => filled[name] !== DEFAULTS[name])) more.open = true;
  check();
}

/**
 * @param {object} callbacks
 * @param {(request: ImageRequest, sources: import('./sources.js').Sources | undefined) => void} callbacks.onSend
 * @param {(request: ImageRequest, sources: import('./sources.js').SourceNames | undefined) => void} callbacks.onCode
 * @param {() => void} callbacks.onChange
 */
export function setUpForm({ onSend, onCode, onChange }) {
  showFurtherFields();
  setUpModels();
  combobox(controls.size, SIZES);
  setUpSources();
  form.addEventListener('input', ({ target }) => {
    touched.add(/** @type {HTMLInputElement} */ (target).name);
    check();
    onChange();
  });
  form.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  });
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    withRequest(async (request) => onSend(request, await readChosen()));
  });
  elementById('show-code', HTMLElement).addEventListener('click', () =>
    withRequest((request) => onCode(request, chosenNames())),
  );
  setUpScenarios(onChange);
  // The style of its parent, because the field named style hides the form's own.
  const { style } = /** @type {HTMLElement} */ (form.parentElement);
  new ResizeObserver(() => style.setProperty('--form-height', `${form.offsetHeight}px`)).observe(form);
}

/** Replaces the documented models with the service's list, as soon as the person turns to the field. */
function setUpModels() {
  const replace = combobox(controls.model, DOCUMENTED);
  const note = elementById('model-note', HTMLElement);
  const { textContent } = note;
  const load = async () => {
    try {
      replace(await loadModels());
      note.textContent = textContent;
    } catch {
      note.textContent = 'The list of models cannot be loaded. Any name that the service knows works.';
      controls.model.addEventListener('focus', load, { once: true });
    }
  };
  controls.model.addEventListener('focus', load, { once: true });
}

/**
 * Calls back with the request, or moves the focus to the first field with a problem.
 *
 * @param {(request: ImageRequest) => void} callback
 */
function withRequest(callback) {
  for (const name of FIELDS) touched.add(name);
  const problems = check();
  const first = FIELDS.find((name) => problems[name]);
  if (first === undefined) return checkSources() && callback(requestOf(settings()));
  if (MORE.includes(first)) more.open = true;
  return controls[first].focus();
}

function check() {
  const texts = settings();
  const problems = problemsOf(texts);
  for (const name of FIELDS) {
    const place = document.getElementById(`${name}-problem`);
    if (!place) continue;
    const shown = touched.has(name) ? problems[name] : undefined;
    place.textContent = shown ?? '';
    if (shown) controls[name].setAttribute('aria-invalid', 'true');
    else controls[name].removeAttribute('aria-invalid');
  }
  const { length } = texts.prompt;
  counter.textContent = length >= COUNTED_LENGTH ? `${length.toLocaleString('en')} of 4,000` : '';
  return problems;
}

/**
 * Lists the failures that the embedded server can play.
 *
 * @param {() => void} onChange
 */
function setUpScenarios(onChange) {
  if (!isEmbedded) return;
  document.querySelector('#scenarios ul')?.append(
    ...SCENARIOS.map(({ label, model, prompt }) => {
      const item = document.createElement('li');
      const button = Object.assign(document.createElement('button'), { type: 'button', textContent: label });
      button.addEventListener('click', () => {
        fillIn({ ...settings(), model, prompt });
        onChange();
        controls.send.focus();
      });
      item.append(button);
      return item;
    }),
  );
}
