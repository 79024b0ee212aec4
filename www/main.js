/** The page: puts its parts together. */

import { showBanner } from './banner.js';
import { showCode } from './code-panel.js';
import { showFeed } from './feed.js';
import { fillIn, settings, setUpForm } from './form.js';
import { choose, focusOn, showGallery } from './gallery.js';
import { start, takeUp } from './generations.js';
import { readLink, writeLink } from './link.js';
import { kept, load } from './pictures.js';
import { redraw } from './redraw.js';
import { settingsOf } from './settings.js';
import { isLasting } from './store.js';
import { toast } from './toast.js';
import { compare, discardWithUndo, setUpViewer, view } from './viewer.js';

const views = { create: document.getElementById('create'), gallery: document.getElementById('gallery') };
const prompt = document.getElementById('prompt');
const feed = document.getElementById('feed');

let current = 'create';

/** Shows one of the two views. */
function show(name) {
  current = name;
  for (const [each, element] of Object.entries(views)) element.hidden = each !== name;
  for (const link of document.querySelectorAll('nav a')) {
    if (link.dataset.view === name) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  choose(undefined);
}

/** Keeps the settings in the address. */
function remember() {
  const link = writeLink(settings(), current);
  history.replaceState(null, '', link || location.pathname);
}

/** What the address says, the page shows. */
function follow() {
  const { settings: given, view: name } = readLink(location.hash);
  fillIn(given);
  show(name);
}

function goTo(name) {
  show(name);
  history.pushState(null, '', writeLink(settings(), name) || location.pathname);
  scrollTo(0, 0);
}

/** Shows the newest card, where it is not in sight: below the form, or above what has been scrolled to. */
function reveal() {
  const { top } = feed.getBoundingClientRect();
  if (top < 0 || top > innerHeight / 2) feed.scrollIntoView({ behavior: 'smooth' });
}

/** Fills in what made a picture. */
function reuse(request) {
  fillIn(settingsOf(request));
  if (current !== 'create') goTo('create');
  remember();
  prompt.focus();
}

setUpForm({
  send(request) {
    start(request);
    queueMicrotask(reveal);
  },
  code: showCode,
  changed: remember,
});
showFeed({
  open(picture) {
    const index = kept().findIndex(({ id }) => id === picture.id);
    if (index >= 0) view(kept(), index);
    else toast('This picture has been deleted.');
  },
  reuse,
  code: showCode,
});
showGallery({ open: view, compare, discard: discardWithUndo });
setUpViewer({
  reuse,
  code: showCode,
  choose(picture) {
    if (current !== 'gallery') goTo('gallery');
    choose([picture]);
    focusOn(picture);
  },
  closed: (picture) => current === 'gallery' && focusOn(picture),
});
showBanner();

document.addEventListener('click', (event) => {
  const { target } = event;
  const link = target.closest('[data-view]');
  if (link) {
    event.preventDefault();
    goTo(link.dataset.view);
  }
  const suggestion = target.closest('[data-prompt]');
  if (suggestion) {
    fillIn({ ...settings(), prompt: suggestion.textContent });
    remember();
    prompt.focus();
  }
});
document.getElementById('share').addEventListener('click', async () => {
  remember();
  try {
    await navigator.clipboard.writeText(location.href);
    toast('Link copied: it opens this page with these settings.');
  } catch {
    toast('The link with these settings is the address of this page.');
  }
});
addEventListener('popstate', follow);
addEventListener('hashchange', follow);

follow();
redraw();
await load();
await takeUp();
feed.removeAttribute('aria-busy');
if (!(await isLasting)) toast('This browser keeps nothing for this page: pictures go when it is closed.');
