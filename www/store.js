/**
 * IndexedDB, for the tasks and pictures that outlive the page. A picture is kept in three parts, so that a gallery
 * of thousands does not read the files and thumbnails that it does not show.
 *
 * Pictures are stored as bytes, because some engines store no Blob in private windows.
 */

import { openDB } from 'idb';

const NAME = 'lemondata-studio';
/** @typedef {'tasks' | 'pictures' | 'thumbnails' | 'files'} Store */

/** @type {Store[]} */
const STORES = ['tasks', 'pictures', 'thumbnails', 'files'];

/**
 * The part of an IndexedDB database that the page uses.
 *
 * @typedef {object} Database
 * @property {boolean} [isInMemory]
 * @property {(store: Store, value: unknown, key: string) => unknown} put
 * @property {(store: Store, key: string) => any} get
 * @property {(store: Store) => any} getAll
 * @property {(store: Store, key: string) => unknown} delete
 */

/** @type {Promise<Database>} */
const opening = open().catch((error) => {
  console.warn('Nothing outlives this page:', error);
  return inMemory();
});

async function open() {
  return openDB(NAME, 1, {
    upgrade(db) {
      for (const store of STORES) db.createObjectStore(store);
    },
  });
}

/** Whether stored pictures outlive the page. */
export const isLasting = opening.then((db) => !db.isInMemory);

/** @type {(store: Store, key: string, value: unknown) => Promise<unknown>} */
export const put = async (store, key, value) => (await opening).put(store, value, key);
/** @type {(store: Store, key: string) => Promise<any>} */
export const get = async (store, key) => (await opening).get(store, key);
/** @type {(store: Store) => Promise<any[]>} */
export const all = async (store) => (await opening).getAll(store);
/** @type {(store: Store, key: string) => Promise<unknown>} */
export const remove = async (store, key) => (await opening).delete(store, key);

/**
 * A database for browsers that store nothing for this page.
 *
 * @returns {Database}
 */
function inMemory() {
  const maps = { tasks: new Map(), pictures: new Map(), thumbnails: new Map(), files: new Map() };
  return {
    isInMemory: true,
    put: (store, value, key) => maps[store].set(key, value),
    get: (store, key) => maps[store].get(key),
    getAll: (store) => [...maps[store].values()],
    delete: (store, key) => maps[store].delete(key),
  };
}
