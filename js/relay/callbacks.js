/** Calls what the operator has passed in: `authorize`, `user`, the limiter, the store, the hub. */

import { Refusal } from './refusal.js';
import { withTimeout } from './timeout.js';

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
        hint: "The relay's log says why.",
        retryable: true,
      });
    }
  };
