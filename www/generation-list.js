/** The generations of this visit, and those of earlier visits and other tabs that are not done. */

import { LemonData } from 'lemondata-wasm';
import { createGenerations } from 'lemondata-wasm/generations';
import { announce } from './announce.js';
import { BASE_URL, pollInterval, relayId } from './config.js';
import { onReconnect } from './connection.js';
import { Generation } from './generation.js';
import { redraw } from './redraw.js';
import { send } from './sources.js';
import { get, put, remove } from './store.js';
import { duration, explain, short } from './words.js';

/** Shorter absences slow no polls. */
const NOTABLE_MS = 5000;

// The relay adds the key.
const lemon = new LemonData({ baseUrl: BASE_URL, relay: true, pollInterval });

/** The relay's process that knows the creates of this visit; `undefined` once it has ended. */
let relay = relayId;

/** @type {Generation[]} the newest first */
let list = [];

export const generations = () => list;
export const running = () => list.filter(({ isRunning }) => isRunning);

/** The number of generations that finished while the page was hidden. */
export let unseen = 0;

/**
 * The reference pictures of this visit's generations, by their ids, once they are stored.
 *
 * @type {Map<string, Promise<import('./sources.js').Sources | undefined>>}
 */
const stored = new Map();
/** @param {string} id */
const sourcesKey = (id) => `sources ${id}`;
/** @type {(id: string) => Promise<import('./sources.js').Sources | undefined>} */
const sourcesOf = (id) => stored.get(id) ?? get('tasks', sourcesKey(id));

/** @param {string | undefined} key */
const withKey = (key) =>
  /** @type {Generation} */ (list.find(({ snapshot }) => snapshot.idempotencyKey === key));

/** The client of the store. It adds the reference pictures, and records the requests for the cards. */
const client = {
  get relay() {
    return relay;
  },
  /** @type {LemonData['generateAndWait']} */
  async generateAndWait(request, options = {}) {
    const { fallback, ...body } = /** @type {import('./race-request.js').Request} */ (request);
    const generation = withKey(options.idempotencyKey);
    const sources = await sourcesOf(generation.id);
    return /** @type {Promise<any>} */ (
      generation.run({ ...options, fallback }, (traced) => send(lemon, body, sources, traced))
    );
  },
  /** @type {LemonData['waitForTask']} */
  waitForTask(task, options = {}) {
    const call = (/** @type {import('lemondata-wasm').Options} */ traced) => lemon.waitForTask(task, traced);
    return /** @type {Promise<any>} */ (withKey(options.idempotencyKey).run(options, call));
  },
  editAndWait: lemon.editAndWait,
};

const store = createGenerations({
  client,
  key: 'lemondata-studio',
  storage: {
    getItem: (key) => get('tasks', key),
    setItem: (key, value) => put('tasks', key, value),
    removeItem: (key) => remove('tasks', key),
  },
});

store.subscribe((snapshots) => {
  const known = new Map(list.map((generation) => [generation.id, generation]));
  list = snapshots.map(
    (snapshot) => known.get(snapshot.id) ?? new Generation(snapshot, !stored.has(snapshot.id)),
  );
  for (const [index, generation] of list.entries()) {
    const wasRunning = known.has(generation.id) && generation.isRunning;
    generation.snapshot = snapshots[index];
    if (generation.isRunning !== wasRunning) announceChange(generation, wasRunning);
  }
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
  if (phase === 'done') return `Done after ${duration(generation.elapsed(Date.now()))}`;
  return phase === 'stopped' ? 'Stopped waiting' : explain(error, account).title;
}

/**
 * @param {import('lemondata-wasm').ImageRequest} request
 * @param {import('./sources.js').Sources} [sources]
 * @returns {string} the id of the generation
 */
export function start(request, sources) {
  const id = crypto.randomUUID();
  const storing = sources ? put('tasks', sourcesKey(id), sources).catch(console.warn) : Promise.resolve();
  stored.set(
    id,
    storing.then(() => sources),
  );
  store.start(request, { id });
  const generation = list.find((other) => other.id === id);
  if (generation) generation.files = sources;
  return id;
}

/** Settles once the generations of earlier visits are listed. */
export const earlier = store.load().then(tidy);

/** Forgets the generations of earlier visits that have come to their end. */
async function tidy() {
  for (const generation of list) {
    if (stored.has(generation.id)) continue;
    if (!generation.isRunning && !generation.snapshot.isResumable) dismiss(generation);
    else generation.files = await sourcesOf(generation.id);
  }
  redraw();
}

/** @param {Generation} generation */
export const stop = ({ id }) => store.stop(id);

/**
 * Waits again for the task of a generation that has ended, or looks for the answer to its create.
 *
 * @param {Generation} generation
 */
export const resume = ({ id }) => store.resume(id);

/**
 * Replaces an ended generation with a new one of the same request.
 *
 * @param {Generation} generation
 * @param {Partial<import('lemondata-wasm').ImageRequest>} [changes]
 */
export function tryAgain(generation, changes = {}) {
  dismiss(generation);
  start({ ...generation.request, ...changes }, generation.files);
}

/** @param {Generation} generation */
export function dismiss({ id }) {
  store.remove(id);
  stored.delete(id);
  remove('tasks', sourcesKey(id)).catch(console.warn);
}

export function dismissEnded() {
  for (const generation of list.filter(({ isRunning }) => !isRunning)) dismiss(generation);
}

onReconnect((isSame) => {
  if (!isSame) relay = undefined;
  for (const generation of list) {
    const isCutOff = ['connection', 'request_timeout'].includes(generation.error?.kind);
    if (generation.isLost && isCutOff) resume(generation);
  }
});

/** @type {number | undefined} */
let hiddenAt;
document.addEventListener('visibilitychange', () => {
  const now = Date.now();
  if (document.hidden) {
    hiddenAt = now;
    return;
  }
  unseen = 0;
  const away = now - (hiddenAt ?? now);
  if (away < NOTABLE_MS) return;
  for (const { timeline } of running()) timeline.note(`tab hidden for ${duration(away)}: polls were slowed`);
  redraw();
});
