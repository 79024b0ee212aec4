/** The dialog with one picture in full view, or with two to compare. */

import { html, nothing, render } from 'lit-html';
import { keyed } from 'lit-html/directives/keyed.js';
import { announce } from './announce.js';
import { elementById } from './element.js';
import { copy, download } from './export.js';
import { icon } from './icon.js';
import { openModal } from './modal.js';
import { discard, kept, urlOf } from './pictures.js';
import { FIELDS, settingsOf, shapeOf } from './settings.js';
import { toast } from './toast.js';
import { amount, duration, meta } from './words.js';
import { Zoom } from './zoom.js';

const dialog = elementById('viewer', HTMLDialogElement);

/** Facts of two compared pictures that are shown even where they are equal. */
const ALWAYS = ['model', 'size', 'time'];
/** @type {Record<string, string>} */
const NAMES = { n: 'pictures', response_format: 'format', extra: 'further' };

/** @typedef {import('./pictures.js').Picture} Picture */
/** @typedef {{ pictures: Picture[], index: number, two?: Picture[] }} Content */

/**
 * @typedef {object} ViewerCallbacks
 * @property {(request: import('lemondata-wasm').ImageRequest) => void} onReuse
 * @property {(request: import('lemondata-wasm').ImageRequest, sources?: import('./sources.js').SourceNames) => void} onCode
 * @property {(picture: Picture) => void} onCompare begins a comparison with this picture
 * @property {(picture: Picture) => void} onClose gets the last shown picture
 */

/** @type {Content} */
let shown;
/** @type {Zoom | undefined} */
let zoom;
/** @type {ViewerCallbacks} */
let callbacks;

/** @param {ViewerCallbacks} viewerCallbacks */
export function setUpViewer(viewerCallbacks) {
  callbacks = viewerCallbacks;
  dialog.addEventListener('keydown', onKey);
  dialog.addEventListener('close', () => {
    // The event is dispatched late: the dialog may be open again by then.
    if (dialog.open) return;
    zoom?.close();
    const last = shown.two?.[0] ?? shown.pictures[shown.index];
    render(nothing, dialog);
    callbacks.onClose(last);
  });
}

/**
 * @param {Picture[]} pictures
 * @param {number} index
 */
export function view(pictures, index) {
  open({ pictures, index });
}

/** @param {Picture[]} two */
export function compare(two) {
  open({ pictures: [], index: 0, two });
}

/** @param {Content} content */
function open(content) {
  shown = content;
  openModal(dialog);
  draw();
}

/** Draws the content at the size that fits. */
async function draw() {
  const content = shown;
  const pictures = content.two ?? [content.pictures[content.index]];
  const urls = await Promise.all(pictures.map((picture) => urlOf(picture)));
  if (shown !== content || !dialog.open) return;
  zoom?.close();
  zoom = undefined;
  redraw(urls);
  zoom = new Zoom(/** @type {HTMLElement[]} */ ([...dialog.querySelectorAll('.stage')]), () => redraw(urls));
  redraw(urls);
}

/** @param {(string | undefined)[]} urls */
function redraw(urls) {
  const { two, pictures, index } = shown;
  const all = two ?? [pictures[index]];
  const scale = zoom?.scale ?? 1;
  const label = two ? 'Two pictures compared' : 'Picture in full view';
  dialog.setAttribute('aria-label', label);
  render(
    html`<header role="none">
        <p class="place">${two ? 'Compare' : `${index + 1} of ${pictures.length}`}</p>
        <div class="tools">
          ${tool('minus', 'Zoom out', () => zoom?.out(), scale <= 1)}
          <button class="quiet level" type="button" aria-label="Fit the window"
            @click=${() => zoom?.to(1)}>${scale === 1 ? 'Fit' : `${Math.round(scale * 100)} %`}</button>
          ${tool('plus', 'Zoom in', () => zoom?.in())}
          ${tool('close', 'Close', () => dialog.close())}
        </div>
      </header>
      <div class=${two ? 'stages two' : 'stages'}>
        ${all.map((picture, at) => stage(picture, urls[at]))}
        ${
          two
            ? nothing
            : html`${index > 0 ? side('previous', 'Previous picture', -1) : nothing}
              ${index < pictures.length - 1 ? side('next', 'Next picture', 1) : nothing}`
        }
      </div>
      ${two ? differences(two) : details(all[0])}`,
    dialog,
  );
}

/** @type {(name: string, label: string, run: () => void, isDisabled?: boolean) => import('lit-html').TemplateResult} */
const tool = (name, label, run, isDisabled = false) =>
  html`<button class="quiet tool" type="button" aria-label=${label} title=${label} ?disabled=${isDisabled}
    @click=${run}>${icon(name)}</button>`;

/** @type {(name: string, label: string, by: -1 | 1) => import('lit-html').TemplateResult} */
const side = (name, label, by) =>
  html`<button class="side ${name}" type="button" aria-label=${label} @click=${() => move(by)}>${icon(name)}</button>`;

