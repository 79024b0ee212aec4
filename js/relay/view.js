/** How a hub's task looks to a client: with the relay's reference in the place of everything that names it. */

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
  const told = rename(generation, reference);
  if (data === undefined) return JSON.stringify({ ...told, data: [] });
  const images = JSON.parse(data).map((image, index) =>
    kept.includes(index) ? { ...image, url: `${base}/v1/tasks/${reference}/images/${index}` } : image,
  );
  return JSON.stringify({ ...told, data: images });
}

/** The same as a stream, where it is long. */
export function streamOf({ generation, data }, reference) {
  const head = JSON.stringify(rename(generation, reference)).slice(0, -1);
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
  // Whoever reads it finds that it broke off.
  pour().catch((error) => writable.abort(error).catch(() => {}));
  return readable;
}

/** The task's own end, as the provider says it, or else in its words. */
export function failureOf({ body, code, kind, message }, reference) {
  const isProviders = kind === 'task_failed' || kind === 'task_cancelled';
  if (isProviders && body) return JSON.stringify(rename(body, reference));
  const error = { code: code ?? FAILURE_CODES[kind] ?? 'create_failed', message };
  return JSON.stringify(rename({ status: 'failed', data: [], error }, reference));
}

/** Why there is no task: what a hub finds by itself. */
const FAILURE_CODES = {
  connection: 'create_outcome_unknown',
  request_timeout: 'create_outcome_unknown',
  response: 'create_outcome_unknown',
  rate_limit: 'rate_limit_exceeded',
};
