/**
 * One task in a Durable Object, which creates it, polls it by alarm, keeps its result, reports to its watchers, and
 * forgets it in the end.
 *
 * The core decides (`src/core/hub.rs` lists the phases, and what a crash means in each); this object performs. It
 * stores what the core decides before it sends or copies anything, and stores the result afterwards. It does not store
 * that a task still runs: a later process finds that out by asking again.
 */

import { DurableObject } from 'cloudflare:workers';
import { Attempt, exchange } from '../client/exchange.js';
import { resolve } from '../client/options.js';
import { digest } from '../relay/digest.js';
import { publicCode } from '../relay/public-error.js';
import { createRedactor } from '../relay/redactor.js';
import {
  callback,
  count,
  LONGEST_TIMER_MS,
  methods,
  milliseconds,
  readSettings,
  required,
  setting,
} from '../relay/settings.js';
import { isAnswerOf, taskIdOf } from '../relay/task-ids.js';
import { cappedFetch } from '../relay/upstream.js';
import { failureOf, textOf } from '../relay/view.js';
import { ask } from './core.js';
import { copyPicture, deletePictures } from './pictures.js';
import { dropText, getText, isLong, putText, streamText } from './texts.js';

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
/** Work outside of an alarm is lost in a crash. So an alarm comes after this time, and finds the crash out. */
const GUARD_MS = 5_000;
/** The pause after an alarm that failed, for example by a bug of ours or by a wrong setting. */
const RETRY_MS = MINUTE_MS;
/** The longest body of an error that is stored, as JSON. Of a longer one, the code and the message are. */
const MAX_BODY_LENGTH = 100_000;
/** The longest text of an error that is stored. */
const MAX_TEXT_LENGTH = 2_000;
/** A longer message is not sent to watchers: they ask for it. Sockets that do not read hold theirs in memory. */
const MAX_MESSAGE_LENGTH = 32_768;
const MEBIBYTE = 1024 * 1024;
/** For a pause of the whole fleet, and for tasks of an earlier version, which did not store their model. */
const NO_MODEL = '';

const isAddress = (value) => typeof value === 'string' && /^https?:\/\//.test(value) && URL.canParse(value);
const isKey = (value) => typeof value === 'function' || (typeof value === 'string' && /^[!-~]+$/.test(value));

const RULES = {
  apiKey: required(
    setting(
      undefined,
      isKey,
      "the service's key, a string without white space, or a function that returns it",
    ),
    'Store it as a secret of the worker: wrangler secret put LEMONDATA_API_KEY.',
    { isSecret: true },
  ),
  baseUrl: setting(undefined, isAddress, 'an absolute URL of http or https'),
  fetch: callback(undefined, 'a function such as fetch'),
  limiter: methods(['idFromName', 'get'], 'the binding of FleetLimiter'),
  pictures: methods(['put', 'head', 'list', 'delete'], 'the binding of an R2 bucket'),
  pollInterval: {
    read: (value) =>
      readSettings('TaskHub: pollInterval', { min: milliseconds(), max: milliseconds() }, value),
    expected: 'an object with min and max',
  },
  requestTimeout: milliseconds(undefined, { max: LONGEST_TIMER_MS }),
  maxRetries: count(undefined, { min: 0, max: 100 }),
  // A task that nobody watches has time, but has to end.
  maxWait: milliseconds(15 * MINUTE_MS),
  retention: milliseconds(24 * HOUR_MS),
  maxAnswerBytes: count(40 * MEBIBYTE),
  maxPictureBytes: count(25 * MEBIBYTE),
  maxWatchers: count(1000),
  log: callback((event) => console.error(event)),
};

export class TaskHub extends DurableObject {
  #kv = this.ctx.storage.kv;
  #settings;
  /** The core's state; nothing before the create. */
  #job;
  /** Whether what is stored is of a later version, which alone can read it. */
  #isForeign = false;
  /** Who created it. The request is stored beside it for as long as it may have to be sent. */
  #order = this.#kv.get('order');
  #view = this.#kv.get('view') ?? JSON.parse(getText(this.#kv, 'viewText') ?? 'null');
  #queue;
  #alarm;
  #isInAlarm = false;
  #driving;
  /** Why the last drive failed. */
  #failure;
  /** The callbacks that wait for a change. */
  #waiting = new Set();
  /** The state that watchers know. */
  #lastState;
  /** The pictures that cannot be copied, however often it is tried. */
  #hopeless = new Set();
  #redactor = createRedactor();

