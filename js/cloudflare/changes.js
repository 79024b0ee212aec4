/** Lets calls wait for the next change of a task. */
export class Changes {
  #waiting = new Set();

  notify() {
    for (const resolve of this.#waiting) resolve();
  }

  /** Resolves at the next change, or after so many milliseconds. */
  next(ms) {
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        this.#waiting.delete(end);
        resolve();
      };
      const timer = setTimeout(end, ms);
      this.#waiting.add(end);
    });
  }
}
