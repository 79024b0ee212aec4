/** The file pickers of the form: the chosen pictures, their previews and their problems. */

import { html, render } from 'lit-html';
import { elementById } from './element.js';
import { problemOfFiles, readSources } from './sources.js';

const section = elementById('sources', HTMLDetailsElement);
const picker = elementById('pictures', HTMLInputElement);
const maskPicker = elementById('mask', HTMLInputElement);
const previews = elementById('previews', HTMLElement);
const problem = elementById('pictures-problem', HTMLElement);
const maskProblem = elementById('mask-problem', HTMLElement);

/** The object URLs of the previews. */
let urls = /** @type {string[]} */ ([]);

const chosen = () => [...(picker.files ?? [])];
const chosenMask = () => maskPicker.files?.[0];

/** @returns {import('./sources.js').Sources['action']} */
const action = () => (section.querySelector('[name=action][value=edit]:checked') ? 'edit' : 'generate');

export function setUpSources() {
  section.addEventListener('input', () => {
    showProblems();
    maskPicker.disabled = action() === 'generate';
  });
  picker.addEventListener('change', showPreviews);
}

function showPreviews() {
  for (const url of urls) URL.revokeObjectURL(url);
  const shown = chosen().filter((file) => !problemOfFiles([file], 'edit'));
  urls = shown.map((file) => URL.createObjectURL(file));
  render(
    shown.map(({ name }, index) => html`<li><img src=${urls[index]} alt=${name}></li>`),
    previews,
  );
}

/**
 * Shows the problems of the chosen pictures.
 *
 * @returns {HTMLInputElement | undefined} the first picker with a problem
 */
function showProblems() {
  const mask = chosenMask();
  const texts = /** @type {[HTMLInputElement, HTMLElement, string | undefined][]} */ ([
    [picker, problem, problemOfFiles(chosen(), action())],
    [maskPicker, maskProblem, mask && problemOfFiles([mask], 'edit')],
  ]);
  for (const [input, place, text] of texts) {
    place.textContent = text ?? '';
    if (text) input.setAttribute('aria-invalid', 'true');
    else input.removeAttribute('aria-invalid');
  }
  return texts.find(([, , text]) => text)?.[0];
}

/**
 * Moves the focus to the first picker with a problem.
 *
 * @returns {boolean} whether there is none
 */
export function checkSources() {
  const wrong = showProblems();
  if (!wrong) return true;
  section.open = true;
  wrong.focus();
  return false;
}

/** Reads the chosen pictures. */
export const readChosen = () => readSources(action(), chosen(), chosenMask());

/** @returns {import('./sources.js').SourceNames | undefined} */
export function chosenNames() {
  const mask = action() === 'edit' ? chosenMask() : undefined;
  const pictures = chosen().map(({ name }) => name);
  return pictures.length > 0 ? { action: action(), pictures, ...(mask && { mask: mask.name }) } : undefined;
}
