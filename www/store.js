/**
 * IndexedDB, for the tasks and pictures that outlive the page. A picture is kept in three parts, so that a gallery
 * of thousands does not read the files and thumbnails that it does not show.
 *
 * Pictures are stored as bytes, because some engines store no Blob in private windows. Where storage is full or
 * blocked, pictures are held in memory, since they are billed.
 */

import { openDB } from 'idb';

const NAME = 'lemondata-studio';
/** @typedef {'tasks' | 'pictures' | 'thumbnails' | 'files'} Store */

/** @type {Store[]} */
const STORES = ['tasks', 'pictures', 'thumbnails', 'files'];

/** @type {Promise<import('idb').IDBPDatabase | undefined>} */
const opening = open().catch((error) => {
  console.warn('Nothing outlives this page:', error);
  return undefined;
});

async function open() {
  return openDB(NAME, 1, {
    upgrade(db) {
      for (const store of STORES) db.createObjectStore(store);
    },
  });
}

/** Whether stored values outlive the page. */
export const isLasting = opening.then(Boolean);

/** The parts of pictures that the database does not take, which last as long as the page. */
const held = Object.fromEntries(STORES.map((store) => [store, new Map()]));

/**
 * Whether a part of a picture is lost with the page.
 *
 * @param {string} key
 */
export const isHeld = (key) => held.files.has(key) || held.pictures.has(key);

/** Whether any picture is. */
export const hasHeld = () => held.files.size + held.pictures.size > 0;

/**
 * Writes a value. One of a picture that the database does not take is held.
 *
 * @param {Store} store
 * @param {string} key
 * @param {unknown} value
 * @returns {Promise<boolean>} whether it outlives the page; rejects where that cannot be for a task
 */
export async function put(store, key, value) {
  const db = await opening;
  try {
    if (!db) throw new Error('The database is blocked.');
    await db.put(store, value, key);
    held[store].delete(key);
    return true;
  } catch (error) {
    // A copy of the tasks in memory would hide those of other tabs. Their journal copes without.
    if (store === 'tasks') throw error;
    console.warn('A picture is not stored:', error);
    held[store].set(key, value);
    return false;
  }
}

/**
 * Holds a value in memory, with its picture.
 *
 * @type {(store: Store, key: string, value: unknown) => void}
 */
export const hold = (store, key, value) => void held[store].set(key, value);

/**
 * Tries to store what is held.
 *
 * @returns {Promise<boolean>} whether nothing is held any more
 */
export async function storeHeld() {
  const db = await opening;
  if (!db) return false;
  try {
    for (const store of STORES) {
      for (const [key, value] of held[store]) {
        await db.put(store, value, key);
        held[store].delete(key);
      }
    }
  } catch (error) {
    console.warn('A picture is not stored:', error);
  }
  return !hasHeld();
}

/** @type {(store: Store, key: string) => Promise<any>} */
export const get = async (store, key) => held[store].get(key) ?? (await opening)?.get(store, key);

/** @type {(store: 'pictures') => Promise<any[]>} every value, in the order of the keys */
export async function all(store) {
  const values = (await (await opening)?.getAll(store)) ?? [];
  const byId = new Map(values.map((value) => [value.id, value]));
  for (const [id, value] of held[store]) byId.set(id, value);
  return [...byId.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** @type {(store: Store, key: string) => Promise<unknown>} */
export async function remove(store, key) {
  held[store].delete(key);
  return (await opening)?.delete(store, key);
}
