/** The generations of this visit, and the unfinished ones of earlier visits. */

import { LemonData, LemonDataError } from 'lemondata-wasm';
import { announce } from './announce.js';
import { BASE_URL, pollInterval, relayId } from './config.js';
import { connection, onReconnect, recordReach } from './connection.js';
import { Generation } from './generation.js';
import { keep } from './pictures.js';
import { redraw } from './redraw.js';
import { all, get, put, remove } from './store.js';
import { duration, explain, short } from './words.js';

/** @typedef {import('./generation.js').Journal} Journal */

/** Shorter absences slow no polls. */
const NOTABLE_MS = 5000;

// The relay adds the key.
const client = new LemonData({ baseUrl: BASE_URL, relay: true, pollInterval });

/** @type {Generation[]} the newest first */
let list = [];

export const generations = () => list;
export const running = () => list.filter(({ isRunning }) => isRunning);

/** @type {import('./generation.js').Host} */
const host = {
  client,
  redraw,
  // A generation goes on without its journal.
  write: (journal) => put('tasks', journal.id, journal).catch(console.warn),
  async keep(generation, images) {
    const pictures = await keep(generation, images);
    await remove('tasks', generation.id).catch(console.warn);
    return pictures;
  },
  recordReach,
};

/** The number of generations that finished while the page was hidden. */
export let unseen = 0;

/**
 * @param {import('lemondata-wasm').ImageRequest} request
 * @param {import('./sources.js').Sources} [sources]
 */
export function start(request, sources) {
  const id = crypto.randomUUID();
  const idempotencyKey = crypto.randomUUID();
  const journal = {
    id,
    request,
    ...(sources && { sources }),
    startedAt: Date.now(),
    idempotencyKey,
    relay: relayId,
  };
  const generation = new Generation(journal, host);
  list = [generation, ...list];
  send(generation);
}

/** @param {Generation} generation */
function send(generation) {
  if (connection.isOnline) {
    // The key is stored first, so that a reload can ask for the answer.
    track(generation, async () => {
      await host.write(generation.journal);
      await generation.create();
    });
  } else {
    generation.hold();
    redraw();
  }
}

/**
 * Runs a generation and announces its end. A lock keeps other tabs from doing the same.
 *
 * @param {Generation} generation
 * @param {() => Promise<void>} work
 */
async function track(generation, work) {
  // The card appears at once, however long the lock and the store take.
  redraw();
  await navigator.locks.request(lockOf(generation.id), () => runAnnounced(generation, work));
}

/**
 * @param {Generation} generation
 * @param {() => Promise<void>} work
 */
async function runAnnounced(generation, work) {
  const { id, request } = generation;
  announce(`Started: ${short(request.prompt)}`);
  await work();
  if (generation.phase !== 'done' && !canContinue(generation)) await remove('tasks', id);
  if (document.hidden && generation.phase === 'done') unseen += 1;
  announce(`${ending(generation)}: ${short(request.prompt)}`);
  redraw();
}

/** @param {string} id */
const lockOf = (id) => `lemondata-studio ${id}`;

/**
 * Whether a later visit can wait for its task or look for its answer.
 *
 * @param {Generation} generation
 */
const canContinue = ({ phase, error, task, isLost }) =>
  phase === 'stopped' ? Boolean(task) : isLost || error?.outcome === 'accepted';

/** @param {Generation} generation */
function ending(generation) {
  const { phase, error, account } = generation;
  if (phase === 'done') return `Done after ${duration(generation.elapsed(Date.now()))}`;
  return phase === 'stopped' ? 'Stopped waiting' : explain(error, account).title;
}

/** Continues the generations of earlier visits. Those of another open tab follow when that tab is closed. */
export async function continueEarlier() {
  const journals = await all('tasks');
  const { held = [] } = await navigator.locks.query();
  const locks = new Set(held.map(({ name }) => name));
  for (const journal of journals.sort((a, b) => a.startedAt - b.startedAt)) {
    if (isListed(journal)) continue;
    if (locks.has(lockOf(journal.id))) continueAfterTab(journal.id);
    else if (!hasAnswer(journal)) await showLost(journal);
    else if (journal.isStopped) show(journal).showStopped();
    else continueOne(journal, track);
  }
  redraw();
}

/** @param {string} id */
async function continueAfterTab(id) {
  await navigator.locks.request(lockOf(id), async () => {
    const journal = await get('tasks', id);
    // The other tab is still open, and shows how it has ended.
    if (!journal || journal.isStopped || isListed(journal)) return;
    if (hasAnswer(journal)) await continueOne(journal, runAnnounced);
    else await showLost(journal);
  });
  redraw();
}

/** @param {Journal} journal */
const isListed = ({ id }) => list.some((generation) => generation.id === id);

/**
 * Whether its task is known, or its key is known to the relay, which then does not create twice.
 *
 * @param {Journal} journal
 */
const hasAnswer = ({ task, relay }) => Boolean(task) || relay === relayId;

/**
 * @param {Journal} journal
 * @param {(generation: Generation, work: () => Promise<void>) => Promise<void>} run
 */
function continueOne(journal, run) {
  const generation = show(journal);
  return run(generation, () => (journal.task ? generation.resume(journal.task) : generation.create()));
}

/**
 * Lists a generation of an earlier visit.
 *
 * @param {Journal} journal
 */
function show(journal) {
  const generation = new Generation(journal, host);
  generation.isResumed = true;
  list = [generation, ...list];
  return generation;
}

/**
 * Lists a generation as failed. The page was closed before the answer, and the relay's process that knew it is gone.
 *
 * @param {Journal} journal
 */
async function showLost(journal) {
  await remove('tasks', journal.id);
  const generation = show(journal);
  generation.showStopped();
  generation.phase = 'failed';
  generation.error = new LemonDataError({
    kind: 'response',
    outcome: 'unknown',
    message: 'This page was closed before the answer arrived, and the server has restarted since.',
  });
}

/**
 * Waits again for the task of a generation that has ended.
 *
 * @param {Generation} generation
 * @param {import('lemondata-wasm').Task} task
 */
export const waitAgain = (generation, task) => track(generation, () => generation.resume(task));

/**
 * Sends a create again whose answer was lost, with the same key, so that it is carried out once.
 *
 * @param {Generation} generation
 */
export const repeatCreate = (generation) => track(generation, () => generation.create());

/**
 * Replaces an ended generation with a new one of the same request.
 *
 * @param {Generation} generation
 * @param {Partial<import('lemondata-wasm').ImageRequest>} [changes]
 */
export function tryAgain(generation, changes = {}) {
  dismiss(generation);
  start({ ...generation.request, ...changes }, generation.journal.sources);
}

/** @param {Generation} generation */
export function dismiss(generation) {
  list = list.filter((other) => other !== generation);
  remove('tasks', generation.id);
  redraw();
}

export function dismissEnded() {
  for (const generation of list.filter(({ isRunning }) => !isRunning)) dismiss(generation);
}

onReconnect((isSameRelay) => {
  for (const generation of list) {
    if (generation.phase === 'held') send(generation);
    else if (generation.phase === 'failed' && generation.isLost && isSameRelay) repeatCreate(generation);
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
