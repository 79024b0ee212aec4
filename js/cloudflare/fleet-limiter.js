/**
 * The turns of all tasks of one key: one object for each key. The core decides (`src/core/fleet.rs`); this object
 * keeps time.
 */

import { DurableObject } from 'cloudflare:workers';
import { count, readSettings } from '../relay/settings.js';
import { ask } from './core.js';

const RULES = {
  // By default what LemonData allows an account of the lowest class.
  perMinute: count(1000, { max: 1_000_000 }),
};

export class FleetLimiter extends DurableObject {
  #name = this.ctx.id.toString();
  #isMustered = false;

  /**
   * What the object works with: override it where your bindings have other names.
   *
   * @param {Record<string, any>} env
   */
  settings(env) {
    return { perMinute: env.LEMONDATA_PER_MINUTE };
  }

  /**
   * Asks for a turn that is of use within so many milliseconds: a wait of 0 is the turn itself. With a wrong setting,
   * nobody has a turn: the answer is the `problem`.
   */
  take(ticket, identity, need, patience = Number.POSITIVE_INFINITY, model = '') {
    const turn = () => ask('ask', this.#name, ticket, identity, need, patience, model, Date.now());
    try {
      return this.#withFleet(turn);
    } catch (error) {
      if (error instanceof TypeError) return { wait_ms: 0, position: 0, length: 0, problem: error.message };
      throw error;
    }
  }

  /** The service has refused a request: nobody sends any for so many milliseconds, or none of the model. */
  slow(ms, model = '') {
    const pauses = this.#withFleet(() => ask('slow', this.#name, ms, model, Date.now()));
    // Another instance of this object would not know.
    this.ctx.storage.kv.put('pauses', pauses);
  }

  /** Asks the core, whose fleet is gone if the core has been started anew. */
  #withFleet(work) {
    if (!this.#isMustered) this.#muster();
    const answer = work();
    if (answer) return answer;
    this.#muster();
    return work();
  }

  #muster() {
    const { perMinute } = readSettings('FleetLimiter', RULES, this.settings(this.env));
    const { kv } = this.ctx.storage;
    // The first release stored one time.
    const pauses = kv.get('pauses') ?? { all: { until: kv.get('closedUntil') ?? 0 } };
    ask('muster', this.#name, perMinute, pauses, Date.now());
    this.#isMustered = true;
  }
}
