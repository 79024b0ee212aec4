/** Which task a poll URL or an answer of the service names. The relay and the hub check both. */

import { SERVICE } from '../client/service.js';

/** The routes that the service documents for polls, below the prefix of its base URL. */
const POLL_PATH = /^\/v1\/(?:images\/generations|images(?!\/(?:generations|edits)\/?$)|tasks)\/([^/]+)\/?$/;

/**
 * The id in a poll URL of the service, or `undefined` unless the URL leads to a documented poll route. A poll URL is
 * fetched with the key, and its answer goes to a client: no other route may pass.
 *
 * @param {string | undefined} pollUrl
 * @param {string} [baseUrl]
 * @returns {string | undefined}
 */
export function taskIdOf(pollUrl, baseUrl = SERVICE) {
  if (!pollUrl) return undefined;
  try {
    const base = new URL(baseUrl);
    const { origin, pathname } = new URL(pollUrl, base);
    const prefix = base.pathname.replace(/\/$/, '').replace(/\/v1$/, '');
    const path = pathname.startsWith(`${prefix}/v1/`) ? pathname.slice(prefix.length) : pathname;
    const id = decodeURIComponent(POLL_PATH.exec(path)[1]);
    // A service may read an encoded slash or dot as a plain one.
    return origin === base.origin && !/[/\\?#]|^\.*$/.test(id) ? id : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Whether an answer can be the answer to a poll of this task: it names this task or none. Another task may belong to
 * another user.
 *
 * @param {{ task_id: string, poll_url?: string }} task
 * @param {{ id?: unknown, task_id?: unknown }} answer
 * @param {string} [baseUrl]
 */
export function isAnswerOf(task, { id, task_id }, baseUrl) {
  const named = [id, task_id].filter((name) => name !== undefined && name !== null).map(String);
  return (
    named.length === 0 ||
    named.includes(task.task_id) ||
    named.includes(taskIdOf(task.poll_url, baseUrl) ?? '')
  );
}
