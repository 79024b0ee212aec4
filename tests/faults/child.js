/** Does jobs in a process of its own: one JSON line in, one out. It ends with its input. */

import process from 'node:process';
import { createInterface } from 'node:readline';
import { JOBS } from './jobs.js';

createInterface({ input: process.stdin }).on('line', async (line) => {
  const { id, job, input } = JSON.parse(line);
  const result = await JOBS[job](input);
  process.stdout.write(`${JSON.stringify({ id, result })}\n`);
});
