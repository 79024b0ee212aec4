/**
 * The turns of all tasks of one key: one object for each key. The core decides (`src/core/fleet.rs`); this object
 * keeps time.
 */

import { DurableObject } from 'cloudflare:workers';
import { ask } from './core.js';

/** What LemonData allows an account of the lowest class. */
const PER_MINUTE = 1000;

export class FleetLimiter extends DurableObject {
  #name = this.ctx.id.toString();

  constructor(ctx, env) {
    super(ctx, env);
    this.#muster();
  }

  /**
   * What the object works with: override it where your bindings have other names.
   *
   * @param {Record<string, any>} env
   */
  settings(env) {
    return { perMinute: Number(env.LEMONDATA_PER_MINUTE ?? PER_MINUTE) };
  }

  /** Asks for a turn that is of use within so many milliseconds: a wait of 0 is the turn itself. */
  take(ticket, identity, need, patience = Number.POSITIVE_INFINITY) {
    const turn = () => ask('ask', this.#name, ticket, identity, need, patience, Date.now());
    const told = turn();
    if (told) return told;
    // The core has been started anew.
    this.#muster();
    return turn();
  }

  /** The provider has refused a request: nobody sends any for so many milliseconds. */
  slow(ms) {
    const now = Date.now();
    // Another instance of this object would not know.
    this.ctx.storage.kv.put('closedUntil', now + ms);
    ask('slow', this.#name, ms, now);
  }

  #muster() {
    const now = Date.now();
    const { perMinute } = this.settings(this.env);
    if (!(perMinute > 0)) throw new TypeError('perMinute must be a positive number of requests.');
    ask('muster', this.#name, perMinute, now);
    const closedUntil = this.ctx.storage.kv.get('closedUntil') ?? 0;
    if (closedUntil > now) ask('slow', this.#name, closedUntil - now, now);
  }
}
