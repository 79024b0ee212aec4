/**
 * Keeps the requests of all tasks of one key below its rate limit: one object for each key. The core decides
 * (`src/core/limiter.rs`); this object has the clock and the storage.
 */

import { DurableObject } from 'cloudflare:workers';
import { count, DAY_MS, readSettings } from '../relay/settings.js';
import { callCore } from './core.js';

const RULES = {
  // The limit that LemonData sets for the lowest class of accounts.
  perMinute: count(1000, { max: 1_000_000 }),
  createsPerDay: count(undefined),
};

export class RequestLimiter extends DurableObject {
  #name = this.ctx.id.toString();
  #isStarted = false;

  /**
   * The settings of the object. Override it where your bindings have other names.
   *
   * @param {Record<string, any>} env
   */
  settings(env) {
    return { perMinute: env.LEMONDATA_PER_MINUTE, createsPerDay: env.LEMONDATA_CREATES_PER_DAY };
  }

  /**
   * Admits a request now, or says when to ask again. A wrong setting admits no request: the answer is the `problem`.
   *
   * @param {string} ticket names the request
   * @param {string} identity
   * @param {'create' | 'poll'} kind
   * @param {number} [timeoutMs] an admission that comes later is of no use
   * @param {string} [model] of a create
   */
  admit(ticket, identity, kind, timeoutMs = Number.POSITIVE_INFINITY, model = '') {
    try {
      const day = kind === 'create' ? this.#today() : undefined;
      if (day && day.creates >= day.limit) {
        return { wait_ms: (day.number + 1) * DAY_MS - Date.now(), position: 0, length: 1 };
      }
      const admission = this.#callLimiter('admit', ticket, identity, kind, timeoutMs, model);
      if (day && admission.wait_ms === 0) {
        this.ctx.storage.kv.put('day', { number: day.number, creates: day.creates + 1 });
      }
      return admission;
    } catch (error) {
      if (error instanceof TypeError) return { wait_ms: 0, position: 0, length: 0, problem: error.message };
      throw error;
    }
  }

  /**
   * Pauses all requests, or all creates of a model, since the service has refused one.
   *
   * @param {number} ms
   * @param {string} [model]
   */
  pause(ms, model = '') {
    const pauses = this.#callLimiter('pause', ms, model);
    // The next instance of this object needs them.
    this.ctx.storage.kv.put('pauses', pauses);
  }

  get #settings() {
    return readSettings('RequestLimiter', RULES, this.settings(this.env));
  }

  /**
   * The creates of a day of UTC, which outlive this process. Each row is billed: without a limit, they are not counted.
   *
   * @returns {{ number: number, creates: number, limit: number } | undefined}
   */
  #today() {
    const limit = this.#settings.createsPerDay;
    if (limit === undefined) return undefined;
    const number = Math.floor(Date.now() / DAY_MS);
    /** @type {{ number: number, creates: number } | undefined} */
    const stored = this.ctx.storage.kv.get('day');
    return { number, creates: 0, ...(stored?.number >= number && stored), limit };
  }

  /** Calls the limiter in the core, which loses it in a trap. */
  #callLimiter(method, ...values) {
    const call = () => callCore(method, this.#name, ...values, Date.now());
    if (!this.#isStarted) this.#start();
    const answer = call();
    if (answer) return answer;
    this.#start();
    return call();
  }

  #start() {
    const { perMinute } = this.#settings;
    const { kv } = this.ctx.storage;
    callCore('startLimiter', this.#name, perMinute, kv.get('pauses'), Date.now());
    this.#isStarted = true;
  }
}
