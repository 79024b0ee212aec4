/**
 * Runs one soak, by its name. In a process of its own, since Node's test runner keeps a record of each promise of its
 * process: that takes three times as long as the calls, and their memory could not be told from the runner's.
 */

import { calls, network, neverSettling, start, traps } from './soaks.js';

const SOAKS = { calls, network, neverSettling, traps };
const cleaners = [];
await start();
try {
  await SOAKS[process.argv[2]]({
    after: (clean) => cleaners.push(clean),
    diagnostic: (text) => console.log(text),
    signal: new AbortController().signal,
  });
} finally {
  for (const clean of cleaners.reverse()) await clean();
}
