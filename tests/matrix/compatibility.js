/** The matrix in `docs/compatibility.md`: what the tests printed when all cells had passed. */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { between, table } from '../../bench/markers.js';
import { root } from '../../scripts/lib/run.js';

const FILE = join(root, 'docs', 'compatibility.md');

/** Groups the cells by their tool, whose name ends at the first space. */
function matrix(rows) {
  const tools = new Map();
  for (const { name, tool } of rows) {
    const [, title, version = ''] = tool.match(/^(\S+) ?(.*)$/);
    if (!tools.has(title)) tools.set(title, { versions: new Set(), cells: [] });
    const { versions, cells } = tools.get(title);
    for (const each of version.split(', ')) if (each) versions.add(each);
    cells.push(name);
  }
  return table(
    ['environment', 'version', 'cells'],
    [...tools].map(([title, { versions, cells }]) => [
      title,
      [...versions].join(', '),
      cells.map((name) => `\`${name}\``).join(' '),
    ]),
  );
}

/**
 * Writes the matrix into its page.
 *
 * @param {{ name: string, tool: string }[]} rows
 */
export function writeMatrix(rows) {
  writeFileSync(FILE, between(readFileSync(FILE, 'utf8'), 'matrix', matrix(rows)));
}

/** The names of the cells that the page lists. */
export function listedCells() {
  const [, listed] = readFileSync(FILE, 'utf8').split(/<!-- \/?matrix -->/);
  return [...listed.matchAll(/`(\S+?)`/g)].map(([, name]) => name);
}
