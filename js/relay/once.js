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

const DAY_MS = 86_400_000;
const MAX_ENTRIES = 10_000;

/**
 * Keeps the answers in the memory of this process, or of this isolate: another one knows nothing of them. Enough
 * for one server; several need a store that they share.
 *
 * @param {{ ttlMs?: number, maxEntries?: number, now?: () => number }} [options]
 * @returns {OnceStore}
 */
export function memoryStore({ ttlMs = DAY_MS, maxEntries = MAX_ENTRIES, now = Date.now } = {}) {
  /** In the order of their claims. */
  const entries = new Map();

  function forgetOld() {
    for (const [key, { at, answer }] of entries) {
      const isOld = at + ttlMs <= now();
      if (!isOld && entries.size <= maxEntries) return;
      // One that is being carried out must not be carried out again.
      if (answer) entries.delete(key);
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
      if (answer) entry.answer = answer;
      else entries.delete(key);
      entry.settle(answer);
    },
  };
}
