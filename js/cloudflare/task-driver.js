/**
 * Drives a task: asks the core for the next action, stores what has to survive a crash, and performs the action.
 *
 * The core decides (`src/core/hub.rs` lists the phases, and the effect of a crash in each).
 */

import { toBody } from '../client/body.js';
import { digest } from '../relay/digest.js';
import { costsOf } from '../relay/public-error.js';
import { requestOf } from '../relay/upstream.js';
import { callCore } from './core.js';
import { copyPicture, deletePictures } from './pictures.js';
import { readKey, send } from './service.js';
import { answeredView, failedView, nextModelView, renewed, withoutData } from './task-view.js';

/** Stands for all models, and for the model of a request that names none. */
export const NO_MODEL = '';

export class TaskDriver {
  #id;
  #store;
  #alarm;
  #log;
  #redactor;
  #readSettings;
  #onChange;
  #running;
  /** The pictures that no attempt can copy. */
  #uncopyable = new Set();
  /** The place of a create that waits for its admission: `{ wait_ms, position, length }`. */
  queue;
  /** The error that ended the last run. */
  failure;

  /**
   * @param {object} parts
   * @param {string} parts.id of the task's object
   * @param {import('./task-store.js').TaskStore} parts.store
   * @param {import('./task-alarm.js').TaskAlarm} parts.alarm
   * @param {import('./event-log.js').EventLog} parts.log
   * @param {ReturnType<typeof import('../relay/redactor.js').createRedactor>} parts.redactor
   * @param {() => any} parts.readSettings throws if a setting is wrong
   * @param {() => void} parts.onChange
   */
  constructor({ id, store, alarm, log, redactor, readSettings, onChange }) {
    this.#id = id;
    this.#store = store;
    this.#alarm = alarm;
    this.#log = log;
    this.#redactor = redactor;
    this.#readSettings = readSettings;
    this.#onChange = onChange;
  }

