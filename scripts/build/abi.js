/** Writes the JavaScript half of the numbers that cross the border: `src/core/abi.rs` lists them. */

import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, run, step } from '../lib/run.js';

const source = join(root, 'src', 'core', 'abi.rs');
const written = join(root, 'js', 'client', 'abi.gen.js');

/** Writes the file where the list has changed. It is checked in, and its head has the hash of the list. */
export function ensureAbi() {
  const hash = createHash('sha256').update(readFileSync(source)).digest('hex').slice(0, 16);
  const head = `// Written by \`npm run build\` from src/core/abi.rs, ${hash}.\n`;
  if (readFileSync(written, 'utf8').startsWith(head)) return;
  const code = step('write the numbers of the border', () =>
    run('cargo', ['run', '--quiet', '--locked', '--example=abi'], { quiet: true }),
  );
  writeFileSync(written, `${head}\n${code}`);
}
