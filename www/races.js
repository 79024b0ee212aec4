/**
 * The races: generations of one prompt by several models. Beside the store, this browser keeps the ids of a race and the
 * times of its lanes, which the store does not have.
 */

import { announce } from './announce.js';
import { modelsTried } from './fallback.js';
import { keptOf } from './generation.js';
import { earlier, putAwayWithUndo, start, tryAgain } from './generation-list.js';
import { redraw } from './redraw.js';
import { namesOf } from './sources.js';
import { explain, short } from './words.js';

const KEY = 'lemondata-studio races';
/** A press that is repeated within this time, or a key that is held, starts no other race. */
const PRESS_MS = 1000;
/** Older races are forgotten. Their pictures stay. */
const MAX_RACES = 20;

/** @typedef {import('lemondata-wasm').ImageRequest} ImageRequest */
/** @typedef {import('./generation.js').Generation} Generation */

/**
 * A request of a lane. Its time is relative to the start of the lane.
 *
 * @typedef {Pick<import('./timeline.js').Row, 'kind' | 'at' | 'ms' | 'status' | 'isLost' | 'model'>} Mark
 */

/**
 * What a race keeps of one generation.
 *
 * @typedef {object} StoredLane
 * @property {string} id of the generation
 * @property {ImageRequest} request
 * @property {import('./sources.js').SourceNames} [sources] its reference pictures
 * @property {string} phase
 * @property {number} ms how long it has taken so far
 * @property {Mark[]} marks
 * @property {import('./fallback.js').Row[]} [tried] the models that a hub has tried, which the marks do not show
 * @property {string} [problem] the title of its error
 * @property {string} [reason] the words of its error
 */

/**
 * @typedef {object} StoredRace
 * @property {string} id
 * @property {number} at
 * @property {StoredLane[]} lanes
 * @property {boolean} [isCleared] whether it is shown only if one of its generations comes back
 */

/**
 * A lane as the page shows it.
 *
 * @typedef {StoredLane & {
 *   model: string,
 *   tried: import('./fallback.js').Row[],
 *   generation?: Generation,
 *   isRunning: boolean,
 *   pictures: import('./pictures.js').Picture[],
 * }} Lane `model` is the one that has the request now
 */

/** @typedef {{ id: string, at: number, lanes: Lane[], isRunning: boolean, stored: StoredRace }} Race */

/** @type {StoredRace[]} the newest first */
let races = read();
/** @type {Map<string, string>} */
const digests = new Map();
/** Whether the generations of earlier visits are listed. Until then, nothing is known of the lanes. */
let isLoaded = false;
earlier.then(() => {
  isLoaded = true;
  redraw();
});
// Another tab has begun a race, or cleared one.
addEventListener('storage', ({ key }) => {
  if (key !== KEY) return;
  races = read();
  redraw();
});

/** @returns {StoredRace[]} */
function read() {
  try {
    const stored = JSON.parse(localStorage.getItem(KEY) ?? '[]');
    return stored.filter(
      ({ id, lanes }) => id && lanes.every((lane) => lane.id && lane.request && lane.marks),
    );
  } catch {
    // Storage is blocked, or holds something else.
    return [];
  }
}

function write() {
  try {
    localStorage.setItem(KEY, JSON.stringify(races));
  } catch {
    // The race lasts as long as the page.
  }
}

/** @type {(id: string, request: ImageRequest, sources?: StoredLane['sources']) => StoredLane} */
const newLane = (id, request, sources) => ({ id, request, sources, phase: 'sending', ms: 0, marks: [] });

/** The last press of each button, by its race. @type {Map<string | undefined, number>} */
const pressedAt = new Map();

/**
 * Starts a generation for each request.
 *
 * @param {ImageRequest[]} requests
 * @param {import('./sources.js').Sources} [sources]
 * @param {string} [again] the id of the race that begins again; without it, the form starts one
 */
export function startRace(requests, sources, again) {
  const at = performance.now();
  const isRepeated = at - (pressedAt.get(again) ?? Number.NEGATIVE_INFINITY) < PRESS_MS;
  pressedAt.set(again, at);
  if (isRepeated) return;
  const names = namesOf(sources);
  const lanes = requests.map((request) => newLane(start(request, sources), request, names));
  races = [{ id: crypto.randomUUID(), at: Date.now(), lanes }, ...races].slice(0, MAX_RACES);
  write();
}

/**
 * Replaces the generation of a lane with a new one of the same request.
 *
 * @param {Race} race
 * @param {Lane} lane
 * @returns {Promise<void>} rejects where its reference pictures were not kept
 */
export function restartLane({ stored }, lane) {
  return tryAgain(lane, {}, (id) => {
    // Another tab may have written the races meanwhile.
    const race = races.find((each) => each.id === stored.id) ?? stored;
    race.lanes = race.lanes.map((each) =>
      each.id === lane.id ? newLane(id, each.request, lane.sources) : each,
    );
    write();
  });
}

/** @type {(race: Race) => Generation[]} */
const generationsOf = ({ lanes }) => lanes.flatMap(({ generation }) => generation ?? []);

/**
 * @param {Race[]} shown
 * @param {boolean} isCleared
 */
function setCleared(shown, isCleared) {
  for (const { id } of shown) {
    const race = races.find((each) => each.id === id);
    if (race) race.isCleared = isCleared;
  }
  write();
  redraw();
}

/** @param {Race} race */
export function dismissRace(race) {
  setCleared([race], true);
  const all = generationsOf(race);
  const kind = all.some(({ mayBeBilled }) => mayBeBilled) ? 'moved' : 'dismissed';
  putAwayWithUndo(kind, all, 1, () => setCleared([race], false));
}

