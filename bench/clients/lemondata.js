/** This package, as its README says. */

import { LemonData, toBlob } from 'lemondata-wasm';

export function connect(baseUrl, apiKey) {
  const lemon = new LemonData({ apiKey, baseUrl, dangerouslyAllowBrowser: true });
  return {
    inline: () => lemon.generateAndWait({ model: 'inline', prompt: 'a lemon' }),
    wait: (model, pause) =>
      lemon.generateAndWait({ model, prompt: 'a lemon' }, { pollInterval: { min: pause, max: pause } }),
    async blobs() {
      const request = { model: 'payload', prompt: 'a lemon', n: 4, response_format: 'b64_json' };
      const { data } = await lemon.generateAndWait(request);
      return Promise.all(data.map((image) => toBlob(image)));
    },
  };
}
