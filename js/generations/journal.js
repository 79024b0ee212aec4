/** The stored generations: one item of a storage holds them all. */

import { toError, toStored } from './errors.js';
import { exclusive } from './locks.js';

const VERSION = 1;
/** A journal that grows without end would fill the storage, and no create could be written before it leaves. */
const MAX_ENDED = 100;

const ENDED = ['done', 'stopped', 'failed'];
const PHASES = ['held', 'sending', 'waiting', ...ENDED];

export const hasEnded = ({ phase }) => ENDED.includes(phase);

const isEntry = (entry) =>
  PHASES.includes(entry?.phase) &&
  entry.request instanceof Object &&
  Array.isArray(entry.images) &&
  entry.idempotencyKey;

/** The entries of a journal, and whether its text holds nothing else. */
function parse(text) {
  try {
    const { version, entries } = JSON.parse(text);
    if (version === VERSION) {
      const all = Object.entries(entries);
      const sound = all.filter(([, entry]) => isEntry(entry));
      return { entries: Object.fromEntries(sound), isSound: sound.length === all.length };
    }
  } catch {}
  return { entries: {}, isSound: !text };
}

/** Drops the oldest of those that have ended, and those that may still bring billed images last. */
function trim(entries) {
  const ended = Object.values(entries).filter(hasEnded);
  ended.sort((a, b) => b.isResumable - a.isResumable || b.startedAt - a.startedAt);
  for (const { id } of ended.slice(MAX_ENDED)) delete entries[id];
}

/** A Blob, or a list of them. */
const isFile = (value) => [value].flat().some((item) => item?.arrayBuffer);

/**
 * The stored part of a generation. A storage of texts has no room for files and pictures: what brings them back is
 * stored in their place.
 *
 * @returns the entry; `undefined` where nothing would bring the pictures back
 */
function toEntry(snapshot) {
  const { request, images, error, phase, task } = snapshot;
  const all = Object.entries(request);
  const fields = all.filter(([, value]) => !isFile(value));
  const entry = { ...snapshot, request: Object.fromEntries(fields) };
  if (fields.length < all.length) entry.isPartial = true;
  if (error) entry.error = toStored(error);
  // An address of another kind is that of an application, which keeps its images itself.
  if (phase !== 'done' || images.every(({ url }) => url && !/^(blob|data):/i.test(url))) return entry;
  return task && { ...entry, phase: 'waiting', images: [] };
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
  /** @type {Promise<any>} */
  let queue = Promise.resolve();
  let hasFailed = false;

  async function update() {
    // Reading the property throws where storage is blocked.
    const storage = chosen === undefined ? globalThis.localStorage : chosen;
    if (!storage) return;
    const text = await storage.getItem(key);
    const { entries, isSound } = parse(text);
    // Where this fails, the write fails with it, and the old text stays.
    if (!isSound) await storage.setItem(`${key} set aside ${Date.now()}`, text);
    const written = [...own];
    for (const [id, entry] of written) {
      if (entry) entries[id] = entry;
      else delete entries[id];
    }
    trim(entries);
    if (written.length || !isSound) {
      if (Object.keys(entries).length)
        await storage.setItem(key, JSON.stringify({ version: VERSION, entries }));
      else await storage.removeItem(key);
    }
    for (const [id, entry] of written) {
      if (own.get(id) === entry && (!entry || hasEnded(entry))) own.delete(id);
    }
    return entries;
  }

  const tryUpdate = () =>
    update().catch((error) => {
      if (!hasFailed) console.warn('Generations are not stored:', error);
      hasFailed = true;
    });

  /** One after another, here and in other tabs. */
  function flush() {
    queue = queue.then(() => exclusive(locks, key, tryUpdate));
    return queue;
  }

  return {
    /** @returns {Promise<Record<string, any> | undefined>} the entries by id, where there is a storage; never rejects */
    read: flush,
    /** Stores a generation; without one, removes its entry. Never rejects. */
    write(id, snapshot) {
      try {
        const entry = snapshot && toEntry(snapshot);
        own.set(id, entry && JSON.parse(JSON.stringify(entry)));
      } catch {
        // The client refuses a request that is no JSON. It must not keep other entries from being stored.
      }
      return flush();
    },
    /** Leaves the entry of a generation to other tabs. */
    release: (id) => own.delete(id),
  };
}
