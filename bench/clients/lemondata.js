/** This package, used as its README shows. */

import { LemonData, toBlob } from 'lemondata-wasm';

export function connect(baseUrl, apiKey) {
  const lemon = new LemonData({ apiKey, baseUrl, dangerouslyAllowBrowser: true });
  return {
    inline: () => lemon.generateAndWait({ model: 'inline', prompt: 'a lemon' }),
    wait: (model, pause) =>
      lemon.generateAndWait({ model, prompt: 'a lemon' }, { pollInterval: { min: pause, max: pause } }),
    async blobs() {
      /** @type {import('lemondata-wasm').ImageRequest} */
      const request = { model: 'payload', prompt: 'a lemon', n: 4, response_format: 'b64_json' };
      const { data } = await lemon.generateAndWait(request);
      return Promise.all(data.map((image) => toBlob(image)));
    },
  };
}
