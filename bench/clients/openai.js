/** The OpenAI client. It has no tasks; a loop polls every 5 s, like its own helpers. */

import OpenAI from 'openai';
import { decode } from './bare.js';

export function connect(baseUrl, apiKey) {
  const client = new OpenAI({ apiKey, baseURL: `${baseUrl}/v1`, dangerouslyAllowBrowser: true });
  return {
    inline: () => client.images.generate({ model: 'inline', prompt: 'a lemon' }),
    async wait(model, pause) {
      /** @type {any} */
      const created = await client.images.generate({ model, prompt: 'a lemon' });
      for (;;) {
        /** @type {any} */
        const task = await client.get(`/tasks/${created.task_id}`);
        if (task.status === 'completed') return task;
        if (task.status === 'failed') throw new Error(task.error);
        await new Promise((resolve) => setTimeout(resolve, pause));
      }
    },
    async blobs() {
      /** @type {import('openai').default.ImageGenerateParamsNonStreaming} */
      const request = { model: 'payload', prompt: 'a lemon', n: 4, response_format: 'b64_json' };
      const { data } = await client.images.generate(request);
      return data.map((image) => decode(image.b64_json));
    },
  };
}
