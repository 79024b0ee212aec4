/** The requests of a generation and their answers as a text, without anything that must not be shown around. */

import { pathOf, withoutFallback } from './sample-facts.js';
import { withoutData } from './wire.js';

/** @typedef {import('./generation.js').Generation} Generation */
/** @typedef {import('./timeline.js').Row} Row */

/** More of a text that is no JSON, such as an error page, says nothing. */
const MAX_TEXT = 2000;

/**
 * A value without keys, without the relay's references, and without the data of pictures.
 *
 * @param {unknown} value
 * @returns {unknown}
 */
export function redact(value) {
  if (typeof value === 'string') return redactText(value);
  if (Array.isArray(value)) return value.map(redact);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, redact(item)]));
}

/** @param {string} text */
const redactText = (text) =>
  text
    .replace(/\b(sk|mt)-[\w-]+/g, '[key]')
    .replace(/\bt_[\w-]+\.[\w-]+/g, '[reference]')
    // The signature of an address lets everybody read the picture.
    .replace(/^(https?:\/\/[^?#]*)\?.*/, '$1?…');

/** @param {unknown} value */
const json = (value) => withoutData(JSON.stringify(redact(value), null, 2));

/**
 * @param {[string, string][]} headers
 * @param {string} [body]
 */
function message(headers, body = '') {
  const head = headers.map(([name, value]) => `${name}: ${redactText(value)}`).join('\n');
  return [head, bodyText(body)].filter(Boolean).join('\n\n');
}

/** @param {string} body */
function bodyText(body) {
  try {
    return json(JSON.parse(body));
  } catch {
    const text = redactText(body);
    return text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text;
  }
}

/**
 * The requests in their order, each with its answer, as far as this visit has seen them.
 *
 * @param {Generation} generation
 */
export function exchangeText(generation) {
  const { timeline, snapshot, isRunning, begunAt } = generation;
  const rows = timeline.rows.filter(({ exchange }) => exchange);
  const parts = rows.map((row) => rowText(row, begunAt));
  if (!rows.some(({ kind }) => kind === 'create')) parts.unshift(earlierText(generation));
  // The client's own errors are in no answer, and the answers of an earlier visit are not known.
  if (snapshot.error || rows.length === 0)
    parts.push(`# ${isRunning ? 'So far' : 'Result'}\n${stateText(snapshot)}`);
  return parts.join('\n\n\n');
}

/**
 * @param {Row} row
 * @param {number} begunAt
 */
function rowText({ kind, number, at, ms, isLost, exchange }, begunAt) {
  const { method, url, headers, body, answer } = /** @type {NonNullable<Row['exchange']>} */ (exchange);
  const name = kind === 'create' ? 'Create' : `Poll ${number}`;
  const time = ms === undefined ? '' : ` after ${Math.round(ms)} ms`;
  const head = `# ${name}, ${(Math.max(0, at - begunAt) / 1000).toFixed(1)} s\n${method} ${redactText(url)}`;
  const request = `${head}\n${message(headers, body)}`.trim();
  if (!answer) return `${request}\n\n${isLost ? `No answer${time}.` : 'No answer yet.'}`;
  return `${request}\n\nHTTP ${answer.status}${time}\n${message(answer.headers, answer.body)}`.trim();
}

/**
 * The create of an earlier visit, or of another tab.
 *
 * @param {Pick<Generation, 'request' | 'sources' | 'snapshot'>} generation
 */
export function earlierText({ request, sources, snapshot }) {
  const files = sources && {
    image: sources.pictures.map((name) => `[file ${name}]`),
    ...(sources.mask && { mask: `[file ${sources.mask}]` }),
  };
  return `# Create, before this visit\nPOST ${pathOf({ sources })}\n${message(
    [
      ['content-type', sources ? 'multipart/form-data' : 'application/json'],
      ['idempotency-key', snapshot.idempotencyKey],
    ],
    JSON.stringify({ ...withoutFallback(request), ...files }),
  )}`;
}

/**
 * How a generation stands: of a running one, what is known of its task.
 *
 * @param {Generation['snapshot']} snapshot
 */
export function stateText({ phase, task, status, progress, queue, images, error }) {
  const failure = /** @type {any} */ (error);
  if (failure) {
    const { kind, outcome, status: code, message: text } = failure;
    return json({ kind, outcome, status: code, message: text });
  }
  if (phase !== 'done' && !task) return 'No answer yet.';
  return json({ status: status ?? phase, ...task, progress, queue, data: images });
}