/**
 * @param {Picture} picture
 * @param {string | undefined} url
 */
function stage(picture, url) {
  const shape = picture.width ? picture : shapeOf(picture.request);
  // A new element for each picture, so that the previous one is never seen at this size.
  return keyed(
    picture.id,
    html`<div class="stage" tabindex="0" role="group" aria-label="Picture, to be moved by the arrow keys when zoomed">
      ${
        url
          ? html`<img src=${url} alt=${picture.request.prompt} width=${shape.width} height=${shape.height} draggable="false">`
          : html`<img alt="Not a picture that can be shown">`
      }
    </div>`,
  );
}

/** @param {Picture} picture */
function details(picture) {
  const { request, sources, revised, width, height, bytes, ms, at } = picture;
  const facts = [
    // The line above shows the requested size.
    width && `${width}x${height}` !== request.size && `${width} × ${height}`,
    bytes && amount(bytes),
    `made in ${duration(ms)}`,
    new Date(at).toLocaleString('en', { dateStyle: 'medium' }),
  ];
  return html`<footer>
    <div class="words">
      <p class="prompt" tabindex="0" role="group" aria-label="Prompt">${revised ?? request.prompt}</p>
      <p class="meta">${meta(request, sources)}</p>
      <p class="meta">${facts.filter(Boolean).join(' · ')}</p>
    </div>
    <div class="actions">
      ${
        picture.url
          ? html`<a class="button" href=${picture.url} target="_blank" rel="noopener">Open original</a>`
          : html`<button type="button" @click=${() => download(picture)}>Download</button>
            <button type="button" @click=${() => copy(picture)}>Copy</button>`
      }
      <button type="button" @click=${() => closeAnd(() => callbacks.onReuse(request))}>Use settings</button>
      <button class="quiet" type="button" @click=${() => callbacks.onCode(request, sources)}>Code</button>
      ${
        kept().length > 1
          ? html`<button class="quiet" type="button" @click=${() => closeAnd(() => callbacks.onCompare(picture))}>Compare</button>`
          : nothing
      }
      <button class="quiet" type="button" @click=${() => deleteShown(picture)}>Delete</button>
    </div>
  </footer>`;
}

/**
 * The settings of two pictures, with the differences set off.
 *
 * @param {Picture[]} two
 */
function differences(two) {
  /** @type {Record<string, string>[]} */
  const [one, other] = two.map(({ request, ms }) => ({ ...settingsOf(request), time: duration(ms) }));
  const names = [...FIELDS, 'time'].filter(
    (name) => name !== 'prompt' && (one[name] !== other[name] || ALWAYS.includes(name)),
  );
  return html`<footer class="differences">${[one, other].map(
    (each) => html`<div>
      <p class="prompt" tabindex="0" role="group" aria-label="Prompt">${each.prompt}</p>
      <dl>${names.map(
        (name) => html`<div class=${one[name] === other[name] ? '' : 'differs'}>
          <dt>${NAMES[name] ?? name}</dt>
          <dd>${each[name] || 'default'}</dd>
        </div>`,
      )}</dl>
    </div>`,
  )}</footer>`;
}

/** @param {-1 | 1} by */
function move(by) {
  const { pictures, index } = shown;
  const next = index + by;
  if (!pictures[next]) return;
  open({ pictures, index: next });
  announce(`Picture ${next + 1} of ${pictures.length}: ${pictures[next].request.prompt}`);
}

/** @param {KeyboardEvent} event */
function onKey(event) {
  // The arrows scroll a zoomed picture.
  const canMove = !shown.two && zoom?.scale === 1;
  /** @type {Record<string, false | (() => void)>} */
  const actions = {
    ArrowLeft: canMove && (() => move(-1)),
    ArrowRight: canMove && (() => move(1)),
    '+': () => zoom?.in(),
    '=': () => zoom?.in(),
    '-': () => zoom?.out(),
    0: () => zoom?.to(1),
    Delete: !shown.two && (() => deleteShown(shown.pictures[shown.index])),
  };
  const run = actions[event.key];
  if (!run || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  run();
}

/** @param {() => void} callback */
function closeAnd(callback) {
  dialog.close();
  callback();
}

/**
 * Deletes without asking, because the toast can undo it.
 *
 * @param {Picture} picture
 */
async function deleteShown(picture) {
  const { pictures, index } = shown;
  const rest = pictures.filter(({ id }) => id !== picture.id);
  if (rest.length === 0) dialog.close();
  else open({ pictures: rest, index: Math.min(index, rest.length - 1) });
  await discardWithUndo(picture);
}

/** @param {Picture} picture */
export async function discardWithUndo(picture) {
  const restore = await discard(picture);
  announce('Deleted');
  toast('Deleted.', { label: 'Undo', run: restore });
}
