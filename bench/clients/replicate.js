/** Replicate's client, with its own wait. */

import Replicate from 'replicate';

export function connect(baseUrl, auth) {
  // It returns a URL like the others, and not a stream.
  const client = new Replicate({ auth, baseUrl: `${baseUrl}/v1`, useFileOutput: false });
  const input = { prompt: 'a lemon' };
  return {
    inline: () => client.run('bench/inline', { input }),
    wait: (model, interval) => client.run(`bench/${model}`, { input, wait: { mode: 'poll', interval } }),
    async blobs() {
      const streams = new Replicate({ auth, baseUrl: `${baseUrl}/v1` });
      const files = /** @type {any[]} */ (await streams.run('bench/payload', { input }));
      return Promise.all(files.map((file) => file.blob()));
    },
  };
}
