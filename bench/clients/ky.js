/** ky, which sends and repeats requests, with the sample's loop. */

import ky from 'ky';
import { decode } from './bare.js';

export function connect(baseUrl, apiKey) {
  const client = ky.create({ prefixUrl: baseUrl, headers: { authorization: `Bearer ${apiKey}` } });
  /** @returns {Promise<any>} */
  const create = (json) => client.post('v1/images/generations', { json, timeout: 300_000 }).json();
  return {
    inline: () => create({ model: 'inline', prompt: 'a lemon' }),
    async wait(model, pause) {
      const { task_id } = await create({ model, prompt: 'a lemon' });
      for (;;) {
        /** @type {any} */
        const task = await client.get(`v1/tasks/${task_id}`).json();
        if (task.status === 'completed') return task;
        if (task.status === 'failed') throw new Error(task.error);
        await new Promise((resolve) => setTimeout(resolve, pause));
      }
    },
    async blobs() {
      const request = { model: 'payload', prompt: 'a lemon', n: 4, response_format: 'b64_json' };
      const { data } = await create(request);
      return data.map((image) => decode(image.b64_json));
    },
  };
}
