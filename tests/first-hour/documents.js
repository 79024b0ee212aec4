/** The commands that the documents print. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../scripts/lib/run.js';

/** A block between fences, with its language, or lines that are indented. */
const BLOCK = /^```(\w*)\n([\s\S]*?)^```|(?:^ {4}.*\n)+/gm;

/**
 * @param {string} page a path in the repository
 * @param {string} heading of the section
 * @returns {string[]} the blocks of commands in the section, as they are printed
 */
export function commands(page, heading) {
  const [, ...sections] = readFileSync(join(root, page), 'utf8').split(/^## /m);
  const section = sections.find((text) => text.startsWith(`${heading}\n`));
  const blocks = [...(section ?? '').matchAll(BLOCK)]
    .filter(([, language = 'sh']) => language === 'sh')
    .map(([indented, , fenced]) => fenced ?? indented.replaceAll(/^ {4}/gm, ''));
  if (blocks.length === 0) throw new Error(`${page} has no commands below ${heading}.`);
  return blocks;
}
