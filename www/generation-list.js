/** The generations of this visit, of earlier ones and of other tabs, and those that were put away. */

import { LemonData } from 'lemondata-wasm';
import { createGenerations, syncTabs } from 'lemondata-wasm/generations';
import { announce } from './announce.js';
import { goOn, readChain, removeChain, storeChain } from './chain.js';
import { now } from './clock.js';
import { BASE_URL, pollInterval, relayId } from './config.js';
import { onReconnect } from './connection.js';
import { Generation } from './generation.js';
import { journalStorage } from './journal-storage.js';
import { filesOf, isOfVisit, keepSources, removeSources, restoreSources } from './kept-sources.js';
import { redraw } from './redraw.js';
import { namesOf } from './sources.js';
import { get, put } from './store.js';
import { toast } from './toast.js';
import { duration, explain, short } from './words.js';

/** The name of the journal, in the store of tasks. */
const JOURNAL = 'lemondata-studio';
/** The ids of generations that were put away although they may still be billed, in the store of tasks. */
const ARCHIVE = 'archive';
/** Shorter absences slow no polls. */
const NOTABLE_MS = 5000;

// The relay adds the key.
const lemon = new LemonData({ baseUrl: BASE_URL, relay: true, pollInterval });

/** The relay's process that knows the creates of this visit; `undefined` once it has ended. */
let relay = relayId;

/** @type {Generation[]} the newest first */
let list = [];

/** @type {Set<string>} */
let archive = new Set();

/** The generations on cards, the newest first. */
export const generations = () => list.filter(({ id, isRunning }) => isRunning || !archive.has(id));
/** Those that were put away although they may still be billed. */
export const archived = () => list.filter(({ id, isRunning }) => !isRunning && archive.has(id));
export const running = () => list.filter(({ isRunning }) => isRunning);

/** The number of generations that finished while the page was hidden. */
export let unseen = 0;

/** @param {string | undefined} key */
const withKey = (key) =>
  /** @type {Generation} */ (list.find(({ snapshot }) => snapshot.idempotencyKey === key));

/**
 * @param {import('lemondata-wasm').Task | undefined} task
 * @param {import('lemondata-wasm').Options} [options]
 * @returns {Promise<any>}
 */
function run(task, options = {}) {
  const generation = withKey(options.idempotencyKey);
  return generation.run(options, task, (known, traced) =>
    goOn(lemon, generation, known, /** @type {any} */ (traced), {
      relay,
      sources: () => filesOf(generation),
    }),
  );
}

/** @type {(request: unknown, options?: import('lemondata-wasm').Options) => Promise<any>} */
const create = (_request, options) => run(undefined, options);

/** The client of the store. It adds the reference pictures, and records the requests for the cards. */
const client = {
  get relay() {
    return relay;
  },
  generateAndWait: create,
  editAndWait: create,
  /** @type {LemonData['waitForTask']} */
  waitForTask: (task, options) => run(/** @type {import('lemondata-wasm').Task} */ (task), options),
};

/** Those that were removed, for a change of mind. @type {Map<string, Generation>} */
const removed = new Map();

const store = createGenerations({
  client,
  key: JOURNAL,
  sync: syncTabs,
  storage: journalStorage(JOURNAL, (id) => {
    // One that was put away may come back.
    if (removed.has(id)) return;
    removeSources({ id });
    removeChain(id);
  }),
});

let lastNumber = 0;
store.subscribe((snapshots) => {
  const known = new Map(list.map((generation) => [generation.id, generation]));
  list = snapshots.toReversed().map((snapshot) => {
    const { id } = snapshot;
    const generation =
      known.get(id) ?? removed.get(id) ?? new Generation(snapshot, !isOfVisit(id), ++lastNumber);
    const wasRunning = known.has(id) && generation.isRunning;
    generation.snapshot = snapshot;
    if (generation.isRunning !== wasRunning) announceChange(generation, wasRunning);
    return generation;
  });
  // The order in which they came, however the clock is set.
  list.sort((a, b) => b.number - a.number);
  redraw();
});

