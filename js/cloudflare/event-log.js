/** What the operator learns of a task's failures: one event each. */

import { publicCode } from '../relay/public-error.js';
import { MAX_TEXT_LENGTH } from './task-view.js';

export class EventLog {
  #task;
  #redactor;
  #context;

  /**
   * @param {string} task the id of its object
   * @param {ReturnType<typeof import('../relay/redactor.js').createRedactor>} redactor
   * @param {() => { log: (event: object) => void, identity?: string, model?: string }} context
   */
  constructor(task, redactor, context) {
    this.#task = task;
    this.#redactor = redactor;
    this.#context = context;
  }

  /** @param {{ event: string }} event */
  write(event) {
    const { log, identity, model } = this.#context();
    // A log that fails must not fail the task.
    try {
      log({ ...event, task: this.#task, identity, model });
    } catch {}
  }

  /**
   * @param {string} event
   * @param {any} error
   * @param {object} [details] further fields of the event
   */
  writeError(event, error, details) {
    const { kind, status, code, outcome, requestId, retryAfterMs, message, cause } = error;
    this.write({
      event,
      ...details,
      kind,
      status,
      // A log may print a code as it is, so it has to be one.
      code: publicCode(code),
      outcome,
      requestId,
      retryAfterMs,
      message: this.#text(message),
      cause: cause && this.#text(cause),
    });
  }

  #text(value) {
    return this.#redactor.redact(String(value).slice(0, MAX_TEXT_LENGTH), true);
  }
}