  constructor(ctx, env) {
    super(ctx, env);
    const stored = this.#kv.get('job');
    if (stored) {
      const view = this.#view ?? { generation: { status: 'pending' } };
      const hasResult = view.data !== undefined || Boolean(view.isLong);
      this.#job = ask('migrate', stored, hasResult);
      this.#isForeign = !this.#job;
      // The first release could store that a job is over, and not what came of it.
      const isLost = stored.phase === 'completed' && !hasResult;
      const outcome = this.#job?.phase === 'left' ? 'accepted' : 'unknown';
      this.#view = isLost
        ? { ...view, error: { kind: 'response', outcome, message: 'The result is lost.' } }
        : view;
      if (!this.#isForeign && this.#kv.get('unreadable')) this.#kv.delete('unreadable');
    }
    // The runtime answers these by itself: a watcher finds out that its socket is alive, and this object sleeps on.
    ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair('ping', 'pong'));
  }

  /**
   * What the object works with: override it where your bindings have other names.
   *
   * @param {Record<string, any>} env
   */
  settings(env) {
    return {
      apiKey: env.LEMONDATA_API_KEY,
      baseUrl: env.LEMONDATA_BASE_URL,
      limiter: env.LIMITER,
      pictures: env.PICTURES,
    };
  }

  /** The settings, checked. A wrong one throws here: before a request is answered, and in every alarm until it is mended. */
  get #options() {
    if (!this.#settings) {
      const settings = readSettings('TaskHub', RULES, this.settings(this.env));
      const fetch = cappedFetch(settings.fetch, settings.maxAnswerBytes);
      const { limiter, pictures } = settings;
      this.#settings = { ...settings, fetch, limited: Boolean(limiter), keeps: Boolean(pictures) };
    }
    return this.#settings;
  }

  /** One event for the operator. A log that fails must not fail the task. */
  #log(event) {
    const { identity, model } = this.#order ?? {};
    try {
      const log = this.#settings?.log ?? RULES.log.fallback;
      log({ ...event, task: this.ctx.id.toString(), identity, model });
    } catch {}
  }

  /** A text that a log may hold. */
  #cut(value) {
    return this.#redactor.redact(String(value).slice(0, MAX_TEXT_LENGTH), true);
  }

  #logError(event, error, more) {
    const { kind, status, code, outcome, requestId, retryAfterMs, message, cause } = error;
    this.#log({
      event,
      ...more,
      kind,
      status,
      // A log takes a code as it is, so it must be one.
      code: publicCode(code),
      outcome,
      requestId,
      retryAfterMs,
      message: this.#cut(message),
      cause: cause && this.#cut(cause),
    });
  }

  /**
   * Takes a create, and carries it out once, whatever happens.
   *
   * @param {{ identity: string, fingerprint: string, request: object, waitMs: number }} order
   */
  async create({ identity, fingerprint, request, waitMs }) {
    await this.#checkState();
    const now = Date.now();
    // One whose time is over is forgotten first.
    if (this.#isExpired()) await this.#drive();
    const isIdle = this.#job?.phase === 'idle';
    const isNew = !this.#job || (isIdle && ask('pause_ms', this.#job, now) === 0);
    if (!isNew && !isIdle && this.#order.fingerprint !== fingerprint) return { isReused: true };
    if (isNew) {
      const order = { identity, fingerprint, model: request.model ?? NO_MODEL };
      const view = { generation: { status: 'pending', created: Math.floor(now / 1000) } };
      const job = ask('begin', this.#options, request, now);
      this.#save({ job, order, view, request: JSON.stringify(request) });
      // In case this process ends before it has sent anything.
      await this.#guard();
      this.#drive();
    }
    const end = now + waitMs;
    while (this.#isUnanswered() && Date.now() < end) await this.#change(end - Date.now());
    if (isNew && this.#failure && this.#job?.phase === 'queued') {
      // Nothing has been sent, and nothing must be sent later, when the client has heard that it failed.
      const failure = this.#failure;
      await this.#forget();
      throw failure;
    }
    const view = this.#look();
    // Whatever becomes of its polls, the task exists: the error is for those who poll.
    if (view?.error?.outcome === 'accepted') delete view.error;
    return { isRepeated: !isNew, view };
  }

  /** How the task stands, or nothing if there is none. One that was left is carried on. */
  async look() {
    await this.#checkState();
    return this.#look();
  }

  #look() {
    if (!this.#job || this.#isExpired()) {
      this.#drive();
      return undefined;
    }
    const resumed = ask('resume', this.#job, this.#options, Date.now());
    if (resumed) {
      this.#save({ job: resumed, view: { generation: this.#view.generation } });
    }
    // In case nothing drives it, for example after a trap.
    this.#drive();
    return this.#shown();
  }

  /**
   * A WebSocket that reports how the task stands, now and after every change. The query says how to name the task.
   * Without a socket, the client has to ask: where the task has ended, and where there are too many sockets.
   */
  async fetch(request) {
    await this.#checkState();
    const none = () => new Response(null, { status: 204 });
    if (!this.#job || this.#isExpired() || this.#view.error || this.#hasResult()) return none();
    if (this.#openSockets().length >= this.#options.maxWatchers) return none();
    const { searchParams } = new URL(request.url);
    const names = { reference: searchParams.get('reference'), base: searchParams.get('base') };
    const view = this.#shown();
    const message = this.#message(view, names);
    if (!message) return none();
    const [client, server] = Object.values(new WebSocketPair());
    try {
      // First of all: a socket that cannot hold its names must not be among those that are reported to.
      server.serializeAttachment(names);
    } catch {
      return none();
    }
    // With this, the object may be evicted while the socket stays open.
    this.ctx.acceptWebSocket(server);
    server.send(message);
    this.#lastState ??= stateOf(view);
    this.#drive();
    return new Response(null, { status: 101, webSocket: client });
  }

  webSocketMessage(socket) {
    socket.close(1003, 'This socket takes nothing but ping.');
  }

  webSocketClose(socket, code) {
    // 1005 and 1006 say that there was no code, and cannot be sent.
    socket.close(code === 1005 || code === 1006 ? 1000 : code);
  }

  async alarm() {
    this.#alarm = undefined;
    this.#isInAlarm = true;
    try {
      if (this.#isForeign) await this.#awaitVersion();
      else if (this.#job) await this.#drive();
    } catch (error) {
      this.#logError('alarm_failed', error);
      // The runtime tries a failed alarm a few times, and then never again.
      await this.#wakeAt(Date.now() + RETRY_MS);
    } finally {
      this.#isInAlarm = false;
    }
  }

  /** Refuses to touch what a later version has stored. */
  async #checkState() {
    if (!this.#isForeign) return;
    if ((await this.ctx.storage.getAlarm()) === null) await this.#wakeAt(Date.now() + RETRY_MS);
    throw new Error(
      'A later version of lemondata-wasm has stored this task, and this version cannot read it. Deploy that version again.',
    );
  }

  /** Leaves the state of a later version alone, until it has been unreadable for as long as results are kept. */
  async #awaitVersion() {
    const since = this.#kv.get('unreadable') ?? Date.now();
    if (Date.now() >= since + this.#options.retention) {
      await deletePictures(this.#options.pictures, this.ctx.id.toString());
      await this.#forgetState();
      return;
    }
    this.#kv.put('unreadable', since);
    this.#log({ event: 'state_unreadable' });
    await this.#wakeAt(Date.now() + RETRY_MS);
  }

  /** Has an alarm notice a crash. */
  async #guard() {
    if (!this.#isInAlarm && this.#alarm === undefined) await this.#wakeAt(Date.now() + GUARD_MS);
  }

  /** Sets the alarm. Each time is a write, which is billed. */
  async #wakeAt(time) {
    if (this.#alarm === time) return;
    this.#alarm = time;
    await this.ctx.storage.setAlarm(time);
  }

  /** Carries the task on, as far as that goes now. All who call it meanwhile share one run. */
  #drive() {
    this.#driving ??= this.#work().finally(() => {
      this.#driving = undefined;
    });
    // The alarm comes again. A create that waits has to know.
    this.#driving.catch((error) => {
      this.#failure = error;
      this.#wake();
    });
    return this.#driving;
  }

  async #work() {
    if (!this.#job) return;
    this.#failure = undefined;
    for (;;) {
      const [job, act, first, second] = ask('next', this.#job, this.#options, Date.now());
      // Each row that is written is billed. A later process comes to a question or a routine pause by itself.
      const isRoutine = act === 'ask' || (act === 'sleep' && second);
      if (isRoutine && job.phase === this.#job.phase) this.#job = job;
      else if (act === 'fail') {
        this.#save({ job, view: this.#failed(first) });
        this.#logError('gave_up', first);
      } else this.#save({ job, ...(act === 'sleep' && { view: this.#view }) });
      switch (act) {
        case 'sleep':
          return this.#wakeAt(first);
        case 'ask':
          await this.#askForTurn(first);
          break;
        case 'send':
        case 'poll':
          await this.#request(act, first, second);
          break;
        case 'keep':
          await this.#keep();
          break;
        case 'forget':
          await this.#forget();
          return;
        default:
          dropText(this.#kv, 'request');
          this.#report();
      }
    }
  }

  async #askForTurn(need) {
    const { identity, model = NO_MODEL } = this.#order;
    const patience = ask('patience', this.#job, Date.now());
    let turn;
    try {
      const fleet = await this.#fleet();
      turn = await fleet.take(this.ctx.id.toString(), identity, need, patience, model);
    } catch (error) {
      // Without a limiter, tasks go on: the service's own refusals slow them.
      this.#logError('limiter_failed', error);
      turn = { wait_ms: 0 };
    }
    // A limiter with a wrong setting is no limiter.
    if (turn.problem) throw new TypeError(turn.problem);
    // One whose turn would come too late is not in the queue: it fails now.
    const isQueued = turn.wait_ms > 0 && turn.wait_ms <= patience && need === 'create';
    this.#queue = isQueued ? turn : undefined;
    this.#job = ask('turn', this.#job, turn.wait_ms, Date.now());
    if (isQueued) this.#report();
  }

  async #fleet() {
    const { limiter, apiKey } = this.#options;
    return limiter.get(limiter.idFromName(await digest([await resolve(apiKey)])));
  }

  async #request(act, url, timeout) {
    await this.#guard();
    // That a create is being sent has to be stored before it is.
    if (act === 'send') await this.ctx.storage.sync();
    const isCreate = act === 'send';
    const method = isCreate ? 'POST' : 'GET';
    let about = new Attempt(method);
    const controller = new AbortController();
    const timer = setTimeout(() => controller.abort(), timeout);
    try {
      const { apiKey, fetch } = this.#options;
      const key = await resolve(apiKey);
      this.#redactor.learn(key);
      const body = isCreate ? getText(this.#kv, 'request') : undefined;
      await exchange(about, { fetch, url, signal: controller.signal, key, body });
    } catch (cause) {
      // There is no key, or it cannot be sent.
      about = Object.assign(new Attempt(method), { cause });
    }
    clearTimeout(timer);
    about.isLate ||= controller.signal.aborted;
    // The key goes to documented routes alone. Without its poll_url, a task is asked for by its id.
    const { baseUrl } = this.#options;
    const { poll_url } = Object(about.body);
    if (poll_url && !taskIdOf(poll_url, baseUrl)) delete about.body.poll_url;
    // An answer about another task is a lost one.
    if (act === 'poll' && !isAnswerOf(this.#job.wait.task, Object(about.body), baseUrl)) about.isJson = false;

    const { model = NO_MODEL } = this.#order;
    const [job, ruling, value, pause] = ask('judge', this.#job, this.#options, about, model, Date.now());
    this.#queue = undefined;
    // That a task goes on running is not stored: after a crash, its poll counts as lost, and is repeated.
    const isRunning = act === 'poll' && ruling === 'answered' && job.phase === 'waiting';
    if (isRunning) this.#adopt({ job, view: { generation: withoutData(value) } });
    else if (ruling === 'answered') this.#save({ job, ...resultOf(value) });
    else if (ruling === 'fail') this.#save({ job, view: this.#failed(value) });
    else this.#save({ job });
    // The prompt has done its work.
    if (act === 'send' && job.phase !== 'queued') dropText(this.#kv, 'request');
    this.#report();
    const upstream = act === 'send' ? 'create' : 'poll';
    if (ruling !== 'answered' && value) this.#logError('upstream_failed', value, { upstream });
    if (pause && this.#options.limiter) {
      try {
        await (await this.#fleet()).slow(pause.ms, pause.of_model ? model : NO_MODEL);
      } catch (error) {
        this.#logError('limiter_failed', error);
      }
    }
  }

  /** The view of a job that has failed. What is stored of the error is bounded. */
  #failed(error) {
    const { cause: _, body, ...fields } = error.toJSON();
    const bounded = Object.entries({ ...fields, body: boundedBody(body) })
      .map(([name, value]) => [name, typeof value === 'string' ? value.slice(0, MAX_TEXT_LENGTH) : value])
      .filter(([, value]) => lengthOf(value) <= MAX_BODY_LENGTH);
    // The service may repeat the key, in whatever spelling.
    const text = this.#redactor.redact(JSON.stringify(Object.fromEntries(bounded)), true);
    return { ...this.#view, error: JSON.parse(text) };
  }

  /** Copies the pictures, one at a time: each may be large. Each copy is stored as soon as it is made. */
  async #keep() {
    await this.#guard();
    const { pictures, baseUrl, maxPictureBytes } = this.#options;
    const images = this.#view.isLong ? [] : JSON.parse(this.#view.data);
    let isDone = true;
    for (const [index, image] of images.entries()) {
      const { kept = [] } = this.#view;
      if (!image?.url || kept.includes(index) || this.#hopeless.has(index)) continue;
      try {
        await copyPicture(pictures, this.ctx.id.toString(), index, image.url, { baseUrl, maxPictureBytes });
        this.#save({ view: { ...this.#view, kept: [...kept, index] } });
      } catch (error) {
        if (error.isFinal) this.#hopeless.add(index);
        else isDone = false;
        this.#logError('picture_failed', error, { index });
      }
    }
    this.#save({ job: ask('kept', this.#job, this.#options, isDone, Date.now()) });
    this.#report();
  }

  async #forget() {
    // Of a copy that was not stored as made, too.
    if (this.#job.keeps > 0) await deletePictures(this.#options.pictures, this.ctx.id.toString());
    await this.#forgetState();
  }

  async #forgetState() {
    this.#job = undefined;
    this.#view = undefined;
    this.#isForeign = false;
    this.#alarm = undefined;
    await this.ctx.storage.deleteAlarm();
    await this.ctx.storage.deleteAll();
  }

  /** Writes what has changed, all of it or nothing, and only then goes by it. */
  #save({ job, order, view, data, request }) {
    this.ctx.storage.transactionSync(() => {
      if (request !== undefined) putText(this.#kv, 'request', request);
      if (data !== undefined) putText(this.#kv, 'data', data);
      if (order) this.#kv.put('order', order);
      if (view) this.#putView(view);
      if (job) this.#kv.put('job', job);
    });
    if (order) this.#order = order;
    this.#adopt({ job, view });
  }

  /** Writes a view: in pieces, where it is too long for one row. */
  #putView(view) {
    const text = JSON.stringify(view);
    if (isLong(text)) {
      this.#kv.delete('view');
      putText(this.#kv, 'viewText', text);
    } else {
      dropText(this.#kv, 'viewText');
      this.#kv.put('view', view);
    }
  }

  #adopt({ job = this.#job, view = this.#view }) {
    this.#job = job;
    this.#view = view;
  }

  #isExpired() {
    return Boolean(this.#job) && ask('expired', this.#job, Date.now());
  }

  /** Whether there is nothing yet that a client of a create would want to know. */
  #isUnanswered() {
    const phase = this.#job?.phase;
    if (this.#failure) return false;
    return phase === 'keeping' || phase === 'sending' || (phase === 'queued' && !this.#queue);
  }

  #hasResult() {
    return this.#view.data !== undefined || Boolean(this.#view.isLong);
  }

  /** The view as a client may know it: a result whose pictures are being copied is not there yet. */
  #shown() {
    const { generation, data, kept, error, isLong } = this.#view;
    const isDone = this.#job.phase === 'completed';
    if (error || isDone) {
      const stored = isLong ? streamText(this.#kv, 'data') : data;
      return { generation, error: error && this.#withHint(error), kept, data: stored };
    }
    const queue = this.#queue;
    const status = generation.status === 'completed' ? 'processing' : generation.status;
    return { generation: { ...generation, status, ...(queue && { queue }) } };
  }

  /** The error with what is left of the time that the service or the limiter asks to wait. */
  #withHint({ retryAfterMs, ...error }) {
    if (!retryAfterMs) return error;
    const left = Math.min(retryAfterMs, ask('pause_ms', this.#job, Date.now()));
    return left > 0 ? { ...error, retryAfterMs: left } : error;
  }

  /** The text for a socket, or nothing where a client has to ask. */
  #message(view, { reference, base }) {
    if (view.error?.outcome === 'accepted' || typeof view.data === 'object') return undefined;
    const text = view.error ? failureOf(view.error, reference) : textOf(view, reference, base);
    return text.length <= MAX_MESSAGE_LENGTH ? text : undefined;
  }

  #openSockets() {
    return this.ctx.getWebSockets().filter(({ readyState }) => readyState === WebSocket.OPEN);
  }

  #wake() {
    for (const wake of this.#waiting) wake();
  }

  /** Reports a change to all that watch or wait. */
  #report() {
    this.#wake();
    const isOver = this.#job.phase === 'completed' || Boolean(this.#view.error);
    const sockets = this.ctx.getWebSockets();
    if (sockets.length === 0) return;
    const view = this.#shown();
    const state = stateOf(view);
    if (!isOver && state === this.#lastState) return;
    this.#lastState = state;
    /** By the names: those who use the same get the same text. */
    const messages = new Map();
    for (const socket of sockets) {
      // Whatever is wrong with one socket, the others are reported to.
      try {
        const names = socket.deserializeAttachment();
        const key = JSON.stringify([names.reference, names.base]);
        if (!messages.has(key)) messages.set(key, this.#message(view, names));
        const message = messages.get(key);
        if (message) socket.send(message);
      } catch {}
      if (!isOver) continue;
      try {
        socket.close(1000);
      } catch {}
    }
  }

  /** Resolves at the next change, or after so many milliseconds. */
  #change(ms) {
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        this.#waiting.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, ms);
      this.#waiting.add(wake);
    });
  }
}

const withoutData = ({ data: _, ...generation }) => generation;

/** What there is to store of an answered create or poll. */
function resultOf({ data, ...generation }) {
  if (generation.status !== 'completed') return { view: { generation } };
  const text = JSON.stringify(data);
  return isLong(text)
    ? { view: { generation, isLong: true }, data: text }
    : { view: { generation, data: text } };
}

/** What watchers can tell apart. */
const stateOf = ({ generation, error }) => JSON.stringify([generation, error]);

const lengthOf = (value) => JSON.stringify(value)?.length ?? 0;

/** The body of an error, or of one that is too long, what says why. */
function boundedBody(body) {
  if (lengthOf(body) <= MAX_BODY_LENGTH) return body;
  const { error, message } = Object(body);
  const cut = (text) => (typeof text === 'string' ? text.slice(0, MAX_TEXT_LENGTH) : undefined);
  const reason = Object(error);
  return {
    error: cut(error) ?? { code: cut(reason.code), type: cut(reason.type), message: cut(reason.message) },
    message: cut(message),
  };
}
