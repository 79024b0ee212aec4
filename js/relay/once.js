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

import { callback, count, milliseconds, readSettings } from './settings.js';

const DAY_MS = 86_400_000;
/** A create that is not settled after so long never will be: longer than the relay's time-out for it. */
const CLAIM_MS = 600_000;
/** A settled key is some 300 bytes beside its answer. */
const MAX_ENTRIES = 100_000;
/** Answers can hold pictures, and an edge worker has 128 MB for everything. */
const MAX_LENGTH = 32 * 1024 * 1024;

const RULES = {
  ttlMs: milliseconds(DAY_MS),
  claimMs: milliseconds(CLAIM_MS),
  maxEntries: count(MAX_ENTRIES),
  maxLength: count(MAX_LENGTH),
  // A clock that never jumps: a key that is forgotten early can be billed again.
  now: callback(() => performance.now()),
};

const gone = (code, message) => ({
  status: 502,
  headers: {},
  body: JSON.stringify({ error: { message, type: 'relay_error', code } }),
});

/** In the place of an answer that was too much to keep: the create was carried out, and must not be again. */
const DROPPED = gone('answer_not_kept', 'The answer is not kept any more.');

/** In the place of an answer that never came: the create may have been carried out, and must not be again. */
const LOST = gone(
  'create_outcome_unknown',
  'The relay was interrupted: the create may have been carried out and billed.',
);

/** A refused create has cost nothing, and costs nothing when it is repeated. */
const isHarmless = ({ status }) => status >= 400 && status < 500;

/**
 * Keeps the answers in the memory of this process, or of this isolate: another one knows nothing of them. Enough
 * for one server; several need a store that they share.
 *
 * A key is kept for `ttlMs` after its create was settled, if need be without its answer, and never dropped before.
 * Where there are too many, the store refuses further ones.
 *
 * @param {{ ttlMs?: number, claimMs?: number, maxEntries?: number, maxLength?: number, now?: () => number }} [options]
 * @returns {OnceStore}
 */
export function memoryStore(options) {
  const { ttlMs, claimMs, maxEntries, maxLength, now } = readSettings('memoryStore', RULES, options);
  /** In the order of their last change. */
  const entries = new Map();
  /** The keys that may go first where there are too many. */
  const harmless = new Set();
  /** Of all bodies together. */
  let length = 0;

  const ageOf = (entry) => now() - entry.at;

  function keep(entry, answer) {
    length += (answer?.body.length ?? 0) - (entry.answer?.body.length ?? 0);
    entry.answer = answer;
  }

  function drop(key, entry) {
    keep(entry, undefined);
    entries.delete(key);
    harmless.delete(key);
  }

  function finish(key, entry, answer) {
    keep(entry, answer);
    entry.at = now();
    entries.delete(key);
    entries.set(key, entry);
    if (isHarmless(answer)) harmless.add(key);
    entry.settle(answer);
  }

  function forgetOld() {
    for (const [key, entry] of entries) {
      if (entry.answer && ageOf(entry) < ttlMs) return;
      if (entry.answer) drop(key, entry);
      // Those that are under way are few.
      else if (ageOf(entry) >= claimMs) finish(key, entry, LOST);
    }
  }

  function makeRoom() {
    if (entries.size < maxEntries) return;
    const [key] = harmless;
    if (key === undefined) {
      throw new Error(
        `memoryStore is full: it holds ${maxEntries} keys of the last ${ttlMs} ms. Raise maxEntries or lower ttlMs.`,
      );
    }
    drop(key, entries.get(key));
  }

  /** Drops the oldest answers, but not this one, which somebody may be about to ask for, and keeps their keys. */
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
        // Freed: the first of those that wait tries.
        return answer ? { fingerprint, answer } : this.claim(key, fingerprint);
      }
      makeRoom();
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
        finish(key, entry, answer);
        dropBut(entry);
      } else {
        drop(key, entry);
        entry.settle(undefined);
      }
    },
  };
}
