/**
 * The errors and oddities of the provider, each under a name that a request selects: as the model
 * `test-<name>`, or in the header `x-lemon-scenario: <name>`.
 *
 *     error-429        every create is refused
 *     error-429:2      the first two creates are refused, then all is normal
 *     poll:error-503   the create succeeds as a task, and every poll of it fails
 *     poll:error-503:2 the same, for the first two polls
 *     slow:300         the answer takes 300 ms more
 *     a,b              both
 */
import { errorReply, Refusal } from './errors.js';
import { REPLIES } from './replies.js';
import { TASKS } from './traits.js';

/** @typedef {import('./replies.js').Context} Context */
/** @typedef {import('./tasks.js').Traits} Traits */

/**
 * @typedef {object} Scenario
 * @property {string} spec as the request names it
 * @property {string} name
 * @property {'create' | 'poll'} on
 * @property {number} argument the number behind the name; infinite when there is none
 */

/** Delays the answer. Its number is a time, not a count. */
const SLOW = 'slow';
const DEFAULT_SLOW_MS = 1000;

/** An error says in its type what its code would say. */
export const TYPE_ONLY = 'type-only';
/** The bodies say what was billed. */
export const BILLING = 'billing';
/** The model refuses `async: true`. */
export const NO_ASYNC = 'no-async';

/** The scenarios that change an answer instead of replacing it, and whether they apply to polls, too. */
const CHANGES = new Map([
  [SLOW, true],
  [TYPE_ONLY, true],
  [BILLING, false],
  [NO_ASYNC, false],
]);

/**
 * Whether a scenario is among those of a request.
 *
 * @param {Scenario[]} scenarios
 * @param {string} name
 */
export const includes = (scenarios, name) => scenarios.some((scenario) => scenario.name === name);

/**
 * Reads the scenarios that a model name or a header names.
 *
 * @param {string} text
 * @returns {Scenario[]}
 * @throws {Refusal} when it names no scenario: a misspelt one must not pass as the normal answer
 */
export function parseScenarios(text) {
  return text.split(',').map((part) => {
    const match = /^(poll:)?([a-z0-9-]+)(?::(\d+))?$/.exec(part.trim());
    const name = match?.[2] ?? '';
    const on = match?.[1] ? 'poll' : 'create';
    const known =
      Object.hasOwn(REPLIES, name) ||
      (on === 'create' ? Object.hasOwn(TASKS, name) || CHANGES.has(name) : CHANGES.get(name));
    if (!match || !known) {
      const message = `There is no scenario '${part.trim()}'`;
      throw new Refusal(errorReply(400, 'unknown_scenario', message, { type: 'invalid_request_error' }));
    }
    return { spec: part.trim(), name, on, argument: match[3] ? Number(match[3]) : Number.POSITIVE_INFINITY };
  });
}

/**
 * Whether the scenarios say that a create answers with a task; undefined when they leave it to the model.
 *
 * @param {Scenario[]} scenarios
 * @returns {boolean | undefined}
 */
export function wantsTask(scenarios) {
  return scenarios.some(({ name, on }) => on === 'poll' || Object.hasOwn(TASKS, name)) || undefined;
}

/**
 * What the scenarios make of a task.
 *
 * @param {Scenario[]} scenarios
 * @param {Context} context
 * @returns {Traits}
 */
export function traitsOf(scenarios, context) {
  const selected = scenarios.filter(({ name }) => Object.hasOwn(TASKS, name));
  return Object.assign({}, ...selected.map(({ name, argument }) => TASKS[name](context, argument)));
}

/** Counts how often each scenario was used, so that a limit can end it. */
export class Uses {
  /** @type {Map<string, number>} */
  #used = new Map();

  /**
   * The reply that replaces the normal answer, and the delay before either.
   *
   * @param {Scenario[]} scenarios those for this kind of request
   * @param {string} scope what the limits are counted for: all creates, or the polls of one task
   * @param {Context} context
   * @returns {{ delay: number, reply?: import('./errors.js').Reply }}
   */
  take(scenarios, scope, context) {
    let delay = 0;
    for (const { spec, name, argument } of scenarios) {
      if (name === SLOW) {
        delay += Number.isFinite(argument) ? argument : DEFAULT_SLOW_MS;
      } else if (Object.hasOwn(REPLIES, name)) {
        const key = `${scope} ${spec}`;
        const used = this.#used.get(key) ?? 0;
        if (used < argument) {
          this.#used.set(key, used + 1);
          return { delay, reply: REPLIES[name](context) };
        }
      }
    }
    return { delay };
  }

  clear() {
    this.#used.clear();
  }
}
