/** Lets calls wait for the next change of an object. */
export class Changes {
  #resolvers = new Set();

  notify() {
    for (const resolve of this.#resolvers) resolve();
  }

  /**
   * Resolves at the next change, or after `ms`.
   *
   * @param {number} [ms] in milliseconds; default: no limit
   */
  next(ms) {
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        this.#resolvers.delete(end);
        resolve();
      };
      const timer = ms === undefined ? undefined : setTimeout(end, ms);
      this.#resolvers.add(end);
    });
  }
}
