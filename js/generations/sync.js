import { fromEntry, isRunning } from './journal.js';

/**
 * Keeps the lists of open tabs in step. The tabs inform each other of changes by a channel, and read them in the journal.
 *
 * @param {string} key of the store
 * @param {any} store the parts of the store
 * @returns {((id: string) => void) | undefined} informs the other tabs
 */
export function syncTabs(key, { get, jobs, journal, put, follow, stop }) {
  if (!globalThis.BroadcastChannel) return undefined;
  const channel = new BroadcastChannel(key);
  // Only Node has it, where the channel would keep the process running.
  /** @type {any} */ (channel).unref?.();

  channel.onmessage = async ({ data: { id, phase, ...progress } }) => {
    if (!phase) return get(id) && put(id);
    if (jobs.get(id)?.hasLock) return phase === 'stopped' && stop(id);
    const entry = (await journal.read())?.get(id);
    const before = get(id);
    const job = jobs.get(id);
    if (!entry || job?.hasLock) return;
    // The journal has no pictures that came within an answer, and would have them fetched without end.
    if (before?.phase === 'done' && before.idempotencyKey === entry.idempotencyKey) return;
    // One that is paused here stays paused.
    if (job || isRunning(before)) put(id, { ...fromEntry(entry), ...(entry.phase === phase && progress) });
    else follow(id, entry);
  };

  return (id) => {
    const { phase, status, progress, queue, nextPollAt } = get(id) ?? {};
    channel.postMessage({ id, phase, status, progress, queue, nextPollAt });
  };
}
