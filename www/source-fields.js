/**
 * The reference pictures in the form: picked, dropped or pasted; their previews, their mask and their problems. The
 * file pickers hold them, whichever way they came.
 */

import { html, nothing, render } from 'lit-html';
import { announce } from './announce.js';
import { elementById } from './element.js';
import { icon } from './icon.js';
import { paintMask } from './on-demand.js';
import { NOT_KEPT, problemOfFiles, problemOfOperation, readSources, toFile } from './sources.js';
import { toast } from './toast.js';

/**
 * What has the reference pictures of a request.
 *
 * @typedef {{ id: string, sources?: import('./sources.js').SourceNames }} Origin
 */

const form = elementById('form', HTMLFormElement);
const section = elementById('sources', HTMLDetailsElement);
const picker = elementById('pictures', HTMLInputElement);
const maskPicker = elementById('mask', HTMLInputElement);
const previews = elementById('previews', HTMLElement);
const maskPreview = elementById('mask-preview', HTMLElement);
const problem = elementById('pictures-problem', HTMLElement);
const maskProblem = elementById('mask-problem', HTMLElement);

/**
 * The object URLs of the previews.
 *
 * @type {Map<File, string>}
 */
const urls = new Map();

/**
 * Those that this browser cannot decode: empty or broken ones, and others under the name of a PNG.
 *
 * @type {WeakSet<File>}
 */
const unreadable = new WeakSet();

/** Whether the settings in the form belong to pictures that were not kept. */
let isMissing = false;
/** The model in the form, and what the service says that it does. */
let model = '';
/** @type {string[] | undefined} */
let operations;

const chosen = () => [...(picker.files ?? [])];
const chosenMask = () => maskPicker.files?.[0];

/** @returns {import('./sources.js').Sources['action']} */
const action = () => (section.querySelector('[name=action][value=edit]:checked') ? 'edit' : 'generate');

export function setUpSources() {
  section.addEventListener('input', () => {
    isMissing &&= chosen().length === 0;
    showProblems();
    maskPicker.disabled = action() === 'generate';
    showPreviews();
  });
  for (const input of [picker, maskPicker]) input.addEventListener('change', showPreviews);
  setUpDrop();
  document.addEventListener('paste', (event) => {
    const { clipboardData: data } = event;
    const files = imagesOf(data);
    // Some programs put a picture of a text beside it. In another view or dialog, there is no form to add it to.
    if (files.length === 0 || data?.types.includes('text/plain')) return;
    if (!form.checkVisibility() || document.querySelector('dialog:modal')) return;
    event.preventDefault();
    addPictures(files);
  });
}

/**
 * The pictures, and files of a type that the system does not know, as HEIC often is: the form says what it takes.
 *
 * @param {DataTransfer | null} data
 */
const imagesOf = (data) => [...(data?.files ?? [])].filter(({ type }) => !type || type.startsWith('image/'));

/** @type {typeof problemOfFiles} */
function problemOf(files, use) {
  const broken = files.find((file) => unreadable.has(/** @type {File} */ (file)));
  return problemOfFiles(files, use) ?? (broken && `${broken.name} cannot be read as a picture.`);
}

/**
 * Fills in the reference pictures of a request. Those that were not kept are asked for, and nothing is sent without them.
 * Where this replaces others, a message offers them back.
 *
 * @param {import('./sources.js').SourceNames} names
 * @param {import('./sources.js').Sources} [sources]
 */
export function fillInSources(names, sources) {
  const before = /** @type {const} */ ([action(), chosen(), chosenMask()]);
  const files = sources?.pictures.map(toFile) ?? [];
  fill(names.action, files, sources?.mask && toFile(sources.mask));
  isMissing = !sources;
  if (isMissing) checkSources();
  showPreviews();
  if (before[1].length > 0 && listOf(before[1]) !== listOf(files))
    toast('The reference pictures were replaced.', { label: 'Undo', run: () => fill(...before) });
}

/** @param {File[]} files */
const listOf = (files) => `${files.map(({ name, size }) => [name, size])}`;

/** @type {(action: import('./sources.js').Sources['action'], pictures: File[], mask?: File) => void} */
function fill(use, pictures, mask) {
  section.open = true;
  const radio = section.querySelector(`[name=action][value=${use}]`);
  /** @type {HTMLInputElement} */ (radio).checked = true;
  setFiles(picker, pictures);
  setFiles(maskPicker, mask ? [mask] : []);
}

/** Forgets that pictures are missing. */
export function goWithout() {
  isMissing = false;
  showProblems();
  showPreviews();
}

