/** The form: reads and fills in the settings, shows their problems as one types, and sends each press once. */

import { combobox } from './combobox.js';
import { isEmbedded } from './config.js';
import { confirmCreates } from './confirm.js';
import { elementById } from './element.js';
import { priceOf } from './form-model.js';
import { followModel, isShown, showFurtherFields } from './further-fields.js';
import { DOCUMENTED, loadModels } from './models.js';
import { recordPrompt, setUpPromptHistory } from './prompt-history.js';
import { isRacing, raceRequests } from './race-picker.js';
import { redraw } from './redraw.js';
import { SCENARIOS } from './scenarios.js';
import { DEFAULTS, FIELDS, FURTHER_NAMES, problemsOf, requestOf } from './settings.js';
import {
  checkSources,
  chosenNames,
  goWithout,
  readChosen,
  setUpSources,
  showOperations,
} from './source-fields.js';
import { toast } from './toast.js';

/** @typedef {import('lemondata-wasm').ImageRequest} ImageRequest */
/** @typedef {import('./settings.js').Settings} Settings */
/** @typedef {(request: ImageRequest, sources?: import('./sources.js').Sources, lanes?: ImageRequest[]) => void} Send */

/**
 * The fields under “More settings”.
 *
 * @type {(keyof Settings)[]}
 */
const MORE = [...FURTHER_NAMES, 'extra'];
/** From this length on, the form counts the characters of the prompt. */
const COUNTED_LENGTH = 3500;
/** A second press within this time is a double click. */
const DOUBLE_MS = 600;

const form = elementById('form', HTMLFormElement);
const more = elementById('more', HTMLDetailsElement);
const counter = elementById('prompt-count', HTMLElement);
const note = elementById('model-note', HTMLElement);

/**
 * The form's controls by their names. A group of radio buttons has a `value`, too.
 *
 * @type {Record<keyof Settings | 'send', HTMLInputElement>}
 */
const controls = /** @type {any} */ (form.elements);

const TEXTS = { send: controls.send.textContent, note: note.textContent };

/** Fields that the person has edited. The problems of others are not shown yet. */
const touched = new Set();

/** What the person typed before this script ran. */
let early = Object.fromEntries(
  FIELDS.filter((name) => controls[name] && controls[name].value !== controls[name].defaultValue).map(
    (name) => [name, controls[name].value],
  ),
);

/** @type {import('./form-model.js').FormModel[] | undefined} the service's list, once it is loaded */
let models;
/** Why the list is not there. */
let hasFailed = false;

/** The model whose name is in the field. */
const model = () => models?.find(({ id }) => id === controls.model.value.trim());

/** @returns {Settings} those of the fields that the model takes; the others are left to the server */
export function settings() {
  const entries = FIELDS.map((name) => {
    if (isShown(name)) return [name, controls[name].value];
    return [name, name === 'size' ? '' : DEFAULTS[name]];
  });
  return Object.fromEntries(entries);
}

/** @param {Partial<Settings>} values */
export function fillIn(values) {
  const filled = { ...DEFAULTS, ...values, ...early };
  early = {};
  for (const name of FIELDS) controls[name].value = filled[name];
  touched.clear();
  goWithout();
  if (MORE.some((name) => filled[name] !== DEFAULTS[name])) more.open = true;
  check();
}

/**
 * Fills in other settings. Where this overwrites some that the person has made, a message offers them back.
 *
 * @param {Partial<Settings>} values
 * @param {() => void} onChange
 */
export function replaceSettings(values, onChange) {
  const before = settings();
  fillIn(values);
  onChange();
  const after = settings();
  const isLost = (/** @type {keyof Settings} */ name) =>
    before[name] !== after[name] && before[name] !== DEFAULTS[name];
  if (!FIELDS.some(isLost)) return;
  const run = () => {
    fillIn(before);
    onChange();
  };
  toast('The settings were replaced.', { label: 'Undo', run });
}

/**
 * The request as the form stands, or the problem that keeps it from being one.
 *
 * @param {string} prompt stands for an empty one
 * @returns {{ request?: ImageRequest, sources?: import('./sources.js').SourceNames, problem?: string }}
 */
export function draft(prompt) {
  const texts = settings();
  if (texts.prompt.trim() === '') texts.prompt = prompt;
  const problems = problemsOf(texts);
  const name = FIELDS.find((each) => problems[each]);
  if (name) return { problem: problems[name] };
  return { request: requestOf(texts), sources: chosenNames() };
}

/**
 * @param {object} callbacks
 * @param {Send} callbacks.onSend
 * @param {() => void} callbacks.onCode
 * @param {() => void} callbacks.onChange
 */
export function setUpForm({ onSend, onCode, onChange }) {
  showFurtherFields();
  setUpModels();
  setUpSources();
  setUpStepper();
  setUpPromptHistory((prompt) => replaceSettings({ ...settings(), prompt }, onChange));
  form.addEventListener('input', ({ target }) => {
    touched.add(/** @type {HTMLInputElement} */ (target).name);
    check();
    onChange();
  });
  form.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey) && !event.repeat) form.requestSubmit();
  });
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    withRequest((request) => send(request, onSend));
  });
  elementById('show-code', HTMLElement).addEventListener('click', onCode);
  setUpScenarios(onSend);
  // The style of its parent, because the field named style hides the form's own.
  const { style } = /** @type {HTMLElement} */ (form.parentElement);
  new ResizeObserver(() => style.setProperty('--form-height', `${form.offsetHeight}px`)).observe(form);
}

