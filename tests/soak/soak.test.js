/** What is done for long leaves nothing behind. */

import { execFile } from 'node:child_process';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** Ends a soak that hangs. */
const GUARD = { timeout: 600_000 };
const CHILD = fileURLToPath(new URL('child.js', import.meta.url));

const SOAKS = {
  'a hundred thousand calls': 'calls',
  'what never settles': 'neverSettling',
  'calls over a network': 'network',
  'two hundred traps': 'traps',
};

describe('nothing is left behind', { ...GUARD, concurrency: 2 }, () => {
  for (const [title, soak] of Object.entries(SOAKS)) {
    test(`by ${title}`, GUARD, async (t) => {
      const { signal } = t;
      const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', CHILD, soak], {
        signal,
      });
      for (const line of stdout.trim().split('\n')) t.diagnostic(line);
    });
  }
});
