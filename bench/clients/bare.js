/** The loop of the provider's own sample, translated from `requests` to `fetch`. All ratios refer to it. */

/**
 * @param {string} baseUrl
 * @param {string} apiKey
 * @param {Record<string, any>} options the request, and the pause between two polls
 */
export async function generateImage(baseUrl, apiKey, { pause = 3000, ...request }) {
  const authorization = `Bearer ${apiKey}`;
  const response = await fetch(`${baseUrl}/v1/images/generations`, {
    method: 'POST',
    headers: { authorization, 'content-type': 'application/json' },
    body: JSON.stringify(request),
  });
  const data = await response.json();
  if (data.status !== 'pending') return data.data;
  const url = `${baseUrl}${data.poll_url || `/v1/tasks/${data.task_id}`}`;
  for (;;) {
    const answer = await fetch(url, { headers: { authorization } });
    const task = await answer.json();
    if (task.status === 'completed') return task.data;
    if (task.status === 'failed') throw new Error(task.error ?? 'Generation failed');
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}

/** @type {any} the newest engines have `Uint8Array.fromBase64` */
const decoder = Uint8Array;

/** Decodes with the engine's own function. */
export const decode = (b64) => new Blob([decoder.fromBase64?.(b64) ?? Buffer.from(b64, 'base64')]);

export function connect(baseUrl, apiKey) {
  return {
    inline: () => generateImage(baseUrl, apiKey, { model: 'inline', prompt: 'a lemon' }),
    wait: (model, pause) => generateImage(baseUrl, apiKey, { model, prompt: 'a lemon', pause }),
    async blobs() {
      const request = { model: 'payload', prompt: 'a lemon', n: 4, response_format: 'b64_json' };
      const data = await generateImage(baseUrl, apiKey, request);
      return data.map((image) => decode(image.b64_json));
    },
  };
}
