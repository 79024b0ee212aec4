/**
 * A store for a relay without a hub: an object for each key has its create carried out once, wherever in the world
 * its duplicates arrive.
 */

import { DurableObject } from 'cloudflare:workers';
import { milliseconds, readSettings } from '../relay/settings.js';
import { getText, putText } from './texts.js';

const RULES = {
  // Longer than the relay's time-out for a create: one that is not settled by then never will be.
  claim: milliseconds(600_000),
  retention: milliseconds(86_400_000),
};

/** In the place of an answer that never came: the create may have been carried out, and must not be repeated. */
const LOST = {
  status: 502,
  headers: {},
  body: JSON.stringify({
    error: {
      message: 'The relay was interrupted: the create may have been carried out and billed.',
      type: 'relay_error',
      code: 'create_outcome_unknown',
    },
  }),
};

export class OnceKey extends DurableObject {
  #kv = this.ctx.storage.kv;
  #waiting = new Set();

  /** How long an unsettled claim and a settled answer are kept, in milliseconds. Override it to change them. */
  settings(_env) {
    return { claim: RULES.claim.fallback, retention: RULES.retention.fallback };
  }

  get #times() {
    return readSettings('OnceKey', RULES, this.settings(this.env));
  }

  async claim(fingerprint) {
    for (;;) {
      const entry = this.#kv.get('entry');
      if (!entry) {
        const { claim } = this.#times;
        this.#kv.put('entry', { fingerprint });
        await this.ctx.storage.setAlarm(Date.now() + claim);
        return undefined;
      }
      if (entry.fingerprint !== fingerprint) return { fingerprint: entry.fingerprint, answer: undefined };
      if (entry.head) return { fingerprint, answer: { ...entry.head, body: getText(this.#kv, 'body') } };
      await new Promise((resolve) => this.#waiting.add(resolve));
    }
  }

  async settle(answer) {
    const entry = this.#kv.get('entry');
    if (!entry || entry.head) return;
    if (answer) {
      const { body, ...head } = answer;
      this.ctx.storage.transactionSync(() => {
        putText(this.#kv, 'body', body);
        this.#kv.put('entry', { ...entry, head });
      });
      await this.ctx.storage.setAlarm(Date.now() + this.#times.retention);
    } else await this.#forget();
    this.#wake();
  }

  async alarm() {
    const entry = this.#kv.get('entry');
    if (entry && !entry.head) await this.settle(LOST);
    else await this.#forget();
  }

  async #forget() {
    await this.ctx.storage.deleteAlarm();
    await this.ctx.storage.deleteAll();
  }

  #wake() {
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }
}

/**
 * @param {DurableObjectNamespace} keys the binding of `OnceKey`
 * @returns {import('../relay/idempotency.js').IdempotencyStore}
 */
export function durableStore(keys) {
  const objectOf = (key) => keys.get(keys.idFromName(key));
  return {
    claim: (key, fingerprint) => objectOf(key).claim(fingerprint),
    settle: (key, answer) => objectOf(key).settle(answer),
  };
}
