/** The processor time of one inline call on loopback, with the server in another process. */

import { BASE, BOUNDED, clientFile, clientsWith, OURS, runsAnywhere } from './clients/index.js';
import { compare, inTurns } from './measure.js';
import { startProcess, startServer } from './processes.js';

/** The calls of one measurement: enough for the clock of processor time to be exact. */
const CALLS = 250;

export async function* benchInline({ rounds, seconds }) {
  const server = await startServer();
  /** @type {Record<string, Awaited<ReturnType<typeof startProcess>>>} */
  const processes = {};
  /** @type {Record<string, () => Promise<number>>} */
  const subjects = {};
  try {
    for (const name of clientsWith(runsAnywhere)) {
      processes[name] = await startProcess('children/inline.js', [clientFile(name), server.url]);
      subjects[name] = async () => (await processes[name].request({ calls: CALLS })).microseconds;
    }
    const values = await inTurns(subjects, { rounds, warmUp: 4, seconds });
    const rows = compare(values, BASE);
    yield { unit: 'µs', calls: values[BASE].length * CALLS, rows, bounded: compare(values, BOUNDED)[OURS] };
  } finally {
    for (const { stop } of Object.values(processes)) await stop();
    await server.stop();
  }
}
