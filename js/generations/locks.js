/**
 * Runs work that no other tab does at the same time. Without locks, as on a page that is not secure, it runs at once.
 *
 * It never rejects. A page that is left loses its locks, and WebKit rejects their promises then: that is no failure.
 *
 * @template Result
 * @param {LockManager | null | undefined} locks
 * @param {string} name of the work
 * @param {() => Promise<Result>} work which does not reject, and does nothing once the signal is aborted
 * @param {AbortSignal} [signal] ends the wait for another tab
 * @returns {Promise<Result>}
 */
export async function exclusive(locks, name, work, signal) {
  /** @type {Promise<Result> | undefined} */
  let result;
  function once() {
    result ??= work();
    return result;
  }
  try {
    await locks?.request(name, { signal }, once);
  } catch {
    // A sandboxed frame has the object and refuses each request.
  }
  return once();
}
