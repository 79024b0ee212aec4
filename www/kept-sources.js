/** The reference pictures of generations, kept in this browser beside the journal, which has no room for them. */

import { whole } from './sources.js';
import { get, put, remove } from './store.js';

/** @typedef {import('./sources.js').Sources} Sources */

/**
 * The sources of this visit's generations, by their ids, once they are stored.
 *
 * @type {Map<string, Promise<Sources | undefined>>}
 */
const ofVisit = new Map();
/** The ids of those that are lost with the page. @type {Set<string>} */
const loose = new Set();

/** @type {(id: string) => string} */
const sourcesKey = (id) => `sources ${id}`;

/** @type {(generation: { id: string }) => boolean} whether its reference pictures are lost with the page */
export const isLoose = ({ id }) => loose.has(id);

/** @type {(id: string) => boolean} whether this visit has begun a generation */
export const isOfVisit = (id) => ofVisit.has(id);

/**
 * Keeps the reference pictures of a generation that is about to start.
 *
 * @param {string} id
 * @param {Sources} [sources]
 */
export function keepSources(id, sources) {
  const storing = sources
    ? put('tasks', sourcesKey(id), sources).catch((error) => {
        console.warn(error);
        loose.add(id);
      })
    : Promise.resolve();
  ofVisit.set(
    id,
    storing.then(() => sources),
  );
}

/**
 * The reference pictures of a generation, of an earlier visit as well.
 *
 * @param {{ id: string, sources?: import('./sources.js').SourceNames }} generation or what else names its pictures
 * @returns {Promise<Sources | undefined>} rejects where they were not kept as they were
 */
export async function filesOf({ id, sources }) {
  const found = await (ofVisit.get(id) ?? get('tasks', sourcesKey(id)).catch(console.warn));
  return whole(sources, found ?? undefined);
}

/**
 * Deletes the reference pictures of a generation. Until the page is closed, {@link restoreSources} brings them back.
 *
 * @param {Parameters<typeof filesOf>[0]} generation
 */
export function removeSources(generation) {
  const { id } = generation;
  const files = filesOf(generation).catch(() => undefined);
  ofVisit.set(id, files);
  files.then(() => remove('tasks', sourcesKey(id))).catch(console.warn);
}

/** @param {string} id */
export function restoreSources(id) {
  ofVisit
    .get(id)
    ?.then((files) => files && put('tasks', sourcesKey(id), files))
    .catch(console.warn);
}
