/** `lemondata-wasm/generations`: a store of generations that outlive a reload. */

import { lostAnswer } from './errors.js';
import { fromEntry, isRunning, openJournal } from './journal.js';
import { exclusive } from './locks.js';

export { syncTabs } from './sync.js';

/**
 * How long a create of the journal is repeated through a relay. A relay keeps its answers for a day, unless its
 * operator has chosen a shorter time.
 */
const REPEATABLE_MS = 3_600_000;

/** Whether the relay that answers now got this create, and still knows its key. */
const isRepeatable = ({ sentAt, relay }, current) =>
  // A clock that was put back must not make the hour longer.
  relay && relay === current && Math.abs(Date.now() - sentAt) < REPEATABLE_MS;

/** Throws, unless a create may be repeated. */
export function checkRepeatable(create, current) {
  if (!isRepeatable(create, current)) throw lostAnswer();
}

/** A copy that stays as it is where a page empties the lists of its form. */
function copyOf(request) {
  const copy = { ...request };
  for (const name in copy) if (Array.isArray(copy[name])) copy[name] = [...copy[name]];
  return Object.freeze(copy);
}

/** Pages that are not secure lack `randomUUID`. */
const randomId = () => crypto.getRandomValues(new Uint32Array(4)).join('-');

export function createGenerations({
  client,
  storage,
  key = 'lemondata generations',
  locks = globalThis.navigator?.locks,
  sync,
}) {
  const journal = openJournal(storage, key, locks);
  /** @type {Map<string, any>} */
  const snapshots = new Map();
  /**
   * The work of this page, by the id of its generation.
   *
   * @type {Map<string, AbortController & { clock: number, isPaused?: boolean, hasLock?: boolean }>}
   */
  const jobs = new Map();
  const listeners = new Set();
  let list = Object.freeze([]);
  /** @type {((id: string) => void) | undefined} tells other tabs of a change */
  let post;
  /** @type {Promise<void> | undefined} */
  let loading;

  const get = (id) => snapshots.get(id);

  /** Sets what is listed of a generation; without fields, takes it off the list. */
  function put(id, fields) {
    if (fields) {
      Object.freeze(fields.images);
      snapshots.set(id, Object.freeze({ ...fields, isResumable: isResumable(fields) }));
    } else {
      suspend(id);
      snapshots.delete(id);
    }
    list = Object.freeze([...snapshots.values()].sort((a, b) => a.startedAt - b.startedAt).reverse());
    for (const inform of listeners) inform();
  }

  const change = (id, changes) => put(id, { ...get(id), ...changes });

  /** Whether nothing was sent, or the relay that got it answers without a second create. */
  const canSend = (snapshot) =>
    !snapshot.isPartial && (!snapshot.sentAt || isRepeatable(snapshot, client.relay));

  const isResumable = (snapshot) =>
    snapshot.phase !== 'done' &&
    snapshot.error?.kind !== 'task_not_found' &&
    !/^(not_sent|rejected|failed)$/.test(snapshot.error?.outcome) &&
    !!(snapshot.task || canSend(snapshot));

  /** A create that a closing page has cut off fails there with an unknown outcome. */
  const isUnfinished = (snapshot) =>
    isRunning(snapshot) || (snapshot?.error?.outcome === 'unknown' && snapshot.isResumable);

  async function save(id) {
    await journal.write(id, get(id));
    post?.(id);
  }

  /** Begins a phase. What the last one brought is left behind. */
  function enter(id, phase, changes) {
    const { status, progress, queue, nextPollAt, error, endedAt, ...lasting } = get(id);
    put(id, { ...lasting, ...changes, phase });
  }

  /** Lists what the journal holds, and goes on with it. */
  function load() {
    loading ??= (async () => {
      // Without locks, a tab that hears of a generation would poll beside the tab that works on it.
      if (locks) post = sync?.(key, { get, jobs, journal, put, follow, stop });
      const entries = await journal.read();
      for (const [id, entry] of entries ?? []) if (!get(id)) follow(id, entry);
    })();
    return loading;
  }

  /** Lists what the journal says of a generation, and waits for its turn to go on with it. */
  function follow(id, entry) {
    put(id, fromEntry(entry));
    if (isUnfinished(get(id))) run(id, 'follow');
  }

  /**
   * Works on a generation until it has ended, in this tab alone. It begins after its caller, which may list the
   * generation meanwhile, and a listener may end it.
   *
   * @param {'start' | 'follow' | 'resume'} [mode] missing: it is a retry
   */
  function run(id, mode) {
    const job = Object.assign(new AbortController(), { clock: Date.now() - performance.now() });
    const { signal } = job;
    jobs.set(id, job);
    const work = async () => {
      try {
        await perform(id, job, mode, signal);
      } catch (thrown) {
        const error = Object(thrown) === thrown ? thrown : new Error(thrown);
        if (!signal.aborted) await end(id, 'failed', { error, task: error.task ?? get(id).task });
      }
      if (!signal.aborted) suspend(id);
    };
    exclusive(locks, `${key} ${id}`, work, signal);
  }

  /** Ends the work of this page, and leaves its generation as it stands. */
  function suspend(id) {
    jobs.get(id)?.abort();
    jobs.delete(id);
    journal.release(id);
  }

  function end(id, phase, changes) {
    const job = jobs.get(id);
    // A person may set the wall clock while the job runs.
    const now = Math.ceil(performance.now() + job?.clock) || Date.now();
    // First, since a listener may resume it at once.
    suspend(id);
    enter(id, phase, { ...changes, endedAt: Math.max(now, get(id).sentAt ?? get(id).startedAt) });
    // The entry of a generation that another tab works on is that tab's.
    return !job || job.hasLock ? save(id) : post?.(id);
  }

  async function perform(id, job, mode, signal) {
    job.hasLock = true;
    // A retry does not look at the entry that it replaces.
    const entries = await (mode && journal.read());
    if (signal.aborted) return;
    const entry = entries?.get(id);
    if (entry && (mode !== 'resume' || entry.phase === 'done')) put(id, fromEntry(entry));
    else if (entry?.task) change(id, { task: entry.task });
    // Another tab has removed it.
    else if (entries && mode === 'follow') return put(id);
    const snapshot = get(id);
    const { task, isEdit, request, idempotencyKey } = snapshot;
    if (!isUnfinished(snapshot)) return;
    if (task) enter(id, 'waiting');
    else {
      // Without locks, another tab may be about to send what this one finds unsent.
      if (!canSend(snapshot) || (mode === 'follow' && !locks && !client.relay))
        throw lostAnswer(snapshot.isPartial && !snapshot.sentAt ? 'not_sent' : undefined);
      if (globalThis.navigator?.onLine === false) {
        const connection = new Promise((resolve) => {
          addEventListener('online', resolve, { signal });
          signal.addEventListener('abort', resolve);
        });
        enter(id, 'held');
        await save(id);
        await connection;
        if (signal.aborted) return;
      }
      // The journal knows the key before the create leaves. The relay counts from the first time.
      enter(id, 'sending', { sentAt: snapshot.sentAt ?? Date.now(), relay: client.relay });
    }
    await save(id);
    if (signal.aborted) return;
    const options = {
      signal,
      idempotencyKey,
      async onTask(task) {
        // The task may arrive when the wait has been stopped. It is kept even then.
        if (get(id)?.idempotencyKey !== idempotencyKey) return;
        change(id, signal.aborted ? { task } : { task, phase: 'waiting' });
        await save(id);
        if (job.isPaused) suspend(id);
      },
      onUpdate({ status, progress, queue }, { nextPollMs }) {
        // What ends a task is in the result of the call.
        if (signal.aborted || !/^p/.test(status)) return;
        change(id, { status, progress, queue, nextPollAt: nextPollMs && Date.now() + nextPollMs });
        post?.(id);
      },
    };
    const { data = [] } = await (task
      ? client.waitForTask(task, options)
      : client[isEdit ? 'editAndWait' : 'generateAndWait'](request, options));
    if (signal.aborted) return;
    await end(id, 'done', { images: [...data] });
  }

  function stop(id) {
    if (isRunning(get(id))) end(id, 'stopped');
  }

  /** Makes a generation that has not been sent. */
  function begin(id, request, isEdit, mode) {
    run(id, mode);
    put(id, {
      id,
      request,
      isEdit,
      phase: 'sending',
      images: [],
      startedAt: Date.now(),
      idempotencyKey: randomId(),
    });
  }

  return {
    /**
     * @param {object} request
     * @param {{ id?: string, edit?: boolean }} [options]
     */
    start(request, { id = randomId(), edit } = {}) {
      if (!get(id)) begin(id, copyOf(request), edit, 'start');
      load();
      return id;
    },

    stop,

    pause(id) {
      const job = jobs.get(id);
      if (!job) return;
      job.isPaused = true;
      if (get(id).phase !== 'waiting') return;
      suspend(id);
      enter(id, 'waiting');
    },

    resume(id) {
      const snapshot = get(id);
      const job = jobs.get(id);
      if (job) job.isPaused = false;
      else if (snapshot?.isResumable) {
        run(id, 'resume');
        enter(id, snapshot.task ? 'waiting' : 'sending');
      }
    },

    retry(id) {
      const snapshot = get(id);
      if (!snapshot || isRunning(snapshot) || snapshot.isPartial) return;
      begin(id, snapshot.request, snapshot.isEdit);
    },

    remove(id) {
      if (!get(id)) return;
      put(id);
      save(id);
    },

    restore(snapshot) {
      const { id } = snapshot;
      if (get(id)) return;
      if (isRunning(snapshot)) run(id, 'resume');
      put(id, snapshot);
      save(id);
    },

    load,
    get,
    list: () => list,

    subscribe(listener) {
      function inform() {
        try {
          listener(list);
        } catch (error) {
          // A listener must not end the wait that it is informed of.
          console.error(error);
        }
      }
      listeners.add(inform);
      inform();
      load();
      return () => listeners.delete(inform);
    },
  };
}
