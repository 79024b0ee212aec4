/** Writes results into pages, between comments that readers do not see. */

/**
 * Replaces what stands between `<!-- name -->` and `<!-- /name -->`.
 *
 * @param {string} page
 * @param {string} name
 * @param {string} content
 * @throws where the page has not exactly one such place
 */
export function between(page, name, content) {
  const [open, close] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const [before, rest, ...more] = page.split(open);
  const [, after, ...others] = rest?.split(close) ?? [];
  if (after === undefined || more.length > 0 || others.length > 0) {
    throw new Error(`the page needs one ${open} and behind it one ${close}`);
  }
  return `${before}${open}\n${content.trim()}\n${close}${after}`;
}

/** A table of Markdown. */
export const table = (head, rows) =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
