/** A hub in a process of its own, which a test can kill. Its options come as the first message. */

import { Miniflare } from 'miniflare';

let worker;

process.on('message', async (options) => {
  const given = {
    ...options,
    handleRuntimeStdio(...streams) {
      for (const stream of streams) stream.on('data', (text) => process.send({ printed: `${text}` }));
    },
  };
  try {
    // Those that come later are a deploy.
    if (worker) await worker.setOptions(given);
    else worker = new Miniflare(given);
    process.send({ url: `${await worker.ready}`.replace(/\/$/, '') });
  } catch (error) {
    process.send({ error: `${error}` });
  }
});

// Without its test, nobody would end it.
process.on('disconnect', async () => {
  await worker?.dispose();
  process.exit();
});
