/** The download of a page for each client: bundled and minified by esbuild, compressed with brotli. */

import { compress, measure } from '../scripts/build/measure.js';
import { bundle } from './bundle.js';
import { BASE, CLIENTS, clientsWith, OURS, SLIM } from './clients/index.js';

export async function* benchDownload() {
  /** @type {Record<string, { raw: number, brotli: number }>} */
  const sizes = {};
  for (const [name, { contents }] of Object.entries(CLIENTS)) {
    if (!contents) continue;
    const bytes = await bundle(contents, 'page');
    sizes[name] = { raw: bytes.length, brotli: compress(bytes).length };
  }
  // The sizes that the build itself prints.
  const own = await measure();
  sizes[OURS] = own['generate + waitForTask, bundled'];
  sizes[SLIM] = own['the same of slim'];
  const rows = clientsWith(({ starts }) => !starts).map((name) => [
    name,
    { ...sizes[name], ratio: sizes[name].brotli / sizes[BASE].brotli },
  ]);
  yield { unit: 'bytes', rows: Object.fromEntries(rows) };
}
