/**
 * Runs one soak, by its name. In a process of its own: a soak counts the timers and the heap of its process, and
 * several can run at once.
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
