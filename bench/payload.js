/** An answer with four pictures of 10 MB as `b64_json`: the peak of memory, and the time until they are Blobs. */

import { BASE, clientFile, clientsWith, OURS, runsAnywhere } from './clients/index.js';
import { compare, inTurns } from './measure.js';
import { startProcess, startServer } from './processes.js';

const PICTURES = [10_000_000, 10_000_000, 10_000_000, 10_000_000];

export async function* benchPayload({ rounds, seconds }) {
  const server = await startServer();
  const names = clientsWith(runsAnywhere);
  const measured = Object.fromEntries(names.map((name) => [name, []]));
  try {
    const subjects = names.map((name) => [
      name,
      async () => {
        const process = await startProcess('children/payload.js', [clientFile(name), server.url]);
        const result = await process.next();
        await process.stop();
        if (String(result.sizes) !== String(PICTURES))
          throw new Error(`${name} made Blobs of ${result.sizes} bytes`);
        measured[name].push(result);
      },
    ]);
    // The server makes the pictures for the first request.
    await inTurns(Object.fromEntries(subjects), { rounds, warmUp: 1, seconds });
  } finally {
    await server.stop();
  }
  const pick = (field) =>
    compare(
      Object.fromEntries(names.map((name) => [name, measured[name].slice(1).map((result) => result[field])])),
      BASE,
    );
  yield {
    memory: { unit: 'MB', rows: pick('peakMb') },
    time: { unit: 'ms', rows: pick('ms') },
    /** The bytes of linear memory before and after. */
    linear: measured[OURS].at(-1).linear,
  };
}
