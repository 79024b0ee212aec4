/** A hub's task as a client sees it: the relay's reference stands in place of everything that names the task. */

import { costsOf, publicError, publicFailure, publicGeneration } from './public-error.js';

/**
 * @typedef {import('./index.js').View} View
 * @typedef {import('./index.js').HubNames} Names
 */

/** The kinds of error that end a task by itself. */
const ENDS = ['task_failed', 'task_cancelled'];

/** Whether an error is the end of a task: to a client, that is an answer like any other. */
export const isEnd = ({ kind }) => ENDS.includes(kind);

/**
 * Puts the reference in place of everything that names the task.
 *
 * @param {Record<string, any>} generation
 * @param {string | undefined} reference
 */
export function rename({ id, task_id, poll_url, ...rest }, reference) {
  if (!reference) return rest;
  return {
    ...rest,
    ...(id !== undefined && { id: reference }),
    task_id: reference,
    poll_url: `/v1/tasks/${reference}`,
  };
}

/**
 * A view's generation and data as JSON, if they are short.
 *
 * @param {View} view
 * @param {Names} names
 */
export function textOf({ generation, data, kept = [] }, { reference, base, showCosts }) {
  const images = JSON.parse(/** @type {string | undefined} */ (data) ?? '[]').map((image, index) =>
    kept.includes(index) ? { ...image, url: `${base}/v1/tasks/${reference}/images/${index}` } : image,
  );
  return JSON.stringify(rename(publicGeneration({ ...generation, data: images }, showCosts), reference));
}

/** The same as a stream, if they are long. */
export function streamOf({ generation, data }, { reference, showCosts }) {
  const head = JSON.stringify(rename(publicGeneration(generation, showCosts), reference)).slice(0, -1);
  const { readable, writable } = new TransformStream();
  const encoder = new TextEncoder();
  const write = async (text) => {
    const writer = writable.getWriter();
    await writer.write(encoder.encode(text));
    writer.releaseLock();
  };
  const pour = async () => {
    await write(`${head},"data":`);
    await data.pipeTo(writable, { preventClose: true });
    await write('}');
    await writable.close();
  };
  // The reader sees that the stream broke off.
  pour().catch((error) => writable.abort(error).catch(() => {}));
  return readable;
}

/** A task that has ended without a result, as JSON: it failed by itself, or its create failed. */
export function failureOf({ error, generation }, { reference, showCosts }) {
  const failure = isEnd(error)
    ? publicFailure({ ...costsOf(generation), ...error.body }, error.kind === 'task_cancelled', showCosts)
    : { status: 'failed', data: [], error: reasonOf(error) };
  return JSON.stringify(
    rename({ ...failure, error: withChain(failure.error, error, generation) }, reference),
  );
}

/**
 * The reason of a failure, with the models before the last one, if there are any. An empty list tells a client that the
 * hub has ended its chain at the first model, and that the client must not go on with the next one.
 */
export function withChain(reason, { endsChain }, { skipped_models = endsChain && [] }) {
  if (!skipped_models) return reason;
  return { ...(typeof reason === 'string' ? { message: reason } : reason), skipped_models };
}

/** The model that has the request, and those before it, if there are any. */
export const chainOf = ({ model, skipped_models }) => skipped_models && { model, skipped_models };

/** A model that a chain goes past, and why, as a client may see it. */
export function skippedModel(model, error) {
  const { status, body } = isEnd(error) ? { body: publicFailure(error.body, false) } : publicError(error);
  const { kind, outcome } = error;
  const { code, message = body.error } = Object(body.error);
  return { model: model || undefined, error: { kind, outcome, status, code, message } };
}

/** The reason why there is no task. The outcome decides: it says whether money may have been spent. */
function reasonOf(error) {
  if (error.outcome === 'unknown') {
    const message = 'The create may have been carried out and billed: no answer says whether it was.';
    return { code: 'create_outcome_unknown', message };
  }
  if (isQueueFull(error)) {
    const { message, retryAfterMs } = error;
    return {
      code: 'rate_limit_exceeded',
      message,
      retry_after: retryAfterMs && Math.ceil(retryAfterMs / 1000),
    };
  }
  return { code: 'create_failed', ...publicError(error).body.error };
}

/** Whether a create has waited in vain for its turn at the hub's own limiter. */
export const isQueueFull = ({ kind, outcome }) => kind === 'rate_limit' && outcome === 'not_sent';
