/** All generations of this visit, and those that an earlier one has left waiting. */

import { LemonData, LemonDataError } from 'lemondata-wasm';
import { announce } from './announce.js';
import { BASE_URL, pollInterval, relayId } from './config.js';
import { connection, onBack, reached } from './connection.js';
import { Generation } from './generation.js';
import { keep } from './pictures.js';
import { redraw } from './redraw.js';
import { all, get, put, remove } from './store.js';
import { duration, explain, short } from './words.js';

/** Shorter absences explain nothing. */
const NOTABLE_MS = 5000;

// No key: the relay adds it.
const client = new LemonData({ baseUrl: BASE_URL, relay: true, pollInterval });

/** @type {Generation[]} the newest first */
let list = [];

export const generations = () => list;
export const running = () => list.filter(({ isRunning }) => isRunning);

const host = {
  client,
  changed: redraw,
  // What cannot be stored is waited for all the same.
  write: (journal) => put('tasks', journal.id, journal).catch(console.warn),
  async keep(generation, images) {
    const pictures = await keep(generation, images);
    await remove('tasks', generation.id).catch(console.warn);
    return pictures;
  },
  reached,
};

/** How many have finished while nobody looked. */
export let unseen = 0;

/** @param {import('lemondata-wasm').ImageRequest} request */
export function start(request) {
  const id = crypto.randomUUID();
  const idempotencyKey = crypto.randomUUID();
  const journal = { id, request, startedAt: Date.now(), idempotencyKey, relay: relayId };
  const generation = new Generation(journal, host);
  list = [generation, ...list];
  send(generation);
}

function send(generation) {
  if (connection.isOnline) {
    // Before the request leaves: whatever happens then, its key is known.
    follow(generation, async () => {
      await host.write(generation.journal);
      await generation.create();
    });
  } else {
    generation.hold();
    redraw();
  }
}

/** Sees one to its end, and says how that was. One tab does so at a time. */
function follow(generation, work) {
  // Its card is there at once, however long the lock and the store take.
  redraw();
  return navigator.locks.request(lockOf(generation.id), () => see(generation, work));
}

async function see(generation, work) {
  const { id, request } = generation;
  announce(`Started: ${short(request.prompt)}`);
  await work();
  if (generation.phase !== 'done' && !mayGoOn(generation)) await remove('tasks', id);
  if (document.hidden && generation.phase === 'done') unseen += 1;
  announce(`${ending(generation)}: ${short(request.prompt)}`);
  redraw();
}

const lockOf = (id) => `lemondata-studio ${id}`;

/** Whether there is something to wait for, or to ask for, another time. */
const mayGoOn = ({ phase, error, task, isLost }) =>
  phase === 'stopped' ? Boolean(task) : isLost || error?.outcome === 'accepted';

function ending({ phase, error, account, journal, endedAt }) {
  if (phase === 'done') return `Done after ${duration(endedAt - journal.startedAt)}`;
  return phase === 'stopped' ? 'Stopped waiting' : explain(error, account).title;
}

/** Takes up what an earlier visit has left. What another tab sees to, it takes over when that is closed. */
export async function takeUp() {
  const journals = await all('tasks');
  const { held } = await navigator.locks.query();
  const locks = new Set(held.map(({ name }) => name));
  for (const journal of journals.sort((a, b) => a.startedAt - b.startedAt)) {
    if (isListed(journal)) continue;
    if (locks.has(lockOf(journal.id))) takeOver(journal.id);
    else if (!mayAsk(journal)) await interrupted(journal);
    else if (journal.isStopped) resumed(journal).rest();
    else goOn(journal, follow);
  }
  redraw();
}

async function takeOver(id) {
  await navigator.locks.request(lockOf(id), async () => {
    const journal = await get('tasks', id);
    // The other tab is still there, and shows how it has ended.
    if (!journal || journal.isStopped || isListed(journal)) return;
    if (mayAsk(journal)) await goOn(journal, see);
    else await interrupted(journal);
  });
  redraw();
}

const isListed = ({ id }) => list.some((generation) => generation.id === id);

/** Whether its task is known, or the relay knows its key, and carries nothing out twice. */
const mayAsk = ({ task, relay }) => Boolean(task) || relay === relayId;

function goOn(journal, through) {
  const generation = resumed(journal);
  return through(generation, () => (journal.task ? generation.resume() : generation.create()));
}

/** Shows one of an earlier visit. */
function resumed(journal) {
  const generation = new Generation(journal, host);
  generation.isResumed = true;
  list = [generation, ...list];
  return generation;
}

/** The page was left before the answer came, and the relay that knew about it is gone. */
async function interrupted(journal) {
  await remove('tasks', journal.id);
  const generation = resumed(journal);
  generation.rest();
  generation.phase = 'failed';
  generation.error = new LemonDataError({
    kind: 'response',
    outcome: 'unknown',
    message: 'This page was closed before the answer came, and the server has been started anew since.',
  });
}

/** Waits again for the task of one that has ended. */
export const waitAgain = (generation) => follow(generation, () => generation.resume());

/** Asks what has become of a create whose answer got lost: with its key, it is carried out once. */
export const askAgain = (generation) => follow(generation, () => generation.create());

/** The same request once more, in place of the one that has ended. */
export function tryAgain(generation, changes = {}) {
  dismiss(generation);
  start({ ...generation.request, ...changes });
}

export function dismiss(generation) {
  list = list.filter((other) => other !== generation);
  remove('tasks', generation.id);
  redraw();
}

export function dismissEnded() {
  for (const generation of list.filter(({ isRunning }) => !isRunning)) dismiss(generation);
}

onBack((isSameRelay) => {
  for (const generation of list) {
    if (generation.phase === 'held') send(generation);
    else if (generation.phase === 'failed' && generation.isLost && isSameRelay) askAgain(generation);
  }
});

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
