/**
 * A store of keyed creates and their answers.
 *
 * @typedef {import('./answers.js').Answer} Answer
 * @typedef {import('./index.js').IdempotencyStore} IdempotencyStore
 */

import { CLAIM_MS, goneAnswer, LOST_ANSWER } from './answers.js';
import { callback, count, DAY_MS, milliseconds, readSettings } from './settings.js';

/** A settled key is some 300 bytes beside its answer. */
const MAX_ENTRIES = 100_000;
/** Answers can hold pictures, and an edge worker has 128 MB for everything. */
const MAX_LENGTH = 32 * 1024 * 1024;

const RULES = {
  ttlMs: milliseconds(DAY_MS),
  claimMs: milliseconds(CLAIM_MS),
  maxEntries: count(MAX_ENTRIES),
  maxLength: count(MAX_LENGTH),
  // A clock that never jumps: the create of a key that is forgotten early can be billed again.
  now: callback(() => performance.now()),
};

/** In the place of an answer that was too long to keep: the create was carried out, and must not be again. */
export const DROPPED_ANSWER = goneAnswer('answer_not_kept', 'The answer is not kept any more.');

/**
 * Keeps answers in the memory of this process or isolate. That is enough for one server; several need a store that
 * they share.
 *
 * The store keeps a key for `ttlMs` after its create was settled, if need be without its answer, and never drops it
 * before. It refuses further keys when it is full.
 *
 * @param {{ ttlMs?: number, claimMs?: number, maxEntries?: number, maxLength?: number, now?: () => number }} [options]
 * @returns {IdempotencyStore}
 */
export function memoryStore(options) {
  const { ttlMs, claimMs, maxEntries, maxLength, now } = readSettings('memoryStore', RULES, options);
  /** In the order of their last change. */
  const entries = new Map();
  /** The length of all bodies together. */
  let length = 0;

  const ageOf = (entry) => now() - entry.at;

  function keep(entry, answer) {
    length += (answer?.body.length ?? 0) - (entry.answer?.body.length ?? 0);
    entry.answer = answer;
  }

  function drop(key, entry) {
    keep(entry, undefined);
    entries.delete(key);
  }

  function finish(key, entry, answer) {
    keep(entry, answer);
    entry.at = now();
    entries.delete(key);
    entries.set(key, entry);
    entry.settle(answer);
  }

  function forgetOld() {
    for (const [key, entry] of entries) {
      if (entry.answer && ageOf(entry) < ttlMs) return;
      if (entry.answer) drop(key, entry);
      // Few creates are under way at once, so this goes past them.
      else if (ageOf(entry) >= claimMs) finish(key, entry, LOST_ANSWER);
    }
  }

  /** Drops the oldest answers and keeps their keys. A duplicate may be about to ask for the latest answer. */
  function dropAnswersBefore(latest) {
    for (const entry of entries.values()) {
      if (length <= maxLength) return;
      if (entry.answer && entry !== latest) keep(entry, DROPPED_ANSWER);
    }
  }

  return {
    async claim(key, fingerprint) {
      forgetOld();
      const entry = entries.get(key);
      if (entry) {
        if (entry.fingerprint !== fingerprint) return { fingerprint: entry.fingerprint, answer: undefined };
        const answer = entry.answer ?? (await entry.settled);
        // The key was freed: the first claim that waits carries the create out.
        return answer ? { fingerprint, answer } : this.claim(key, fingerprint);
      }
      if (entries.size >= maxEntries) {
        throw new Error(
          `memoryStore is full: it holds ${maxEntries} keys of the last ${ttlMs} ms. Raise maxEntries or lower ttlMs.`,
        );
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
        finish(key, entry, answer);
        dropAnswersBefore(entry);
      } else {
        drop(key, entry);
        entry.settle(undefined);
      }
    },
  };
}
