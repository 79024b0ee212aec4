/** A picture in full view, or two to compare: zoomed, moved through by key, taken away as a file. */

import { html, nothing, render } from 'lit-html';
import { keyed } from 'lit-html/directives/keyed.js';
import { announce } from './announce.js';
import { icon } from './icon.js';
import { openModal } from './modal.js';
import { discard, kept, urlOf } from './pictures.js';
import { settingsOf, shapeOf } from './settings.js';
import { copy, download } from './take.js';
import { toast } from './toast.js';
import { amount, duration, meta } from './words.js';
import { Zoom } from './zoom.js';

const dialog = document.getElementById('viewer');

/** What is told of two pictures although it is the same. */
const ALWAYS = ['model', 'size', 'time'];
const NAMES = { n: 'pictures', response_format: 'format', extra: 'further' };

/** @type {{ pictures: import('./pictures.js').Picture[], index: number, two?: import('./pictures.js').Picture[] }} */
let shown;
let zoom;
let handlers;

/**
 * @param {object} given
 * @param {(request: import('lemondata-wasm').ImageRequest) => void} given.reuse
 * @param {(request: import('lemondata-wasm').ImageRequest) => void} given.code
 * @param {(picture: import('./pictures.js').Picture) => void} given.choose begins a comparison with this one
 * @param {(picture: import('./pictures.js').Picture) => void} given.closed tells which one was shown last
 */
export function setUpViewer(given) {
  handlers = given;
  dialog.addEventListener('keydown', onKey);
  dialog.addEventListener('close', () => {
    // The event comes late: something else may have been opened meanwhile.
    if (dialog.open) return;
    zoom?.close();
    const last = shown.two?.[0] ?? shown.pictures[shown.index];
    render(nothing, dialog);
    handlers.closed(last);
  });
}

/** @param {import('./pictures.js').Picture[]} pictures */
export function view(pictures, index) {
  open({ pictures, index });
}

/** @param {import('./pictures.js').Picture[]} two */
export function compare(two) {
  open({ pictures: [], index: 0, two });
}

function open(what) {
  shown = what;
  openModal(dialog);
  draw();
}

/** Draws another picture, at the size that fits. */
async function draw() {
  const now = shown;
  const pictures = now.two ?? [now.pictures[now.index]];
  const urls = await Promise.all(pictures.map((picture) => urlOf(picture)));
  if (shown !== now || !dialog.open) return;
  zoom?.close();
  zoom = undefined;
  redraw(urls);
  zoom = new Zoom([...dialog.querySelectorAll('.stage')], () => redraw(urls));
  redraw(urls);
}

function redraw(urls) {
  const { two, pictures, index } = shown;
  const all = two ?? [pictures[index]];
  const label = two ? 'Two pictures compared' : 'Picture in full view';
  dialog.setAttribute('aria-label', label);
  render(
    html`<header>
        <p class="place">${two ? 'Compare' : `${index + 1} of ${pictures.length}`}</p>
        <div class="tools">
          ${tool('minus', 'Zoom out', () => zoom.out(), zoom?.scale <= 1)}
          <button class="quiet level" type="button" aria-label="Fit the window"
            @click=${() => zoom.to(1)}>${(zoom?.scale ?? 1) === 1 ? 'Fit' : `${Math.round(zoom.scale * 100)} %`}</button>
          ${tool('plus', 'Zoom in', () => zoom.in())}
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
      ${two ? differences(two) : about(all[0])}`,
    dialog,
  );
}

const tool = (name, label, run, isDisabled = false) =>
  html`<button class="quiet tool" type="button" aria-label=${label} title=${label} ?disabled=${isDisabled}
    @click=${run}>${icon(name)}</button>`;

const side = (name, label, by) =>
  html`<button class="side ${name}" type="button" aria-label=${label} @click=${() => move(by)}>${icon(name)}</button>`;

function stage(picture, url) {
  const shape = picture.width ? picture : shapeOf(picture.request.size);
  // A fresh element for each: the one before must not be seen at the size of this one.
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

function about(picture) {
  const { request, revised, width, height, bytes, ms, at } = picture;
  const facts = [
    // Where that is what was asked for, it stands above.
    width && `${width}x${height}` !== request.size && `${width} × ${height}`,
    bytes && amount(bytes),
    `made in ${duration(ms)}`,
    new Date(at).toLocaleString('en', { dateStyle: 'medium' }),
  ];
  return html`<footer>
    <div class="words">
      <p class="prompt" tabindex="0" role="group" aria-label="Prompt">${revised ?? request.prompt}</p>
      <p class="meta">${meta(request)}</p>
      <p class="meta">${facts.filter(Boolean).join(' · ')}</p>
    </div>
    <div class="actions">
      ${
        picture.url
          ? html`<a class="button" href=${picture.url} target="_blank" rel="noopener">Open original</a>`
          : html`<button type="button" @click=${() => download(picture)}>Download</button>
            <button type="button" @click=${() => copy(picture)}>Copy</button>`
      }
      <button type="button" @click=${() => leaveFor(() => handlers.reuse(request))}>Use settings</button>
      <button class="quiet" type="button" @click=${() => handlers.code(request)}>Code</button>
      ${
        kept().length > 1
          ? html`<button class="quiet" type="button" @click=${() => leaveFor(() => handlers.choose(picture))}>Compare</button>`
          : nothing
      }
      <button class="quiet" type="button" @click=${() => take(picture)}>Delete</button>
    </div>
  </footer>`;
}

/** What both pictures were made of, with what is not the same set off. */
function differences(two) {
  const [one, other] = two.map(({ request, ms }) => ({ ...settingsOf(request), time: duration(ms) }));
  const names = Object.keys(one).filter(
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

function move(by) {
  const { pictures, index } = shown;
  const next = index + by;
  if (!pictures[next]) return;
  open({ pictures, index: next });
  announce(`Picture ${next + 1} of ${pictures.length}: ${pictures[next].request.prompt}`);
}

function onKey(event) {
  // What is zoomed is moved by the arrows.
  const isFree = !shown.two && zoom?.scale === 1;
  const run = {
    ArrowLeft: isFree && (() => move(-1)),
    ArrowRight: isFree && (() => move(1)),
    '+': () => zoom?.in(),
    '=': () => zoom?.in(),
    '-': () => zoom?.out(),
    0: () => zoom?.to(1),
    Delete: !shown.two && (() => take(shown.pictures[shown.index])),
  }[event.key];
  if (!run || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  run();
}

function leaveFor(work) {
  dialog.close();
  work();
}

/** Deletes it at once: what can be undone needs no question. */
async function take(picture) {
  const { pictures, index } = shown;
  const rest = pictures.filter(({ id }) => id !== picture.id);
  if (rest.length === 0) dialog.close();
  else open({ pictures: rest, index: Math.min(index, rest.length - 1) });
  await discardWithUndo(picture);
}

/** @param {import('./pictures.js').Picture} picture */
export async function discardWithUndo(picture) {
  const restore = await discard(picture);
  announce('Deleted');
  toast('Deleted.', { label: 'Undo', run: restore });
}