/** Takes pictures that are dropped anywhere on the form. */
function setUpDrop() {
  form.addEventListener('dragover', (event) => {
    if (!event.dataTransfer?.types.includes('Files')) return;
    event.preventDefault();
    form.classList.add('dropping');
  });
  form.addEventListener('dragleave', ({ relatedTarget }) => {
    if (!form.contains(/** @type {Node | null} */ (relatedTarget))) form.classList.remove('dropping');
  });
  form.addEventListener('drop', (event) => {
    form.classList.remove('dropping');
    const files = imagesOf(event.dataTransfer);
    if (files.length === 0) return;
    event.preventDefault();
    addPictures(files);
  });
}

/** @param {File[]} files */
function addPictures(files) {
  section.open = true;
  setFiles(picker, [...chosen(), ...files]);
  announce(`Reference pictures: ${chosen().length}`);
}

/**
 * Puts a picture into the form to be edited, in place of the chosen ones.
 *
 * @param {File} picture
 */
export function editPicture(picture) {
  /** @type {HTMLInputElement | null} */ (section.querySelector('[value=edit]'))?.click();
  setFiles(maskPicker, []);
  setFiles(picker, []);
  addPictures([picture]);
}

/**
 * Puts files into a picker, as its dialog does.
 *
 * @param {HTMLInputElement} input
 * @param {File[]} files
 */
function setFiles(input, files) {
  const transfer = new DataTransfer();
  for (const file of files) transfer.items.add(file);
  input.files = transfer.files;
  for (const type of ['input', 'change']) input.dispatchEvent(new Event(type, { bubbles: true }));
}

function showPreviews() {
  const mask = chosenMask();
  const files = chosen();
  const all = mask ? [...files, mask] : files;
  for (const [file, url] of urls) {
    if (all.includes(file)) continue;
    URL.revokeObjectURL(url);
    urls.delete(file);
  }
  const readable = files.filter((file) => !problemOf([file], 'edit'));
  render(
    html`${files.map(
      (file) =>
        html`<li>${preview(file)}${remove(file.name, () =>
          setFiles(
            picker,
            chosen().filter((other) => other !== file),
          ),
        )}</li>`,
    )}${isMissing ? html`<li><button type="button" @click=${goWithout}>Go on without them</button></li>` : nothing}`,
    previews,
  );
  const canPaint = readable.length > 0 && action() === 'edit';
  render(
    html`${
      mask && action() === 'edit'
        ? html`<span class="preview">${preview(mask, 'Mask')}${remove('the mask', () => setFiles(maskPicker, []))}</span>`
        : nothing
    }${canPaint ? html`<button type="button" @click=${() => paint(readable[0])}>Paint the mask</button>` : nothing}`,
    maskPreview,
  );
}

/**
 * A chosen file, or a sign that it is refused.
 *
 * @param {File} file
 * @param {string} [name]
 */
function preview(file, name = file.name) {
  if (problemOf([file], 'edit')) return html`<span class="refused">${icon('problem')}</span>`;
  const refuse = () => {
    unreadable.add(file);
    showProblems();
    showPreviews();
  };
  return html`<img src=${urlOf(file)} alt=${name} @error=${refuse}>`;
}

/** @param {File} file */
function urlOf(file) {
  const url = urls.get(file) ?? URL.createObjectURL(file);
  urls.set(file, url);
  return url;
}

/** @type {(name: string, run: () => void) => import('lit-html').TemplateResult} */
const remove = (name, run) =>
  html`<button class="remove" type="button" aria-label=${`Remove ${name}`} title="Remove" @click=${() => {
    run();
    picker.focus();
  }}>${icon('close')}</button>`;

/** @param {File} picture */
async function paint(picture) {
  const mask = await paintMask(picture);
  if (mask) setFiles(maskPicker, [mask]);
}

/**
 * Notes what the model in the form does, which decides whether it takes the chosen pictures.
 *
 * @param {string} name
 * @param {string[]} [supported] undefined where nothing is known
 */
export function showOperations(name, supported) {
  if (model === name && operations === supported) return;
  model = name;
  operations = supported;
  showProblems();
}

/**
 * Shows the problems of the chosen pictures.
 *
 * @returns {HTMLInputElement | undefined} the first picker with a problem
 */
function showProblems() {
  const mask = chosenMask();
  const pictures = chosen();
  const refusal = pictures.length > 0 ? problemOfOperation(model, operations, action()) : undefined;
  const texts = /** @type {[HTMLInputElement, HTMLElement, string | undefined][]} */ ([
    [picker, problem, isMissing ? NOT_KEPT : (problemOf(pictures, action()) ?? refusal)],
    [maskPicker, maskProblem, mask && problemOf([mask], 'edit')],
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
 * @returns {boolean} whether no picker has one
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
