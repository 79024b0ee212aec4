/** The OpenAI client. For a task, whose polling it does not know, with a loop in the way of its own helpers: every 5 s. */

import OpenAI from 'openai';
import { decode } from './bare.js';

export function connect(baseUrl, apiKey) {
  const client = new OpenAI({ apiKey, baseURL: `${baseUrl}/v1`, dangerouslyAllowBrowser: true });
  return {
    inline: () => client.images.generate({ model: 'inline', prompt: 'a lemon' }),
    async wait(model, pause) {
      const created = await client.images.generate({ model, prompt: 'a lemon' });
      for (;;) {
        const task = await client.get(`/tasks/${created.task_id}`);
        if (task.status === 'completed') return task;
        if (task.status === 'failed') throw new Error(task.error);
        await new Promise((resolve) => setTimeout(resolve, pause));
      }
    },
    async blobs() {
      const request = { model: 'payload', prompt: 'a lemon', n: 4, response_format: 'b64_json' };
      const { data } = await client.images.generate(request);
      return data.map((image) => decode(image.b64_json));
    },
  };
}
