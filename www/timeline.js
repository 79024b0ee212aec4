/** Every request of a generation as it happens, and when the next one is due. */

import { pollInterval } from './config.js';

/** The longest pause after a lost poll. */
const BACK_OFF_MS = 30_000;

/**
 * @typedef {object} Row
 * @property {'create' | 'poll' | 'note'} kind
 * @property {number} at when it was sent
 * @property {number} [ms] how long the answer took; missing while there is none
 * @property {number} [status]
 * @property {string} [said]
 * @property {boolean} [isLost] there will be no answer
 */

export class Timeline {
  /** @type {Row[]} the oldest first */
  rows = [];
  /** @type {{ from: number, to: number, isRetry: boolean } | undefined} when the next request is due */
  next;

  #now;
  #polls = 0;

  constructor(now = Date.now) {
    this.#now = now;
  }

  /** The latest request. */
  get last() {
    return this.rows.findLast(({ kind }) => kind !== 'note');
  }

  /** A request goes out. */
  sent(method) {
    const { last } = this;
    // The body of its answer broke off, which no callback tells.
    if (last && last.ms === undefined) this.lost(last);
    const kind = method === 'POST' ? 'create' : 'poll';
    const row = { kind, at: this.#now(), number: kind === 'poll' ? ++this.#polls : undefined };
    this.rows.push(row);
    this.next = undefined;
    return row;
  }

  /** Its answer has come. */
  answered({ status, durationMs }, retryAfterMs) {
    const { last } = this;
    if (!last) return;
    Object.assign(last, { status, ms: durationMs });
    const isRetry = status >= 400;
    const least = isRetry ? (retryAfterMs ?? pollInterval.min) : pollInterval.min;
    const most = isRetry ? (retryAfterMs ?? BACK_OFF_MS) : pollInterval.max;
    this.#expect(least, Math.max(least, most), isRetry);
  }

  /** There will be no answer. */
  lost(row) {
    Object.assign(row, { isLost: true, ms: this.#now() - row.at });
    this.#expect(pollInterval.min, BACK_OFF_MS, true);
  }

  /** The next poll is due in so many milliseconds. */
  due(ms) {
    this.#expect(ms, ms, false);
  }

  /** What the latest answer means. */
  says(said) {
    const { last } = this;
    if (last) last.said = said;
  }

  /** Something else that explains the times. */
  note(said) {
    this.rows.push({ kind: 'note', at: this.#now(), said });
  }

  /** Nothing more will be sent. */
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