/**
 * Takes the cards off the page that have ended. A lane stays with its race.
 *
 * @param {(Generation | Race)[]} items of the feed
 */
export function dismissEnded(items) {
  const ended = items.filter((item) => !item.isRunning);
  const cleared = ended.filter(isRace);
  setCleared(cleared, true);
  const all = ended.flatMap((item) => (isRace(item) ? generationsOf(item) : item));
  putAwayWithUndo('cleared', all, ended.length, () => setCleared(cleared, false));
}

/** @type {(item: Generation | Race) => item is Race} */
export const isRace = (item) => 'lanes' in item;

/**
 * The cards of the feed, the newest first: each race in the place of its generations.
 *
 * @param {Generation[]} list
 * @param {number} now
 * @returns {(Generation | Race)[]}
 */
export function withRaces(list, now) {
  const byId = new Map(list.map((generation) => [generation.id, generation]));
  let isChanged = false;
  /** @type {Race[]} */
  const shown = [];
  for (const stored of races) {
    const present = stored.lanes.filter(({ id }) => byId.has(id));
    if (present.length === 0 && (!isLoaded || stored.isCleared)) continue;
    const wasRunning = stored.lanes.some(({ phase }) => isRunning(phase));
    const lanes = stored.lanes.map((lane) => {
      const generation = byId.get(lane.id);
      if (generation) isChanged = update(lane, generation, now) || isChanged;
      byId.delete(lane.id);
      return view(lane, generation);
    });
    const race = {
      id: stored.id,
      at: stored.at,
      lanes,
      isRunning: lanes.some((lane) => lane.isRunning),
      stored,
    };
    if (wasRunning && !race.isRunning) announce(`${summaryOf(race)}: ${short(lanes[0].request.prompt)}`);
    shown.push(race);
  }
  if (isChanged) write();
  const places = new Map(list.map(({ id }, index) => [id, index]));
  /** @type {(item: Generation | Race) => number} */
  const placeOf = (item) => {
    if (!isRace(item)) return places.get(item.id) ?? 0;
    const own = item.lanes.flatMap(({ id }) => places.get(id) ?? []);
    if (own.length > 0) return Math.min(...own);
    const older = list.findIndex(({ snapshot }) => snapshot.startedAt < item.at);
    return older < 0 ? list.length : older - 0.5;
  };
  return [...byId.values(), ...shown].sort((one, other) => placeOf(one) - placeOf(other));
}

/** @param {string} phase */
const isRunning = (phase) => ['held', 'sending', 'waiting', 'saving'].includes(phase);

/**
 * Brings what is kept of a lane up to date.
 *
 * @param {StoredLane} lane
 * @param {Generation} generation
 * @param {number} now
 * @returns {boolean} whether it has to be written
 */
function update(lane, generation, now) {
  const { phase, begunAt, timeline, error, account, tried } = generation;
  const { rows } = timeline;
  const marks = rows
    .filter(({ kind }) => kind !== 'note')
    .map(({ kind, at, ms, status, isLost, model }) => ({
      kind,
      at: at - begunAt,
      ms,
      status,
      isLost,
      model,
    }));
  const { title, message } = phase === 'failed' ? explain(error, account) : {};
  // The timeline begins with this visit.
  const before = lane.marks.filter(({ at }) => marks.length === 0 || at < marks[0].at);
  Object.assign(lane, {
    phase,
    ms: generation.elapsed(now),
    marks: [...before, ...marks],
    // A hub goes through the models by itself.
    tried: modelsTried(tried).length > modelsTried([...before, ...marks]).length ? tried : lane.tried,
    problem: title,
    reason: message,
  });
  // What this tab sees of the lane. Another tab's view of it is no change, or the two would write in turns.
  const digest = `${phase} ${rows.length} ${rows.at(-1)?.ms} ${tried.length}`;
  const isChanged = digests.get(lane.id) !== digest;
  digests.set(lane.id, digest);
  return isChanged;
}

/**
 * @param {StoredLane} stored
 * @param {Generation} [generation]
 * @returns {Lane}
 */
function view(stored, generation) {
  const pictures = generation?.pictures ?? keptOf(stored.id).toReversed();
  // The store has lost a generation whose pictures came in the answer.
  const phase = generation || !isRunning(stored.phase) ? stored.phase : pictures.length > 0 ? 'done' : 'gone';
  const { tried = stored.marks } = stored;
  const model = modelsTried(tried).at(-1)?.model ?? stored.request.model ?? '';
  const sources = stored.sources ?? generation?.sources;
  return { ...stored, tried, sources, phase, model, generation, isRunning: isRunning(phase), pictures };
}

/**
 * The lane that was the fastest, as soon as no other can be faster.
 *
 * @param {Race} race
 * @returns {Lane | undefined}
 */
export function winnerOf({ lanes }) {
  const done = lanes.filter(({ phase }) => phase === 'done');
  if (lanes.length < 2 || done.length === 0) return undefined;
  const fastest = done.reduce((one, other) => (other.ms < one.ms ? other : one));
  return lanes.some((lane) => lane.isRunning && lane.ms < fastest.ms) ? undefined : fastest;
}

/** @param {number} ms */
export const seconds = (ms) => `${(Math.max(ms, 100) / 1000).toFixed(ms < 100_000 ? 1 : 0)} s`;

/**
 * How a race stands, in words.
 *
 * @param {Race} race
 */
export function summaryOf(race) {
  const { lanes } = race;
  const done = lanes.filter(({ phase }) => phase === 'done').length;
  const winner = winnerOf(race);
  if (race.isRunning) return `${done} of ${lanes.length} done`;
  return winner ? `${winner.model} was first, after ${seconds(winner.ms)}` : 'No picture';
}
