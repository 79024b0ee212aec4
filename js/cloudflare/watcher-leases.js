/**
 * Counts the sockets of one identity over all of its tasks. The counts live in an object of the identity's own, in the
 * namespace of the tasks: `leasesName` names it, and the objects of the tasks report to it.
 *
 * A count is absolute, so a report that is lost is made good by the next one; and it is a lease, so a task whose object
 * crashes holds it only for a while.
 */

import { digest } from '../relay/digest.js';

const PREFIX = 'watchers/';

/**
 * The name of the object that leases the sockets of an identity. It holds a digest of the identity, which may be an
 * address: the platform shows the names of objects and keeps them.
 */
export const leasesName = async (identity) => `watchers of ${await digest([identity])}`;

export class WatcherLeases {
  #kv;
  #stored;

  /** @param {SyncKvStorage} kv */
  constructor(kv) {
    this.#kv = kv;
  }

  /** The leases by the names of their rows, read once: `{ count, until }`. */
  get #leases() {
    this.#stored ??= new Map(this.#kv.list({ prefix: PREFIX }));
    return this.#stored;
  }

  /**
   * Leases sockets to a task: all that it asks for, or as many as the identity may still have. A task never loses
   * sockets that it has already.
   *
   * @param {string} task
   * @param {number} count
   * @param {{ max: number, now: number, until: number }} limits
   * @returns {number} how many it may have
   */
  lease(task, count, { max, now, until }) {
    this.sweep(now);
    const row = PREFIX + task;
    const before = this.#leases.get(row)?.count ?? 0;
    let others = -before;
    for (const lease of this.#leases.values()) others += lease.count;
    const leased = Math.min(count, Math.max(before, max - others));
    if (leased === 0) this.#delete(row);
    else {
      this.#kv.put(row, { count: leased, until });
      this.#leases.set(row, { count: leased, until });
    }
    return leased;
  }

  /**
   * Deletes leases that have run out.
   *
   * @returns {number | undefined} when the next one does
   */
  sweep(now) {
    for (const [row, { until }] of this.#leases) if (until <= now) this.#delete(row);
    const ends = Array.from(this.#leases.values(), ({ until }) => until);
    return ends.length > 0 ? Math.min(...ends) : undefined;
  }

  #delete(row) {
    if (this.#leases.delete(row)) this.#kv.delete(row);
  }
}
