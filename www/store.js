/**
 * IndexedDB, for the tasks and pictures that outlive the page. A picture is kept in three parts, so that a gallery
 * of thousands does not read the files and thumbnails that it does not show.
 *
 * Pictures are stored as bytes, because some engines store no Blob in private windows. Where storage is full or
 * blocked, pictures are kept in memory, since they are billed.
 */

import { openDB } from 'idb';

const NAME = 'lemondata-studio';
/** @typedef {'tasks' | 'pictures' | 'thumbnails' | 'files'} Store */

/** @type {Store[]} */
const STORES = ['tasks', 'pictures', 'thumbnails', 'files'];

/** The longest wait for the database. Some versions of WebKit never answer. */
const PATIENCE_MS = 20_000;

/** @type {Promise<import('idb').IDBPDatabase | undefined> | undefined} */
let opening;

/**
 * @template T
 * @param {Promise<T>} work
 * @returns {Promise<T>} rejects where it takes too long, by no clock that a person may set
 */
function patiently(work) {
  const timeout = AbortSignal.timeout(PATIENCE_MS);
  const end = new Promise((_, reject) => {
    timeout.onabort = () => reject(timeout.reason);
  });
  return Promise.race([work, end]);
}

/** The database; `undefined` where it is blocked. */
function database() {
  opening ??= patiently(open()).catch((error) => {
    console.warn('Nothing outlives this page:', error);
    return undefined;
  });
  return opening;
}

/** The browser has deleted the database, or another tab is about to change it. */
function reopen() {
  opening = undefined;
}

/** @returns {Promise<import('idb').IDBPDatabase>} */
async function open() {
  /** @type {import('idb').OpenDBCallbacks<unknown>} */
  const callbacks = {
    upgrade(db) {
      for (const store of STORES) db.createObjectStore(store);
    },
    blocking(_from, _to, { target }) {
      /** @type {IDBDatabase} */ (target).close();
      reopen();
    },
    terminated: reopen,
  };
  try {
    return await openDB(NAME, 1, callbacks);
  } catch (/** @type {any} */ error) {
    if (error.name !== 'VersionError') throw error;
    // A newer version of this page may have added stores.
    return openDB(NAME, undefined, callbacks);
  }
}

/**
 * Calls the database.
 *
 * @template T
 * @param {(db: import('idb').IDBPDatabase) => Promise<T>} call
 * @returns {Promise<T | undefined>} undefined where it is blocked; rejects where it fails or does not answer
 */
async function use(call) {
  const db = await database();
  return db && patiently(call(db));
}

/** Whether stored values outlive the page. */
export const isLasting = database().then(Boolean);

/** The parts of pictures that the database does not take, which last as long as the page. */
const inMemory = Object.fromEntries(STORES.map((store) => [store, new Map()]));

/**
 * Whether a part of a picture is lost with the page.
 *
 * @param {string} key
 */
export const isInMemory = (key) => inMemory.files.has(key) || inMemory.pictures.has(key);

/** Whether any picture is. */
export const isAnyInMemory = () => inMemory.files.size + inMemory.pictures.size > 0;

/**
 * Writes a value. Memory keeps one of a picture that the database does not take.
 *
 * @param {Store} store
 * @param {string} key
 * @param {unknown} value
 * @returns {Promise<boolean>} whether it outlives the page; rejects where that cannot be for a task
 */
export async function put(store, key, value) {
  try {
    if (!(await use((db) => db.put(store, value, key)))) throw new Error('The database is blocked.');
    inMemory[store].delete(key);
    return true;
  } catch (error) {
    // A copy of the tasks in memory would hide those of other tabs. Their journal copes without.
    if (store === 'tasks') throw error;
    console.warn('A picture is not stored:', error);
    inMemory[store].set(key, value);
    return false;
  }
}

/**
 * Keeps a value in memory, with its picture.
 *
 * @type {(store: Store, key: string, value: unknown) => void}
 */
export const keepInMemory = (store, key, value) => void inMemory[store].set(key, value);

/**
 * Tries to store the values in memory.
 *
 * @returns {Promise<boolean>} whether none is left there
 */
export async function flushMemory() {
  for (const store of STORES) {
    for (const [key, value] of inMemory[store]) if (!(await put(store, key, value))) return !isAnyInMemory();
  }
  return true;
}

/** @type {(store: Store, key: string) => Promise<any>} */
export const get = async (store, key) => inMemory[store].get(key) ?? use((db) => db.get(store, key));

/** @type {(store: 'pictures') => Promise<any[]>} every value, in the order of the keys */
export async function all(store) {
  const values = (await use((db) => db.getAll(store)).catch(console.warn)) ?? [];
  const byId = new Map(values.map((value) => [value.id, value]));
  for (const [id, value] of inMemory[store]) byId.set(id, value);
  return [...byId.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** @type {(store: Store, key: string) => Promise<unknown>} */
export async function remove(store, key) {
  inMemory[store].delete(key);
  return use((db) => db.delete(store, key));
}
