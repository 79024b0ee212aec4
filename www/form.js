/** The form: what is typed becomes settings, and what is wrong is said as soon as it is. */

import { combobox } from './combobox.js';
import { isEmbedded } from './config.js';
import { SCENARIOS } from './samples.js';
import { DEFAULTS, problemsOf, requestOf } from './settings.js';

const MODELS = [
  { value: 'flux-pro', note: 'usually a task' },
  { value: 'flux-schnell', note: 'usually at once' },
  { value: 'dall-e-3', note: 'usually at once' },
  { value: 'dall-e-2', note: 'usually at once' },
  { value: 'stable-diffusion-3', note: 'usually at once' },
  { value: 'midjourney', note: 'usually a task' },
  { value: 'ideogram-v3', note: 'usually a task' },
];
const SIZES = [
  { value: '1024x1024', note: 'square' },
  { value: '1792x1024', note: 'wide' },
  { value: '1024x1792', note: 'tall' },
  { value: '512x512', note: 'small' },
  { value: 'auto', note: 'the model chooses' },
];
const QUALITIES = [
  { value: 'standard', note: 'DALL·E 3' },
  { value: 'hd', note: 'DALL·E 3' },
  { value: 'auto' },
  { value: 'low' },
  { value: 'medium' },
  { value: 'high' },
];
/** The settings that are out of sight until they are wanted. */
const MORE = ['quality', 'style', 'response_format', 'extra'];
/** A prompt is counted where its end is near. */
const NEAR = 3500;

const form = document.getElementById('form');
const more = document.getElementById('more');
const counter = document.getElementById('prompt-count');
const fields = Object.keys(DEFAULTS);

/** An untouched field is not wrong, only empty. */
const touched = new Set();

/** @returns {import('./settings.js').Settings} */
export const settings = () => Object.fromEntries(fields.map((name) => [name, form.elements[name].value]));

/** @param {Partial<import('./settings.js').Settings>} given */
export function fillIn(given) {
  for (const [name, value] of Object.entries({ ...DEFAULTS, ...given })) form.elements[name].value = value;
  touched.clear();
  for (const name of MORE) if (given[name] && given[name] !== DEFAULTS[name]) more.open = true;
  check();
}

/**
 * @param {object} handlers
 * @param {(request: import('lemondata-wasm').ImageRequest) => void} handlers.send
 * @param {(request: import('lemondata-wasm').ImageRequest) => void} handlers.code
 * @param {() => void} handlers.changed
 */
export function setUpForm({ send, code, changed }) {
  combobox(form.elements.model, MODELS);
  combobox(form.elements.size, SIZES);
  combobox(form.elements.quality, QUALITIES);
  form.addEventListener('input', ({ target }) => {
    touched.add(target.name);
    check();
    changed();
  });
  form.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  });
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    withRequest(send);
  });
  document.getElementById('show-code').addEventListener('click', () => withRequest(code));
  setUpScenarios(changed);
  // On its parent: the field called style hides the form's own.
  const { style } = form.parentElement;
  new ResizeObserver(() => style.setProperty('--form-height', `${form.offsetHeight}px`)).observe(form);
}

/** Does something with the request, or goes to what is wrong with it. */
function withRequest(work) {
  for (const name of fields) touched.add(name);
  const [first] = Object.keys(check());
  if (first === undefined) return work(requestOf(settings()));
  if (MORE.includes(first)) more.open = true;
  return form.elements[first].focus();
}

function check() {
  const texts = settings();
  const problems = problemsOf(texts);
  for (const name of fields) {
    const place = document.getElementById(`${name}-problem`);
    if (!place) continue;
    const shown = touched.has(name) ? problems[name] : undefined;
    place.textContent = shown ?? '';
    if (shown) form.elements[name].setAttribute('aria-invalid', 'true');
    else form.elements[name].removeAttribute('aria-invalid');
  }
  const { length } = texts.prompt;
  counter.textContent = length >= NEAR ? `${length.toLocaleString('en')} of 4,000` : '';
  return problems;
}

/** What the embedded server can play, for whoever would like to see it. */
function setUpScenarios(changed) {
  if (!isEmbedded) return;
  document.querySelector('#scenarios ul').append(
    ...SCENARIOS.map(({ label, model, prompt }) => {
      const item = document.createElement('li');
      const button = Object.assign(document.createElement('button'), { type: 'button', textContent: label });
      button.addEventListener('click', () => {
        fillIn({ ...settings(), model, prompt });
        changed();
        form.elements.send.focus();
      });
      item.append(button);
      return item;
    }),
  );
}
