/** The dialog with one picture in full view, or with two to four to compare. */

import { html, nothing, render } from 'lit-html';
import { keyed } from 'lit-html/directives/keyed.js';
import { announce } from './announce.js';
import { deleteWithUndo } from './deletions.js';
import { elementById } from './element.js';
import { copy, download } from './export.js';
import { icon } from './icon.js';
import { openModal } from './modal.js';
import { change, isKept, kept, onPictures, urlOf } from './pictures.js';
import { FIELDS, settingsOf, shapeOf } from './settings.js';
import { slider } from './slider.js';
import { amount, meta, tookTime } from './words.js';
import { Zoom } from './zoom.js';

const dialog = elementById('viewer', HTMLDialogElement);
/** The content, apart from the messages that `modal.js` moves into the dialog. */
const frame = elementById('viewer-frame', HTMLElement);

/** Facts of compared pictures that are shown even where they are equal. */
const ALWAYS = ['model', 'size', 'time'];
/** @type {Record<string, string>} */
const NAMES = { n: 'pictures', response_format: 'format', extra: 'further' };
/** How far an arrow key moves a zoomed picture. */
const PAN_PX = 80;

/** @typedef {import('./pictures.js').Picture} Picture */
/** @typedef {{ pictures: Picture[], index: number, compared?: Picture[], hasSlider?: boolean }} Content */

/**
 * @typedef {object} ViewerCallbacks
 * @property {(request: import('lemondata-wasm').ImageRequest, origin: import('./source-fields.js').Origin) => void} onReuse
 * @property {(request: import('lemondata-wasm').ImageRequest, sources?: import('./sources.js').SourceNames) => void} onCode
 * @property {(picture: Picture) => void} onEdit
 * @property {(picture: Picture) => void} onCompare begins a comparison with this picture
 * @property {(picture: Picture) => void} onClose gets the last shown picture
 */

/** @type {Content} */
let shown;
/** @type {(string | undefined)[]} */
let urls = [];
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
    zoom = undefined;
    const last = shown.compared?.[0] ?? shown.pictures[shown.index];
    render(nothing, frame);
    callbacks.onClose(last);
  });
  // Another tab may delete or star what is shown here.
  onPictures(() => {
    if (zoom) redraw();
  });
}

/**
 * @param {Picture[]} pictures
 * @param {number} index
 */
export function view(pictures, index) {
  open({ pictures, index });
}

/** @param {Picture[]} pictures two to four */
export function compare(pictures) {
  open({ pictures: [], index: 0, compared: pictures });
}

/** @param {Content} content */
function open(content) {
  shown = content;
  openModal(dialog);
  draw();
}

/** @param {Content} content */
const picturesOf = ({ compared, pictures, index }) => compared ?? [pictures[index]];

/** Draws the content at the size that fits. */
async function draw() {
  const content = shown;
  const opened = await Promise.all(picturesOf(content).map((picture) => urlOf(picture)));
  if (shown !== content || !dialog.open) return;
  zoom?.close();
  zoom = undefined;
  urls = opened;
  redraw();
  zoom = new Zoom([.../** @type {NodeListOf<HTMLElement>} */ (dialog.querySelectorAll('.stage'))], {
    changed: redraw,
    swiped: content.compared ? undefined : move,
  });
  redraw();
  if (!content.compared) for (const by of [1, -1]) preload(content.pictures[content.index + by]);
}

/** @param {Picture} [picture] */
async function preload(picture) {
  const url = picture && (await urlOf(picture));
  if (url) new Image().src = url;
}

