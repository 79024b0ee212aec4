/** The models that a request went to, one after the other, where the setting “If it fails, try” names more. */

import { html, nothing } from 'lit-html';

/** @typedef {Pick<import('./timeline.js').Row, 'kind' | 'status' | 'isLost' | 'model'>} Row */

/**
 * The model that a create names.
 *
 * @param {unknown} body of the request
 * @returns {string | undefined}
 */
export function modelIn(body) {
  try {
    return body instanceof FormData ? `${body.get('model')}` : JSON.parse(`${body}`).model;
  } catch {
    return undefined;
  }
}

/**
 * The same rows for the models that a hub has tried, and the one that it is trying.
 *
 * @param {readonly import('lemondata-wasm').SkippedModel[]} skipped
 * @param {string} [model]
 * @returns {Row[]}
 */
export const rowsOfSkipped = (skipped, model) => [
  ...skipped.flatMap(({ model: each, error: { kind, status } }) => [
    /** @type {Row} */ ({ kind: 'create', model: each, status, isLost: !status && kind !== 'task_failed' }),
    ...(kind === 'task_failed' ? [/** @type {Row} */ ({ kind: 'poll' })] : []),
  ]),
  { kind: 'create', model },
];

/**
 * The models in their order, each with the last row of its requests.
 *
 * @param {Row[]} rows
 */
export function modelsTried(rows) {
  /** @type {{ model: string, last: Row }[]} */
  const tried = [];
  for (const row of rows) {
    if (row.kind === 'note') continue;
    const current = tried.at(-1);
    if (row.kind === 'create' && row.model && row.model !== current?.model)
      tried.push({ model: row.model, last: row });
    else if (current) current.last = row;
  }
  return tried;
}

/** @param {Row} row the last one of a model that made no picture */
function reason({ kind, status = 0, isLost }) {
  if (status === 429) return 'rate-limited';
  if (status >= 400) return `refused with ${status}`;
  return isLost ? 'not reached' : kind === 'poll' ? 'the task failed' : 'no picture';
}

/**
 * Which models were tried, and which one answered.
 *
 * @param {Row[]} rows
 * @param {string} phase of the generation
 * @returns {string | undefined} undefined where there was no need for another model
 */
export function fallbackWords(rows, phase) {
  const tried = modelsTried(rows);
  const last = tried.pop();
  if (!last || tried.length === 0) return undefined;
  const before = tried.map((each) => `${each.model}: ${reason(each.last)}`);
  const end = { done: `${last.model} answered`, failed: `${last.model} failed as well` };
  return `${[...before, end[phase] ?? `trying ${last.model}`].join('; ')}.`;
}

/**
 * The same as a line of a card. A picture names its model where the requests are not known.
 *
 * @param {import('./generation.js').Generation} generation
 */
export function fallbackNote({ tried, phase, request, pictures }) {
  const made = pictures[0]?.request.model;
  const words =
    fallbackWords(tried, phase) ??
    (made && made !== request.model ? `${made} answered in the place of ${request.model}.` : undefined);
  return words ? html`<p class="note fallback">${words}</p>` : nothing;
}
