/** Calls what the operator has passed in: `authorize`, `user`, the limiter, the store, the hub. */

import { LOG_HINT } from './public-error.js';
import { Refusal } from './refusal.js';

/**
 * @param {(event: object) => void} log
 * @param {number} usualTimeoutMs
 * @returns {(name: string, work: () => unknown, timeoutMs?: number) => Promise<any>} refuses the request if the
 *   callback fails or does not settle in time. Nothing has been done then, and the client may try again
 */
export const createCaller =
  (log, usualTimeoutMs) =>
  async (name, work, timeoutMs = usualTimeoutMs) => {
    try {
      return await withTimeout(timeoutMs, work(), name);
    } catch (error) {
      log({ event: `${name}_failed`, error });
      throw new Refusal(503, 'relay_unavailable', `The relay cannot serve you now: its ${name} failed.`, {
        hint: LOG_HINT,
        retryable: true,
      });
    }
  };

/**
 * The result of a promise that the operator's code made, unless it is late.
 *
 * @template T
 * @param {number} ms
 * @param {T | Promise<T>} work
 * @param {string} name for the error
 * @returns {Promise<T>}
 */
async function withTimeout(ms, work, name) {
  if (typeof Object(work).then !== 'function') return work;
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${name} did not settle within ${ms} ms.`)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
