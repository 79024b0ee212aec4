/** Work that ends with the caller's signal, or when its time is up. */

import { InvalidRequestError, ownError } from './errors.js';

/** The longest time that a timer of the platform can count. */
const LONGEST_TIMER_MS = 2_147_483_647;

/** The error of an option or an argument that cannot be used. */
export const refuse = (param, message, cause) =>
  ownError(InvalidRequestError, 'not_sent', param + message, { param, cause });

/**
 * @template T
 * @param {(signal: AbortSignal) => Promise<T>} work its signal aborts when the work is over, whatever the end
 * @param {{ signal?: AbortSignal, requestTimeout: number }} options
 * @param {() => Error} lateError the error when the time is up
 * @returns {Promise<T>}
 */
export async function bounded(work, { signal, requestTimeout }, lateError) {
  if (!(typeof requestTimeout === 'number' && requestTimeout > 0)) {
    throw refuse('requestTimeout', ` must be milliseconds above 0; it is ${String(requestTimeout)}.`);
  }
  if (signal && !signal.addEventListener) throw refuse('signal', ' must be an AbortSignal.');
  const reason = () => signal.reason ?? new DOMException('This operation was aborted.', 'AbortError');
  if (signal?.aborted) throw reason();
  const controller = new AbortController();
  let timer;
  let stop;
  const stopped = new Promise((_, reject) => {
    stop = () => reject(reason());
    signal?.addEventListener('abort', stop);
    if (requestTimeout <= LONGEST_TIMER_MS) timer = setTimeout(() => reject(lateError()), requestTimeout);
  });
  try {
    return await Promise.race([work(controller.signal), stopped]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', stop);
    controller.abort();
  }
}
