/** The file name of a downloaded picture. */

/** @type {Record<string, string>} */
const EXTENSIONS = { 'image/png': 'png', 'image/jpeg': 'jpg', 'image/webp': 'webp', 'image/gif': 'gif' };

/**
 * A name made of the prompt, the model and the day.
 *
 * @param {import('./pictures.js').Picture} picture
 */
export function fileName({ request, at, index, count, type }) {
  /** @type {(text: string, length: number) => string} */
  const slug = (text, length) =>
    text
      .normalize('NFKD')
      .toLowerCase()
      .replace(/[^\p{Letter}\p{Number}]+/gu, '-')
      .slice(0, length)
      .replace(/^-|-$/g, '');
  const day = new Date(at).toISOString().slice(0, 10);
  const parts = [slug(request.prompt, 48), slug(request.model ?? '', 24), day];
  if (count > 1) parts.push(`${index + 1}`);
  return `${parts.filter(Boolean).join('-')}.${EXTENSIONS[type ?? ''] ?? 'png'}`;
}
