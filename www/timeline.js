/** The requests of a generation, and the time of the next one. */

import { now } from './clock.js';
import { pollInterval } from './config.js';

/** The longest pause after a lost poll. */
const BACK_OFF_MS = 30_000;

/**
 * @typedef {object} Row
 * @property {'create' | 'poll' | 'note'} kind
 * @property {number} at when it was sent
 * @property {number} [number] of a poll, from 1
 * @property {number} [ms] duration of the exchange; missing while there is no answer
 * @property {number} [status]
 * @property {string} [meaning] of the answer, or the text of a note
 * @property {boolean} [isLost] there will be no answer
 * @property {string} [model] that a create names
 * @property {import('./wire.js').Exchange} [exchange] what went over the wire
 */

export class Timeline {
  /** @type {Row[]} the oldest first */
  rows = [];
  /** @type {{ from: number, to: number, isRetry: boolean } | undefined} the time of the next request */
  next;

  #now;
  #polls = 0;

  constructor(clock = now) {
    this.#now = clock;
  }

  /** The latest request. */
  get last() {
    return this.rows.findLast(({ kind }) => kind !== 'note');
  }

  /**
   * Records that a request was sent.
   *
   * @param {string} [method]
   */
  sent(method) {
    const { last } = this;
    // The body of its answer broke off, which no callback reports.
    if (last && last.ms === undefined) this.lost(last);
    const kind = method === 'POST' ? 'create' : 'poll';
    /** @type {Row} */
    const row = { kind, at: this.#now(), number: kind === 'poll' ? ++this.#polls : undefined };
    this.rows.push(row);
    this.next = undefined;
    return row;
  }

  /**
   * Records the answer to the latest request.
   *
   * @param {{ status: number, durationMs: number }} response
   * @param {number} [retryAfterMs]
   */
  answered({ status, durationMs }, retryAfterMs) {
    const { last } = this;
    if (!last) return;
    Object.assign(last, { status, ms: durationMs });
    const isRetry = status >= 400;
    const least = isRetry ? (retryAfterMs ?? pollInterval.min) : pollInterval.min;
    const most = isRetry ? (retryAfterMs ?? BACK_OFF_MS) : pollInterval.max;
    this.#expect(least, Math.max(least, most), isRetry);
  }

  /**
   * Records that a request gets no answer.
   *
   * @param {Row} row
   */
  lost(row) {
    Object.assign(row, { isLost: true, ms: this.#now() - row.at });
    this.#expect(pollInterval.min, BACK_OFF_MS, true);
  }

  /**
   * Records when the next poll is due.
   *
   * @param {number} ms from now
   */
  due(ms) {
    this.#expect(ms, ms, false);
  }

  /**
   * Records the meaning of the latest answer.
   *
   * @param {string} meaning
   */
  explain(meaning) {
    const { last } = this;
    if (last) last.meaning = meaning;
  }

  /**
   * Adds a note between the requests.
   *
   * @param {string} meaning
   */
  note(meaning) {
    this.rows.push({ kind: 'note', at: this.#now(), meaning });
  }

  /** Records that no more requests follow. */
  end() {
    this.next = undefined;
    const { last } = this;
    if (last && last.ms === undefined) Object.assign(last, { isLost: true, ms: this.#now() - last.at });
  }

  #expect(least, most, isRetry) {
    const now = this.#now();
    this.next = { from: now + least, to: now + most, isRetry };
  }
}
