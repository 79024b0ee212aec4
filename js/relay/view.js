/** How a hub's task looks to a client: with the relay's reference in the place of everything that names it. */

import { publicError, publicFailure, publicGeneration } from './public-error.js';

/** The kinds of error that are a task's own end. */
const ENDS = ['task_failed', 'task_cancelled'];

/** Whether an error is the end of a task: to a client, that is an answer like any other. */
export const isEnd = ({ kind }) => ENDS.includes(kind);

/**
 * A task as a hub sees it.
 *
 * @typedef {object} View
 * @property {Record<string, unknown>} [generation] as it stands, without its `data`
 * @property {string | ReadableStream<Uint8Array>} [data] JSON; a stream where it is long
 * @property {number[]} [kept] the images that the hub has copied
 * @property {Record<string, any>} [error] the fields of the error that the job has come to
 */

/** Puts the reference in the place of everything that names the task. */
export function rename({ id, task_id, poll_url, ...rest }, reference) {
  if (!reference) return rest;
  return {
    ...rest,
    ...(id !== undefined && { id: reference }),
    task_id: reference,
    poll_url: `/v1/tasks/${reference}`,
  };
}

/** A view's generation and data as JSON, where that is short. */
export function textOf({ generation, data, kept = [] }, reference, base) {
  const images = JSON.parse(data ?? '[]').map((image, index) =>
    kept.includes(index) ? { ...image, url: `${base}/v1/tasks/${reference}/images/${index}` } : image,
  );
  return JSON.stringify(rename(publicGeneration({ ...generation, data: images }), reference));
}

/** The same as a stream, where it is long. */
export function streamOf({ generation, data }, reference) {
  const head = JSON.stringify(rename(publicGeneration(generation), reference)).slice(0, -1);
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
  // The reader finds that it broke off.
  pour().catch((error) => writable.abort(error).catch(() => {}));
  return readable;
}

/** A task that has ended without a result, as JSON: by its own end, or since its create has failed. */
export function failureOf(error, reference) {
  const failure = isEnd(error)
    ? publicFailure(error.body, error.kind === 'task_cancelled')
    : { status: 'failed', data: [], error: reasonOf(error) };
  return JSON.stringify(rename(failure, reference));
}

/** Why there is no task. It goes by the outcome: that is what the client has to know. */
function reasonOf(error) {
  if (error.outcome === 'unknown') {
    const message =
      'The create may have been carried out and billed: there is no answer that says so or not.';
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

/** Whether a create has not had its turn in time, at the hub's own limiter. */
export const isQueueFull = ({ kind, outcome }) => kind === 'rate_limit' && outcome === 'not_sent';
