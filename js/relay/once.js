/**
 * A store that has a keyed create carried out once.
 *
 * @typedef {{ status: number, headers: Record<string, string>, body: string }} Answer plain JSON
 * @typedef {object} OnceStore
 * @property {(key: string, fingerprint: string) => Promise<{ fingerprint: string, answer: Answer } | undefined>}
 *   claim resolves with nothing to exactly one of those that claim a key at once: it is to carry the create out.
 *   The others wait, and get what that one settles with
 * @property {(key: string, answer: Answer | undefined) => Promise<void>} settle stores the answer, or frees the key
 *   where nothing was done, so that the next claim may try
 */

import { callback, count, milliseconds, readSettings } from '../settings.js';

const DAY_MS = 86_400_000;
const MAX_ENTRIES = 10_000;
/** Answers can hold pictures, and an edge worker has 128 MB for everything. */
const MAX_LENGTH = 32 * 1024 * 1024;

const RULES = {
  ttlMs: milliseconds(DAY_MS),
  maxEntries: count(MAX_ENTRIES),
  maxLength: count(MAX_LENGTH),
  now: callback(Date.now),
};

/** In the place of an answer that was too much to keep: the create was carried out, and must not be again. */
const DROPPED = {
  status: 502,
  headers: {},
  body: JSON.stringify({
    error: { message: 'The answer is not kept any more.', type: 'relay_error', code: 'answer_not_kept' },
  }),
};

/**
 * Keeps the answers in the memory of this process, or of this isolate: another one knows nothing of them. Enough
 * for one server; several need a store that they share.
 *
 * @param {{ ttlMs?: number, maxEntries?: number, maxLength?: number, now?: () => number }} [options]
 * @returns {OnceStore}
 */
export function memoryStore(options) {
  const { ttlMs, maxEntries, maxLength, now } = readSettings('memoryStore', RULES, options);
  /** In the order of their claims. */
  const entries = new Map();
  /** Of all bodies together. */
  let length = 0;

  function keep(entry, answer) {
    length += (answer?.body.length ?? 0) - (entry.answer?.body.length ?? 0);
    entry.answer = answer;
  }

  function forgetOld() {
    for (const [key, entry] of entries) {
      const isOld = entry.at + ttlMs <= now();
      if (!isOld && entries.size <= maxEntries) return;
      // One that is being carried out must not be carried out again; after so long, nobody does any more.
      if (!entry.answer && !isOld) continue;
      keep(entry, undefined);
      entries.delete(key);
      entry.settle(DROPPED);
    }
  }

  /** Drops the oldest answers, though not this one, for which somebody may be about to ask. */
  function dropBut(latest) {
    for (const entry of entries.values()) {
      if (length <= maxLength) return;
      if (entry.answer && entry !== latest) keep(entry, DROPPED);
    }
  }

  return {
    async claim(key, fingerprint) {
      forgetOld();
      const entry = entries.get(key);
      if (entry) {
        if (entry.fingerprint !== fingerprint) return { fingerprint: entry.fingerprint, answer: undefined };
        const answer = entry.answer ?? (await entry.settled);
        // Freed: whoever comes first tries.
        return answer ? { fingerprint, answer } : this.claim(key, fingerprint);
      }
      let settle;
      const settled = new Promise((resolve) => {
        settle = resolve;
      });
      entries.set(key, { fingerprint, at: now(), settled, settle, answer: undefined });
      return undefined;
    },

    async settle(key, answer) {
      const entry = entries.get(key);
      if (!entry) return;
      if (answer) {
        keep(entry, answer);
        dropBut(entry);
      } else {
        entries.delete(key);
      }
      entry.settle(answer);
    },
  };
}
