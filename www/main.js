/** Puts the parts of the page together. */

import { showBanner } from './banner.js';
import { finishDeletions } from './deletions.js';
import { elementById } from './element.js';
import { showFeed } from './feed.js';
import { fileName } from './file-name.js';
import { fillIn, replaceSettings, settings, setUpForm } from './form.js';
import { focusOn, select, showGallery } from './gallery.js';
import { earlier, start } from './generation-list.js';
import { keepFocus } from './keep-focus.js';
import { filesOf } from './kept-sources.js';
import { readLink, writeLink } from './link.js';
import { changeHistory, ENTRY, listenToBack } from './modal.js';
import { compare, followForm, setUpViewer, showCode, view } from './on-demand.js';
import { setUpPictureDrop } from './picture-drop.js';
import { fileOf, kept, load } from './pictures.js';
import { setUpRacePicker } from './race-picker.js';
import { startRace } from './races.js';
import { redraw } from './redraw.js';
import { showSamples } from './samples.js';
import { settingsOf } from './settings.js';
import { listenForShortcuts } from './shortcut-key.js';
import { editPicture, fillInSources } from './source-fields.js';
import { showStorage } from './storage.js';
import { isLasting } from './store.js';
import { toast } from './toast.js';

/** @typedef {'create' | 'gallery'} View */

/** How soon an address that the browser refused is written again. */
const REWRITE_MS = 1000;

const views = { create: elementById('create', HTMLElement), gallery: elementById('gallery', HTMLElement) };
const prompt = elementById('prompt', HTMLTextAreaElement);
const feed = elementById('feed', HTMLElement);

/** @type {View} */
let current = 'create';
/** Where the person left each view. @type {Partial<Record<View, number>>} */
const scrolled = {};
// A view may be drawn later than the browser would scroll.
history.scrollRestoration = 'manual';
listenToBack();

/** @param {View} name */
function show(name) {
  const isOther = name !== current;
  if (isOther) scrolled[current] = scrollY;
  current = name;
  for (const [each, element] of Object.entries(views)) element.hidden = each !== name;
  for (const link of document.querySelectorAll('nav a')) {
    if (link.getAttribute('data-view') === name) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  select([]);
  // After the focus has left a control of the other view, which may scroll to the next one.
  if (isOther) queueMicrotask(() => scrollTo(0, scrolled[name] ?? 0));
}

/** @type {ReturnType<typeof setTimeout> | undefined} */
let rewriting;

/**
 * Writes the settings into the address, as soon as the browser takes them.
 *
 * @param {Parameters<typeof changeHistory>[0]} [method]
 */
function writeAddress(method = 'replaceState') {
  clearTimeout(rewriting);
  const link = writeLink(settings(), current) || location.pathname;
  if (!changeHistory(method, ENTRY, link)) rewriting = setTimeout(writeAddress, REWRITE_MS);
}

/**
 * Shows the settings and the view of the address.
 *
 * @param {boolean} isLink whether a person has followed a link to it
 */
function readAddress(isLink) {
  const { settings: values, view: name } = readLink(location.hash);
  // A step back to the other view must not bring back an older prompt.
  const isStep = !isLink && name !== current;
  show(name);
  if (isStep) writeAddress();
  else replaceSettings(values, writeAddress);
}

/** @param {View} name */
function goTo(name) {
  show(name);
  writeAddress('pushState');
}

/** Scrolls to the newest card where it is out of sight: below the form, or above the visible cards. */
function reveal() {
  const { top } = feed.getBoundingClientRect();
  const behavior = matchMedia('(prefers-reduced-motion: reduce)').matches ? 'auto' : 'smooth';
  if (top < 0 || top > innerHeight / 2) feed.scrollIntoView({ behavior });
}

/**
 * Fills in the settings of a picture.
 *
 * @param {import('lemondata-wasm').ImageRequest} request
 * @param {import('./source-fields.js').Origin} [origin]
 */
async function reuse(request, origin) {
  if (current !== 'create') goTo('create');
  replaceSettings(settingsOf(request), writeAddress);
  prompt.focus();
  if (origin?.sources) fillInSources(origin.sources, await filesOf(origin).catch(() => undefined));
}

setUpForm({
  onSend(request, sources, lanes) {
    if (lanes) startRace(lanes, sources);
    else start(request, sources);
    queueMicrotask(reveal);
  },
  onCode: followForm,
  onChange: writeAddress,
});
showFeed({
  onOpen(picture) {
    const index = kept().findIndex(({ id }) => id === picture.id);
    if (index >= 0) view(kept(), index);
    else toast('This picture has been deleted.');
  },
  onReuse: reuse,
  onVary(request) {
    fillIn(settingsOf(request));
    writeAddress();
    queueMicrotask(reveal);
  },
  onCode: showCode,
  onCompare: compare,
});
setUpRacePicker();
showSamples(reuse);
setUpPictureDrop(reuse);
showGallery({ onOpen: view, onCompare: compare });
setUpViewer({
  onReuse: reuse,
  onCode: showCode,
  async onEdit(picture) {
    if (current !== 'create') goTo('create');
    prompt.focus();
    try {
      const file = await fileOf(picture);
      editPicture(new File([file], fileName(picture), { type: file.type }));
    } catch (error) {
      toast(/** @type {Error} */ (error).message);
    }
  },
  onCompare(picture) {
    if (current !== 'gallery') goTo('gallery');
    select([picture]);
    focusOn(picture);
  },
  onClose(picture) {
    if (current === 'gallery') focusOn(picture);
  },
});
showStorage();
showBanner();
listenForShortcuts();
keepFocus();

document.addEventListener('click', (event) => {
  const target = /** @type {Element} */ (event.target);
  if (target.closest('.skip')) {
    // The address holds the settings, so it takes no anchor.
    event.preventDefault();
    elementById('main', HTMLElement).focus();
  }
  const link = target.closest('[data-view]');
  if (link) {
    event.preventDefault();
    goTo(link.getAttribute('data-view') === 'gallery' ? 'gallery' : 'create');
  }
  const suggestion = target.closest('[data-prompt]');
  if (suggestion) {
    replaceSettings({ ...settings(), prompt: suggestion.textContent ?? '' }, writeAddress);
    prompt.focus();
  }
});
elementById('share', HTMLElement).addEventListener('click', async () => {
  writeAddress();
  try {
    await navigator.clipboard.writeText(location.href);
    toast('Link copied: it opens this page with these settings.');
  } catch {
    toast('The link with these settings is the address of this page.');
  }
});
// What buys pictures is pressed once: by a key that is held down, and by a double click, whose second click may meet
// another button in its place.
addEventListener('keydown', (event) => {
  const { key, repeat, target } = event;
  if (repeat && key === 'Enter' && !(target instanceof HTMLTextAreaElement)) event.preventDefault();
});
addEventListener(
  'click',
  (event) => {
    const target = /** @type {Element} */ (event.target);
    if (event.detail > 1 && target.closest('[data-once]')) event.stopPropagation();
  },
  true,
);
addEventListener('popstate', ({ state }) => readAddress(!state));

readAddress(true);
redraw();
await load();
finishDeletions();
await earlier;
feed.removeAttribute('aria-busy');
if (!(await isLasting))
  toast('This browser stores nothing for this page: pictures are lost when it is closed.');