function redraw() {
  const { compared, pictures, index, hasSlider = false } = shown;
  // The current records: they change while they are shown.
  const records = new Map(kept().map((picture) => [picture.id, picture]));
  const all = picturesOf(shown).map((picture) => records.get(picture.id) ?? picture);
  const scale = zoom?.scale ?? 1;
  const percent = Math.round((scale / (zoom?.actual ?? 1)) * 100);
  dialog.setAttribute('aria-label', compared ? `${all.length} pictures compared` : 'Picture in full view');
  dialog.classList.toggle('comparing', Boolean(compared));
  render(
    html`<header role="none">
        <p class="place">${compared ? 'Compare' : `${index + 1} of ${pictures.length}`}</p>
        ${
          compared?.length === 2
            ? html`<button type="button" aria-pressed=${hasSlider} title="One picture over the other"
                @click=${() => open({ ...shown, hasSlider: !hasSlider })}>Slider</button>`
            : nothing
        }
        <div class="tools">
          ${tool('minus', 'Zoom out', () => zoom?.out(), scale <= (zoom?.least ?? 1))}
          <button class="quiet level" type="button" aria-label=${`Zoom: ${percent} %. Fit the window`}
            title="Fit the window (0)" @click=${() => zoom?.to(1)}>${scale === 1 ? 'Fit' : `${percent} %`}</button>
          ${tool('plus', 'Zoom in', () => zoom?.in(), scale >= (zoom?.most ?? 1))}
          <button class="quiet" type="button" title="Real pixels (1)" aria-label="1:1, real pixels"
            @click=${() => zoom?.to(zoom.actual)}>1:1</button>
        </div>
      </header>
      <div class="stages ${hasSlider ? 'sliding' : `side-${all.length}`}">
        ${all.map((picture, at) => stage(picture, urls[at]))}
        ${hasSlider ? slider() : nothing}
        ${!compared && index > 0 ? over('previous', 'Previous picture', () => move(-1)) : nothing}
        ${!compared && index < pictures.length - 1 ? over('next', 'Next picture', () => move(1)) : nothing}
        ${over('close', 'Close', () => dialog.close())}
      </div>
      ${compared ? differences(all) : details(all[0])}`,
    frame,
  );
}

/** @type {(name: string, label: string, run: () => void, isDisabled: boolean) => import('lit-html').TemplateResult} */
const tool = (name, label, run, isDisabled) =>
  html`<button class="quiet tool" type="button" aria-label=${label} title=${label} ?disabled=${isDisabled}
    @click=${run}>${icon(name)}</button>`;

/** @type {(name: string, label: string, run: () => void) => import('lit-html').TemplateResult} */
const over = (name, label, run) =>
  html`<button class="over ${name}" type="button" aria-label=${label} title=${label} @click=${run}>${icon(name)}</button>`;

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
  const { request, sources, revised, width, height, bytes, ms, at, favourite } = picture;
  const facts = [
    // The line above shows the requested size.
    width && `${width}x${height}` !== request.size && `${width} × ${height}`,
    bytes && amount(bytes),
    `made in ${tookTime(ms)}`,
    new Date(at).toLocaleString('en', { dateStyle: 'medium' }),
  ];
  const isGone = !isKept(picture);
  return html`<footer>
    <div class="words">
      <p class="prompt" dir="auto" tabindex="0" role="group" aria-label="Prompt">${request.prompt}</p>
      ${
        revised
          ? html`<p class="meta">The model revised the prompt:</p>
            <p class="prompt revised" dir="auto" tabindex="0" role="group" aria-label="Revised prompt">${revised}</p>`
          : nothing
      }
      <p class="meta">${meta(request, sources)}</p>
      <p class="meta">${facts.filter(Boolean).join(' · ')}</p>
      ${isGone ? html`<p class="gone" role="status">This picture has been deleted.</p>` : nothing}
    </div>
    <div class="actions">
      ${
        picture.url
          ? html`<a class="button" href=${picture.url} target="_blank" rel="noopener">Open original</a>`
          : html`<button type="button" ?disabled=${isGone} @click=${() => download(picture)}>Download</button>
            <button type="button" ?disabled=${isGone} @click=${() => copy(picture)}>Copy</button>`
      }
      <button type="button" ?disabled=${isGone} @click=${() => closeAnd(() => callbacks.onEdit(picture))}>Edit</button>
      <button type="button" @click=${() => closeAnd(() => callbacks.onReuse(request, { id: picture.generation ?? '', sources }))}>Use settings</button>
      <button class="tool" type="button" aria-label="Favourite" title="Favourite (F)" ?disabled=${isGone}
        aria-pressed=${Boolean(favourite)} @click=${() => star(picture)}>${icon('star')}</button>
      <button class="quiet" type="button" @click=${() => callbacks.onCode(request, sources)}>Code</button>
      ${
        kept().length > 1
          ? html`<button class="quiet" type="button" ?disabled=${isGone}
              @click=${() => closeAnd(() => callbacks.onCompare(picture))}>Compare</button>`
          : nothing
      }
      <button class="quiet" type="button" ?disabled=${isGone} @click=${() => deleteShown(picture)}>Delete</button>
    </div>
  </footer>`;
}

