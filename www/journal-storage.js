/** The storage of the journal: the database of this browser. */

import { redraw } from './redraw.js';
import { get, put, remove } from './store.js';

/** Whether the journal cannot be written, so that running generations are lost with the page. */
export let isJournalLost = false;

/**
 * Notes whether the journal is kept.
 *
 * @template T
 * @param {Promise<T>} call of the database
 * @param {boolean} isLost what follows from its success
 */
async function watch(call, isLost) {
  const before = isJournalLost;
  try {
    const value = await call;
    isJournalLost = isLost;
    return value;
  } catch (error) {
    isJournalLost = true;
    throw error;
  } finally {
    if (isJournalLost !== before) redraw();
  }
}

/** @type {(text: string | undefined) => Set<string>} the ids of the generations in a journal */
function idsIn(text) {
  try {
    return new Set(Object.keys(JSON.parse(text ?? '').entries));
  } catch {
    return new Set();
  }
}

/**
 * @param {string} name of the journal
 * @param {(id: string) => void} onDrop is called when an entry has left the journal
 * @returns {import('lemondata-wasm/generations').GenerationsStorage}
 */
export function journalStorage(name, onDrop) {
  /** @type {Set<string>} the generations in the journal as it was read last */
  let listed = new Set();

  /** @param {Set<string>} ids that have stayed */
  function dropOthers(ids) {
    for (const id of listed) if (!ids.has(id)) onDrop(id);
    listed = ids;
  }

  return {
    // A read proves nothing of a full storage.
    async getItem(key) {
      const text = await watch(get('tasks', key), isJournalLost);
      listed = idsIn(text);
      return text;
    },
    async setItem(key, value) {
      await watch(put('tasks', key, value), false);
      // A journal that is set aside keeps its entries.
      if (key === name) dropOthers(idsIn(value));
      else listed = new Set();
    },
    // A removal proves nothing: a database that is blocked holds nothing.
    async removeItem(key) {
      await remove('tasks', key);
      dropOthers(new Set());
    },
  };
}
