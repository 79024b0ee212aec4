/** Requests of the hub to the service. */

import { Attempt, exchange } from '../client/exchange.js';
import { resolve } from '../client/options.js';
import { isAnswerOf, taskIdOf } from '../relay/task-ids.js';

/** The key, which may be a function's result. */
export const readKey = ({ apiKey }) => resolve(apiKey);

/**
 * Sends a create, or a poll if there is no body. It never fails: the attempt tells what went wrong.
 *
 * @param {object} request
 * @param {string} request.url
 * @param {number} request.timeoutMs
 * @param {string | FormData} [request.body] of a create; a text is JSON
 * @param {{ task_id: string, poll_url?: string }} [request.task] of a poll
 * @param {object} options
 * @param {any} options.settings
 * @param {Record<string, string>} [options.trace] headers that name the trace of the task
 * @param {(key: string) => void} options.onKey called with the key before it is used
 */
export async function send({ url, timeoutMs, body, task }, { settings, trace, onKey }) {
  const { fetch, baseUrl } = settings;
  const method = body === undefined ? 'GET' : 'POST';
  let sent = new Attempt(method);
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), timeoutMs);
  try {
    const key = await readKey(settings);
    onKey(key);
    await exchange(sent, { fetch, url, signal: controller.signal, headers: new Headers(trace), key, body });
  } catch (cause) {
    // There is no key, or a header cannot hold it.
    sent = new Attempt(method);
    sent.cause = cause;
  }
  clearTimeout(timer);
  sent.isLate ||= controller.signal.aborted;
  const answer = Object(sent.body);
  // The body of an inline answer does not name its bill.
  const bill = sent.isJson ? sent.info.billingTransactionId : undefined;
  if (bill) answer.billing_transaction_id ??= bill;
  // The key goes to documented routes alone. Without its poll_url, a task is polled by its id.
  if (answer.poll_url && !taskIdOf(answer.poll_url, baseUrl)) delete answer.poll_url;
  // An answer to another poll is a lost one.
  if (task && !isAnswerOf(task, answer, baseUrl)) sent.isJson = false;
  return sent;
}
