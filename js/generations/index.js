/** `lemondata-wasm/generations`: a store of generations that outlive a reload. */

import { lostAnswer } from './errors.js';
import { fromEntry, hasEnded, openJournal } from './journal.js';
import { exclusive } from './locks.js';

/**
 * How long a create of the journal is repeated through a relay. A relay keeps its answers for a day, unless its
 * operator has chosen a shorter time.
 */
const REPEATABLE_MS = 3_600_000;

/** What a new phase leaves behind. */
const CLEARED = {
  status: undefined,
  progress: undefined,
  queue: undefined,
  nextPollAt: undefined,
  error: undefined,
  endedAt: undefined,
};

/** Pages that are not secure lack `randomUUID`. */
const randomId = () => crypto.getRandomValues(new Uint32Array(4)).join('-');

export function createGenerations({
  client,
  storage,
  key = 'lemondata generations',
  locks = globalThis.navigator?.locks,
}) {
  const journal = openJournal(storage, key, locks);
  /** @type {Map<string, any>} */
  const snapshots = new Map();
  /** The work of this page, by the id of its generation. */
  const jobs = new Map();
  const listeners = new Set();
  /** When this page began them, by a clock that no person sets. */
  const begun = new Map();
  let list = Object.freeze([]);
  /** @type {BroadcastChannel | undefined} */
  let channel;
  /** @type {Promise<void> | undefined} */
  let loading;

  function inform({ listener }) {
    try {
      listener(list);
    } catch (error) {
      // A listener must not end the wait that it is informed of.
      console.error(error);
    }
  }

  function put(id, snapshot) {
    if (snapshot) snapshots.set(id, Object.freeze(snapshot));
    else snapshots.delete(id);
    list = Object.freeze([...snapshots.values()].reverse().sort((a, b) => b.startedAt - a.startedAt));
    for (const entry of listeners) inform(entry);
  }

  function change(id, changes, base = snapshots.get(id)) {
    const snapshot = { ...base, ...changes };
    Object.freeze(snapshot.images);
    put(id, { ...snapshot, isResumable: isResumable(snapshot) });
  }

  /** Whether nothing was sent, or the relay that got it still knows its key, and answers without a second create. */
  const canSend = ({ sentAt, relay, isPartial }) =>
    !isPartial && (!sentAt || (relay && relay === client.relay && Date.now() - sentAt < REPEATABLE_MS));

  const isResumable = (snapshot) =>
    snapshot.phase !== 'done' &&
    snapshot.error?.kind !== 'task_not_found' &&
    !['not_sent', 'rejected', 'failed'].includes(snapshot.error?.outcome) &&
    Boolean(snapshot.task || canSend(snapshot));

  /** A create that a closing page has cut off fails there with an unknown outcome. */
  const isUnfinished = (snapshot) =>
    !hasEnded(snapshot) || (snapshot.error?.outcome === 'unknown' && canSend(snapshot));

  async function save(id) {
    await journal.write(id, snapshots.get(id));
    channel?.postMessage({ id });
  }

  const load = () => {
    loading ??= readJournal();
    return loading;
  };

  /** Lists what the journal holds, and goes on with it. */
  async function readJournal() {
    // Without locks, a tab that hears of a generation would poll beside the tab that works on it.
    if (locks && globalThis.BroadcastChannel) {
      channel = new BroadcastChannel(key);
      channel.onmessage = hear;
      // Only Node has it, where the channel would keep the process running.
      /** @type {any} */ (channel).unref?.();
    }
    for (const [id, entry] of Object.entries((await journal.read()) ?? {})) {
      if (snapshots.has(id)) continue;
      change(id, fromEntry(entry));
      if (isUnfinished(snapshots.get(id))) run(id, 'follow');
    }
  }

  /** Shows what another tab has done, and waits for its turn to go on with it. */
  async function hear({ data: { id, changes, isRemoved, isStopped } }) {
    const job = jobs.get(id);
    if (isRemoved) return snapshots.has(id) && forget(id);
    if (isStopped) return job?.hasLock && stop(id);
    if (job?.hasLock) return;
    if (changes) return job && change(id, changes);
    const entry = (await journal.read())?.[id];
    if (!entry || jobs.get(id)?.hasLock) return;
    const before = snapshots.get(id);
    change(id, fromEntry(entry));
    // One that is paused here stays paused.
    if (!jobs.has(id) && (!before || hasEnded(before)) && isUnfinished(snapshots.get(id))) run(id, 'follow');
  }

  /**
   * Works on a generation until it has ended, in this tab alone.
   *
   * @param {'start' | 'follow' | 'resume' | 'retry'} mode
   */
  async function run(id, mode) {
    /** @type {{ controller: AbortController, isPaused?: boolean, hasLock?: boolean }} */
    const job = { controller: new AbortController() };
    jobs.set(id, job);
    const isCurrent = () => jobs.get(id) === job;
    const work = async () => {
      try {
        await perform(id, job, mode, isCurrent);
      } catch (thrown) {
        if (!isCurrent()) return;
        const error = Object(thrown) === thrown ? thrown : new Error(thrown);
        await end(id, { phase: 'failed', error, task: error.task ?? snapshots.get(id).task });
      }
      if (isCurrent()) jobs.delete(id);
    };
    await exclusive(locks, `${key} ${id}`, work, job.controller.signal);
  }

  function end(id, changes) {
    // First, since a listener may resume it at once.
    jobs.delete(id);
    change(id, { ...CLEARED, ...changes, endedAt: endOf(id) });
    return save(id);
  }

  /** The wall clock may be set meanwhile. For a generation of an earlier page there is no other. */
  function endOf(id) {
    const { startedAt } = snapshots.get(id);
    const at = begun.get(id);
    return at === undefined
      ? Math.max(startedAt, Date.now())
      : startedAt + Math.round(performance.now() - at);
  }

  async function perform(id, job, mode, isCurrent) {
    if (!isCurrent()) return;
    job.hasLock = true;
    if (mode !== 'retry') {
      const entries = await journal.read();
      if (!isCurrent()) return;
      const entry = entries?.[id];
      if (entry && (mode !== 'resume' || entry.phase === 'done')) change(id, fromEntry(entry));
      else if (entry?.task) change(id, { task: entry.task });
      // Another tab has removed it.
      else if (entries && mode === 'follow') return put(id);
    }
    const snapshot = snapshots.get(id);
    const { task, isEdit, request, idempotencyKey } = snapshot;
    if (!isUnfinished(snapshot)) return;
    // Without locks, another tab may be about to send what this one finds unsent.
    const isAlone = mode !== 'follow' || locks || client.relay;
    if (!task && !(canSend(snapshot) && isAlone)) throw lostAnswer();
    const { signal } = job.controller;
    if (!task) await prepare(id, signal);
    else {
      change(id, { ...CLEARED, phase: 'waiting' });
      // It has ended in the journal.
      if (mode === 'resume') await save(id);
    }
    const options = {
      signal,
      idempotencyKey,
      async onTask(task) {
        const { phase, idempotencyKey: current } = snapshots.get(id) ?? {};
        // The task may arrive when the wait has been stopped. It is kept even then.
        if (current !== idempotencyKey) return;
        change(id, { task, phase: phase === 'sending' ? 'waiting' : phase });
        await save(id);
        if (job.isPaused) suspend(id);
      },
      onUpdate({ status, progress, queue }, { nextPollMs }) {
        // What ends a task is in the result of the call.
        if (!isCurrent() || !/^p/.test(status)) return;
        const changes = { status, progress, queue, nextPollAt: nextPollMs && Date.now() + nextPollMs };
        change(id, changes);
        channel?.postMessage({ id, changes });
      },
    };
    const send = isEdit ? 'editAndWait' : 'generateAndWait';
    const { data = [] } = await (task ? client.waitForTask(task, options) : client[send](request, options));
    if (isCurrent()) await end(id, { phase: 'done', images: [...data] });
  }

  /** Writes that a create leaves, so that a reload knows its key. Offline, the create is held first. */
  async function prepare(id, signal) {
    if (globalThis.navigator?.onLine === false) {
      change(id, { ...CLEARED, phase: 'held' });
      await save(id);
      await online(signal);
    }
    // The relay counts from the first time.
    const { sentAt = Date.now() } = snapshots.get(id);
    change(id, { ...CLEARED, phase: 'sending', sentAt, relay: client.relay });
    await save(id);
    signal.throwIfAborted();
  }

  /** Ends the work of this page, and leaves its generation as it stands. */
  function suspend(id) {
    const job = jobs.get(id);
    jobs.delete(id);
    job?.controller.abort();
    journal.release(id);
    return job;
  }

  function stop(id) {
    const snapshot = snapshots.get(id);
    if (!snapshot || hasEnded(snapshot)) return;
    const job = suspend(id);
    change(id, { ...CLEARED, phase: 'stopped', endedAt: endOf(id) });
    if (!job || job.hasLock) save(id);
    // The entry of a generation that another tab works on is that tab's.
    else channel?.postMessage({ id, isStopped: true });
  }

  /** Takes a generation off the list of this tab. */
  function forget(id) {
    suspend(id);
    begun.delete(id);
    put(id);
  }

  /** Makes a generation that has not been sent. */
  function begin(id, request, isEdit, mode) {
    const fresh = { id, request, isEdit, images: [], startedAt: Date.now(), idempotencyKey: randomId() };
    begun.set(id, performance.now());
    change(id, { ...fresh, phase: 'sending' }, {});
    run(id, mode);
  }

  return {
    /**
     * @param {object} request
     * @param {{ id?: string, edit?: boolean }} [options]
     */
    start(request, { id = randomId(), edit } = {}) {
      if (!snapshots.has(id)) begin(id, Object.freeze({ ...request }), edit, 'start');
      load();
      return id;
    },

    stop,

    pause(id) {
      const job = jobs.get(id);
      if (job) job.isPaused = true;
      if (!job || snapshots.get(id).phase !== 'waiting') return;
      suspend(id);
      change(id, CLEARED);
    },

    resume(id) {
      const snapshot = snapshots.get(id);
      const job = jobs.get(id);
      if (job) job.isPaused = false;
      else if (snapshot?.isResumable) {
        change(id, { ...CLEARED, phase: snapshot.task ? 'waiting' : 'sending' });
        run(id, 'resume');
      }
    },

    retry(id) {
      const snapshot = snapshots.get(id);
      if (!snapshot || !hasEnded(snapshot) || snapshot.isPartial) return;
      begin(id, snapshot.request, snapshot.isEdit, 'retry');
    },

    remove(id) {
      if (!snapshots.has(id)) return;
      forget(id);
      journal.write(id).then(() => channel?.postMessage({ id, isRemoved: true }));
    },

    restore(snapshot) {
      const { id } = snapshot;
      if (snapshots.has(id)) return;
      change(id, snapshot, {});
      save(id);
      if (!hasEnded(snapshot)) run(id, 'resume');
    },

    load,
    get: (id) => snapshots.get(id),
    list: () => list,

    subscribe(listener) {
      const entry = { listener };
      listeners.add(entry);
      inform(entry);
      load();
      return () => listeners.delete(entry);
    },
  };
}

/** @param {AbortSignal} signal */
const online = (signal) =>
  new Promise((resolve, reject) => {
    addEventListener('online', resolve, { once: true, signal });
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
