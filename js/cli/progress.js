/** Says how far a picture is: in one line of a terminal, else in a line for each change. */

const CLEAR_LINE = '\r\x1b[2K';
const TICK_MS = 1000;

export class Progress {
  #stream;
  #state = '';
  #startedAt = performance.now();
  /** @type {NodeJS.Timeout | undefined} */
  #timer;

  /** @param {{ isTTY?: boolean, write(text: string): unknown }} stream */
  constructor(stream) {
    this.#stream = stream;
    if (stream.isTTY) this.#timer = setInterval(() => this.#draw(), TICK_MS).unref();
  }

  /** @param {string} state */
  show(state) {
    if (state === this.#state) return;
    this.#state = state;
    if (this.#stream.isTTY) this.#draw();
    else this.#stream.write(`${state}\n`);
  }

  /** Leaves nothing of the line. */
  end() {
    clearInterval(this.#timer);
    if (this.#stream.isTTY) this.#stream.write(CLEAR_LINE);
  }

  #draw() {
    const seconds = Math.floor((performance.now() - this.#startedAt) / 1000);
    this.#stream.write(`${CLEAR_LINE}${seconds} s  ${this.#state}`);
  }
}
