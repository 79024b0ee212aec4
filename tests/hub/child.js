/** A hub in a process of its own, which a test can kill. Its options come as the first message. */

import { Miniflare } from 'miniflare';

let worker;

process.on('message', async (options) => {
  const all = {
    ...options,
    handleRuntimeStdio(...streams) {
      for (const stream of streams) stream.on('data', (text) => process.send({ printed: `${text}` }));
    },
  };
  try {
    // Later options are a deploy.
    if (worker) await worker.setOptions(all);
    else worker = new Miniflare(all);
    process.send({ url: `${await worker.ready}`.replace(/\/$/, '') });
  } catch (error) {
    process.send({ error: `${error}` });
  }
});

// Its test has ended.
process.on('disconnect', async () => {
  await worker?.dispose();
  process.exit();
});
