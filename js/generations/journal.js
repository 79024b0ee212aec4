/** The stored generations: one item of a storage holds them all. */

import { toError, toStored } from './errors.js';
import { exclusive } from './locks.js';
import { hasPicture } from './pictures.js';

/** A format that this one cannot read gets another key as well, so that pages of both go on side by side. */
const VERSION = 1;
/** A journal that grows without end would fill the storage, and no create could be written before it leaves. */
const MAX_ENDED = 100;

export const isRunning = (entry) => entry && entry.endedAt === undefined;

const isEntry = (entry) =>
  /^(held|sending|waiting|done|stopped|failed)$/.test(entry?.phase) &&
  entry.request instanceof Object &&
  Array.isArray(entry.images) &&
  entry.idempotencyKey;

/**
 * The stored part of a generation. A storage of texts has no room for files and pictures: what brings them back is
 * stored in their place.
 *
 * @returns the entry; `undefined` where nothing would bring the pictures back
 */
function toEntry(snapshot) {
  const { images, error, task } = snapshot;
  const request = { ...snapshot.request };
  const entry = { ...snapshot, request };
  for (const name in request) {
    if (!hasPicture(request[name])) continue;
    entry.isPartial = true;
    delete request[name];
  }
  if (error) entry.error = toStored(error);
  // An address of another kind is that of an application, which keeps its images itself.
  if (images.every(({ url }) => url && !/^(blob|data):/i.test(url))) return entry;
  return task && { ...entry, phase: 'waiting', images: [], endedAt: undefined };
}

export const fromEntry = (entry) => ({ ...entry, error: entry.error && toError(entry.error) });

/**
 * @param {import('./index.js').GenerationsStorage | null | undefined} chosen
 * @param {string} key
 * @param {LockManager | null | undefined} locks
 */
export function openJournal(chosen, key, locks) {
  /**
   * What each write stores: all that is unfinished here. A tab may write from a copy that lacks the last write of
   * another one.
   */
  const own = new Map();
  const forget = (id, entry) => own.get(id) === entry && own.delete(id);
  /** @type {Promise<any>} */
  let last = Promise.resolve();
  /** @type {Promise<any> | undefined} the update that has not begun */
  let next;
  let warn = (error) => {
    console.warn('Generations are not stored:', error);
    warn = () => {};
  };

  async function update() {
    next = undefined;
    // Reading the property throws where storage is blocked.
    const storage = chosen === undefined ? globalThis.localStorage : chosen;
    if (!storage) return;
    const text = await storage.getItem(key);
    const entries = new Map();
    /**
     * Whether the text holds anything but sound entries.
     *
     * @type {unknown}
     */
    let isBroken = text;
    try {
      const { version, entries: stored } = JSON.parse(text);
      if (version === VERSION) {
        isBroken = !stored;
        for (const [id, entry] of Object.entries(stored)) {
          if (isEntry(entry)) entries.set(id, entry);
          else isBroken = true;
        }
      }
    } catch {}
    // Where this fails, the write fails with it, and the old text stays.
    if (isBroken) await storage.setItem(`${key} set aside ${Date.now()}`, text);
    const written = [...own];
    for (const [id, entry] of written) {
      if (entry) entries.set(id, entry);
      else entries.delete(id);
    }
    // The oldest go, and those last that may still bring billed images.
    const ended = [...entries.values()].filter((entry) => !isRunning(entry));
    ended.sort((a, b) => b.isResumable - a.isResumable || b.startedAt - a.startedAt);
    for (let room = MAX_ENDED; ; room >>= 1) {
      for (const { id } of ended.splice(room)) entries.delete(id);
      try {
        if (!entries.size) await storage.removeItem(key);
        else if (isBroken || written.length)
          await storage.setItem(
            key,
            JSON.stringify({ version: VERSION, entries: Object.fromEntries(entries) }),
          );
        break;
      } catch (error) {
        // A full storage must have room for what runs.
        if (!ended.length) throw error;
      }
    }
    for (const [id, entry] of written) if (!isRunning(entry)) forget(id, entry);
    return entries;
  }

  /** One after another, here and in other tabs. All that is written before an update begins goes with it. */
  function flush() {
    next ??= last.then(() => exclusive(locks, key, () => update().catch(warn)));
    last = next;
    return next;
  }

  return {
    /** @returns {Promise<Map<string, any> | undefined>} the entries by id, where there is a storage; never rejects */
    read: flush,
    /** Stores a generation; without one, removes its entry. Never rejects. */
    write(id, snapshot) {
      try {
        const entry = snapshot && toEntry(snapshot);
        JSON.stringify(entry);
        own.set(id, entry);
      } catch {
        // The client refuses a request that is no JSON. It must not keep other entries from being stored.
      }
      return flush();
    },
    /** Leaves the entry of a generation to other tabs, once it is written. */
    release(id) {
      const entry = own.get(id);
      if (entry) last.then(() => forget(id, entry));
    },
  };
}
