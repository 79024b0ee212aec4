/** The matrix in the README: what the tests printed when all cells had passed. */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../scripts/lib/run.js';

const FILE = join(root, 'README.md');
const MATRIX = /(<!-- matrix -->\n)[\s\S]*?(<!-- \/matrix -->)/;

/** Groups the cells by their tool, whose name ends at the first space. */
function table(rows) {
  const tools = new Map();
  for (const { name, tool } of rows) {
    const [, title, version = ''] = tool.match(/^(\S+) ?(.*)$/);
    if (!tools.has(title)) tools.set(title, { versions: new Set(), cells: [] });
    const { versions, cells } = tools.get(title);
    for (const each of version.split(', ')) versions.add(each);
    cells.push(name);
  }
  return [
    '| environment | version | what is tested |',
    '| --- | --- | --- |',
    ...[...tools].map(
      ([title, { versions, cells }]) =>
        `| ${title} | ${[...versions].join(', ')} | ${cells.map((name) => `\`${name}\``).join(' ')} |`,
    ),
    '',
  ].join('\n');
}

/**
 * Writes the matrix into the README.
 *
 * @param {{ name: string, tool: string }[]} rows
 */
export function writeMatrix(rows) {
  const readme = readFileSync(FILE, 'utf8');
  if (!MATRIX.test(readme)) throw new Error('The README has no place for the matrix.');
  writeFileSync(
    FILE,
    readme.replace(MATRIX, (_, begin, end) => begin + table(rows) + end),
  );
}

/** The names of the cells that the README lists. */
export function listedCells() {
  const [matrix] = readFileSync(FILE, 'utf8').match(MATRIX);
  return [...matrix.matchAll(/`(\S+?)`/g)].map(([, name]) => name);
}
