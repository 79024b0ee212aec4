/**
 * A store in a database that several processes share, and that outlives them: Redis, SQLite, Postgres. It needs one step
 * that no other process can come between: to add a key that is not there.
 */

import { CLAIM_MS, LOST_ANSWER } from './answers.js';
import { DROPPED_ANSWER } from './idempotency.js';
import { callback, count, DAY_MS, milliseconds, readSettings, required, setting } from './settings.js';

/** The answer to a long create is some seconds late at most, and a database bears the questions. */
const CHECK_MS = 500;
/** A failover of a database takes a moment. */
const ATTEMPTS = 3;

/** Databases refuse larger values, or answer slowly. */
const MAX_LENGTH = 8 * 1024 * 1024;

const RULES = {
  add: required(
    callback(undefined, 'a function (key, value, ttlMs)'),
    'It writes a key that the database lacks and returns true, or returns false, in one step: SET with NX in Redis, ' +
      'INSERT … ON CONFLICT DO NOTHING in SQL. A database without such a step, such as KV of Cloudflare, is no store.',
  ),
  get: required(callback(undefined, 'a function (key)'), 'It returns the value of a key.'),
  set: required(callback(undefined, 'a function (key, value, ttlMs)'), 'It writes the value of a key.'),
  delete: required(callback(undefined, 'a function (key)'), 'It deletes a key.'),
  prefix: setting('lemondata:', (value) => typeof value === 'string', 'a text'),
  ttlMs: milliseconds(DAY_MS),
  claimMs: milliseconds(CLAIM_MS),
  checkMs: milliseconds(CHECK_MS),
  maxLength: count(MAX_LENGTH),
  // Processes compare their times.
  now: callback(Date.now),
};

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * @param {import('./index.js').SharedStoreOptions} options
 * @returns {import('./idempotency.js').IdempotencyStore}
 */
export function sharedStore(options) {
  const settings = readSettings('sharedStore', RULES, options);
  const { prefix, ttlMs, claimMs, checkMs, maxLength, now } = settings;
  /** The fingerprints of the keys that this process has claimed. */
  const claims = new Map();

  /** @returns {Promise<boolean>} whether this call has the key */
  async function add(key, entry) {
    // The key of a crashed process stays, since its create may have been billed.
    const isAdded = await settings.add(prefix + key, JSON.stringify(entry), claimMs + ttlMs);
    if (typeof isAdded === 'boolean') return isAdded;
    throw new TypeError(`sharedStore: add must return true or false, but returned ${typeof isAdded}.`);
  }

  async function write(work) {
    for (let left = ATTEMPTS - 1; ; left -= 1) {
      try {
        return await work();
      } catch (error) {
        if (left === 0) throw error;
        await pause(checkMs);
      }
    }
  }

  return {
    async claim(key, fingerprint) {
      const token = crypto.randomUUID();
      for (;;) {
        const isAdded = await add(key, { fingerprint, token, until: now() + claimMs });
        const found = isAdded ? undefined : await settings.get(prefix + key);
        // Some drivers parse JSON by themselves, such as Upstash's and those of columns of JSON.
        const entry = Object(found).fingerprint || !found ? found : JSON.parse(found);
        // A driver that repeats a command after a lost connection meets its own entry.
        if (isAdded || entry?.token === token) {
          claims.set(key, fingerprint);
          return undefined;
        }
        if (entry && entry.fingerprint !== fingerprint) {
          return { fingerprint: entry.fingerprint, answer: undefined };
        }
        if (entry?.answer) return { fingerprint, answer: entry.answer };
        if (entry && now() >= entry.until) return { fingerprint, answer: LOST_ANSWER };
        await pause(checkMs);
      }
    },

    async settle(key, answer) {
      const fingerprint = claims.get(key);
      if (fingerprint === undefined) return;
      claims.delete(key);
      if (!answer) return write(() => settings.delete(prefix + key));
      const kept = answer.body.length > maxLength ? DROPPED_ANSWER : answer;
      const value = JSON.stringify({ fingerprint, answer: kept });
      await write(() => settings.set(prefix + key, value, ttlMs));
    },
  };
}
