/** The view of a task: what is stored for its clients, and what they see of it. */

import { costsOf } from '../relay/public-error.js';
import { chainOf, failureOf, skippedModel, textOf } from '../relay/view.js';
import { callCore } from './core.js';
import { isLong } from './texts.js';

/** The longest body of a stored error, as JSON. A longer one is reduced to its code and message. */
const MAX_BODY_LENGTH = 100_000;
/** The longest text of a stored error. */
export const MAX_TEXT_LENGTH = 2_000;

/** @param {{ data?: unknown, [name: string]: unknown }} generation */
export const withoutData = ({ data: _, ...generation }) => generation;

/** The view of a create that has not been answered. */
export const pendingView = (now, chain = {}) => ({
  generation: { status: 'pending', created: Math.floor(now / 1000), ...chain },
});

/** The view of a chain that goes on to its next model. */
export function nextModelView({ generation }, { model, next, error, now, redactor }) {
  const { skipped_models = [] } = generation;
  // The service may repeat the key, in any spelling.
  const skipped = redactor.redact(JSON.stringify(skippedModel(model, error)), true);
  return pendingView(now, { model: next, skipped_models: [...skipped_models, JSON.parse(skipped)] });
}

/**
 * The newer state of a generation. Its costs and the models of its chain last, each in one place: another order of
 * fields would be a change to watchers.
 */
export function renewed(before, generation) {
  const costs = costsOf({ ...costsOf(before), ...costsOf(generation) });
  return { ...costs, ...generation, ...costs, ...chainOf(before) };
}

/** Whether clients have nothing more to wait for. A result whose pictures are being copied is still to come. */
export const isOver = ({ job, view }) => job.phase === 'completed' || Boolean(view.error);

/**
 * The view of a generation, and its data where they are too long for the row of the view.
 *
 * @param {Record<string, any>} generation
 * @returns {{ view: object, data?: string }}
 */
export function answeredView(generation) {
  const head = withoutData(generation);
  if (generation.status !== 'completed') return { view: { generation: head } };
  const data = JSON.stringify(generation.data);
  return isLong(data)
    ? { view: { generation: head, isLong: true }, data }
    : { view: { generation: head, data } };
}

/** The view of a job that has failed. It is bounded, since the service may say anything. */
export function failedView({ view, order }, error, redactor) {
  const { cause: _, body, ...fields } = error.toJSON();
  const bounded = Object.entries({ ...fields, body: boundedBody(body) })
    .map(([name, value]) => [name, typeof value === 'string' ? value.slice(0, MAX_TEXT_LENGTH) : value])
    .filter(([, value]) => lengthOf(value) <= MAX_BODY_LENGTH);
  // The service may repeat the key, in any spelling.
  const text = redactor.redact(JSON.stringify(Object.fromEntries(bounded)), true);
  // Further models are left: this hub has decided against them.
  const endsChain = order.fallback?.length > 0 || undefined;
  return { ...view, error: { ...JSON.parse(text), endsChain } };
}

/**
 * The view as a client sees it now.
 *
 * @param {{ job: any, view: any, readData: () => ReadableStream }} task
 * @param {object} [queue] the place of a create that waits for its admission
 */
export function currentView({ job, view, readData }, queue) {
  const { generation, data, kept, error } = view;
  if (isOver({ job, view })) {
    return { generation, kept, error: error && withHint(error, job), data: view.isLong ? readData() : data };
  }
  // The pictures of a completed generation are still being copied.
  const status = generation.status === 'completed' ? 'processing' : generation.status;
  return { generation: { ...generation, status, ...(queue && { queue }) } };
}

/** The error with the rest of the time that the service or the limiter asks to wait. */
function withHint({ retryAfterMs, ...error }, job) {
  if (!retryAfterMs) return error;
  const left = Math.min(retryAfterMs, callCore('retryAfterMs', job, Date.now()));
  return left > 0 ? { ...error, retryAfterMs: left } : error;
}

/**
 * The part of a view whose changes matter to watchers.
 *
 * @param {{ generation?: object, error?: object }} view
 */
export const stateOf = ({ generation, error }) => JSON.stringify([generation, error]);

/** The JSON of a view, or `undefined` if a client has to ask for it. */
export function messageOf(view, names) {
  if (view.error?.outcome === 'accepted' || typeof view.data === 'object') return undefined;
  return view.error ? failureOf(view, names) : textOf(view, names);
}

const lengthOf = (value) => JSON.stringify(value)?.length ?? 0;

function boundedBody(body) {
  if (lengthOf(body) <= MAX_BODY_LENGTH) return body;
  const { error, message } = Object(body);
  const cut = (text) => (typeof text === 'string' ? text.slice(0, MAX_TEXT_LENGTH) : undefined);
  const reason = Object(error);
  return {
    error: cut(error) ?? { code: cut(reason.code), type: cut(reason.type), message: cut(reason.message) },
    message: cut(message),
  };
}
