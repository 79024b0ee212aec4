/**
 * The bare loop with a signal and a time-out, without which a call can hang for ever. It is the least code that keeps
 * both: one `AbortController` a request, and no timer or listener behind it.
 */

import { decode } from './bare.js';

const REQUEST_TIMEOUT_MS = 60_000;

/** Sends one request, which ends by its answer, by the signal or by its time-out. */
async function send(url, init, signal) {
  signal.throwIfAborted();
  const controller = new AbortController();
  const abort = () => controller.abort(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  const timer = setTimeout(() => controller.abort(new Error('The request timed out')), REQUEST_TIMEOUT_MS);
  try {
    const response = await fetch(url, { ...init, signal: controller.signal });
    return await response.json();
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', abort);
  }
}

const sleep = (ms, signal) =>
  new Promise((resolve, reject) => {
    const abort = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', abort);
      resolve();
    }, ms);
    signal.addEventListener('abort', abort, { once: true });
  });

/**
 * @param {string} baseUrl
 * @param {string} apiKey
 * @param {Record<string, any>} options the request, the pause between two polls, and the signal
 */
export async function generateImage(baseUrl, apiKey, { pause = 3000, signal, ...request }) {
  const authorization = `Bearer ${apiKey}`;
  const create = {
    method: 'POST',
    headers: { authorization, 'content-type': 'application/json' },
    body: JSON.stringify(request),
  };
  const data = await send(`${baseUrl}/v1/images/generations`, create, signal);
  if (data.status !== 'pending') return data.data;
  const url = `${baseUrl}${data.poll_url || `/v1/tasks/${data.task_id}`}`;
  for (;;) {
    const task = await send(url, { headers: { authorization } }, signal);
    if (task.status === 'completed') return task.data;
    if (task.status === 'failed') throw new Error(task.error ?? 'Generation failed');
    await sleep(pause, signal);
  }
}

export function connect(baseUrl, apiKey) {
  const call = (request) =>
    generateImage(baseUrl, apiKey, { ...request, signal: new AbortController().signal });
  return {
    inline: () => call({ model: 'inline', prompt: 'a lemon' }),
    wait: (model, pause) => call({ model, prompt: 'a lemon', pause }),
    async blobs() {
      const data = await call({ model: 'payload', prompt: 'a lemon', n: 4, response_format: 'b64_json' });
      return data.map((image) => decode(image.b64_json));
    },
  };
}
