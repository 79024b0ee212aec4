/** fal's client: `run` for inline answers, `subscribe` for its queue. */

import { createFalClient } from '@fal-ai/client';

export function connect(baseUrl, credentials) {
  const client = createFalClient({
    credentials,
    suppressLocalCredentialsWarning: true,
    // Its hosts are fixed; a middleware may replace them.
    requestMiddleware: async (request) => ({
      ...request,
      url: request.url
        .replace('https://queue.fal.run', `${baseUrl}/fal/queue`)
        .replace('https://fal.run', `${baseUrl}/fal/run`),
    }),
  });
  const input = { prompt: 'a lemon' };
  return {
    inline: () => client.run('bench/inline', { input }),
    wait: (model, pollInterval) => client.subscribe(`bench/${model}`, { input, pollInterval }),
    async blobs() {
      const { data } = await client.run('bench/payload', { input });
      return Promise.all(data.images.map(async ({ url }) => (await fetch(url)).blob()));
    },
  };
}