/**
 * The settings of compared pictures, with the differences set off.
 *
 * @param {Picture[]} pictures
 */
function differences(pictures) {
  /** @type {Record<string, string>[]} */
  const all = pictures.map(({ request, ms }) => ({ ...settingsOf(request), time: tookTime(ms) }));
  /** @param {string} name */
  const isEqual = (name) => all.every((each) => each[name] === all[0][name]);
  const names = [...FIELDS, 'time'].filter(
    (name) => name !== 'prompt' && (!isEqual(name) || ALWAYS.includes(name)),
  );
  return html`<footer class="differences">${all.map(
    (each) => html`<div>
      ${
        each === all[0] || !isEqual('prompt')
          ? html`<p class="prompt" dir="auto" tabindex="0" role="group" aria-label="Prompt">${each.prompt}</p>`
          : nothing
      }
      <dl>${names.map(
        (name) => html`<div class=${isEqual(name) ? '' : 'differs'}>
          <dt>${NAMES[name] ?? name}</dt>
          <dd>${each[name] || 'default'}</dd>
        </div>`,
      )}</dl>
    </div>`,
  )}</footer>`;
}

/** @param {1 | -1} by */
function move(by) {
  const { pictures, index } = shown;
  const next = index + by;
  if (!pictures[next]) return;
  open({ pictures, index: next });
  announce(`Picture ${next + 1} of ${pictures.length}: ${pictures[next].request.prompt}`);
}

/** @param {Picture} picture */
const star = (picture) => change([picture], { favourite: !picture.favourite });

/** @param {KeyboardEvent} event */
function onKey(event) {
  const picture = shown.compared ? undefined : shown.pictures[shown.index];
  const isZoomed = Boolean(zoom && zoom.scale > 1);
  /** @type {(x: -1 | 0 | 1, y: -1 | 0 | 1) => false | (() => void)} */
  const arrow = (x, y) => {
    if (isZoomed) return () => zoom?.pan(x * PAN_PX, y * PAN_PX);
    return x !== 0 && picture !== undefined && (() => move(x));
  };
  /** @type {Record<string, undefined | false | (() => void)>} */
  const actions = {
    ArrowLeft: arrow(-1, 0),
    ArrowRight: arrow(1, 0),
    ArrowUp: arrow(0, -1),
    ArrowDown: arrow(0, 1),
    '+': () => zoom?.in(),
    '=': () => zoom?.in(),
    '-': () => zoom?.out(),
    0: () => zoom?.to(1),
    1: () => zoom?.to(zoom.actual),
    f: picture && (() => star(kept().find(({ id }) => id === picture.id) ?? picture)),
    Delete: picture && (() => deleteShown(picture)),
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

/** @param {Picture} picture */
function deleteShown(picture) {
  // Another tab may have been faster.
  if (!isKept(picture)) return;
  const { pictures, index } = shown;
  const rest = pictures.filter(({ id }) => id !== picture.id);
  if (rest.length === 0) dialog.close();
  else open({ pictures: rest, index: Math.min(index, rest.length - 1) });
  deleteWithUndo([picture]);
}
