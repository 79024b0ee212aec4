/**
 * A store for a relay without a hub: one object for each idempotency key has its create carried out once, wherever in
 * the world the duplicates arrive.
 */

import { DurableObject } from 'cloudflare:workers';
import { CLAIM_MS, LOST_ANSWER } from '../relay/answers.js';
import { DROPPED_ANSWER } from '../relay/idempotency.js';
import { DAY_MS, milliseconds, readSettings } from '../relay/settings.js';
import { Changes } from './changes.js';
import { getText, putText } from './texts.js';

const RULES = {
  claim: milliseconds(CLAIM_MS),
  retention: milliseconds(DAY_MS),
};

/** A call to an object holds 32 MiB at most, with all that goes with the text. */
const MAX_CALL_BYTES = 31 * 1024 * 1024;
/** The runtime hands a text over with one byte for each character, or with two if any needs more. */
const callBytesOf = (text) => text.length * (/[^\0-\xff]/.test(text) ? 2 : 1);

/**
 * The claim of a key, and the head of its answer once it is settled. It is forgotten at `until`.
 *
 * @typedef {{ fingerprint: string, head?: { status: number, headers: Record<string, string> }, until?: number }} Entry
 */

export class IdempotencyKeyObject extends DurableObject {
  #kv = this.ctx.storage.kv;
  #changes = new Changes();

  /** How long an unsettled claim and a settled answer are kept, in milliseconds. Override it to change them. */
  settings(_env) {
    return { claim: RULES.claim.fallback, retention: RULES.retention.fallback };
  }

  /** @returns {Entry | undefined} */
  get #entry() {
    return this.#kv.get('entry');
  }

  get #times() {
    return readSettings('IdempotencyKeyObject', RULES, this.settings(this.env));
  }

  async claim(fingerprint) {
    for (;;) {
      const entry = this.#entry;
      if (!entry) {
        const { claim } = this.#times;
        this.#kv.put('entry', { fingerprint });
        await this.ctx.storage.setAlarm(Date.now() + claim);
        return undefined;
      }
      if (entry.fingerprint !== fingerprint) return { fingerprint: entry.fingerprint, answer: undefined };
      if (entry.head) return { fingerprint, answer: { ...entry.head, body: getText(this.#kv, 'body') } };
      await this.#changes.next();
    }
  }

  async settle(answer) {
    const entry = this.#entry;
    if (!entry || entry.head) return;
    if (answer) {
      const { body, ...head } = answer;
      const until = Date.now() + this.#times.retention;
      this.ctx.storage.transactionSync(() => {
        putText(this.#kv, 'body', body);
        this.#kv.put('entry', { ...entry, head, until });
      });
      await this.ctx.storage.setAlarm(until);
    } else await this.#forget();
    this.#changes.notify();
  }

  async alarm() {
    const entry = this.#entry;
    if (entry && !entry.head) return this.settle(LOST_ANSWER);
    // An alarm may ring more than once. The second ring must not free the key of a create that may have been billed.
    if (entry?.until > Date.now()) return this.ctx.storage.setAlarm(entry.until);
    return this.#forget();
  }

  async #forget() {
    await this.ctx.storage.deleteAlarm();
    await this.ctx.storage.deleteAll();
  }
}

/**
 * @param {DurableObjectNamespace} keys the binding of `IdempotencyKeyObject`
 * @returns {import('../relay/index.js').IdempotencyStore}
 */
export function durableStore(keys) {
  /** @returns {any} */
  const objectOf = (key) => keys.get(keys.idFromName(key));
  return {
    claim: (key, fingerprint) => objectOf(key).claim(fingerprint),
    settle: (key, answer) =>
      objectOf(key).settle(answer && callBytesOf(answer.body) > MAX_CALL_BYTES ? DROPPED_ANSWER : answer),
  };
}