/**
 * Announces that a generation begins or ends.
 *
 * @param {Generation} generation
 * @param {boolean} hasEnded
 */
function announceChange(generation, hasEnded) {
  const words = hasEnded ? ending(generation) : 'Started';
  announce(`${words}: ${short(generation.request.prompt)}`);
  if (!hasEnded) return;
  generation.timeline.end();
  if (document.hidden && generation.phase === 'done') unseen += 1;
}

/** @param {Generation} generation */
function ending(generation) {
  const { phase, error, account } = generation;
  if (phase === 'done') {
    return generation.missing.length > 0
      ? 'The file cannot be loaded'
      : `Done after ${duration(generation.elapsed(now()))}`;
  }
  return phase === 'stopped' ? 'Stopped waiting' : explain(error, account).title;
}

/** The requests of the current frame, since one press may arrive twice. @type {Map<string, string>} */
const pressed = new Map();
const frame = new MessageChannel();
frame.port1.onmessage = () => pressed.clear();

/**
 * @param {import('lemondata-wasm').ImageRequest} request
 * @param {import('./sources.js').Sources} [sources]
 * @returns {string} the id of the generation
 */
export function start(request, sources) {
  const names = namesOf(sources);
  const press = JSON.stringify([request, names]);
  const known = pressed.get(press);
  if (known) return known;
  const id = crypto.randomUUID();
  pressed.set(press, id);
  frame.port2.postMessage(undefined);
  keepSources(id, sources);
  // With its files named: a create that is sent later must not go without them. An earlier version of this page, which
  // does not know the names, sends no edit that has no picture.
  const named = /** @type {any} */ ({ ...request, 'studio:sources': names });
  store.start(names ? named : request, { id, edit: /** @type {any} */ (Boolean(names)) });
  return id;
}

/**
 * Starts a generation like another one.
 *
 * @param {Generation} generation
 * @param {Partial<import('lemondata-wasm').ImageRequest>} changes
 * @returns {Promise<string>} rejects where its reference pictures were not kept
 */
export async function startLike(generation, changes) {
  return start({ ...generation.request, ...changes }, await filesOf(generation));
}

/** Settles once the generations of earlier visits are listed. */
export const earlier = readArchive().then(store.load).then(readChains);

async function readArchive() {
  archive = new Set(await get('tasks', ARCHIVE).catch(() => undefined));
  redraw();
}

const archives = new BroadcastChannel('lemondata-studio archive');
archives.onmessage = readArchive;

async function writeArchive() {
  redraw();
  await put('tasks', ARCHIVE, [...archive]).catch(console.warn);
  archives.postMessage('changed');
}

async function readChains() {
  for (const generation of list) await readChain(generation);
  redraw();
}

/** @param {Generation} generation */
export function stop(generation) {
  if (generation.phase === 'saving') generation.stopFetching();
  else store.stop(generation.id);
}

/**
 * Waits again for the task of a generation that has ended, or looks for the answer to its create.
 *
 * @param {Generation} generation
 */
export function resume({ id }) {
  if (archive.delete(id)) writeArchive();
  store.resume(id);
}

/**
 * Loads the files again that could not be loaded.
 *
 * @param {Generation} generation
 */
export async function fetchAgain(generation) {
  const { task } = generation.snapshot;
  await generation.fetchAgain(async (signal) => {
    const answer = task && (await lemon.getTask(task, { signal }));
    return answer?.status === 'completed' ? answer.data : [];
  });
  announce(`${ending(generation)}: ${short(generation.request.prompt)}`);
}

/**
 * Replaces an ended generation with a new one of the same request.
 *
 * @param {{ id: string, request: import('lemondata-wasm').ImageRequest, sources?: import('./sources.js').SourceNames }} old
 *   a generation, or what a race keeps of one
 * @param {Partial<import('lemondata-wasm').ImageRequest>} [changes]
 * @param {(id: string) => void} [onStart] gets the id of the new one, while the old one is still there
 * @returns {Promise<void>} rejects where its reference pictures were not kept
 */
