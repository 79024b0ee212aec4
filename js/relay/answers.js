/**
 * Answers as plain JSON, which a store can keep. The key never stands in one, even if the service repeats it.
 *
 * @typedef {{ status: number, headers: Record<string, string>, body: string }} Answer
 *
 * What the relay makes of one, or of a hub's. `webSocket` is Cloudflare's.
 *
 * @typedef {{ status: number, headers: Record<string, string>, body: string | ReadableStream | null,
 *   webSocket?: WebSocket }} WholeAnswer
 */

import { createRedactor } from './redactor.js';

/** The name of a relay's function that returns a `WholeAnswer`. An adapter that writes it needs no `Response`. */
export const ANSWER = Symbol('answer');

/**
 * The answer in place of one that cannot be given again: the create was, or may have been, carried out, and must not be
 * repeated.
 *
 * @param {string} code
 * @param {string} message
 * @returns {Answer}
 */
export const goneAnswer = (code, message) => ({
  status: 502,
  headers: {},
  body: JSON.stringify({ error: { message, type: 'relay_error', code } }),
});

/**
 * When a create that is not settled counts as lost, by default, in milliseconds. It is longer than the relay's time-out
 * for a create.
 */
export const CLAIM_MS = 600_000;

/** The answer to a create whose relay ended before the service's answer came. */
export const LOST_ANSWER = goneAnswer(
  'create_outcome_unknown',
  'The relay was interrupted: the create may have been carried out and billed.',
);

export function createAnswers() {
  const redactor = createRedactor();

  return {
    /** Learns a key that is about to be used. */
    learnKey: redactor.learn,

    /** @param {string} text of an error: it is searched for other spellings of the key, too */
    redactError: (text) => redactor.redact(text, true),

    /**
     * @param {number} status
     * @param {object} body
     * @param {{ requestId?: string, rateLimit?: Record<string, number | undefined> }} [info] of the service's answer
     * @param {boolean} [isError] whether the body is short enough to look for other spellings of the key, too
     * @returns {Answer}
     */
    json(status, body, { requestId, rateLimit = {} } = {}, isError = false) {
      /** @type {Record<string, string>} */
      const headers = {};
      if (requestId) headers['x-request-id'] = redactor.redact(requestId, true);
      for (const [name, value] of Object.entries(rateLimit)) {
        if (value !== undefined) headers[`x-ratelimit-${name}`] = String(value);
      }
      return { status, headers, body: redactor.redact(JSON.stringify(body), isError) };
    },
  };
}
