/**
 * What outlives the page, in IndexedDB: the tasks that are waited for, and the pictures. A picture is kept in three
 * parts, so that a gallery of thousands reads neither the files nor the thumbnails that it does not show.
 *
 * Bytes are stored as such: not every engine stores a Blob in every mode.
 */

import { openDB } from 'idb';

const NAME = 'lemondata-studio';
const STORES = ['tasks', 'pictures', 'thumbnails', 'files'];

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

/** Whether what is stored will be there the next time. */
export const isLasting = opening.then((db) => !db.isInMemory);

export const put = async (store, key, value) => (await opening).put(store, value, key);
export const get = async (store, key) => (await opening).get(store, key);
export const all = async (store) => (await opening).getAll(store);
export const remove = async (store, key) => (await opening).delete(store, key);

/** The same for a browser that keeps nothing for this page. */
function inMemory() {
  const maps = new Map(STORES.map((store) => [store, new Map()]));
  return {
    isInMemory: true,
    put: (store, value, key) => maps.get(store).set(key, value),
    get: (store, key) => maps.get(store).get(key),
    getAll: (store) => [...maps.get(store).values()],
    delete: (store, key) => maps.get(store).delete(key),
  };
}
