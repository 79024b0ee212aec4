/** The alarm of a task. It rings after a crash, too, unlike other work. */

/** A crash is detected after this time at the latest, in milliseconds. */
const GUARD_MS = 5_000;
/** The pause after an alarm that failed, for example by a wrong setting or a bug of ours, in milliseconds. */
export const RETRY_MS = 60_000;

export class TaskAlarm {
  #storage;
  #time;
  #isRinging = false;

  /** @param {DurableObjectStorage} storage */
  constructor(storage) {
    this.#storage = storage;
  }

  /** Sets the alarm, unless it is set to this time already: each time is a write, which is billed. */
  async set(time) {
    if (this.#time === time) return;
    this.#time = time;
    await this.#storage.setAlarm(time);
  }

  /**
   * Guards work against a crash. Within an alarm it is guarded already: the runtime repeats the alarm. So is work that an
   * earlier alarm follows, but not that of a task which was over: its alarm is that of its retention.
   */
  async guard() {
    const time = Date.now() + GUARD_MS;
    if (!this.#isRinging && !(this.#time <= time)) await this.set(time);
  }

  /** Sets the alarm, unless it is set already, maybe by an earlier process. */
  async setIfUnset(time) {
    if (this.#time === undefined && (await this.#storage.getAlarm()) === null) await this.set(time);
  }

  /**
   * Does the work of an alarm. If it fails, the alarm rings again: the runtime repeats it only a few times.
   *
   * @param {() => Promise<void>} work
   * @param {(error: unknown) => void} onError
   */
  async ring(work, onError) {
    this.#time = undefined;
    this.#isRinging = true;
    try {
      await work();
    } catch (error) {
      onError(error);
      await this.set(Date.now() + RETRY_MS);
    } finally {
      this.#isRinging = false;
    }
  }

  async clear() {
    this.#time = undefined;
    await this.#storage.deleteAlarm();
  }
}
