/** The request of a generation and its answer, as JSON, without anything that must not be shown around. */

import { pathOf, withoutFallback } from './sample-facts.js';

/** @typedef {import('./generation.js').Generation} Generation */

/** From this length on, a text of base64 is named by its size. */
const LONG = 200;

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
function redactText(text) {
  if (text.length > LONG && /^(data:[^,]*,)?[\w+/=-]+$/.test(text)) {
    return `[${Math.round((text.length * 3) / 4000)} KB of base64]`;
  }
  return (
    text
      .replace(/\b(sk|mt)-[\w-]+/g, '[key]')
      .replace(/\bt_[\w-]+\.[\w-]+/g, '[reference]')
      // The signature of an address lets everybody read the picture.
      .replace(/^(https?:\/\/[^?#]*)\?.*/, '$1?…')
  );
}

/** @param {unknown} value */
const json = (value) => JSON.stringify(redact(value), null, 2);

/**
 * @param {import('lemondata-wasm').ImageRequest} request
 * @param {import('./sources.js').SourceNames} [sources]
 */
export function requestText(request, sources) {
  const files = sources && {
    image: sources.pictures.map((name) => `[file ${name}]`),
    ...(sources.mask && { mask: `[file ${sources.mask}]` }),
  };
  return `POST ${pathOf({ sources })}
authorization: Bearer [key, which the relay adds]
content-type: ${sources ? 'multipart/form-data' : 'application/json'}

${json({ ...withoutFallback(request), ...files })}`;
}

/**
 * The answer as it stands: of a running generation, what is known of its task.
 *
 * @param {Generation} generation
 */
export function answerText({ snapshot, isRunning }) {
  const { task, status, progress, queue, images, error } = snapshot;
  const failure = /** @type {any} */ (error);
  if (failure) {
    const { kind, outcome, status: code, message, body } = failure;
    return json({ kind, outcome, status: code, ...(body ? { body } : { message }) });
  }
  if (isRunning && !task) return 'No answer yet.';
  return json({
    status: isRunning ? (status ?? 'pending') : 'completed',
    ...task,
    progress,
    queue,
    data: images,
  });
}

/**
 * Each request and its answer, in one line.
 *
 * @param {Generation} generation
 */
export const requestLines = ({ timeline, snapshot: { startedAt } }) =>
  timeline.rows
    .map(({ kind, number, at, ms, status, meaning, isLost }) => {
      const name = { create: 'create', poll: `poll ${number}`, note: 'note' }[kind];
      const answer = isLost ? 'no answer' : [status, meaning].filter(Boolean).join(' ');
      const time = ms === undefined ? '' : ` (${Math.round(ms)} ms)`;
      return `${((at - startedAt) / 1000).toFixed(1).padStart(7)} s  ${name.padEnd(8)} ${answer}${time}`;
    })
    .join('\n');
