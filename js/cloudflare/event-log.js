/** What the operator learns of a task's failures and bills: one event each. */

import { loggedCosts, publicCode } from '../relay/public-error.js';
import { MAX_TEXT_LENGTH } from './task-view.js';

export class EventLog {
  #task;
  #redactor;
  #context;

  /**
   * @param {string} task the id of its object
   * @param {ReturnType<typeof import('../relay/redactor.js').createRedactor>} redactor
   * @param {() => { log: (event: object) => void, identity?: string, model?: string, traceparent?: string }} context
   */
  constructor(task, redactor, context) {
    this.#task = task;
    this.#redactor = redactor;
    this.#context = context;
  }

  /** @param {{ event: string }} event */
  write(event) {
    const { log, ...context } = this.#context();
    // A log that fails must not fail the task.
    try {
      log({ task: this.#task, ...context, ...event });
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

  /**
   * Logs what a picture has cost, unless that is too long for a line.
   *
   * @param {object | undefined} body of an answer
   * @param {object} details further fields of the event
   */
  writeCosts(body, details) {
    const costs = JSON.stringify(loggedCosts(body));
    if (costs === '{}' || costs.length > MAX_TEXT_LENGTH) return;
    this.write({ event: 'billed', ...details, ...JSON.parse(this.#redactor.redact(costs, true)) });
  }

  #text(value) {
    return this.#redactor.redact(String(value).slice(0, MAX_TEXT_LENGTH), true);
  }
}
