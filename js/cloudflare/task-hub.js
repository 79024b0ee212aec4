/**
 * One task, carried on by a Durable Object: created, polled by alarm, kept, told of, and forgotten.
 *
 * The core decides (`src/core/hub.rs`, where the phases and what a crash means stand); this object performs. It stores
 * what the core says before it sends or copies anything, and what came of that, but for what a later one finds out by
 * asking once more: that a task still runs.
 */

import { DurableObject } from 'cloudflare:workers';
import { attempt, current, exchange } from '../host.js';
import { digest } from '../relay/digest.js';
import { failureOf, textOf } from '../relay/view.js';
import { ask } from './core.js';
import { copyPicture, dropPictures } from './pictures.js';
import { dropText, getText, isLong, putText, streamText } from './texts.js';

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
/** What is not done in an alarm, which a crash repeats, has one that comes after so long and finds a crash out. */
const GUARD_MS = 5_000;
/** The object outlives a pause of the cadence; after a longer one, another may have to know why. */
const SHORT_MS = 6_000;
/** After an alarm that failed, such as by a bug of ours. */
const RETRY_MS = MINUTE_MS;
/** The longest text of an error that is kept. */
const MAX_BODY_LENGTH = 100_000;

export class TaskHub extends DurableObject {
  #kv = this.ctx.storage.kv;
  #options = this.#read();
  /** The core's state, or nothing before the create. */
  #job = this.#kv.get('job');
  /** Who created it. The request is kept beside it, for as long as it may have to be sent. */
  #order = this.#kv.get('order');
  #view = this.#kv.get('view');
  #queue;
  #alarm;
  #isInAlarm = false;
  #driving;
  /** Those that wait for a change. */
  #waiting = new Set();

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

