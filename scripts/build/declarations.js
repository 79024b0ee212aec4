import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../lib/run.js';

/** Where the declarations of each entry of the package lie. */
export const SOURCES = {
  index: 'js/entries/index.d.ts',
  slim: 'js/entries/slim.d.ts',
  relay: 'js/relay/index.d.ts',
  'ai-sdk': 'js/ai-sdk/index.d.ts',
  telemetry: 'js/telemetry/index.d.ts',
  cloudflare: 'js/cloudflare/index.d.ts',
  generations: 'js/generations/index.d.ts',
  react: 'js/react/index.d.ts',
  testing: 'js/testing/index.d.ts',
};

/** Writes the declarations as the package holds them: all in one folder, and for CommonJS as well. */
export function writeDeclarations(folder) {
  for (const [entry, source] of Object.entries(SOURCES)) {
    const types = readFileSync(join(root, source), 'utf8')
      .replace("'../entries/index.js'", "'./index.js'")
      .replace(/'\.\.\/(\w+)\/index\.js'/g, "'./$1.js'");
    writeFileSync(join(folder, `${entry}.d.ts`), types);
    // Edge workers, where the hub runs, know no CommonJS.
    if (entry !== 'cloudflare') {
      writeFileSync(join(folder, `${entry}.d.cts`), types.replace(/'\.\/(\w+)\.js'/g, "'./$1.cjs'"));
    }
  }
}
