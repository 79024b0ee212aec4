/** The links of a page that lead to other files. */

import { readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { root } from '../../scripts/lib/run.js';

/** How code hosts make the anchor of a heading. */
const anchorOf = (heading) =>
  heading
    .toLowerCase()
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replaceAll(' ', '-');

function anchorsOf(text) {
  const found = new Set([...text.matchAll(/<a id="([^"]+)">/g)].map(([, id]) => id));
  const times = new Map();
  for (const [, heading] of text.replaceAll(/```[\s\S]*?```/g, '').matchAll(/^#+ (.+)$/gm)) {
    const anchor = anchorOf(heading);
    const seen = times.get(anchor) ?? 0;
    times.set(anchor, seen + 1);
    found.add(seen === 0 ? anchor : `${anchor}-${seen}`);
  }
  return found;
}

/**
 * @param {string[]} pages paths in the repository
 * @param {(path: string) => boolean} exists whether a file or folder of the repository is there for a reader
 * @returns {string[]} the links that lead nowhere: to a file that is not there, or past its headings
 */
export function deadLinks(pages, exists) {
  const read = (path) => readFileSync(join(root, path), 'utf8');
  return pages.flatMap((page) =>
    [...read(page).matchAll(/\]\((?!\w+:)([^)\s]+)\)/g)]
      .map(([, target]) => target)
      .filter((target) => {
        const [path, anchor] = target.split('#');
        const file = path === '' ? page : relative(root, join(root, dirname(page), path));
        return !exists(file) || (anchor && !anchorsOf(read(file)).has(anchor));
      })
      .map((target) => `${page}: ${target}`),
  );
}