  #read() {
    const { limiter, pictures, ...rest } = this.settings(this.env);
    return {
      // A task that nobody watches has time; one that nobody answers for has to end.
      maxWait: 15 * MINUTE_MS,
      retention: 24 * HOUR_MS,
      ...rest,
      limiter,
      pictures,
      limited: Boolean(limiter),
      keeps: Boolean(pictures),
    };
  }

  /**
   * Takes a create, and carries it out once, whatever comes.
   *
   * @param {{ identity: string, fingerprint: string, request: object, waitMs: number }} order
   */
  async create({ identity, fingerprint, request, waitMs }) {
    const isKnown = this.#job && this.#job.phase !== 'idle';
    if (isKnown && this.#order.fingerprint !== fingerprint) return { isReused: true };
    if (!isKnown) {
      const now = Date.now();
      this.#order = { identity, fingerprint };
      this.#view = { generation: { status: 'pending', created: Math.floor(now / 1000) } };
      const job = ask('begin', this.#options, request, now);
      putText(this.#kv, 'request', JSON.stringify(request));
      this.#save({ job, order: this.#order, view: this.#view });
      // Should this object be gone before it has sent anything.
      await this.#guard();
      this.#drive();
    }
    const end = Date.now() + waitMs;
    while (this.#isUnanswered() && Date.now() < end) await this.#change(end - Date.now());
    const view = this.look();
    // Whatever has become of its polls, the task exists: it is for those to say.
    if (view.error?.outcome === 'accepted') delete view.error;
    return { isRepeated: Boolean(isKnown), view };
  }

  /** How the task stands, or nothing where there is none. One that was left is carried on. */
  look() {
    if (!this.#job) return undefined;
    const resumed = ask('resume', this.#job, this.#options, Date.now());
    if (resumed) {
      this.#view = { generation: this.#view.generation };
      this.#save({ job: resumed, view: this.#view });
    }
    // Should nobody be at work on it, such as after a trap.
    this.#drive();
    return this.#told();
  }

  /**
   * A WebSocket that hears how the task stands, now and whenever that changes. The query says how to name it. An
   * ended one is not worth a socket.
   */
  fetch(request) {
    const { searchParams } = new URL(request.url);
    if (!this.#job || this.#view.error || this.#view.data !== undefined || this.#view.isLong) {
      return new Response(null, { status: 204 });
    }
    const [client, server] = Object.values(new WebSocketPair());
    // With this, the object may be evicted while the socket stays open.
    this.ctx.acceptWebSocket(server);
    const names = { reference: searchParams.get('reference'), base: searchParams.get('base') };
    server.serializeAttachment(names);
    server.send(this.#message(this.#told(), names));
    this.#drive();
    return new Response(null, { status: 101, webSocket: client });
  }

  webSocketMessage(socket) {
    socket.close(1003, 'This socket only tells.');
  }

  webSocketClose(socket, code) {
    // 1005 and 1006 say that there was no code, and cannot be sent.
    socket.close(code === 1005 || code === 1006 ? 1000 : code);
  }

  async alarm() {
    this.#alarm = undefined;
    this.#isInAlarm = true;
    try {
      if (this.#job) await this.#drive();
    } catch (error) {
      console.error(error);
      // The runtime tries a failed alarm a few times, and then never again.
      await this.#wakeAt(Date.now() + RETRY_MS);
    } finally {
      this.#isInAlarm = false;
    }
  }

  /** Sees to it that somebody notices a crash. */
  async #guard() {
    if (!this.#isInAlarm && this.#alarm === undefined) await this.#wakeAt(Date.now() + GUARD_MS);
  }

  /** Sets the alarm. Each time is a write that costs. */
  async #wakeAt(time) {
    if (this.#alarm === time) return;
    this.#alarm = time;
    await this.ctx.storage.setAlarm(time);
  }

  /** One at a time, whoever asks for it: an alarm that comes twice joins. */
  #drive() {
    this.#driving ??= this.#work().finally(() => {
      this.#driving = undefined;
    });
    // A failure is the alarm's: it comes again.
    this.#driving.catch(() => {});
    return this.#driving;
  }

  async #work() {
    for (;;) {
      const [job, act, first, second] = ask('next', this.#job, this.#options, Date.now());
      // Each row that is written costs. Whoever finds none for a question or a short pause comes to the same again.
      const isShort = act === 'ask' || (act === 'sleep' && first - Date.now() <= SHORT_MS);
      if (isShort && job.phase === this.#job.phase) this.#job = job;
      else {
        const told = act === 'fail' ? this.#failed(first) : act === 'sleep' && { view: this.#view };
        this.#save({ job, ...told });
      }
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
          this.#tell();
      }
    }
  }

  async #askForTurn(need) {
    let turn;
    try {
      const patience = ask('patience', this.#job, Date.now());
      const fleet = await this.#fleet();
      turn = await fleet.take(this.ctx.id.toString(), this.#order.identity, need, patience);
    } catch (error) {
      // Without a limiter, tasks go on: the provider's own refusals slow them.
      console.error(error);
      turn = { wait_ms: 0 };
    }
    const isQueued = turn.wait_ms > 0 && need === 'create';
    this.#queue = isQueued ? turn : undefined;
    this.#job = ask('turn', this.#job, turn.wait_ms, Date.now());
    if (isQueued) this.#tell();
  }

  async #fleet() {
    const { limiter, apiKey } = this.#options;
    return limiter.get(limiter.idFromName(await digest([await current(apiKey)])));
  }

  async #request(act, url, timeout) {
    await this.#guard();
    // That a create is being sent has to be known before it is.
    if (act === 'send') await this.ctx.storage.sync();
    let about = attempt();
    const controller = new AbortController();
    const timer = setTimeout(() => controller.abort(), timeout);
    try {
      const { apiKey, fetch } = this.#options;
      const key = await current(apiKey);
      const isCreate = act === 'send';
      const body = isCreate ? getText(this.#kv, 'request') : undefined;
      await exchange(about, fetch, url, isCreate ? 'POST' : 'GET', controller.signal, undefined, key, body);
    } catch (cause) {
      about = attempt(cause);
    }
    clearTimeout(timer);
    about.isLate = controller.signal.aborted;

    const [job, ruling, value, slow] = ask('judge', this.#job, this.#options, about, Date.now());
    const changes = { job };
    if (ruling === 'answered') Object.assign(changes, this.#answered(value));
    if (ruling === 'fail') Object.assign(changes, this.#failed(value));
    // The prompt has done its work.
    if (act === 'send' && job.phase !== 'queued') dropText(this.#kv, 'request');
    this.#queue = undefined;
    // A task that goes on running is no news to whoever comes after a crash: its poll counts as lost, and is repeated.
    const isRunning = act === 'poll' && ruling === 'answered' && job.phase === 'waiting';
    if (isRunning) this.#adopt(changes);
    else this.#save(changes);
    this.#tell();
    if (slow > 0 && this.#options.limiter) {
      try {
        await (await this.#fleet()).slow(slow);
      } catch (error) {
        console.error(error);
      }
    }
  }

  /** What there is to store of a generation. */
  #answered({ data, ...generation }) {
    if (generation.status !== 'completed') return { view: { generation } };
    const text = JSON.stringify(data);
    if (!isLong(text)) return { view: { generation, data: text } };
    putText(this.#kv, 'data', text);
    return { view: { generation, isLong: true } };
  }

  #failed(error) {
    const told = error.toJSON();
    delete told.cause;
    if ((JSON.stringify(told.body)?.length ?? 0) > MAX_BODY_LENGTH) delete told.body;
    return { view: { ...this.#view, error: told } };
  }

  async #keep() {
    await this.#guard();
    const { pictures } = this.#options;
    const images = this.#view.isLong ? [] : JSON.parse(this.#view.data);
    const kept = new Set(this.#view.kept);
    const results = await Promise.allSettled(
      images.map(async ({ url }, index) => {
        if (!url || kept.has(index)) return;
        await copyPicture(pictures, this.ctx.id.toString(), index, url);
        kept.add(index);
      }),
    );
    const failed = results.find(({ status }) => status === 'rejected');
    if (failed) console.error(failed.reason);
    const job = ask('kept', this.#job, this.#options, !failed, Date.now());
    this.#save({ job, view: { ...this.#view, kept: [...kept] } });
    this.#tell();
  }

  async #forget() {
    if (this.#view?.kept?.length) {
      await dropPictures(this.#options.pictures, this.ctx.id.toString(), this.#view.kept);
    }
    this.#job = undefined;
    await this.ctx.storage.deleteAlarm();
    await this.ctx.storage.deleteAll();
  }

  /** Writes what has changed, all of it or nothing: there is no `await` in between. */
  #save(changes) {
    this.#adopt(changes);
    for (const [name, value] of Object.entries(changes)) this.#kv.put(name, value);
  }

  #adopt({ job = this.#job, view = this.#view }) {
    this.#job = job;
    this.#view = view;
  }

  /** Whether there is nothing yet that a client of a create would want to know. */
  #isUnanswered() {
    const { phase } = this.#job;
    return phase === 'keeping' || phase === 'sending' || (phase === 'queued' && !this.#queue);
  }

  /** The view as a client may know it: a result whose pictures are being copied is not there yet. */
  #told() {
    const { generation, data, kept, error, isLong } = this.#view;
    const isDone = this.#job.phase === 'completed';
    if (error || isDone) {
      const stored = isLong ? streamText(this.#kv, 'data') : data;
      return { generation, error, kept, data: stored };
    }
    const queue = this.#queue;
    const status = generation.status === 'completed' ? 'processing' : generation.status;
    return { generation: { ...generation, status, ...(queue && { queue }) } };
  }

  /** The text for a socket, or nothing where a client has to ask. */
  #message(view, { reference, base }) {
    if (!view.error) return typeof view.data === 'object' ? undefined : textOf(view, reference, base);
    return view.error.outcome === 'accepted' ? undefined : failureOf(view.error, reference);
  }

  /** Tells all that watch or wait. */
  #tell() {
    for (const wake of this.#waiting) wake();
    const sockets = this.ctx.getWebSockets();
    if (sockets.length === 0) return;
    const isOver = this.#job.phase === 'completed' || this.#view.error;
    const view = this.#told();
    for (const socket of sockets) {
      const message = this.#message(view, socket.deserializeAttachment());
      try {
        if (message) socket.send(message);
        if (isOver) socket.close(1000);
      } catch {
        // It has gone.
      }
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
