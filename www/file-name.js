/** What a downloaded picture is called. */

const EXTENSIONS = { 'image/png': 'png', 'image/jpeg': 'jpg', 'image/webp': 'webp', 'image/gif': 'gif' };

/**
 * A name that says what is in the file: its prompt, its model, its day.
 *
 * @param {import('./pictures.js').Picture} picture
 */
export function fileName({ request, at, index, count, type }) {
  const slug = (text, length) =>
    text
      .normalize('NFKD')
      .toLowerCase()
      .replace(/[^\p{Letter}\p{Number}]+/gu, '-')
      .slice(0, length)
      .replace(/^-|-$/g, '');
  const day = new Date(at).toISOString().slice(0, 10);
  const parts = [slug(request.prompt, 48), slug(request.model ?? '', 24), day];
  if (count > 1) parts.push(index + 1);
  return `${parts.filter(Boolean).join('-')}.${EXTENSIONS[type] ?? 'png'}`;
}
