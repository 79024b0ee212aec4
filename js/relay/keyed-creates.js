/** Carries a create with an `Idempotency-Key` out once. */

import { keyReused } from './refusal.js';

/** How long a key rests whose create the service refused without a `Retry-After`. */
const PAUSE_MS = 1000;
const MAX_PAUSE_MS = 600_000;
const MAX_PAUSES = 10_000;

/** The service refused it, or never got it: nothing was billed, and the key is free again. */
const DID_NOTHING = ['rejected', 'not_sent'];

/**
 * @param {object} relay
 * @param {import('./idempotency.js').IdempotencyStore} relay.store
 * @param {() => number} relay.now
 * @param {number} relay.createTimeoutMs how long a create can take: its duplicates wait for as long
 * @param {(name: string, work: () => unknown, timeoutMs?: number) => Promise<any>} relay.callOrRefuse
 * @param {(error: unknown) => import('./answers.js').Answer} relay.failed the answer to a bug
 */
export function createKeyedCreates({ store, now, createTimeoutMs, callOrRefuse, failed }) {
  /** The keys that rest, in the order of refusal. */
  const pauses = new Map();

  /** Claims a key. The store frees a claim that comes too late, since no create would settle it. */
  async function claim(key, fingerprint) {
    let isLate = false;
    const claiming = async () => {
      const known = await store.claim(key, fingerprint);
      if (isLate && !known) await store.settle(key, undefined);
      return known;
    };
    try {
      return await callOrRefuse('store', claiming, createTimeoutMs);
    } finally {
      isLate = true;
    }
  }

  /** The client gets its answer even if the store fails or hangs. */
  const settle = (key, answer) => callOrRefuse('store', () => store.settle(key, answer)).catch(() => {});

  /** Duplicates of a refused create would be sent one after the other. Until its pause is over, they get its answer. */
  function pause(key, fingerprint, answer, pauseMs = PAUSE_MS) {
    for (const [old, { until }] of pauses) {
      if (until > now() && pauses.size < MAX_PAUSES) break;
      pauses.delete(old);
    }
    pauses.delete(key);
    pauses.set(key, { fingerprint, answer, until: now() + Math.min(pauseMs, MAX_PAUSE_MS) });
  }

  /** The answer to a create whose key rests, with what is left of the pause. */
  function pausedAnswer(key, fingerprint) {
    const paused = pauses.get(key);
    if (paused?.fingerprint !== fingerprint) return undefined;
    const { answer, until } = paused;
    const leftMs = until - now();
    if (leftMs <= 0) return undefined;
    if (!('retry-after' in answer.headers)) return answer;
    return { ...answer, headers: { ...answer.headers, 'retry-after': String(Math.ceil(leftMs / 1000)) } };
  }

  /**
   * @param {string} key
   * @param {string} fingerprint tells two requests under one key apart
   * @param {() => Promise<object>} send an answer; of a failed create also its `outcome` and `retryAfterMs`
   * @returns {Promise<{ answer: import('./answers.js').Answer, isRepeated: boolean }>}
   */
  return async function carryOut(key, fingerprint, send) {
    const known = await claim(key, fingerprint);
    if (known) {
      if (known.fingerprint !== fingerprint) throw keyReused();
      const answer = known.answer ?? failed(new Error('The store has lost the answer to a create.'));
      return { answer, isRepeated: true };
    }
    const paused = pausedAnswer(key, fingerprint);
    if (paused) {
      await settle(key, undefined);
      return { answer: paused, isRepeated: true };
    }
    // The effect of a bug is unknown, so its answer is kept, and the create is not sent again.
    const { outcome, retryAfterMs, ...answer } = await send().catch(failed);
    if (outcome === 'rejected') pause(key, fingerprint, answer, retryAfterMs);
    await settle(key, DID_NOTHING.includes(outcome) ? undefined : answer);
    return { answer, isRepeated: false };
  };
}