export async function tryAgain({ id, request, sources }, changes = {}, onStart = () => {}) {
  if (restarting.has(id)) return;
  restarting.add(id);
  try {
    const old = list.find((generation) => generation.id === id);
    // First, since its reference pictures go with the old one, and the new card takes its place and the focus.
    onStart(start({ ...request, ...changes }, await filesOf({ id, sources })));
    if (old) putAway([old]);
  } finally {
    restarting.delete(id);
  }
}

/** The ids of those whose button was pressed. Two presses are one create. @type {Set<string>} */
const restarting = new Set();

/**
 * Takes generations off the page. Those that may still be billed are archived; those of the archive, and all others, are
 * forgotten.
 *
 * @param {Generation[]} all
 * @returns {() => void} brings them back
 */
function putAway(all) {
  const before = archive;
  archive = new Set(before);
  const forgotten = all.filter(({ id, mayBeBilled }) => !mayBeBilled || before.has(id));
  for (const { id } of all) archive.add(id);
  for (const generation of forgotten) {
    const { id } = generation;
    archive.delete(id);
    removed.set(id, generation);
    store.remove(id);
    removeSources(generation);
    removeChain(id);
  }
  writeArchive();
  return () => {
    for (const { id } of all) {
      if (before.has(id)) archive.add(id);
      else archive.delete(id);
    }
    for (const generation of forgotten) {
      const { id, snapshot } = generation;
      storeChain(generation);
      restoreSources(id);
      store.restore(snapshot);
    }
    writeArchive();
  };
}

/** The messages of cards that were put away, by their kinds. */
const TEXTS = {
  dismissed: (/** @type {number} */ count) => (count > 1 ? `Dismissed ${count}.` : 'Dismissed.'),
  moved: (/** @type {number} */ count) =>
    count > 1 ? `Moved ${count} to the stopped ones below.` : 'Moved to the stopped ones below.',
  forgotten: (/** @type {number} */ count) => (count > 1 ? `Forgot ${count}.` : 'Forgotten.'),
  cleared: (/** @type {number} */ count, /** @type {number} */ billed) =>
    `Cleared ${count}.${billed > 0 ? ` ${billed} may still be billed: see below.` : ''}`,
};

/**
 * Takes cards off the page, and offers them back.
 *
 * @param {keyof typeof TEXTS} kind
 * @param {Generation[]} all
 * @param {number} [count] of the cards
 * @param {() => void} [undoMore]
 */
export function putAwayWithUndo(kind, all, count = all.length, undoMore = () => {}) {
  const billed = all.filter(({ mayBeBilled }) => mayBeBilled).length;
  const undo = putAway(all);
  const run = () => {
    undo();
    undoMore();
  };
  toast(TEXTS[kind], { label: 'Undo', run }, { id: kind, counts: [count, billed] });
}

/** @param {Generation} generation */
export const dismiss = (generation) =>
  putAwayWithUndo(generation.mayBeBilled ? 'moved' : 'dismissed', [generation]);

/** @param {Generation} generation of the archive */
export const forget = (generation) => putAwayWithUndo('forgotten', [generation]);

onReconnect((isSame) => {
  if (!isSame) relay = undefined;
  for (const generation of generations()) {
    const isCutOff = ['connection', 'request_timeout'].includes(generation.error?.kind);
    if (generation.isLost && isCutOff) resume(generation);
  }
});

/** @type {number | undefined} */
let hiddenAt;
document.addEventListener('visibilitychange', () => {
  const time = now();
  if (document.hidden) {
    hiddenAt = time;
    return;
  }
  unseen = 0;
  const away = time - (hiddenAt ?? time);
  if (away < NOTABLE_MS) return;
  for (const { timeline } of running()) timeline.note(`tab hidden for ${duration(away)}: polls were slowed`);
  redraw();
});
