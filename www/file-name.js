/** The file names of downloaded pictures. */

import { dayOf } from './days.js';

/**
 * A name made of the prompt, the model and the day.
 *
 * @param {import('./pictures.js').Picture} picture
 */
export function fileName({ request, at, index, count, type }) {
  /** @type {(text: string, length: number) => string} */
  const slug = (text, length) => {
    const words = text
      .normalize('NFKC')
      .toLowerCase()
      // A mark is part of its letter, as in Hindi; behind anything else, it goes with that.
      .replace(/([^\p{Letter}\p{Number}\p{Mark}]\p{Mark}*)+/gu, '-');
    return [...words].slice(0, length).join('').replace(/^-|-$/g, '');
  };
  const parts = [slug(request.prompt, 48), slug(request.model ?? '', 24), dayOf(at)];
  if (count > 1) parts.push(`${index + 1}`);
  const [, extension = 'png'] = /^image\/(\w+)/.exec(type ?? '') ?? [];
  return `${parts.filter(Boolean).join('-')}.${extension.replace('jpeg', 'jpg')}`;
}

/**
 * The names with a number where one occurs twice.
 *
 * @param {string[]} names
 */
export function uniqueNames(names) {
  const taken = new Set();
  return names.map((name) => {
    const [, stem, extension] = /** @type {RegExpMatchArray} */ (name.match(/^(.*)(\.\w+)$/));
    let unique = stem;
    // Without its extension, since the settings have the same name with another one.
    for (let number = 2; taken.has(unique); number += 1) unique = `${stem}-${number}`;
    taken.add(unique);
    return unique + extension;
  });
}
