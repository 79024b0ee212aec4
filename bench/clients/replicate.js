/** Replicate's client, with its own way to wait. */

import Replicate from 'replicate';

export function connect(baseUrl, auth) {
  // Like the others, it is to return a URL, and not a stream of what is there.
  const client = new Replicate({ auth, baseUrl: `${baseUrl}/v1`, useFileOutput: false });
  const input = { prompt: 'a lemon' };
  return {
    inline: () => client.run('bench/inline', { input }),
    wait: (model, interval) => client.run(`bench/${model}`, { input, wait: { mode: 'poll', interval } }),
    async blobs() {
      const streams = new Replicate({ auth, baseUrl: `${baseUrl}/v1` });
      const files = await streams.run('bench/payload', { input });
      return Promise.all(files.map((file) => file.blob()));
    },
  };
}
