/**
 * One task in a Durable Object, which creates it, polls it by alarm, keeps its result, reports to its watchers, and
 * forgets it in the end.
 */

import { DurableObject } from 'cloudflare:workers';
import { createRedactor } from '../relay/redactor.js';
import { Changes } from './changes.js';
import { callCore } from './core.js';
import { EventLog } from './event-log.js';
import { ORDER_VERSION } from './order-version.js';
import { RETRY_MS, TaskAlarm } from './task-alarm.js';
import { NO_MODEL, TaskDriver } from './task-driver.js';
import { defaultLog, readTaskSettings } from './task-settings.js';
import { TaskStore } from './task-store.js';
import { currentView, pendingView } from './task-view.js';
import { leasesName, WatcherLeases } from './watcher-leases.js';
import { Watchers } from './watchers.js';

/** Lasts through the last polls and the copying of pictures, in milliseconds. */
const LEASE_MARGIN_MS = 600_000;

export class TaskHub extends DurableObject {
  #checkedSettings;
  #id = this.ctx.id.toString();
  #store = new TaskStore(this.ctx.storage);
  #alarm = new TaskAlarm(this.ctx.storage);
  #changes = new Changes();
  #redactor = createRedactor();
  #log = new EventLog(this.#id, this.#redactor, () => {
    const { order } = this.#store;
    const log = this.#checkedSettings?.log ?? defaultLog;
    const { identity, model, trace } = order ?? {};
    return { log, identity, model, traceparent: trace?.traceparent };
  });
  #driver = new TaskDriver({
    id: this.#id,
    store: this.#store,
    alarm: this.#alarm,
    log: this.#log,
    redactor: this.#redactor,
    readSettings: () => this.#settings,
    onChange: () => {
      this.#changes.notify();
      if (this.#store.job) this.#watchers.report();
    },
  });
  #watchers = new Watchers(this.ctx, {
    store: this.#store,
    queue: () => this.#driver.queue,
    lease: (count) => this.#lease(count),
  });
  /** In the object of an identity, which holds no task. */
  #leases = new WatcherLeases(this.ctx.storage.kv);

  /**
   * The settings of the object. Override it where your bindings have other names.
   *
   * @param {Record<string, any>} env
   */
  settings(env) {
    return {
      apiKey: env.LEMONDATA_API_KEY,
      baseUrl: env.LEMONDATA_BASE_URL,
      tasks: env.TASKS,
      limiter: env.LIMITER,
      pictures: env.PICTURES,
      shortCreates: env.LEMONDATA_SHORT_CREATES,
    };
  }

  /** The settings, checked. A wrong one throws before a request is answered, and in every alarm until it is mended. */
  get #settings() {
    this.#checkedSettings ??= readTaskSettings(this.settings(this.env));
    return this.#checkedSettings;
  }

  /**
   * Takes a create and carries it out once, even if this call is interrupted.
   *
   * @param {object} order
   * @param {number} order.version
   * @param {string} order.identity
   * @param {string} order.fingerprint
   * @param {Record<string, any>} order.request
   * @param {boolean} order.isEdit
   * @param {{ name: string, type: string, size: number }[]} order.files
   * @param {string[]} order.fallback
   * @param {{ traceparent: string, tracestate?: string }} [order.trace]
   * @param {ReadableStream<Uint8Array>} [order.content] of all files, one behind the other
   * @param {number} order.waitMs
   */
  async createTask({ version, content, waitMs, ...order }) {
    if (version > ORDER_VERSION) {
      await content?.cancel();
      return { isOutdated: true };
    }
    await this.#checkVersion();
    const { identity, fingerprint, request, isEdit, files, fallback, trace } = order;
    const store = this.#store;
    if (this.#isExpired()) await this.#driver.run();
    // A duplicate needs no files.
    const bytes = await (this.#isFree() ? readFiles(files, content) : content?.cancel());
    const now = Date.now();
    // A duplicate may have come while the files arrived.
    const isNew = this.#isFree();
    const isIdle = store.job?.phase === 'idle';
    if (!isNew && !isIdle && store.order.fingerprint !== fingerprint) return { isReused: true };
    if (isNew) {
      // A client that says itself whether it wants a task gets what it says.
      const is_short = this.#settings.shortCreates && request.async === undefined;
      const jobRequest = { is_edit: isEdit, is_short, fallbacks: fallback.length };
      const job = callCore('createJob', this.#settings, request, jobRequest, now);
      const model = request.model ?? NO_MODEL;
      const rows = {
        job,
        order: { identity, fingerprint, model, fallback, trace, createdAt: now },
        view: pendingView(now),
        request: JSON.stringify(request),
      };
      store.save(bytes ? { ...rows, files: { list: files, bytes } } : rows);
      await this.#alarm.guard();
      this.#driver.run();
    }
    const end = now + waitMs;
    while (this.#isUnanswered() && Date.now() < end) await this.#changes.next(end - Date.now());
    const { failure } = this.#driver;
    if (isNew && failure && store.job?.phase === 'queued') {
      // The client learns that its create has failed, so it must not be sent later.
      await this.#driver.forget();
      throw failure;
    }
    const view = this.#resume();
    // Whatever ends its polls, the task exists: that error is for polls.
    if (view?.error?.outcome === 'accepted') delete view.error;
    return { isRepeated: !isNew, view, createdAt: store.order?.createdAt };
  }

  /** The view of the task, or `undefined` if there is none. A suspended task is resumed. */
  async getTask() {
    await this.#checkVersion();
    return this.#resume();
  }

  #resume() {
    // In case nothing drives the task, for example after a trap.
    const run = () => void this.#driver.run();
    if (!this.#store.job || this.#isExpired()) return run();
    const job = callCore('resumeJob', this.#store.job, this.#settings, Date.now());
    if (job) this.#store.save({ job, view: { generation: this.#store.view.generation } });
    run();
    return currentView(this.#store, this.#driver.queue);
  }

  /** Answers with a WebSocket that watches the task, or without one. The query holds the client's names of the task. */
  async fetch(request) {
    await this.#checkVersion();
    const { searchParams } = new URL(request.url);
    const names = {
      reference: searchParams.get('reference'),
      base: searchParams.get('base'),
      showCosts: searchParams.get('showCosts') === 'true',
    };
    const { maxWatchers } = this.#settings;
    const webSocket = this.#isExpired() ? undefined : await this.#watchers.open(names, maxWatchers);
    if (!webSocket) return new Response(null, { status: 204 });
    this.#driver.run();
    return new Response(null, { status: 101, webSocket });
  }

  webSocketMessage(socket) {
    socket.close(1003, 'This socket accepts only ping.');
  }

  webSocketClose(socket, code) {
    try {
      socket.close(code);
    } catch {
      // A client may close with a reserved code, which must not be sent back; 1005 and 1006 stand for no code.
      socket.close(1000);
    }
    return this.#watchers.updateLease();
  }

  webSocketError() {
    return this.#watchers.updateLease();
  }

  /** Leases `count` sockets from the object of the identity. */
  async #lease(count) {
    // A client may keep its socket until the task is forgotten.
    if (!this.#store.order) return 0;
    try {
      const { tasks } = this.#settings;
      const { identity, fallback } = this.#store.order;
      const leases = tasks.get(tasks.idFromName(await leasesName(identity)));
      return await leases.leaseWatchers(this.#id, count, 1 + fallback.length);
    } catch (error) {
      // Clients without a socket poll.
      this.#log.writeError('watchers_failed', error);
      return 0;
    }
  }

  /**
   * Leases sockets to a task, in the object of its identity.
   *
   * @param {string} task
   * @param {number} count
   * @param {number} [models] that the task may still go through
   * @returns {Promise<number>} how many of them the identity may have
   */
  async leaseWatchers(task, count, models = 1) {
    const { maxWatchersPerIdentity, maxWait } = this.#settings;
    const now = Date.now();
    // A create waits for its admission and its task for its end, with each model: nothing is watched for longer.
    const until = now + 2 * maxWait * models + LEASE_MARGIN_MS;
    const leased = this.#leases.lease(task, count, { max: maxWatchersPerIdentity, now, until });
    await this.#alarm.setIfUnset(until);
    return leased;
  }

  async #sweepLeases() {
    const next = this.#leases.sweep(Date.now());
    if (next) await this.#alarm.set(next);
    else await this.ctx.storage.deleteAll();
  }

  alarm() {
    const work = () => {
      if (this.#store.isForeign) return this.#awaitVersion();
      return this.#store.job ? this.#driver.run() : this.#sweepLeases();
    };
    return this.#alarm.ring(work, (error) => this.#log.writeError('alarm_failed', error));
  }

  /** Refuses to touch the state of a later version. */
  async #checkVersion() {
    if (!this.#store.isForeign) return;
    await this.#alarm.setIfUnset(Date.now() + RETRY_MS);
    throw new Error(
      'A later version of lemondata-wasm has stored this task, and this version cannot read it. Deploy that version again.',
    );
  }

  /** Leaves the state of a later version alone, until it has been unreadable for the retention. */
  async #awaitVersion() {
    const now = Date.now();
    if (now >= this.#store.unreadableSince(now) + this.#settings.retention) {
      return this.#driver.forget({ hasPictures: true });
    }
    this.#log.write({ event: 'state_unreadable' });
    await this.#alarm.set(now + RETRY_MS);
  }

  /** Whether the next create is carried out here. One that did nothing leaves its place to another. */
  #isFree() {
    const { job } = this.#store;
    return !job || (job.phase === 'idle' && callCore('retryAfterMs', job, Date.now()) === 0);
  }

  #isExpired() {
    return Boolean(this.#store.job) && callCore('isExpired', this.#store.job, Date.now());
  }

  /** Whether the answer to a create is still to come. A create in the limiter's queue is answered with its place. */
  #isUnanswered() {
    const phase = this.#store.job?.phase;
    if (this.#driver.failure) return false;
    return phase === 'copying' || phase === 'sending' || (phase === 'queued' && !this.#driver.queue);
  }
}

/** The bytes of all files, if there are any. */
async function readFiles(files, content) {
  if (!content) return undefined;
  const bytes = new Uint8Array(await new Response(content).arrayBuffer());
  const size = files.reduce((sum, file) => sum + file.size, 0);
  if (bytes.length !== size) throw new Error(`The files of a create broke off after ${bytes.length} bytes.`);
  return bytes;
}