/** @type {{ key: string, timer: ReturnType<typeof setTimeout> } | undefined} the press that was just sent */
let sent;

const keyOfForm = () => JSON.stringify([settings(), chosenNames(), isRacing()]);

/** Shows for a moment that the form was sent; until then, another press does nothing. */
function showSent() {
  sent = { key: keyOfForm(), timer: setTimeout(showUnsent, DOUBLE_MS) };
  controls.send.textContent = 'Sent';
  controls.send.setAttribute('aria-disabled', 'true');
}

function showUnsent() {
  clearTimeout(sent?.timer);
  sent = undefined;
  controls.send.textContent = TEXTS.send;
  controls.send.removeAttribute('aria-disabled');
}

/**
 * @param {ImageRequest} request
 * @param {Send} onSend
 */
async function send(request, onSend) {
  if (sent?.key === keyOfForm()) return;
  showUnsent();
  showSent();
  const lanes = raceRequests(request);
  if (!(await confirmCreates(lanes ?? [request]))) return showUnsent();
  recordPrompt(request.prompt);
  return onSend(request, await readChosen(), lanes);
}

/** Loads the service's list as soon as the person turns to the form. Until then, the documented models are there. */
function setUpModels() {
  const replace = combobox(controls.model, suggestions(DOCUMENTED));
  const load = async () => {
    try {
      models = await loadModels();
      replace(suggestions(models));
      hasFailed = false;
    } catch {
      hasFailed = true;
      controls.model.addEventListener('focus', load, { once: true });
    }
    check();
  };
  form.addEventListener('focusin', load, { once: true });
}

/** @param {import('./form-model.js').FormModel[]} list */
const suggestions = (list) => list.map(({ id, note: text }) => ({ value: id, note: text }));

/** The buttons and keys of the number of pictures. It is no number field, which the wheel would change. */
function setUpStepper() {
  const { n } = controls;
  const step = (/** @type {number} */ by) => {
    n.value = `${Math.min(10, Math.max(1, (Number.parseInt(n.value, 10) || 1) + by))}`;
    n.dispatchEvent(new Event('input', { bubbles: true }));
  };
  n.previousElementSibling?.addEventListener('click', () => step(-1));
  n.nextElementSibling?.addEventListener('click', () => step(1));
  n.addEventListener('keydown', (event) => {
    const by = event.key === 'ArrowUp' ? 1 : event.key === 'ArrowDown' ? -1 : 0;
    if (by === 0) return;
    event.preventDefault();
    step(by);
  });
}

/**
 * Calls back with the request, or moves the focus to the first field with a problem.
 *
 * @param {(request: ImageRequest) => void} callback
 */
function withRequest(callback) {
  for (const name of FIELDS) touched.add(name);
  const problems = check(true);
  const first = FIELDS.find((name) => problems[name]);
  if (first === undefined) return checkSources() && callback(requestOf(settings()));
  if (MORE.includes(first)) more.open = true;
  return controls[first].focus();
}

/**
 * Shows what follows from the settings: the fields of the model, the price, the problems.
 *
 * @param {boolean} [isPressed] whether they are about to be sent
 */
function check(isPressed = false) {
  const name = controls.model.value.trim();
  followModel(name, model());
  showOperations(name, model()?.operations);
  const texts = settings();
  showNote(Number(texts.n) || 1);
  controls.n.setAttribute('aria-valuenow', `${Number(texts.n) || 1}`);
  if (sent && sent.key !== keyOfForm()) showUnsent();
  // A race fits the size to each of its models, and the model of the form need not be one of them.
  const problems = problemsOf(isRacing(isPressed) ? { ...texts, model: 'any' } : texts);
  showProblems(problems);
  const { length } = texts.prompt;
  counter.textContent = length >= COUNTED_LENGTH ? `${length.toLocaleString('en')} of 4,000` : '';
  redraw();
  return problems;
}

/** @param {number} n */
function showNote(n) {
  const text = hasFailed
    ? 'The list of models cannot be loaded. Any name that the service knows works.'
    : (priceOf(model(), n) ?? TEXTS.note);
  if (note.textContent !== text) note.textContent = text;
}

/** @param {ReturnType<typeof problemsOf>} problems */
function showProblems(problems) {
  for (const name of FIELDS) {
    const place = document.getElementById(`${name}-problem`);
    if (!place) continue;
    // A size that fits one model may not fit the next one.
    const isTouched = touched.has(name) || (name === 'size' && touched.has('model'));
    const shown = isTouched ? problems[name] : undefined;
    place.textContent = shown ?? '';
    if (shown) controls[name].setAttribute('aria-invalid', 'true');
    else controls[name].removeAttribute('aria-invalid');
  }
}

/**
 * Lists the failures that the embedded server can play. They leave the form as it is.
 *
 * @param {Send} onSend
 */
function setUpScenarios(onSend) {
  if (!isEmbedded) return;
  document.querySelector('#scenarios ul')?.append(
    ...SCENARIOS.map(({ label, model: name, prompt }) => {
      const item = document.createElement('li');
      const button = Object.assign(document.createElement('button'), { type: 'button', textContent: label });
      button.dataset.once = '';
      button.addEventListener('click', () => onSend({ model: name, prompt, size: DEFAULTS.size }));
      item.append(button);
      return item;
    }),
  );
}