  /** Drives the task as far as that goes now. Calls that come meanwhile share the run. */
  run() {
    this.#running ??= this.#drive().finally(() => {
      this.#running = undefined;
    });
    // The alarm drives on. A create that waits for its answer has to know.
    this.#running.catch((error) => {
      this.failure = error;
      this.#onChange();
    });
    return this.#running;
  }

  async #drive() {
    if (this.#store.job) this.failure = undefined;
    while (this.#store.job) {
      const { job, action } = callCore('nextAction', this.#store.job, this.#readSettings(), Date.now());
      const { phase } = this.#store.job;
      this.#storeBefore(action, job);
      if (job.phase !== phase) this.#onChange();
      switch (action.type) {
        case 'requestAdmission':
          await this.#requestAdmission(action);
          break;
        case 'sendCreate':
        case 'sendPoll':
          await this.#sendRequest(action);
          break;
        case 'copyPictures':
          await this.#copyPictures();
          break;
        case 'sleep':
          await this.#alarm.set(action.until);
          // A client may have resumed the task meanwhile.
          if (this.#store.job === job) return;
          break;
        case 'forget':
          await this.forget();
          break;
        default:
          this.#log.writeError('gave_up', action.error);
          this.#store.dropRequest();
      }
    }
  }

  /** Stores the job, unless a later process comes to the same action on its own: each row is billed. */
  #storeBefore({ type, isRoutine, error }, job) {
    if (type === 'requestAdmission' || (type === 'sleep' && isRoutine)) this.#store.keep({ job });
    else if (type === 'fail') {
      this.#store.save({ job, view: failedView(this.#store, error, this.#redactor) });
    } else this.#store.save({ job, ...(type === 'sleep' && { view: this.#store.view }) });
  }

  async #requestAdmission({ kind, timeoutMs }) {
    const { identity, model } = this.#store.order;
    let admission;
    try {
      const limiter = await this.#limiter();
      admission = await limiter.admit(this.#id, identity, kind, timeoutMs, model);
    } catch (error) {
      // Without a limiter, tasks go on: the service's own refusals slow them.
      this.#log.writeError('limiter_failed', error);
      admission = { wait_ms: 0 };
    }
    // A limiter with a wrong setting must not admit requests.
    if (admission.problem) throw new TypeError(admission.problem);
    const { wait_ms } = admission;
    // A create that would be admitted too late is not in the queue: it fails now.
    const isQueued = kind === 'create' && wait_ms > 0 && wait_ms <= timeoutMs;
    this.queue = isQueued ? admission : undefined;
    this.#store.keep({ job: callCore('admissionAnswered', this.#store.job, wait_ms, Date.now()) });
    if (isQueued) this.#onChange();
  }

  /** The limiter of the key, which has an object of its own. */
  async #limiter() {
    const settings = this.#readSettings();
    const { limiter } = settings;
    return limiter.get(limiter.idFromName(await digest([await readKey(settings)])));
  }

  /** The body of the create: a form if there are files. */
  #body(isShort) {
    const { request, files } = this.#store;
    if (!isShort && files.length === 0) return request;
    const fields = { ...JSON.parse(request), ...(isShort && { async: true }) };
    return toBody(requestOf(fields, files)).value;
  }

  async #sendRequest({ type, url, timeoutMs, isShort }) {
    const store = this.#store;
    const isCreate = type === 'sendCreate';
    await this.#alarm.guard();
    // That the create is being sent has to be on the disk before it is.
    if (isCreate) await store.sync();
    const settings = this.#readSettings();
    const attempt = await send(
      { url, timeoutMs, ...(isCreate ? { body: this.#body(isShort) } : { task: store.job.wait.task }) },
      { settings, trace: store.order.trace, onKey: (key) => this.#redactor.learn(key) },
    );
    const { model } = store.order;
    const ended = callCore('attemptEnded', store.job, settings, attempt, model, Date.now());
    const { job, update, rateLimit } = ended;
    this.queue = undefined;
    const before = store.view.generation;
    this.#storeAfter(update, job, isCreate);
    // Nothing keeps prompt and files any longer than they are needed.
    if (!callCore('needsRequest', job)) store.dropRequest();
    this.#onChange();
    const create = job.request.is_edit ? 'edit' : 'create';
    const upstream = isCreate ? create : 'poll';
    // By now, the task may have its next model.
    if (update.error) this.#log.writeError('upstream_failed', update.error, { upstream, model });
    const costs = costsOf(attempt.body);
    if (JSON.stringify(costs) !== JSON.stringify(costsOf(before))) {
      this.#log.writeCosts(costs, { upstream, model });
    }
    if (rateLimit && settings.limiter) await this.#pauseOthers(rateLimit, model);
  }

  /** Stores the effect of an attempt. That a task still runs is not stored: a later process polls again. */
  #storeAfter({ type, generation, error }, job, isCreate) {
    const store = this.#store;
    const now = renewed(store.view.generation, generation);
    if (type === 'answered' && job.phase === 'waiting' && !isCreate) {
      store.keep({ job, view: { generation: withoutData(now) } });
    } else if (type === 'answered') store.save({ job, ...answeredView(now) });
    else if (type === 'fail') store.save({ job, view: failedView(store, error, this.#redactor) });
    else if (type === 'fallback') store.save({ job, ...this.#nextModel(error) });
    else store.save({ job });
  }

  /** The rows of the same request for the next model. */
  #nextModel(error) {
    const { order, view, request } = this.#store;
    const { model, fallback } = order;
    const [next, ...rest] = fallback;
    return {
      order: { ...order, model: next, fallback: rest },
      request: JSON.stringify({ ...JSON.parse(request), model: next }),
      view: nextModelView(view, { model, next, error, now: Date.now(), redactor: this.#redactor }),
    };
  }

  async #pauseOthers({ pauseMs, isModelSpecific }, model) {
    try {
      const limiter = await this.#limiter();
      await limiter.pause(pauseMs, isModelSpecific ? model : NO_MODEL);
    } catch (error) {
      this.#log.writeError('limiter_failed', error);
    }
  }

  /** Copies the pictures one at a time, since each may be large, and stores each copy as soon as it is made. */
  async #copyPictures() {
    const store = this.#store;
    await this.#alarm.guard();
    const settings = this.#readSettings();
    const images = store.view.isLong ? [] : JSON.parse(store.view.data);
    let isDone = true;
    for (const [index, image] of images.entries()) {
      const { kept = [] } = store.view;
      if (!image?.url || kept.includes(index) || this.#uncopyable.has(index)) continue;
      try {
        await copyPicture(settings.pictures, this.#id, index, image.url, settings);
        store.save({ view: { ...store.view, kept: [...kept, index] } });
      } catch (error) {
        if (error.isFinal) this.#uncopyable.add(index);
        else isDone = false;
        this.#log.writeError('picture_failed', error, { index });
      }
    }
    store.save({ job: callCore('picturesCopied', store.job, settings, isDone, Date.now()) });
    this.#onChange();
  }

  /** Deletes the task with its pictures, including a copy that was made and not stored. */
  async forget({ hasPictures = this.#store.job.copy_attempts > 0 } = {}) {
    if (hasPictures) await deletePictures(this.#readSettings().pictures, this.#id);
    // In this order: an alarm without rows does no harm, but rows without an alarm would stay forever.
    await this.#store.forget();
    await this.#alarm.clear();
  }
}
